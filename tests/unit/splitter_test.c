/* SPDX-License-Identifier: ISC */

/*
 * Lines are noted as text, "line|" for one with a newline and "piece>" for
 * one without, so that cases can be read and results be compared whole.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/splitter.h"
#include "core/utf8.h"
#include "seed.h"

#define ROUNDS 3000
#define TEXT_MAX 200

struct notes {
	struct buffer text; /* owned */
	size_t max_line;
	bool refuse; /* the callback says that memory ran out */
};

static bool
note_line(void *arg, const uint8_t *text, size_t n, bool continued)
{
	struct notes *notes = arg;

	assert_true(n <= notes->max_line);
	assert_true(n > 0 || !continued);
	buffer_append(&notes->text, text, n);
	buffer_append_byte(&notes->text, continued ? '>' : '|');
	return !notes->refuse;
}

/* The rule, byte by byte, on the whole text. */
static void
note_reference(struct notes *notes, const uint8_t *text, size_t n)
{
	size_t length, cut, back;

	while (n > 0) {
		for (length = 0; length < n && text[length] != '\n'; length++)
			;
		if (length <= notes->max_line) {
			note_line(notes, text, length, length == n);
			length += length < n;
			text += length;
			n -= length;
			continue;
		}
		cut = notes->max_line;
		for (back = 0; back <= 3; back++) {
			if (text[cut - back] >= 0x80 && text[cut - back] < 0xc0)
				continue;
			cut -= back;
			break;
		}
		note_line(notes, text, cut, true);
		text += cut;
		n -= cut;
	}
}

/*
 * Feeds portions of at most portion_max bytes, of random size if random, and
 * each in memory of its own, so that reading past it is noticed.
 */
static void
note_split(struct notes *notes, const uint8_t *text, size_t n,
    size_t portion_max, bool random_size)
{
	struct splitter *s = splitter_new(notes->max_line, note_line, notes);
	uint8_t *portion;
	size_t size;

	assert_non_null(s);
	while (n > 0) {
		size = n < portion_max ? n : portion_max;
		if (random_size)
			size = 1 + (size_t)random() % size;
		assert_non_null(portion = malloc(size));
		memcpy(portion, text, size);
		assert_true(splitter_write(s, portion, size));
		free(portion);
		text += size;
		n -= size;
	}
	assert_true(splitter_end(s));
	splitter_free(s);
}

static void
assert_notes(struct notes *notes, const void *expected, size_t n)
{
	assert_false(notes->text.failed);
	assert_int_equal(notes->text.size, n);
	if (n > 0)
		assert_memory_equal(notes->text.data, expected, n);
	buffer_reset(&notes->text);
}

/* However it is portioned, the text gives these notes. */
static void
check_all_splits(size_t max_line, const uint8_t *text, size_t n,
    const void *expected, size_t expected_size)
{
	struct notes notes = { BUFFER_INIT, max_line, false };
	size_t portion;

	note_split(&notes, text, n, n, false);
	assert_notes(&notes, expected, expected_size);
	for (portion = 1; portion <= 9; portion++) {
		note_split(&notes, text, n, portion, false);
		assert_notes(&notes, expected, expected_size);
	}
	note_split(&notes, text, n, 9, true);
	assert_notes(&notes, expected, expected_size);
	note_split(&notes, text, n, n, true);
	assert_notes(&notes, expected, expected_size);
	buffer_clear(&notes.text);
}

/* With a max_line of 8. */
static const struct {
	const char *name;
	const char *text;
	const char *expected;
} cases[] = {
	{ "nothing", "", "" },
	{ "newline", "\n", "|" },
	{ "newlines", "\n\n\n", "|||" },
	{ "line", "abc\n", "abc|" },
	{ "lines", "a\nbc\n\nd\n", "a|bc||d|" },
	{ "unfinished", "abc", "abc>" },
	{ "last unfinished", "abc\nde", "abc|de>" },
	{ "carriage return", "a\rb\r\n\r", "a\rb\r|\r>" },
	{ "as long as may be", "12345678\n", "12345678|" },
	{ "as long, unfinished", "12345678", "12345678>" },
	{ "one longer", "123456789\n", "12345678>9|" },
	{ "one longer, unfinished", "123456789", "12345678>9>" },
	{ "twice as long", "1234567812345678\n", "12345678>12345678|" },
	{ "long, then empty", "123456789\n\n", "12345678>9||" },
	{ "long, then short", "123456789abc\nd\n", "12345678>9abc|d|" },
	{ "character at the end", "123456\303\244\n", "123456\303\244|" },
	{ "character ends at the limit", "123456\303\244x\n",
	    "123456\303\244>x|" },
	{ "2 bytes across", "1234567\303\244\n", "1234567>\303\244|" },
	{ "3 bytes across, 1 in", "1234567\342\202\254\n",
	    "1234567>\342\202\254|" },
	{ "3 bytes across, 2 in", "123456\342\202\254\n",
	    "123456>\342\202\254|" },
	{ "4 bytes across, 1 in", "1234567\360\237\230\200",
	    "1234567>\360\237\230\200>" },
	{ "4 bytes across, 2 in", "123456\360\237\230\200",
	    "123456>\360\237\230\200>" },
	{ "4 bytes across, 3 in", "12345\360\237\230\200",
	    "12345>\360\237\230\200>" },
	{ "4 bytes fit", "1234\360\237\230\200\360\n",
	    "1234\360\237\230\200>\360|" },
	{ "no boundary near", "1234\360\200\200\200\200\n",
	    "1234\360\200\200\200>\200|" },
	{ "never a boundary",
	    "\200\200\200\200\200\200\200\200\200\200\200\200\n",
	    "\200\200\200\200\200\200\200\200>\200\200\200\200|" },
	{ "boundary right before",
	    "1234567\303\200\200\200\200\200\200\200\200",
	    "1234567>\303\200\200\200\200\200\200\200>\200>" },
	{ "characters, shifted",
	    "\342\202\254\342\202\254\342\202\254"
	    "\342\202\254\342\202\254\n",
	    "\342\202\254\342\202\254>\342\202\254\342\202\254>\342\202\254|" },
};

static void
test_cases_in_all_splits(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("           %s\n", cases[i].name);
		check_all_splits(8, (const uint8_t *)cases[i].text,
		    strlen(cases[i].text), cases[i].expected,
		    strlen(cases[i].expected));
	}
}

static void
test_nul_is_an_ordinary_byte(void **state)
{
	(void)state;
	check_all_splits(4, (const uint8_t *)"\0a\0\n\0\n\0", 7, "\0a\0|\0|\0>",
	    8);
}

static size_t
append_random_text(uint8_t *text, bool valid)
{
	static const char *const pieces[] = { "\n", "a", "bc", "\303\244",
		"\342\202\254", "\360\237\230\200", "xyz", "\303\244\n",
		/* not valid from here on */
		"\200", "\360", "\342\202", "\377", "\200\200\200\200\200" };
	size_t kinds = valid ? 8 : sizeof(pieces) / sizeof(pieces[0]);
	size_t wanted = (size_t)random() % TEXT_MAX, n = 0, length;
	const char *piece;

	while (n < wanted) {
		piece = pieces[(size_t)random() % kinds];
		length = strlen(piece);
		memcpy(text + n, piece, length);
		n += length;
	}
	return n;
}

static void
test_random_text_in_all_splits(void **state)
{
	uint8_t text[TEXT_MAX + 8];
	struct notes notes = { BUFFER_INIT, 0, false };
	size_t n, i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		n = append_random_text(text, i % 2 == 0);
		notes.max_line = 4 + (size_t)random() % 20;
		note_reference(&notes, text, n);
		check_all_splits(notes.max_line, text, n, notes.text.data,
		    notes.text.size);
		buffer_reset(&notes.text);
	}
	buffer_clear(&notes.text);
}

static bool
join_valid_line(void *arg, const uint8_t *text, size_t n, bool continued)
{
	struct buffer *joined = arg;

	assert_true(utf8_is_valid(text, n));
	buffer_append(joined, text, n);
	if (!continued)
		buffer_append_byte(joined, '\n');
	return true;
}

static void
test_valid_text_stays_valid_and_exact(void **state)
{
	uint8_t text[TEXT_MAX + 8];
	struct buffer joined = BUFFER_INIT;
	struct splitter *s;
	size_t n, i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		n = append_random_text(text, true);
		s = splitter_new(4 + (size_t)random() % 20, join_valid_line,
		    &joined);
		assert_non_null(s);
		assert_true(splitter_write(s, text, n));
		assert_true(splitter_end(s));
		splitter_free(s);
		assert_int_equal(joined.size, n);
		if (n > 0)
			assert_memory_equal(joined.data, text, n);
		buffer_reset(&joined);
	}
	buffer_clear(&joined);
}

static void
assert_pending(const struct splitter *s, const char *expected)
{
	size_t n;
	const uint8_t *pending = splitter_pending(s, &n);

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(pending, expected, n);
}

static void
test_pending_is_the_unfinished_line(void **state)
{
	struct notes notes = { BUFFER_INIT, 8, false };
	struct splitter *s = splitter_new(8, note_line, &notes);

	(void)state;
	assert_non_null(s);
	assert_pending(s, "");
	splitter_write(s, "abc\nde", 6);
	assert_pending(s, "de");
	splitter_write(s, "", 0);
	splitter_write(s, "f", 1);
	assert_pending(s, "def");
	splitter_write(s, "\n", 1);
	assert_pending(s, "");
	splitter_write(s, "12345678", 8);
	assert_pending(s, "12345678");
	splitter_write(s, "9", 1);
	assert_pending(s, "9");
	assert_true(splitter_end(s));
	assert_pending(s, "");
	assert_true(splitter_end(s));
	assert_notes(&notes, "abc|def|12345678>9>", 19);
	splitter_free(s);
	buffer_clear(&notes.text);
}

static void
test_refused_line_is_told_and_the_rest_goes_on(void **state)
{
	/* Whole lines and pieces, from the given bytes and from before. */
	static const char *const refused[] = { "a\n", "123456789", "0\n",
		"b\n12345678", "9", "c\nd\ne" };
	struct notes notes = { BUFFER_INIT, 8, true };
	struct splitter *s = splitter_new(8, note_line, &notes);
	size_t i;

	(void)state;
	assert_non_null(s);
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_false(splitter_write(s, refused[i], strlen(refused[i])));
	assert_true(splitter_write(s, "f", 1));
	notes.refuse = false;
	assert_true(splitter_write(s, "\ng", 2));
	notes.refuse = true;
	assert_false(splitter_end(s));
	assert_true(splitter_end(s));
	assert_notes(&notes, "a|12345678>90|b|12345678>9c|d|ef|g>", 35);
	splitter_free(s);
	buffer_clear(&notes.text);
}

static void
test_free_takes_null(void **state)
{
	(void)state;
	splitter_free(NULL);
	assert_null(splitter_new(SIZE_MAX, note_line, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases_in_all_splits),
		cmocka_unit_test(test_nul_is_an_ordinary_byte),
		cmocka_unit_test(test_random_text_in_all_splits),
		cmocka_unit_test(test_valid_text_stays_valid_and_exact),
		cmocka_unit_test(test_pending_is_the_unfinished_line),
		cmocka_unit_test(
		    test_refused_line_is_told_and_the_rest_goes_on),
		cmocka_unit_test(test_free_takes_null),
	};

	seed_random();
	return cmocka_run_group_tests_name("splitter", tests, NULL, NULL);
}
