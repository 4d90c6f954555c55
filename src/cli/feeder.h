/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_FEEDER_H
#define WSEXEC_FEEDER_H

/*
 * Writes to the command's standard input, a pipe or a terminal, without the
 * loop ever waiting for it.  What it does not take at once is kept; while there
 * is some, feeder_is_full() says so, and the caller should not bring more.
 */

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct feeder;

struct feeder_handlers {
	/* It was full and is no longer.  May not call feeder_free(). */
	void (*on_room)(void *arg);
	void *arg;
};

/*
 * fd (owned) is set to O_NONBLOCK.  terminal: it is the master of one.  NULL:
 * errno says why, and fd is closed.
 */
struct feeder *feeder_open(struct event_base *base, int fd, bool terminal,
    const struct feeder_handlers *handlers);

/*
 * Takes n bytes, at least one, and copies what does not go at once.  When
 * nobody reads them any more they are dropped, which -v is told once.
 */
void feeder_write(struct feeder *f, const void *bytes, size_t n);
bool feeder_is_full(const struct feeder *f);

/*
 * No more comes: behind what is kept the reader sees the end.  A terminal has
 * none, but a program that reads lines takes the character for it for one.
 */
void feeder_end(struct feeder *f);

/* The same at once: what is kept is dropped, and a terminal only let go. */
void feeder_stop(struct feeder *f);

/* NULL is allowed. */
void feeder_free(struct feeder *f);

#endif
