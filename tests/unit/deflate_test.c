/* SPDX-License-Identifier: ISC */

/*
 * What is compressed is read with zlib as a client would: by one stream of
 * the window that is promised, from a reset on.  What is inflated are the
 * examples of RFC 7692 and what is wrong with them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "core/buffer.h"
#include "core/deflate.h"
#include "seed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LEVELS 9
#define MESSAGE_MAX 70000 /* bytes */

static size_t
random_below(size_t bound)
{
	return (size_t)random() % bound;
}

/* Mostly lines that are like each other, now and then something big. */
static void
make_message(struct buffer *b)
{
	static const char *const words[] = { "error: ", "warning: ", "foo.c:",
		"cc -O2 -c ", "undefined reference to ",
		"{\"type\":\"line\"," };
	size_t size = random_below(20) == 0 ? random_below(MESSAGE_MAX) :
					      random_below(200);
	bool noise = random_below(4) == 0;

	buffer_reset(b);
	while (b->size < size) {
		if (noise)
			buffer_append_byte(b, (uint8_t)random());
		else
			buffer_append_format(b, "%s%zu ",
			    words[random_below(COUNT(words))],
			    random_below(1000));
	}
}

/* A client's side of the stream. */
static void
client_begin(z_stream *client)
{
	*client = (z_stream){ 0 };
	assert_int_equal(inflateInit2(client, -DEFLATE_WINDOW_BITS), Z_OK);
}

static void
client_read(z_stream *client, const uint8_t *payload, size_t size,
    const struct buffer *expected)
{
	struct buffer bytes = BUFFER_INIT;
	uint8_t *got = malloc(expected->size + 1);

	assert_non_null(got);
	buffer_append(&bytes, payload, size);
	buffer_append(&bytes, "\x00\x00\xff\xff", 4);
	client->next_in = bytes.data;
	client->avail_in = (uInt)bytes.size;
	client->next_out = got;
	client->avail_out = (uInt)expected->size + 1;
	assert_int_equal(inflate(client, Z_SYNC_FLUSH), Z_OK);
	assert_int_equal(client->avail_in, 0);
	assert_int_equal(client->avail_out, 1);
	if (expected->size > 0)
		assert_memory_equal(got, expected->data, expected->size);
	buffer_clear(&bytes);
	free(got);
}

/* One client for all of it, and one that comes with each reset. */
static void
test_stream(void **state)
{
	struct buffer message = BUFFER_INIT, out = BUFFER_INIT;

	(void)state;
	for (int level = 1; level <= LEVELS; level++) {
		struct deflater *d = deflater_new(level);
		z_stream clients[2];
		size_t begin, plain = 0;

		assert_non_null(d);
		client_begin(&clients[0]);
		client_begin(&clients[1]);
		buffer_reset(&out);
		for (int i = 0; i < 1000; i++) {
			if (random_below(50) == 0) {
				deflater_reset(d);
				inflateEnd(&clients[1]);
				client_begin(&clients[1]);
			}
			make_message(&message);
			plain += message.size;
			begin = out.size;
			deflater_append(d, &out, message.data, message.size);
			assert_false(out.failed);
			for (size_t k = 0; k < COUNT(clients); k++)
				client_read(&clients[k], out.data + begin,
				    out.size - begin, &message);
		}
		/* About a quarter of it is noise. */
		assert_true(out.size < plain / 10 * 9);
		inflateEnd(&clients[0]);
		inflateEnd(&clients[1]);
		deflater_free(d);
	}
	buffer_clear(&message);
	buffer_clear(&out);
}

/* What was before a reset makes no difference. */
static void
test_reset(void **state)
{
	struct buffer message = BUFFER_INIT;
	struct buffer fresh_out = BUFFER_INIT, used_out = BUFFER_INIT;

	(void)state;
	for (int i = 0; i < 300; i++) {
		static struct deflater *used[LEVELS + 1];
		int level = 1 + i % LEVELS;
		struct deflater *fresh = deflater_new(level);

		if (used[level] == NULL)
			used[level] = deflater_new(level);
		assert_non_null(fresh);
		assert_non_null(used[level]);
		deflater_reset(used[level]);
		buffer_reset(&fresh_out);
		buffer_reset(&used_out);
		for (size_t n = 1 + random_below(60); n > 0; n--) {
			make_message(&message);
			deflater_append(fresh, &fresh_out, message.data,
			    message.size);
			deflater_append(used[level], &used_out, message.data,
			    message.size);
		}
		assert_false(used_out.failed);
		assert_int_equal(used_out.size, fresh_out.size);
		assert_memory_equal(used_out.data, fresh_out.data,
		    fresh_out.size);
		deflater_free(fresh);
		if (i >= 300 - LEVELS)
			deflater_free(used[level]);
	}
	buffer_clear(&message);
	buffer_clear(&fresh_out);
	buffer_clear(&used_out);
}

/* Sections 7.2.3.1, 7.2.3.2 and 7.2.3.6. */
static void
test_examples(void **state)
{
	static const char hello[] = "\xf2\x48\xcd\xc9\xc9\x07\x00";
	static const char again[] = "\xf2\x00\x11\x00\x00";
	struct deflater *d = deflater_new(6);
	struct buffer out = BUFFER_INIT, expected = BUFFER_INIT;

	(void)state;
	assert_non_null(d);
	deflater_append(d, &out, "Hello", 5);
	deflater_append(d, &out, NULL, 0);
	deflater_append(d, &out, NULL, 0);
	deflater_append(d, &out, "Hello", 5);
	deflater_reset(d);
	deflater_append(d, &out, "Hello", 5);
	assert_false(out.failed);
	buffer_append(&expected, hello, sizeof(hello) - 1);
	buffer_append(&expected, "\0\0", 2);
	buffer_append(&expected, again, sizeof(again) - 1);
	buffer_append(&expected, hello, sizeof(hello) - 1);
	assert_int_equal(out.size, expected.size);
	assert_memory_equal(out.data, expected.data, out.size);
	deflater_free(d);
	deflater_free(NULL);
	buffer_clear(&out);
	buffer_clear(&expected);
}

static void
test_append_fails(void **state)
{
	struct deflater *d = deflater_new(1);
	struct buffer out = BUFFER_INIT;

	(void)state;
	assert_non_null(d);
	buffer_append(&out, "ab", 2);
	deflater_append(d, &out, "x", (size_t)INT_MAX + 1);
	assert_true(out.failed);
	assert_int_equal(out.size, 2);
	deflater_append(d, &out, "x", 1);
	deflater_append(d, &out, "", 0);
	assert_true(out.failed);
	assert_int_equal(out.size, 2);

	buffer_reset(&out);
	deflater_reset(d);
	deflater_append(d, &out, "Hello", 5);
	assert_int_equal(out.size, 7);
	assert_memory_equal(out.data, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
	deflater_free(d);
	buffer_clear(&out);
}

/* One of them is in use at all times, so it is to stay small. */
static void
test_memory(void **state)
{
	(void)state;
	for (int level = 1; level <= LEVELS; level++) {
		struct deflater *d = deflater_new(level);
		struct buffer out = BUFFER_INIT;
		size_t memory;

		assert_non_null(d);
		memory = deflater_memory(d);
		assert_in_range(memory, 1 << DEFLATE_WINDOW_BITS, 65536);
		deflater_append(d, &out, "Hello", 5);
		deflater_reset(d);
		assert_int_equal(deflater_memory(d), memory);
		deflater_free(d);
		buffer_clear(&out);
	}
}

#define PAYLOAD(bytes) bytes, sizeof(bytes) - 1

static void
test_inflate(void **state)
{
	static const struct {
		const char *name;
		const char *payload;
		size_t size;
		size_t max;
		enum inflate_result result;
		const char *expected;
	} cases[] = {
		{ "7.2.3.1", PAYLOAD("\xf2\x48\xcd\xc9\xc9\x07\x00"), 5,
		    INFLATE_DONE, "Hello" },
		{ "7.2.3.2, for which there is nothing before",
		    PAYLOAD("\xf2\x00\x11\x00\x00"), 5, INFLATE_BAD_DATA, "" },
		{ "7.2.3.3: a block that is not compressed",
		    PAYLOAD("\x00\x05\x00\xfa\xff"
			    "Hello\x00"),
		    5, INFLATE_DONE, "Hello" },
		{ "7.2.3.4: a last block",
		    PAYLOAD("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), 5,
		    INFLATE_DONE, "Hello" },
		{ "two last blocks",
		    PAYLOAD("\xf3\x48\xcd\xc9\xc9\x07\x00"
			    "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),
		    10, INFLATE_DONE, "HelloHello" },
		{ "a last block and no other",
		    PAYLOAD("\xf3\x48\xcd\xc9\xc9\x07\x00"), 5,
		    INFLATE_BAD_DATA, "" },
		{ "an empty last block at the end",
		    PAYLOAD("\x00\x05\x00\xfa\xff"
			    "Hello\x01"),
		    5, INFLATE_DONE, "Hello" },
		{ "7.2.3.5: two blocks",
		    PAYLOAD("\xf2\x48\x05\x00\x00\x00\xff\xff"
			    "\xca\xc9\xc9\x07\x00"),
		    5, INFLATE_DONE, "Hello" },
		{ "7.2.3.6: an empty message", PAYLOAD("\x00"), 5, INFLATE_DONE,
		    "" },
		{ "an empty message and a limit of nothing", PAYLOAD("\x00"), 0,
		    INFLATE_DONE, "" },
		{ "no bytes", PAYLOAD(""), 5, INFLATE_BAD_DATA, "" },
		{ "one byte too big", PAYLOAD("\xf2\x48\xcd\xc9\xc9\x07\x00"),
		    4, INFLATE_TOO_BIG, "" },
		{ "the tail is there twice",
		    PAYLOAD("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff"), 5,
		    INFLATE_BAD_DATA, "" },
		{ "cut", PAYLOAD("\xf2\x48\xcd\xc9\xc9\x07"), 5,
		    INFLATE_BAD_DATA, "" },
		{ "cut in the middle", PAYLOAD("\xf2\x48\xcd"), 5,
		    INFLATE_BAD_DATA, "" },
		{ "a block of a kind that there is not", PAYLOAD("\x06\x00"), 5,
		    INFLATE_BAD_DATA, "" },
		{ "two sizes that are not the same",
		    PAYLOAD("\x00\x05\x00\x05\x00"
			    "Hello\x00"),
		    5, INFLATE_BAD_DATA, "" },
		{ "what follows is taken for data",
		    PAYLOAD("\x00\x04\x00\xfb\xff"), 5, INFLATE_BAD_DATA, "" },
		{ "what follows is taken for the end of the data",
		    PAYLOAD("\x00\x06\x00\xf9\xffHe"), 6, INFLATE_BAD_DATA,
		    "" },
		{ "trees that are none", PAYLOAD("\xfc\xff\xff\xff"), 5,
		    INFLATE_BAD_DATA, "" },
	};
	struct buffer out = BUFFER_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum inflate_result result;

		buffer_reset(&out);
		buffer_append(&out, "begin", 5);
		result = inflate_message(&out, cases[i].payload, cases[i].size,
		    cases[i].max);
		buffer_append_byte(&out, '\0');
		if (result != cases[i].result ||
		    (result == INFLATE_DONE &&
			strcmp((char *)out.data + 5, cases[i].expected) != 0))
			fail_msg("%s: %d %s", cases[i].name, result,
			    (char *)out.data + 5);
	}
	buffer_clear(&out);
}

static void
test_inflate_fails(void **state)
{
	struct buffer out = BUFFER_INIT;

	(void)state;
	out.failed = true;
	assert_int_equal(inflate_message(&out, "\0", 1, 5), INFLATE_NO_MEMORY);
	out.failed = false;
	assert_int_equal(inflate_message(&out, "\0", (size_t)UINT_MAX + 1, 5),
	    INFLATE_TOO_BIG);
	assert_int_equal(inflate_message(&out, "\0", 1, SIZE_MAX),
	    INFLATE_DONE);
	buffer_clear(&out);
}

/* What another compressor makes, in one go, with all that it may use. */
static void
compress_message(struct buffer *payload, const struct buffer *message,
    int level)
{
	z_stream stream = { 0 };

	buffer_reset(payload);
	assert_int_equal(deflateInit2(&stream, level, Z_DEFLATED, -15, 9,
			     Z_DEFAULT_STRATEGY),
	    Z_OK);
	stream.next_in = message->data;
	stream.avail_in = (uInt)message->size;
	stream.avail_out = (uInt)(message->size * 2 + 100);
	stream.next_out = buffer_reserve(payload, stream.avail_out);
	assert_int_equal(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
	assert_int_equal(stream.avail_in, 0);
	payload->size = stream.total_out - 4;
	deflateEnd(&stream);
}

static void
test_inflate_sizes(void **state)
{
	struct buffer message = BUFFER_INIT, payload = BUFFER_INIT;
	struct buffer out = BUFFER_INIT;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		make_message(&message);
		compress_message(&payload, &message, i % 10);
		buffer_reset(&out);
		assert_int_equal(inflate_message(&out, payload.data,
				     payload.size, message.size),
		    INFLATE_DONE);
		assert_int_equal(out.size, message.size);
		if (message.size == 0)
			continue;
		assert_memory_equal(out.data, message.data, out.size);
		buffer_reset(&out);
		assert_int_equal(inflate_message(&out, payload.data,
				     payload.size, random_below(message.size)),
		    INFLATE_TOO_BIG);
	}
	buffer_clear(&message);
	buffer_clear(&payload);
	buffer_clear(&out);
}

/* 4 KB that stand for 4 MB take no more memory than the limit. */
static void
test_inflate_bomb(void **state)
{
	struct buffer message = BUFFER_INIT, payload = BUFFER_INIT;
	struct buffer out = BUFFER_INIT;

	(void)state;
	message.size = 4 << 20;
	message.data = calloc(1, message.size);
	assert_non_null(message.data);
	compress_message(&payload, &message, 9);
	assert_true(payload.size < 5000);
	assert_int_equal(inflate_message(&out, payload.data, payload.size,
			     4096),
	    INFLATE_TOO_BIG);
	assert_in_range(out.capacity, 4097, 8192);
	buffer_reset(&out);
	assert_int_equal(inflate_message(&out, payload.data, payload.size,
			     message.size),
	    INFLATE_DONE);
	assert_int_equal(out.size, message.size);
	assert_memory_equal(out.data, message.data, out.size);
	buffer_clear(&message);
	buffer_clear(&payload);
	buffer_clear(&out);
}

/* Whatever it is given, it keeps to the limit and to its own memory. */
static void
test_inflate_mutated(void **state)
{
	struct buffer message = BUFFER_INIT, payload = BUFFER_INIT;
	struct buffer out = BUFFER_INIT;
	size_t results[4] = { 0 };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t max = random_below(1000);
		enum inflate_result result;
		uint8_t *exact;

		make_message(&message);
		if (message.size > 1000)
			message.size = 1000;
		compress_message(&payload, &message, i % 10);
		for (size_t n = random_below(3); n > 0; n--)
			payload.data[random_below(payload.size)] ^=
			    (uint8_t)(1 << random_below(8));
		if (random_below(4) == 0)
			payload.size = random_below(payload.size);
		/* A copy of its own, for the address sanitizer. */
		exact = malloc(payload.size);
		assert_true(exact != NULL || payload.size == 0);
		if (payload.size > 0)
			memcpy(exact, payload.data, payload.size);
		buffer_reset(&out);
		result = inflate_message(&out, exact, payload.size, max);
		assert_true(out.size <= max + (result == INFLATE_TOO_BIG));
		results[result]++;
		free(exact);
	}
	/* Else it would be a test of one of them only. */
	assert_true(results[INFLATE_DONE] > 1000);
	assert_true(results[INFLATE_TOO_BIG] > 1000);
	assert_true(results[INFLATE_BAD_DATA] > 1000);
	assert_int_equal(results[INFLATE_NO_MEMORY], 0);
	buffer_clear(&message);
	buffer_clear(&payload);
	buffer_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_append_fails),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_inflate),
		cmocka_unit_test(test_inflate_fails),
		cmocka_unit_test(test_inflate_sizes),
		cmocka_unit_test(test_inflate_bomb),
		cmocka_unit_test(test_inflate_mutated),
	};

	seed_random();
	return cmocka_run_group_tests_name("deflate", tests, NULL, NULL);
}
