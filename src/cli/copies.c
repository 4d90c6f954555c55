/* SPDX-License-Identifier: ISC */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/copies.h"
#include "cli/log.h"
#include "cli/terminal.h"

enum copy_name {
	COPY_STDOUT,
	COPY_STDERR, /* none where it is the same terminal as stdout */
	COPY_FILE,
	COPY_COUNT,
};

struct copy {
	struct copies *copies;	   /* borrowed: owns it */
	struct terminal *terminal; /* owned; NULL: there is no such copy */
	bool ended;
};

struct copies {
	struct copies_handlers handlers;
	struct copy all[COPY_COUNT];
	const char *file; /* borrowed: of the options */
};

static const char *
copy_describe(const struct copy *copy)
{
	const struct copies *c = copy->copies;

	if (copy == &c->all[COPY_FILE])
		return c->file;
	return copy == &c->all[COPY_STDOUT] ? "standard output" :
					      "standard error";
}

static void
copy_room_cb(void *arg)
{
	struct copy *copy = arg;

	copy->copies->handlers.on_change(copy->copies->handlers.arg);
}

static void
copy_end_cb(int error, void *arg)
{
	struct copy *copy = arg;
	struct copies *c = copy->copies;
	bool is_stderr = copy == &c->all[COPY_STDERR];

	copy->ended = true;
	if (error == EPIPE && copy != &c->all[COPY_FILE]) {
		c->handlers.on_closed(is_stderr ? WSEXEC_STDERR : WSEXEC_STDOUT,
		    c->handlers.arg);
		if (!is_stderr && c->all[COPY_STDERR].terminal == NULL)
			c->handlers.on_closed(WSEXEC_STDERR, c->handlers.arg);
	} else if (error != 0) {
		log_warn("%s: %s; the local copy ends here",
		    copy_describe(copy), strerror(error));
	}
	c->handlers.on_change(c->handlers.arg);
}

static bool
copies_add(struct copies *c, struct event_base *base, enum copy_name name,
    int fd)
{
	struct copy *copy = &c->all[name];
	const struct terminal_handlers handlers = {
		.on_room = copy_room_cb,
		.on_end = copy_end_cb,
		.arg = copy,
	};

	copy->terminal = terminal_open(base, fd, name == COPY_FILE, &handlers);
	copy->ended = copy->terminal == NULL;
	if (copy->terminal == NULL)
		log_warn("%s: %s", copy_describe(copy), strerror(errno));
	return copy->terminal != NULL;
}

static bool
copies_add_file(struct copies *c, struct event_base *base)
{
	int fd;

	fd = open(c->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd == -1) {
		log_warn("--output: %s: %s", c->file, strerror(errno));
		return false;
	}
	if (!copies_add(c, base, COPY_FILE, fd)) {
		close(fd);
		return false;
	}
	return true;
}

/* Two descriptors of one terminal are one copy, which keeps the order. */
static bool
copies_outputs_are_same(void)
{
	struct stat out, err;

	return fstat(STDOUT_FILENO, &out) == 0 &&
	    fstat(STDERR_FILENO, &err) == 0 && out.st_dev == err.st_dev &&
	    out.st_ino == err.st_ino;
}

struct copies *
copies_open(struct event_base *base, bool quiet, const char *file,
    const struct copies_handlers *handlers)
{
	struct copies *c;
	bool opened = true;
	size_t i;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		log_warn("out of memory");
		return NULL;
	}
	c->handlers = *handlers;
	c->file = file;
	for (i = 0; i < COPY_COUNT; i++)
		c->all[i] = (struct copy){ .copies = c, .ended = true };
	if (file != NULL)
		opened = copies_add_file(c, base);
	if (!quiet && opened)
		opened = copies_add(c, base, COPY_STDOUT, STDOUT_FILENO);
	if (!quiet && opened && !copies_outputs_are_same())
		opened = copies_add(c, base, COPY_STDERR, STDERR_FILENO);
	if (!opened) {
		copies_free(c);
		return NULL;
	}
	return c;
}

static bool
copy_write(struct copy *copy, const void *bytes, size_t n)
{
	return copy->terminal == NULL ||
	    terminal_write(copy->terminal, bytes, n);
}

bool
copies_write(struct copies *c, enum wsexec_stream stream, const void *bytes,
    size_t n)
{
	struct copy *copy = &c->all[COPY_STDOUT];
	bool written;

	if (stream == WSEXEC_STDERR && c->all[COPY_STDERR].terminal != NULL)
		copy = &c->all[COPY_STDERR];
	written = copy_write(copy, bytes, n);
	return copy_write(&c->all[COPY_FILE], bytes, n) && written;
}

bool
copies_are_full(const struct copies *c)
{
	size_t i;

	for (i = 0; i < COPY_COUNT; i++)
		if (c->all[i].terminal != NULL &&
		    terminal_is_full(c->all[i].terminal))
			return true;
	return false;
}

void
copies_finish(struct copies *c)
{
	size_t i;

	for (i = 0; i < COPY_COUNT; i++)
		if (c->all[i].terminal != NULL)
			terminal_finish(c->all[i].terminal);
}

bool
copies_have_ended(const struct copies *c)
{
	size_t i;

	for (i = 0; i < COPY_COUNT; i++)
		if (!c->all[i].ended)
			return false;
	return true;
}

void
copies_free(struct copies *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < COPY_COUNT; i++)
		terminal_free(c->all[i].terminal);
	free(c);
}
