/* SPDX-License-Identifier: ISC */

/*
 * The reference knows UTF-8 from its definition only: every code point but
 * the surrogates is encoded, and the first one to three bytes of each are
 * noted as the beginnings that characters have.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/utf8.h"
#include "seed.h"

#define ROUNDS 100000
#define TEXT_MAX 48
#define R "\357\277\275" /* U+FFFD */

enum mark {
	MARK_BEGINNING = 1, /* of a longer character */
	MARK_WHOLE = 2,	    /* a character */
};

/* By length and bytes: what sequences of 1 to 3 bytes are. */
static uint8_t marks_1[1 << 8];
static uint8_t marks_2[1 << 16];
static uint8_t *marks_3; /* owned by the group of tests */

static uint8_t *
mark_of(const uint8_t *s, size_t n)
{
	if (n == 1)
		return &marks_1[s[0]];
	if (n == 2)
		return &marks_2[s[0] << 8 | s[1]];
	return &marks_3[s[0] << 16 | s[1] << 8 | s[2]];
}

static size_t
encode(uint32_t c, uint8_t *s)
{
	size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	size_t i;

	if (length == 1) {
		s[0] = (uint8_t)c;
		return 1;
	}
	for (i = length - 1; i > 0; i--) {
		s[i] = (uint8_t)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	s[0] = (uint8_t)(0xf00U >> length | c);
	return length;
}

static int
set_up(void **state)
{
	uint8_t s[4];
	uint32_t c;
	size_t length, n;

	(void)state;
	if ((marks_3 = calloc(1, 1 << 24)) == NULL)
		return -1;
	for (c = 0; c <= 0x10ffff; c++) {
		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		length = encode(c, s);
		for (n = 1; n < length; n++)
			*mark_of(s, n) |= MARK_BEGINNING;
		if (length < 4)
			*mark_of(s, length) |= MARK_WHOLE;
	}
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free(marks_3);
	return 0;
}

/* Length of the character at s; 0: there is none. */
static size_t
reference_length(const uint8_t *s, size_t n)
{
	size_t length;

	for (length = 1; length <= 3 && length <= n; length++) {
		if ((*mark_of(s, length) & MARK_WHOLE) != 0)
			return length;
	}
	if (n >= 4 && (*mark_of(s, 3) & MARK_BEGINNING) != 0 && s[3] >= 0x80 &&
	    s[3] <= 0xbf)
		return 4;
	return 0;
}

static size_t
reference_prefix(const uint8_t *s, size_t n)
{
	size_t i = 0, length;

	while (i < n && (length = reference_length(s + i, n - i)) > 0)
		i += length;
	return i;
}

/* How many bytes at s are the beginning of some character. */
static size_t
reference_beginning(const uint8_t *s, size_t n)
{
	size_t length;

	for (length = n < 3 ? n : 3; length > 0; length--) {
		if ((*mark_of(s, length) & MARK_BEGINNING) != 0)
			break;
	}
	return length;
}

static size_t
reference_bad_length(const uint8_t *s, size_t n)
{
	size_t length = reference_beginning(s, n);

	return length == 0 ? 1 : length;
}

static void
reference_repair(struct buffer *out, const uint8_t *s, size_t n)
{
	size_t length;

	while (n > 0) {
		if ((length = reference_length(s, n)) > 0) {
			buffer_append(out, s, length);
		} else {
			length = reference_bad_length(s, n);
			buffer_append_string(out, R);
		}
		s += length;
		n -= length;
	}
}

/* Compares without assertions, which are slow: this runs very often. */
static bool
agrees(const uint8_t *s, size_t n)
{
	size_t prefix = reference_prefix(s, n);
	size_t rest = n - prefix;
	uint32_t state = 0;
	bool may_become_valid =
	    rest == 0 || reference_beginning(s + prefix, rest) == rest;

	if (utf8_valid_prefix(s, n) != prefix ||
	    utf8_is_valid(s, n) != (rest == 0))
		return false;
	if (rest > 0 &&
	    utf8_bad_length(s + prefix, rest) !=
		reference_bad_length(s + prefix, rest))
		return false;
	if (utf8_check_next(&state, s, n) != may_become_valid)
		return false;
	return !may_become_valid || (state == 0) == (rest == 0);
}

static void
test_all_short_sequences(void **state)
{
	uint8_t s[3];
	unsigned int c;

	(void)state;
	for (c = 0; c < 1 << 8; c++) {
		s[0] = (uint8_t)c;
		assert_true(agrees(s, 1));
	}
	for (c = 0; c < 1 << 16; c++) {
		s[0] = (uint8_t)(c >> 8);
		s[1] = (uint8_t)c;
		if (!agrees(s, 2))
			fail_msg("%02x %02x", s[0], s[1]);
	}
	for (c = 0; c < 1 << 24; c++) {
		s[0] = (uint8_t)(c >> 16);
		s[1] = (uint8_t)(c >> 8);
		s[2] = (uint8_t)c;
		if (!agrees(s, 3))
			fail_msg("%02x %02x %02x", s[0], s[1], s[2]);
	}
}

static void
test_every_code_point_is_valid(void **state)
{
	uint8_t s[4];
	uint32_t c;
	size_t length;
	bool surrogate;

	(void)state;
	for (c = 0; c <= 0x10ffff; c++) {
		length = encode(c, s);
		surrogate = c >= 0xd800 && c <= 0xdfff;
		if (utf8_is_valid(s, length) == surrogate)
			fail_msg("U+%04X", c);
	}
	assert_false(utf8_is_valid(s, encode(0x110000, s)));
}

/* A word is passed over only if each byte of it is ASCII. */
static void
test_one_byte_among_ascii(void **state)
{
	uint8_t text[TEXT_MAX];
	size_t n, i;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (n = 1; n <= sizeof(text); n++) {
		for (i = 0; i < n; i++) {
			text[i] = 0x80;
			assert_int_equal(utf8_valid_prefix(text, n), i);
			assert_true(agrees(text, n));
			text[i] = 'a';
		}
	}
}

/* ASCII of any length, then bytes that are limits of something. */
static size_t
append_random_text(uint8_t *text)
{
	static const uint8_t bytes[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90,
		0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec,
		0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff };
	size_t n = 4 + (size_t)random() % (TEXT_MAX - 4);
	size_t ascii = (size_t)random() % n, i;

	for (i = 0; i < n; i++) {
		if (i < ascii)
			text[i] = (uint8_t)(random() & 0x7f);
		else if (random() % 8 < 5)
			text[i] = (uint8_t)(0x80 | (random() & 0x3f));
		else
			text[i] = bytes[(size_t)random() % sizeof(bytes)];
	}
	return n;
}

/* In memory of its own, so that reading past the end is noticed. */
static uint8_t *
random_text(size_t *n)
{
	uint8_t text[TEXT_MAX];
	uint8_t *copy;

	*n = append_random_text(text);
	assert_non_null(copy = malloc(*n));
	memcpy(copy, text, *n);
	return copy;
}

static void
test_random_text(void **state)
{
	uint8_t *text;
	size_t n, i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		text = random_text(&n);
		assert_true(agrees(text, n));
		free(text);
	}
}

static void
test_repaired_random_text(void **state)
{
	struct buffer repaired = BUFFER_INIT, expected = BUFFER_INIT;
	uint8_t *text;
	size_t n, i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		text = random_text(&n);
		utf8_append_repaired(&repaired, text, n);
		reference_repair(&expected, text, n);
		assert_int_equal(repaired.size, expected.size);
		assert_memory_equal(repaired.data, expected.data,
		    expected.size);
		assert_true(utf8_is_valid(repaired.data, repaired.size));
		buffer_reset(&repaired);
		buffer_reset(&expected);
		free(text);
	}
	buffer_clear(&repaired);
	buffer_clear(&expected);
}

/* The tables of Unicode 15, section 3.9, and the limits of each length. */
static const struct {
	const char *name;
	const char *text;
	const char *repaired;
} cases[] = {
	{ "nothing", "", "" },
	{ "ASCII", "all of it, and \177", "all of it, and \177" },
	{ "valid", "\303\244\342\202\254\360\237\230\200",
	    "\303\244\342\202\254\360\237\230\200" },
	{ "maximal subparts", "a\361\200\200\341\200\302b\200c\200\277d",
	    "a" R R R "b" R "c" R R "d" },
	{ "not the shortest form", "\300\257\340\200\277\360\201\202A",
	    R R R R R R R R "A" },
	{ "surrogates", "\355\240\200\355\277\277\355\257A",
	    R R R R R R R R "A" },
	{ "other ill-formed", "\364\221\222\223\377A\200\277B",
	    R R R R R "A" R R "B" },
	{ "truncated", "\341\200\342\360\221\222\361\277A", R R R R "A" },
	{ "first of 2 bytes", "\302\200\301\277", "\302\200" R R },
	{ "first of 3 bytes", "\340\240\200\340\237\277",
	    "\340\240\200" R R R },
	{ "around the surrogates", "\355\237\277\356\200\200",
	    "\355\237\277\356\200\200" },
	{ "first of 4 bytes", "\360\220\200\200\360\217\277\277",
	    "\360\220\200\200" R R R R },
	{ "last of 4 bytes", "\364\217\277\277\364\220\200\200",
	    "\364\217\277\277" R R R R },
	{ "unfinished at the end", "abc\360\237\230", "abc" R },
	{ "lead at the end", "abcdefgh\303", "abcdefgh" R },
	{ "Latin-1", "gr\374n, \344pfel", "gr" R "n, " R "pfel" },
};

static void
test_repaired_cases(void **state)
{
	struct buffer out = BUFFER_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("           %s\n", cases[i].name);
		buffer_append_byte(&out, '<');
		utf8_append_repaired(&out, (const uint8_t *)cases[i].text,
		    strlen(cases[i].text));
		buffer_append_byte(&out, '\0');
		assert_string_equal((char *)out.data + 1, cases[i].repaired);
		buffer_reset(&out);
	}
	buffer_clear(&out);
}

/* Byte by byte and in random portions: wrong at the same byte, not sooner. */
static void
check_portions(const uint8_t *text, size_t n, size_t portion_max)
{
	uint32_t state = 0;
	size_t fed = 0, size, prefix;
	bool ok = true, expected;

	while (ok && fed < n) {
		size = 1 + (size_t)random() % portion_max;
		if (size > n - fed)
			size = n - fed;
		ok = utf8_check_next(&state, text + fed, size);
		fed += size;
		prefix = reference_prefix(text, fed);
		expected = prefix == fed ||
		    reference_beginning(text + prefix, fed - prefix) ==
			fed - prefix;
		assert_int_equal(ok, expected);
		if (ok)
			assert_int_equal(state == 0, prefix == fed);
	}
}

static void
test_check_in_portions(void **state)
{
	uint8_t *text;
	size_t n, i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		text = random_text(&n);
		check_portions(text, n, 1);
		check_portions(text, n, 7);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_short_sequences),
		cmocka_unit_test(test_every_code_point_is_valid),
		cmocka_unit_test(test_one_byte_among_ascii),
		cmocka_unit_test(test_random_text),
		cmocka_unit_test(test_repaired_random_text),
		cmocka_unit_test(test_repaired_cases),
		cmocka_unit_test(test_check_in_portions),
	};

	seed_random();
	return cmocka_run_group_tests_name("utf8", tests, set_up, tear_down);
}
