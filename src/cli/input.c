/* SPDX-License-Identifier: ISC */

/*
 * A pipe is opened once more by its name in /proc, which gives a description
 * of our own that may be non-blocking; whether there is something to read is
 * still asked of the first one, since only that one was there to see writers
 * come and go.  All else goes through a relay, which ends the data pipe first
 * and then reports.
 */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "cli/input.h"
#include "cli/relay.h"

#define INPUT_READ_BYTES 65536

struct input {
	struct input_handlers handlers;
	struct event data;
	struct event done;
	struct relay *relay; /* NULL: none */
	int fd;		     /* owned: where we read */
	int done_fds[2];     /* owned: a relay reports here; or -1 */
	bool paused;
	bool ended; /* nothing is left to read */
	int error;
	char bytes[INPUT_READ_BYTES];
};

static void
input_done_cb(evutil_socket_t fd, short what, void *arg)
{
	struct input *in = arg;

	(void)what;
	if (in->relay != NULL) {
		if (read(fd, &in->error, sizeof(in->error)) == -1)
			in->error = errno;
		relay_join(in->relay);
		in->relay = NULL;
	}
	in->handlers.on_end(in->error, in->handlers.arg);
}

/* A relay that has ended the data knows whether that was all of it. */
static void
input_end(struct input *in, int error)
{
	in->ended = true;
	in->error = error;
	event_del(&in->data);
	if (error == 0 && in->relay != NULL && event_add(&in->done, NULL) == 0)
		return;
	if (error != 0 && in->relay != NULL) {
		relay_abandon(in->relay);
		in->relay = NULL;
	}
	event_active(&in->done, EV_READ, 1);
}

static void
input_data_cb(evutil_socket_t fd, short what, void *arg)
{
	struct input *in = arg;
	ssize_t n;

	(void)fd;
	(void)what;
	n = read(in->fd, in->bytes, sizeof(in->bytes));
	if (n > 0)
		in->handlers.on_input(in->bytes, (size_t)n, in->handlers.arg);
	else if (n == 0)
		input_end(in, 0);
	else if (errno != EAGAIN && errno != EINTR)
		input_end(in, errno);
}

static int
input_reopen(int fd)
{
	char name[sizeof("/proc/self/fd/") + 3 * sizeof(fd)];
	struct stat st;

	if (fstat(fd, &st) == -1 || !S_ISFIFO(st.st_mode))
		return -1;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/* Returns the end of a pipe that a relay fills, or -1 with errno. */
static int
input_start_relay(struct input *in, int fd)
{
	int fds[2], saved;

	if (pipe2(in->done_fds, O_CLOEXEC) == -1 || pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0)
		in->relay = relay_start(fd, 0, fds[1], 1, in->done_fds[1]);
	if (in->relay != NULL)
		return fds[0];
	saved = errno;
	close(fds[0]);
	close(fds[1]);
	errno = saved;
	return -1;
}

static int
input_begin(struct input *in, struct event_base *base, int fd)
{
	int watched = fd;

	if ((in->fd = input_reopen(fd)) == -1)
		watched = in->fd = input_start_relay(in, fd);
	if (in->fd == -1)
		return -1;
	event_assign(&in->data, base, watched, EV_READ | EV_PERSIST,
	    input_data_cb, in);
	event_assign(&in->done, base, in->done_fds[0], EV_READ, input_done_cb,
	    in);
	return event_add(&in->data, NULL);
}

struct input *
input_open(struct event_base *base, int fd,
    const struct input_handlers *handlers)
{
	struct input *in;
	int saved;

	if ((in = calloc(1, sizeof(*in))) == NULL)
		return NULL;
	in->handlers = *handlers;
	in->fd = in->done_fds[0] = in->done_fds[1] = -1;
	if (input_begin(in, base, fd) == 0)
		return in;
	saved = errno;
	input_close(in);
	errno = saved;
	return NULL;
}

void
input_pause(struct input *in)
{
	if (in->ended || in->paused)
		return;
	in->paused = true;
	event_del(&in->data);
}

void
input_resume(struct input *in)
{
	if (in->ended || !in->paused)
		return;
	in->paused = false;
	if (event_add(&in->data, NULL) == -1)
		input_end(in, errno);
}

void
input_close(struct input *in)
{
	if (in == NULL)
		return;
	if (in->relay != NULL)
		relay_abandon(in->relay);
	if (in->fd != -1) {
		event_del(&in->data);
		event_del(&in->done);
		close(in->fd);
	}
	for (int i = 0; i < 2; i++)
		if (in->done_fds[i] != -1)
			close(in->done_fds[i]);
	free(in);
}
