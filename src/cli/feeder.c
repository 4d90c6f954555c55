/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "cli/feeder.h"
#include "cli/log.h"

#define FEEDER_END_MAX 2 /* characters that end the input of a terminal */

struct feeder {
	struct feeder_handlers handlers;
	struct event event; /* pending while something is kept */
	int fd;		    /* owned; -1: nothing is written any more */
	bool terminal;
	bool in_line; /* the last byte ended no line */
	bool ends;    /* it stops behind what is kept */
	bool loss_is_told;
	char *kept;	/* owned; NULL: nothing */
	size_t size;	/* of it */
	size_t written; /* of that */
};

static void
feeder_note_loss(struct feeder *f)
{
	if (!f->loss_is_told)
		log_verbose("the command takes no input any more: what comes "
			    "for it is dropped");
	f->loss_is_told = true;
}

static void
feeder_forget_kept(struct feeder *f)
{
	free(f->kept);
	f->kept = NULL;
	f->size = f->written = 0;
}

/* Bytes that were taken, 0 if none are now; what nobody reads is taken, too. */
static size_t
feeder_put(struct feeder *f, const char *bytes, size_t n)
{
	ssize_t written;

	do {
		written = write(f->fd, bytes, n);
	} while (written == -1 && errno == EINTR);
	if (written >= 0)
		return (size_t)written;
	if (errno == EAGAIN)
		return 0;
	feeder_stop(f);
	feeder_note_loss(f);
	return n;
}

static void
feeder_room_cb(evutil_socket_t fd, short what, void *arg)
{
	struct feeder *f = arg;
	size_t n;

	(void)fd;
	(void)what;
	n = feeder_put(f, f->kept + f->written, f->size - f->written);
	f->written += n;
	if (f->fd != -1 && f->written < f->size) {
		(void)event_add(&f->event, NULL);
		return;
	}
	feeder_forget_kept(f);
	if (f->ends)
		feeder_stop(f);
	/* The last thing here: it may be stopped from inside. */
	f->handlers.on_room(f->handlers.arg);
}

/* Keeps what did not go; without memory for it all that follows is dropped. */
static void
feeder_keep(struct feeder *f, const char *bytes, size_t n)
{
	char *kept = realloc(f->kept, f->size + n);

	if (kept != NULL)
		f->kept = kept;
	if (kept == NULL || event_add(&f->event, NULL) == -1) {
		log_warn("out of memory: the command gets no more input");
		f->loss_is_told = true;
		feeder_stop(f);
		return;
	}
	memcpy(f->kept + f->size, bytes, n);
	f->size += n;
}

struct feeder *
feeder_open(struct event_base *base, int fd, bool terminal,
    const struct feeder_handlers *handlers)
{
	struct feeder *f = calloc(1, sizeof(*f));
	int saved;

	if (f != NULL && evutil_make_socket_nonblocking(fd) == 0 &&
	    event_assign(&f->event, base, fd, EV_WRITE, feeder_room_cb, f) ==
		0) {
		f->handlers = *handlers;
		f->fd = fd;
		f->terminal = terminal;
		return f;
	}
	saved = errno;
	free(f);
	close(fd);
	errno = saved;
	return NULL;
}

void
feeder_write(struct feeder *f, const void *bytes, size_t n)
{
	const char *from = bytes;
	size_t written = 0;

	if (f->fd == -1) {
		feeder_note_loss(f);
		return;
	}
	f->in_line = from[n - 1] != '\n';
	if (f->kept == NULL)
		written = feeder_put(f, from, n);
	if (written < n)
		feeder_keep(f, from + written, n - written);
}

bool
feeder_is_full(const struct feeder *f)
{
	return f->kept != NULL;
}

/* In a line the first one only hands over what there is of it. */
static void
feeder_end_terminal(struct feeder *f)
{
	char end[FEEDER_END_MAX];
	struct termios mode;

	if (tcgetattr(f->fd, &mode) == -1 || mode.c_cc[VEOF] == _POSIX_VDISABLE)
		return;
	memset(end, mode.c_cc[VEOF], sizeof(end));
	feeder_write(f, end, f->in_line ? 2 : 1);
}

void
feeder_end(struct feeder *f)
{
	if (f->fd != -1 && f->terminal)
		feeder_end_terminal(f);
	f->ends = true;
	if (f->kept == NULL)
		feeder_stop(f);
}

void
feeder_stop(struct feeder *f)
{
	feeder_forget_kept(f);
	if (f->fd == -1)
		return;
	(void)event_del(&f->event);
	close(f->fd);
	f->fd = -1;
}

void
feeder_free(struct feeder *f)
{
	if (f == NULL)
		return;
	feeder_stop(f);
	free(f);
}
