/* SPDX-License-Identifier: ISC */

/*
 * The thread shares with its owner nothing but struct relay, and of that only
 * state changes after the start.  Whoever comes second, the thread with its
 * end or the owner who abandons it, finds that out from state and frees.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/relay.h"

#define RELAY_CHUNK 65536 /* bytes copied at a time */

enum relay_state {
	RELAY_RUNNING,
	RELAY_ENDED,	 /* the owner joins the thread and frees */
	RELAY_ABANDONED, /* the thread is detached and frees */
};

struct relay {
	pthread_t thread;
	_Atomic(enum relay_state) state;
	int from;
	bool own_from;
	int to;
	bool own_to;
	int done_fd; /* borrowed: open while state is not RELAY_ABANDONED */
	char chunk[RELAY_CHUNK];
};

/*
 * Other programs may have set O_NONBLOCK on a descriptor they share with us.
 * Returns whether to try again.
 */
static bool
relay_wait(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (errno == EINTR)
		return true;
	if (errno != EAGAIN)
		return false;
	return poll(&p, 1, -1) != -1 || errno == EINTR;
}

/* Bytes read, 0 at the end of input, or -1 with errno. */
static ssize_t
relay_read(struct relay *r)
{
	ssize_t n;

	while ((n = read(r->from, r->chunk, sizeof(r->chunk))) == -1)
		if (!relay_wait(r->from, POLLIN))
			return -1;
	return n;
}

static bool
relay_write(struct relay *r, size_t size)
{
	size_t written = 0;
	ssize_t n;

	while (written < size) {
		n = write(r->to, r->chunk + written, size - written);
		if (n != -1)
			written += (size_t)n;
		else if (!relay_wait(r->to, POLLOUT))
			return false;
	}
	return true;
}

/* Returns 0 when all is copied, or an errno. */
static int
relay_copy(struct relay *r)
{
	ssize_t n;

	while ((n = relay_read(r)) > 0) {
		/* What it writes to may be in other hands by now. */
		if (atomic_load(&r->state) == RELAY_ABANDONED)
			return ECANCELED;
		if (!relay_write(r, (size_t)n))
			return errno;
	}
	return n == 0 ? 0 : errno;
}

static void *
relay_run(void *arg)
{
	struct relay *r = arg;
	int error = relay_copy(r);

	if (r->own_from)
		close(r->from);
	/* Some file systems tell only here that bytes were lost. */
	if (r->own_to && close(r->to) == -1 && error == 0)
		error = errno;
	if (atomic_exchange(&r->state, RELAY_ENDED) == RELAY_ABANDONED) {
		free(r);
		return NULL;
	}
	while (write(r->done_fd, &error, sizeof(error)) == -1 && errno == EINTR)
		continue;
	return NULL;
}

struct relay *
relay_start(int from, int own_from, int to, int own_to, int done_fd)
{
	struct relay *r;
	sigset_t all, before;
	int error;

	if ((r = malloc(sizeof(*r))) == NULL)
		return NULL;
	r->from = from;
	r->own_from = own_from != 0;
	r->to = to;
	r->own_to = own_to != 0;
	r->done_fd = done_fd;
	atomic_init(&r->state, RELAY_RUNNING);

	/* The thread inherits the mask; signals are for the loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&r->thread, NULL, relay_run, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0) {
		free(r);
		errno = error;
		return NULL;
	}
	return r;
}

void
relay_join(struct relay *r)
{
	pthread_join(r->thread, NULL);
	free(r);
}

void
relay_abandon(struct relay *r)
{
	pthread_t thread = r->thread;

	if (atomic_exchange(&r->state, RELAY_ABANDONED) == RELAY_ENDED)
		relay_join(r);
	else
		pthread_detach(thread);
}
