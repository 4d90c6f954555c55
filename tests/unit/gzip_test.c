/* SPDX-License-Identifier: ISC */

/*
 * Compressed bodies.  What comes out is taken apart again by zlib, and by a
 * reader of chunks as strict as it can be.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ctype.h>
#include <dlfcn.h>
#include <zlib.h>

#include "core/buffer.h"
#include "core/gzip.h"
#include "seed.h"

#define LEVEL 6
#define HUGE_SIZE (20 * 1024 * 1024)
#define PIECE 16384	/* what a caller appends at once */
#define AHEAD_MAX 65536 /* that this may become at once */

static bool memory_is_out;

/* Takes the place of zlib's, which deflateInit2() calls. */
int
deflateInit2_(z_streamp stream, int level, int method, int window_bits,
    int memory_level, int strategy, const char *version, int stream_size)
{
	int (*original)(z_streamp, int, int, int, int, int, const char *, int);
	void *symbol = dlsym(RTLD_NEXT, "deflateInit2_");

	if (memory_is_out)
		return Z_MEM_ERROR;
	memcpy(&original, &symbol, sizeof(original));
	return original(stream, level, method, window_bits, memory_level,
	    strategy, version, stream_size);
}

/* The payload of chunks, which must end with the last one. */
static void
unchunk(struct buffer *out, const struct buffer *in)
{
	const char *at = (const char *)in->data, *end = at + in->size;
	char *digits_end;
	size_t size;

	do {
		assert_true(end - at >= 5 && isxdigit((unsigned char)*at));
		size = strtoul(at, &digits_end, 16);
		at = digits_end;
		assert_true(end - at >= 2 && memcmp(at, "\r\n", 2) == 0);
		at += 2;
		assert_true((size_t)(end - at) >= size + 2);
		buffer_append(out, at, size);
		at += size;
		assert_memory_equal(at, "\r\n", 2);
		at += 2;
	} while (size > 0);
	assert_ptr_equal(at, end);
}

/* The body in a whole gzip stream, of which nothing must be left. */
static void
decompress(struct buffer *out, const struct buffer *in)
{
	z_stream stream = { .next_in = in->data, .avail_in = (uInt)in->size };
	uint8_t bytes[PIECE];
	int result;

	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	do {
		stream.next_out = bytes;
		stream.avail_out = sizeof(bytes);
		result = inflate(&stream, Z_NO_FLUSH);
		buffer_append(out, bytes, sizeof(bytes) - stream.avail_out);
	} while (result == Z_OK);
	assert_int_equal(result, Z_STREAM_END);
	assert_int_equal(stream.avail_in, 0);
	assert_int_equal(inflateEnd(&stream), Z_OK);
}

/* What g, which is then freed, has made must be these n bytes. */
static void
assert_made(struct gzip *g, const struct buffer *made, bool chunked,
    const void *bytes, size_t n)
{
	struct buffer unchunked = BUFFER_INIT, body = BUFFER_INIT;

	assert_false(made->failed);
	if (chunked)
		unchunk(&unchunked, made);
	decompress(&body, chunked ? &unchunked : made);
	assert_int_equal(body.size, n);
	if (n > 0)
		assert_memory_equal(body.data, bytes, n);
	buffer_clear(&unchunked);
	buffer_clear(&body);
	gzip_free(g);
}

static struct gzip *
new_gzip(int level, bool chunked)
{
	struct gzip *g = gzip_new(level, chunked);

	assert_non_null(g);
	assert_int_equal(gzip_output(g)->size, 0);
	return g;
}

static void
test_nothing_becomes_an_empty_body(void **state)
{
	struct gzip *g;
	int chunked;

	(void)state;
	for (chunked = 0; chunked <= 1; chunked++) {
		g = new_gzip(LEVEL, chunked);
		gzip_append(g, NULL, 0);
		assert_int_equal(gzip_output(g)->size, 0);
		assert_true(gzip_finish(g));
		assert_made(g, gzip_output(g), chunked, "", 0);
	}
}

static void
test_the_end_comes_once(void **state)
{
	struct gzip *g = new_gzip(LEVEL, true);
	size_t size;

	(void)state;
	gzip_append(g, "x", 1);
	assert_true(gzip_finish(g));
	size = gzip_output(g)->size;
	assert_false(gzip_finish(g));
	assert_int_equal(gzip_output(g)->size, size);
	assert_made(g, gzip_output(g), true, "x", 1);
}

static void
test_every_split_gives_the_same_bytes(void **state)
{
	static const char text[] = "one\ntwo \xff\0 one\ntwo, and one\ntwo\n";
	const size_t n = sizeof(text) - 1;
	struct buffer whole = BUFFER_INIT;
	struct gzip *g;
	size_t split;

	(void)state;
	for (split = 0; split <= n; split++) {
		g = new_gzip(LEVEL, true);
		gzip_append(g, text, split);
		gzip_append(g, text + split, n - split);
		assert_true(gzip_finish(g));
		if (split == 0)
			buffer_append(&whole, gzip_output(g)->data,
			    gzip_output(g)->size);
		assert_int_equal(gzip_output(g)->size, whole.size);
		assert_memory_equal(gzip_output(g)->data, whole.data,
		    whole.size);
		assert_made(g, gzip_output(g), true, text, n);
	}
	buffer_clear(&whole);
}

/* Lines that compress, and in between some that do not. */
static uint8_t *
make_body(size_t n)
{
	uint8_t *bytes = malloc(n);
	size_t i;

	assert_non_null(bytes);
	for (i = 0; i < n; i++)
		bytes[i] = (uint8_t)(i / 65536 % 4 == 1 ? random() :
							  "a line, "[i % 8]);
	return bytes;
}

static void
test_pieces_of_any_size_at_every_level(void **state)
{
	const size_t n = 300000;
	uint8_t *bytes = make_body(n);
	struct gzip *g;
	size_t at, piece;
	int level;

	(void)state;
	for (level = 1; level <= 9; level++) {
		g = new_gzip(level, level % 2 == 0);
		for (at = 0; at < n; at += piece) {
			piece =
			    (size_t)random() % (random() % 8 == 0 ? 50000 : 30);
			if (piece > n - at)
				piece = n - at;
			gzip_append(g, bytes + at, piece);
		}
		assert_true(gzip_finish(g));
		assert_true(gzip_output(g)->size < n / 2);
		assert_made(g, gzip_output(g), level % 2 == 0, bytes, n);
	}
	free(bytes);
}

/* A caller that takes what has come out before it goes on is never flooded. */
static void
test_what_is_huge_comes_out_little_by_little(void **state)
{
	uint8_t *bytes = make_body(HUGE_SIZE);
	struct buffer made = BUFFER_INIT, *out;
	struct gzip *g = new_gzip(LEVEL, true);
	size_t at;

	(void)state;
	out = gzip_output(g);
	for (at = 0; at < HUGE_SIZE; at += PIECE) {
		gzip_append(g, bytes + at, PIECE);
		assert_in_range(out->size, 0, AHEAD_MAX);
		buffer_append(&made, out->data, out->size);
		buffer_shift(out, out->size);
	}
	assert_true(gzip_finish(g));
	assert_in_range(out->size, 1, AHEAD_MAX);
	buffer_append(&made, out->data, out->size);
	assert_made(g, &made, true, bytes, HUGE_SIZE);
	buffer_clear(&made);
	free(bytes);
}

static void
test_a_head_stays_as_it_is(void **state)
{
	struct gzip *g = new_gzip(LEVEL, false);
	struct buffer *out = gzip_output(g);

	(void)state;
	buffer_append_string(out, "head\r\n");
	gzip_append(g, "body", 4);
	assert_true(gzip_finish(g));
	assert_memory_equal(out->data, "head\r\n", 6);
	buffer_shift(out, 6);
	assert_made(g, out, false, "body", 4);
}

static void
test_memory_that_is_out_is_told(void **state)
{
	uint8_t *bytes = make_body(PIECE);
	struct gzip *g;

	(void)state;
	memory_is_out = true;
	assert_null(gzip_new(LEVEL, true));
	memory_is_out = false;

	/* As if the buffer could not grow. */
	g = new_gzip(LEVEL, true);
	gzip_append(g, bytes, PIECE);
	gzip_output(g)->failed = true;
	gzip_append(g, bytes, PIECE);
	assert_true(gzip_finish(g));
	assert_true(gzip_output(g)->failed);
	gzip_free(g);
	gzip_free(NULL);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_becomes_an_empty_body),
		cmocka_unit_test(test_the_end_comes_once),
		cmocka_unit_test(test_every_split_gives_the_same_bytes),
		cmocka_unit_test(test_pieces_of_any_size_at_every_level),
		cmocka_unit_test(test_what_is_huge_comes_out_little_by_little),
		cmocka_unit_test(test_a_head_stays_as_it_is),
		cmocka_unit_test(test_memory_that_is_out_is_told),
	};

	seed_random();
	return cmocka_run_group_tests_name("gzip", tests, NULL, NULL);
}
