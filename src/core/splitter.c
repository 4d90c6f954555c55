/* SPDX-License-Identifier: ISC */

/*
 * Lines that lie whole within the given bytes are handed on from there; only
 * the beginning of an unfinished one is kept.  What is kept has no newline
 * and at most max_line bytes: whether it is cut depends on the byte after
 * that, and never on where a portion ended.
 *
 *	pending          bytes
 *	+----------+     +--------+------------------+--------+
 *	| unfinish |  +  | ed line|\n whole lines \n | unfin  |
 *	+----------+     +--------+------------------+--------+
 */

#include <stdlib.h>
#include <string.h>

#include "core/splitter.h"

#define CHARACTER_MAX 4 /* bytes of the longest character in UTF-8 */

struct splitter {
	splitter_line_cb *cb;
	void *arg; /* borrowed: outlives the splitter */
	size_t max_line;
	size_t size;	   /* of pending, in bytes */
	uint8_t pending[]; /* max_line bytes; untouched pages cost nothing */
};

struct splitter *
splitter_new(size_t max_line, splitter_line_cb *cb, void *arg)
{
	struct splitter *s;

	if (max_line > SIZE_MAX - sizeof(*s) ||
	    (s = malloc(sizeof(*s) + max_line)) == NULL)
		return NULL;
	s->cb = cb;
	s->arg = arg;
	s->max_line = max_line;
	s->size = 0;
	return s;
}

void
splitter_free(struct splitter *s)
{
	free(s);
}

static bool
is_continuation(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Where to cut the size bytes of a line that goes on with the byte next. */
static size_t
splitter_find_cut(const uint8_t *line, size_t size, uint8_t next)
{
	size_t back;

	if (!is_continuation(next))
		return size;
	for (back = 1; back < CHARACTER_MAX; back++) {
		if (!is_continuation(line[size - back]))
			return size - back;
	}
	return size;
}

static void
splitter_keep(struct splitter *s, const uint8_t *bytes, size_t n)
{
	memcpy(s->pending + s->size, bytes, n);
	s->size += n;
}

/*
 * Hands on one line that begins at bytes, if it is all there, and returns how
 * many bytes that took; else keeps the bytes.
 */
static size_t
splitter_take(struct splitter *s, const uint8_t *bytes, size_t n, bool *ok)
{
	size_t look = n <= s->max_line ? n : s->max_line + 1;
	size_t cut;
	const uint8_t *newline = memchr(bytes, '\n', look);

	if (newline != NULL) {
		cut = (size_t)(newline - bytes);
		*ok &= s->cb(s->arg, bytes, cut, false);
		return cut + 1;
	}
	if (n <= s->max_line) {
		splitter_keep(s, bytes, n);
		return n;
	}
	cut = splitter_find_cut(bytes, s->max_line, bytes[s->max_line]);
	*ok &= s->cb(s->arg, bytes, cut, true);
	return cut;
}

/* The same for a line whose beginning is pending. */
static size_t
splitter_finish(struct splitter *s, const uint8_t *bytes, size_t n, bool *ok)
{
	size_t room = s->max_line - s->size;
	size_t look = n <= room ? n : room + 1;
	size_t cut, rest;
	const uint8_t *newline = memchr(bytes, '\n', look);

	if (newline != NULL) {
		splitter_keep(s, bytes, (size_t)(newline - bytes));
		*ok &= s->cb(s->arg, s->pending, s->size, false);
		s->size = 0;
		return (size_t)(newline - bytes) + 1;
	}
	if (n <= room) {
		splitter_keep(s, bytes, n);
		return n;
	}
	splitter_keep(s, bytes, room);
	cut = splitter_find_cut(s->pending, s->max_line, bytes[room]);
	rest = s->max_line - cut;
	*ok &= s->cb(s->arg, s->pending, cut, true);
	s->size = 0;
	if (rest <= room)
		return room - rest;
	memmove(s->pending, s->pending + cut, rest);
	s->size = rest;
	return room;
}

bool
splitter_write(struct splitter *s, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;
	size_t taken;
	bool ok = true;

	while (n > 0) {
		if (s->size == 0)
			taken = splitter_take(s, at, n, &ok);
		else
			taken = splitter_finish(s, at, n, &ok);
		at += taken;
		n -= taken;
	}
	return ok;
}

bool
splitter_end(struct splitter *s)
{
	size_t n = s->size;

	s->size = 0;
	return n == 0 || s->cb(s->arg, s->pending, n, true);
}

const uint8_t *
splitter_pending(const struct splitter *s, size_t *n)
{
	*n = s->size;
	return s->pending;
}
