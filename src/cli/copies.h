/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_COPIES_H
#define WSEXEC_COPIES_H

/*
 * All local copies of the output: stdout and stderr, as the command wrote
 * them, and the file of --output, which gets both.
 */

#include <stdbool.h>
#include <stddef.h>

#include "wsexec.h"

struct copies;
struct event_base;

struct copies_handlers {
	/* What copies_are_full() or copies_have_ended() says may differ. */
	void (*on_change)(void *arg);
	/* Nobody reads our stdout or stderr any more. */
	void (*on_closed)(enum wsexec_stream stream, void *arg);
	void *arg;
};

/*
 * quiet: none of stdout and stderr.  file: a path to write, or NULL.  NULL:
 * it failed, and why has been told.
 */
struct copies *copies_open(struct event_base *base, bool quiet,
    const char *file, const struct copies_handlers *handlers);

/* False: out of memory, some bytes are lost. */
bool copies_write(struct copies *c, enum wsexec_stream stream,
    const void *bytes, size_t n);

/* Whether one of them cannot keep up. */
bool copies_are_full(const struct copies *c);

/* No more will come. */
void copies_finish(struct copies *c);

/* Whether all is written, or cannot be. */
bool copies_have_ended(const struct copies *c);

void copies_free(struct copies *c);

#endif
