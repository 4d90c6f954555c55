/* SPDX-License-Identifier: ISC */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"

static void
assert_holds(const struct buffer *b, const void *bytes, size_t n)
{
	assert_false(b->failed);
	assert_int_equal(b->size, n);
	assert_true(b->size <= b->capacity);
	if (n > 0)
		assert_memory_equal(b->data, bytes, n);
}

static void
test_each_append_adds_at_the_end(void **state)
{
	struct buffer b = BUFFER_INIT;

	(void)state;
	buffer_append(&b, "", 0);
	buffer_append(&b, NULL, 0);
	assert_holds(&b, "", 0);
	buffer_append(&b, "a\0b", 3);
	buffer_append_byte(&b, 0xff);
	buffer_append_string(&b, "cd");
	buffer_append_format(&b, "[%d %s]", -7, "x");
	buffer_append_byte(&b, 'e');
	assert_holds(&b, "a\0b\377cd[-7 x]e", 13);
	buffer_clear(&b);
}

static void
test_grows_without_losing_bytes(void **state)
{
	struct buffer b = BUFFER_INIT;
	uint8_t expected[10000];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(expected); i++) {
		expected[i] = (uint8_t)(i * 7 + i / 256);
		buffer_append_byte(&b, expected[i]);
	}
	assert_holds(&b, expected, sizeof(expected));
	buffer_clear(&b);
	assert_null(b.data);
	assert_int_equal(b.size, 0);
	assert_int_equal(b.capacity, 0);
}

static void
test_format_of_any_length(void **state)
{
	struct buffer b = BUFFER_INIT;
	char text[300];
	int n;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (n = 0; n < (int)sizeof(text); n++) {
		buffer_reset(&b);
		buffer_append_format(&b, "%.*s", n, text);
		assert_holds(&b, text, (size_t)n);
	}
	buffer_clear(&b);
}

static void
test_reserved_room_can_be_filled(void **state)
{
	struct buffer b = BUFFER_INIT;
	uint8_t *room;

	(void)state;
	buffer_append_string(&b, "ab");
	room = buffer_reserve(&b, 1000);
	assert_ptr_equal(room, b.data + 2);
	assert_true(b.capacity >= 1002);
	assert_holds(&b, "ab", 2);
	memset(room, 'c', 1000);
	b.size += 1000;
	assert_int_equal(b.data[1001], 'c');
	assert_int_equal(b.data[1], 'b');
	buffer_clear(&b);
}

static void
test_prepend(void **state)
{
	struct buffer b = BUFFER_INIT;
	char many[200];

	(void)state;
	buffer_prepend(&b, "", 0);
	buffer_prepend(&b, "c", 1);
	buffer_prepend(&b, "ab", 2);
	assert_holds(&b, "abc", 3);
	memset(many, '-', sizeof(many));
	buffer_prepend(&b, many, sizeof(many));
	assert_int_equal(b.size, sizeof(many) + 3);
	assert_memory_equal(b.data, many, sizeof(many));
	assert_memory_equal(b.data + sizeof(many), "abc", 3);
	buffer_clear(&b);
}

static void
test_shrink_gives_room_back(void **state)
{
	struct buffer b = BUFFER_INIT;

	(void)state;
	buffer_shrink(&b);
	assert_holds(&b, "", 0);
	assert_non_null(buffer_reserve(&b, 4096));
	buffer_append_string(&b, "kept");
	buffer_shrink(&b);
	assert_holds(&b, "kept", 4);
	assert_int_equal(b.capacity, 4);
	buffer_append_string(&b, " on");
	assert_holds(&b, "kept on", 7);
	buffer_reset(&b);
	buffer_shrink(&b);
	assert_null(b.data);
}

static void
test_failure_is_remembered(void **state)
{
	struct buffer b = BUFFER_INIT;

	(void)state;
	buffer_append_string(&b, "abc");
	assert_null(buffer_reserve(&b, SIZE_MAX));
	assert_true(b.failed);
	buffer_append_string(&b, "d");
	buffer_append_byte(&b, 'e');
	buffer_append_format(&b, "%d", 1);
	buffer_prepend(&b, "f", 1);
	assert_null(buffer_reserve(&b, 1));
	assert_true(b.failed);
	assert_int_equal(b.size, 3);
	assert_memory_equal(b.data, "abc", 3);
	buffer_reset(&b);
	buffer_append_string(&b, "new");
	assert_holds(&b, "new", 3);
	buffer_clear(&b);
}

/* More than half of the address space: no size to double to. */
static void
test_sizes_do_not_wrap(void **state)
{
	struct buffer b = BUFFER_INIT;

	(void)state;
	assert_null(buffer_reserve(&b, SIZE_MAX / 2 + 2));
	assert_true(b.failed);
	assert_int_equal(b.size, 0);
	buffer_clear(&b);
	assert_false(b.failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_append_adds_at_the_end),
		cmocka_unit_test(test_grows_without_losing_bytes),
		cmocka_unit_test(test_format_of_any_length),
		cmocka_unit_test(test_reserved_room_can_be_filled),
		cmocka_unit_test(test_prepend),
		cmocka_unit_test(test_shrink_gives_room_back),
		cmocka_unit_test(test_failure_is_remembered),
		cmocka_unit_test(test_sizes_do_not_wrap),
	};

	return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
