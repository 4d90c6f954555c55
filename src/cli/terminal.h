/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_TERMINAL_H
#define WSEXEC_TERMINAL_H

/*
 * The local copy: what the command wrote, byte for byte, on a descriptor of
 * our own (stdout, stderr, or the file of --output), without the loop ever
 * waiting for it.  Bytes go into a pipe that a relay empties.  A terminal that
 * has stopped fills the pipe, and terminal_is_full() says so: the caller then
 * stops reading from the command, as the terminal would have stopped it.
 */

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct terminal;

struct terminal_handlers {
	/* It was full and is no longer.  May not call terminal_free(). */
	void (*on_room)(void *arg);
	/*
	 * Once: all is written (error 0), or nothing more can be (errno).
	 * After it terminal_write() drops what it is given.
	 */
	void (*on_end)(int error, void *arg);
	void *arg;
};

/*
 * fd is borrowed, or owned and closed at the end.  NULL: errno says why, and
 * fd was not closed.
 */
struct terminal *terminal_open(struct event_base *base, int fd, bool own,
    const struct terminal_handlers *handlers);

/*
 * Takes n bytes: at once as many as there is room for, the rest is copied and
 * follows.  False: out of memory, the rest is lost.
 */
bool terminal_write(struct terminal *t, const void *bytes, size_t n);

/* Whether bytes wait for room; the caller should not bring more. */
bool terminal_is_full(const struct terminal *t);

/* No more bytes will come; on_end follows when all are written. */
void terminal_finish(struct terminal *t);

/* Drops what is not written yet.  NULL is allowed. */
void terminal_free(struct terminal *t);

#endif
