/* SPDX-License-Identifier: ISC */

/*
 *	terminal_write -> waiting -> pipe -> relay (a thread) -> fd
 *	                                       |
 *	done_cb <------------- done pipe ------+
 *
 * Bytes wait in memory only while the pipe is full, and only then is there a
 * write event.  Only our end of the pipe is O_NONBLOCK: its two ends are
 * separate descriptions, and the relay is to wait.  The end is reported from
 * the done pipe alone, whatever write(2) says before.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "cli/relay.h"
#include "cli/terminal.h"

#define TERMINAL_PIPE_SIZE (1024 * 1024) /* wanted, in bytes */

struct terminal {
	struct terminal_handlers handlers;
	struct relay *relay;	  /* owned; NULL after the end */
	struct evbuffer *waiting; /* owned */
	struct event *room_event; /* owned; added while bytes wait */
	struct event *done_event; /* owned */
	int pipe_fd;		  /* owned; our end, -1: closed */
	int done_read_fd;	  /* owned */
	int done_write_fd;	  /* owned; the relay borrows it */
	bool finished;		  /* nothing more will be given */
};

static void
terminal_close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* Stops writing: all is in the pipe, or nothing can be any more. */
static void
terminal_close_pipe(struct terminal *t)
{
	evbuffer_drain(t->waiting, SIZE_MAX);
	if (t->room_event != NULL)
		event_free(t->room_event);
	t->room_event = NULL;
	terminal_close_fd(&t->pipe_fd);
}

static void
terminal_done_cb(evutil_socket_t fd, short events, void *arg)
{
	struct terminal *t = arg;
	bool was_full = terminal_is_full(t);
	int error;

	(void)events;
	if (read((int)fd, &error, sizeof(error)) != sizeof(error))
		error = EIO;
	relay_join(t->relay);
	t->relay = NULL;
	terminal_close_pipe(t);
	if (was_full)
		t->handlers.on_room(t->handlers.arg);
	t->handlers.on_end(error, t->handlers.arg);
}

static void
terminal_room_cb(evutil_socket_t fd, short events, void *arg)
{
	struct terminal *t = arg;

	(void)events;
	if (evbuffer_write(t->waiting, fd) == -1 && errno != EAGAIN &&
	    errno != EINTR) {
		/* The relay has failed; the done pipe will say why. */
		event_del(t->room_event);
		return;
	}
	if (terminal_is_full(t))
		return;
	event_del(t->room_event);
	if (t->finished)
		terminal_close_pipe(t);
	t->handlers.on_room(t->handlers.arg);
}

/* Makes the two pipes; the relay's end of the first is *relay_fd. */
static bool
terminal_make_pipes(struct terminal *t, int *relay_fd)
{
	int fds[2];
	int flags;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return false;
	t->done_read_fd = fds[0];
	t->done_write_fd = fds[1];
	if (pipe2(fds, O_CLOEXEC) == -1)
		return false;
	*relay_fd = fds[0];
	t->pipe_fd = fds[1];
	if ((flags = fcntl(t->pipe_fd, F_GETFL)) == -1 ||
	    fcntl(t->pipe_fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return false;
	/* A bigger pipe is only slack; users may have used up their share. */
	(void)fcntl(t->pipe_fd, F_SETPIPE_SZ, TERMINAL_PIPE_SIZE);
	return true;
}

static bool
terminal_make_events(struct terminal *t, struct event_base *base)
{
	errno = ENOMEM; /* libevent does not set it */
	if ((t->waiting = evbuffer_new()) == NULL)
		return false;
	t->room_event = event_new(base, t->pipe_fd, EV_WRITE | EV_PERSIST,
	    terminal_room_cb, t);
	t->done_event =
	    event_new(base, t->done_read_fd, EV_READ, terminal_done_cb, t);
	return t->room_event != NULL && t->done_event != NULL &&
	    event_add(t->done_event, NULL) == 0;
}

struct terminal *
terminal_open(struct event_base *base, int fd, bool own,
    const struct terminal_handlers *handlers)
{
	struct terminal *t;
	int relay_fd = -1;
	int error;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->handlers = *handlers;
	t->pipe_fd = t->done_read_fd = t->done_write_fd = -1;
	if (terminal_make_pipes(t, &relay_fd) && terminal_make_events(t, base))
		t->relay =
		    relay_start(relay_fd, true, fd, own, t->done_write_fd);
	if (t->relay == NULL) {
		error = errno;
		terminal_close_fd(&relay_fd);
		terminal_free(t);
		errno = error;
		return NULL;
	}
	return t;
}

bool
terminal_write(struct terminal *t, const void *bytes, size_t n)
{
	const char *rest = bytes;
	ssize_t written = 0;

	if (t->pipe_fd == -1 || t->finished)
		return true;
	if (!terminal_is_full(t)) {
		/* After any error the rest waits for room, or for the end. */
		written = write(t->pipe_fd, rest, n);
		if (written == -1)
			written = 0;
	}
	if ((size_t)written == n)
		return true;
	if (!terminal_is_full(t) && event_add(t->room_event, NULL) == -1)
		return false;
	return evbuffer_add(t->waiting, rest + written, n - (size_t)written) ==
	    0;
}

bool
terminal_is_full(const struct terminal *t)
{
	return evbuffer_get_length(t->waiting) > 0;
}

void
terminal_finish(struct terminal *t)
{
	t->finished = true;
	if (!terminal_is_full(t))
		terminal_close_pipe(t);
}

void
terminal_free(struct terminal *t)
{
	if (t == NULL)
		return;
	/* First, so that the relay does not write what is in the pipe. */
	if (t->relay != NULL)
		relay_abandon(t->relay);
	if (t->room_event != NULL)
		event_free(t->room_event);
	if (t->done_event != NULL)
		event_free(t->done_event);
	if (t->waiting != NULL)
		evbuffer_free(t->waiting);
	terminal_close_fd(&t->pipe_fd);
	terminal_close_fd(&t->done_read_fd);
	terminal_close_fd(&t->done_write_fd);
	free(t);
}
