/* SPDX-License-Identifier: ISC */

/*
 * Lines out of portions of any size, against lines that are cut from the
 * whole.  The first byte of the input is the limit of a line.
 */

#include "core/splitter.h"
#include "fuzz.h"

#define LIMIT_MIN 4

/* A record: what there is to compare. */
static bool
record_line(void *arg, const uint8_t *text, size_t n, bool continued)
{
	struct buffer *out = arg;

	buffer_append_format(out, "%zu%c", n, continued ? '+' : '\n');
	buffer_append(out, text, n);
	return !out->failed;
}

static bool
is_continuation(uint8_t byte)
{
	return byte >> 6 == 2;
}

/* A line that is longer than the limit, up to that. */
static size_t
find_cut(const uint8_t *line, size_t limit)
{
	size_t cut;

	for (cut = limit; cut + LIMIT_MIN > limit; cut--)
		if (!is_continuation(line[cut]))
			return cut;
	return limit;
}

static void
split_slowly(struct buffer *out, const uint8_t *s, size_t n, size_t limit)
{
	const uint8_t *end;
	size_t length, cut;

	for (; n > 0; s += length, n -= length) {
		end = memchr(s, '\n', n);
		length = end != NULL ? (size_t)(end - s) : n;
		for (; length > limit; s += cut, n -= cut, length -= cut) {
			cut = find_cut(s, limit);
			record_line(out, s, cut, true);
		}
		if (end != NULL || length > 0)
			record_line(out, s, length, end == NULL);
		length += end != NULL;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer lines = BUFFER_INIT, wanted = BUFFER_INIT;
	struct portions p = portions_of(data, size);
	struct splitter *s;
	size_t limit, n, pending;

	if (size == 0)
		return 0;
	limit = LIMIT_MIN + data[0] % 64;
	data++;
	size--;
	split_slowly(&wanted, data, size, limit);
	s = splitter_new(limit, record_line, &lines);
	CHECK(s != NULL);
	for (; size > 0; data += n, size -= n) {
		n = portions_next(&p, size);
		CHECK(splitter_write(s, data, n));
		(void)splitter_pending(s, &pending);
		CHECK(pending <= limit);
	}
	CHECK(splitter_end(s));
	CHECK(buffers_are_equal(&lines, &wanted));
	splitter_free(s);
	buffer_clear(&lines);
	buffer_clear(&wanted);
	return 0;
}
