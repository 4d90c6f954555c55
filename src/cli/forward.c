/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/child.h"
#include "cli/forward.h"
#include "cli/input.h"
#include "cli/log.h"

struct forward {
	struct input *input; /* owned */
	struct child *child; /* borrowed: outlives it */
};

static void
forward_input_cb(const void *bytes, size_t n, void *arg)
{
	struct forward *f = arg;

	child_write(f->child, bytes, n);
	if (child_is_full(f->child))
		input_pause(f->input);
}

static void
forward_end_cb(int error, void *arg)
{
	struct forward *f = arg;

	if (error != 0)
		log_warn("standard input: %s", strerror(error));
	child_end_input(f->child);
}

struct forward *
forward_open(struct event_base *base, int fd, struct child *c)
{
	struct forward *f = calloc(1, sizeof(*f));
	const struct input_handlers handlers = {
		.on_input = forward_input_cb,
		.on_end = forward_end_cb,
		.arg = f,
	};
	int saved;

	if (f == NULL)
		return NULL;
	f->child = c;
	if ((f->input = input_open(base, fd, &handlers)) != NULL)
		return f;
	saved = errno;
	free(f);
	errno = saved;
	return NULL;
}

void
forward_resume(struct forward *f)
{
	input_resume(f->input);
}

void
forward_close(struct forward *f)
{
	if (f == NULL)
		return;
	input_close(f->input);
	free(f);
}
