/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_INPUT_H
#define WSEXEC_INPUT_H

/*
 * Reads wsexec's own standard input in place of a command's output.  The
 * descriptor is left as it is, since others may share it: never O_NONBLOCK.
 * A file, which cannot be waited for, is read by a relay.
 */

#include <stddef.h>

struct event_base;
struct input;

struct input_handlers {
	void (*on_input)(const void *bytes, size_t n, void *arg); /* 1..65536 */
	void (*on_end)(int error, void *arg); /* once; 0 or an errno */
	void *arg;
};

/* NULL: errno says why. */
struct input *input_open(struct event_base *base, int fd,
    const struct input_handlers *handlers);
void input_pause(struct input *in);
void input_resume(struct input *in);
/* Does not close fd.  NULL is allowed; so is a call from on_end. */
void input_close(struct input *in);

#endif
