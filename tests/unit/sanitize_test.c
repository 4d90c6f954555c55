/* SPDX-License-Identifier: ISC */

/*
 * What is safe is judged here anew, by looking at the result character by
 * character, as a terminal does.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/sanitize.h"
#include "core/utf8.h"
#include "seed.h"

#define ROUNDS 20000
#define TEXT_MAX 64

struct sanitize_case {
	const char *given;
	const char *color;
	const char *all; /* NULL: as color */
};

static const struct sanitize_case cases[] = {
	{ "", "", NULL },
	{ "plain text\twith a tab", "plain text\twith a tab", NULL },
	{ "\033[1;31mred\033[0m", "\033[1;31mred\033[0m", "^[[1;31mred^[[0m" },
	{ "\033[38:2::1:2:3mx\033[m", "\033[38:2::1:2:3mx\033[m",
	    "^[[38:2::1:2:3mx^[[m" },
	{ "\033]0;title\a", "^[]0;title^G", NULL },
	{ "\033[2J\033[H", "^[[2J^[[H", NULL },
	{ "\033[?25l\033[>4;2m", "^[[?25l^[[>4;2m", NULL },
	{ "\033[1 m\033[1\033[2m", "^[[1 m^[[1\033[2m", "^[[1 m^[[1^[[2m" },
	{ "\033", "^[", NULL },
	{ "\033[", "^[[", NULL },
	{ "\033[31", "^[[31", NULL },
	{ "a\rb\r\r", "a^Mb^M\r", NULL },
	{ "\b\177\013\016", "^H^?^K^N", NULL },
	{ "\302\233m\302\237\302\240", "<U+009B>m<U+009F>\302\240", NULL },
	{ "\342\200\256x\342\201\246", "<U+202E>x<U+2066>", NULL },
	{ "\342\200\250\342\200\257\342\201\245\342\201\252",
	    "\342\200\250\342\200\257\342\201\245\342\201\252", NULL },
	{ "\303\251 \360\237\230\200 \342\202\254",
	    "\303\251 \360\237\230\200 \342\202\254", NULL },
	{ "\233m \342\200 \302", "\357\277\275m \357\277\275 \357\277\275",
	    NULL },
	{ "\342\302\233m", "\357\277\275<U+009B>m", NULL },
};

static void
check(const char *given, enum sanitize level, bool ends_line,
    const char *expected)
{
	struct buffer out = BUFFER_INIT;

	sanitize_append(&out, level, (const uint8_t *)given, strlen(given),
	    ends_line);
	buffer_append_byte(&out, '\0');
	assert_string_equal(out.data, expected);
	buffer_clear(&out);
}

static void
each_case_is_shown_as_written(void **state)
{
	const struct sanitize_case *c;

	(void)state;
	for (c = cases; c < cases + sizeof(cases) / sizeof(cases[0]); c++) {
		check(c->given, SANITIZE_COLOR, true, c->color);
		check(c->given, SANITIZE_ALL, true,
		    c->all != NULL ? c->all : c->color);
	}
}

static void
a_carriage_return_stays_at_the_end_of_a_line_only(void **state)
{
	(void)state;
	check("a\r", SANITIZE_COLOR, true, "a\r");
	check("a\r", SANITIZE_COLOR, false, "a^M");
	check("\r", SANITIZE_ALL, true, "\r");
	check("", SANITIZE_ALL, true, "");
}

static void
a_nul_is_visible(void **state)
{
	struct buffer out = BUFFER_INIT;

	(void)state;
	sanitize_append(&out, SANITIZE_COLOR, (const uint8_t *)"a\0b", 3, true);
	assert_int_equal(out.size, 4);
	assert_memory_equal(out.data, "a^@b", 4);
	buffer_clear(&out);
}

/* Parts that make trouble more likely than any bytes would. */
static size_t
random_text(uint8_t *s)
{
	static const char *const parts[] = { "\033", "\033[", "\033[31m", "m",
		"1;2", ":", "\r", "\t", "\302", "\233", "\302\233", "\342",
		"\200", "\256", "\342\200\256", "\303\251", "\360\237\230\200",
		"\360\237", "x", "\177", "\a" };
	const char *part;
	size_t n = 0;

	while (n + 4 < TEXT_MAX && random() % 16 != 0) {
		if (random() % 4 == 0) {
			s[n++] = (uint8_t)random();
			continue;
		}
		part = parts[(size_t)random() %
		    (sizeof(parts) / sizeof(parts[0]))];
		if (n + strlen(part) > TEXT_MAX)
			break;
		memcpy(s + n, part, strlen(part));
		n += strlen(part);
	}
	return n;
}

static size_t
skip_sgr(const uint8_t *s, size_t n)
{
	size_t i = 2;

	assert_true(n >= 3 && s[1] == '[');
	while (i < n && strchr("0123456789;:", s[i]) != NULL && s[i] != '\0')
		i++;
	assert_true(i < n && s[i] == 'm');
	return i + 1;
}

static void
assert_safe(const struct buffer *b, bool color)
{
	const uint8_t *s = b->data;
	size_t i = 0;

	assert_true(utf8_is_valid(s, b->size));
	while (i < b->size) {
		if (color && s[i] == 0x1b) {
			i += skip_sgr(s + i, b->size - i);
			continue;
		}
		if (s[i] < 0x20)
			assert_true(
			    s[i] == '\t' || (s[i] == '\r' && i + 1 == b->size));
		assert_int_not_equal(s[i], 0x7f);
		if (s[i] == 0xc2)
			assert_true(s[i + 1] >= 0xa0);
		if (s[i] == 0xe2 && s[i + 1] == 0x80)
			assert_true(s[i + 2] < 0xaa || s[i + 2] > 0xae);
		if (s[i] == 0xe2 && s[i + 1] == 0x81)
			assert_true(s[i + 2] < 0xa6 || s[i + 2] > 0xa9);
		i++;
	}
}

static void
whatever_comes_is_safe(void **state)
{
	struct buffer out = BUFFER_INIT;
	uint8_t text[TEXT_MAX];
	size_t n, round;

	(void)state;
	seed_random();
	for (round = 0; round < ROUNDS; round++) {
		n = random_text(text);
		buffer_reset(&out);
		sanitize_append(&out, SANITIZE_COLOR, text, n, true);
		assert_safe(&out, true);
		assert_true(out.size <= 4 * n);
		buffer_reset(&out);
		sanitize_append(&out, SANITIZE_ALL, text, n, true);
		assert_safe(&out, false);
		assert_true(out.size <= 4 * n);
	}
	buffer_clear(&out);
}

/* A line in pieces, as it grows, is the line: nothing slips between two. */
static void
pieces_are_as_safe_as_the_whole(void **state)
{
	struct buffer whole = BUFFER_INIT, pieces = BUFFER_INIT;
	uint8_t text[TEXT_MAX];
	size_t n, seen, shown, more, round;

	(void)state;
	seed_random();
	for (round = 0; round < ROUNDS; round++) {
		n = random_text(text);
		buffer_reset(&whole);
		buffer_reset(&pieces);
		sanitize_append(&whole, SANITIZE_COLOR, text, n, true);
		for (seen = shown = 0; seen < n;
		     seen += 1 + (size_t)random() % 3) {
			more = sanitize_whole(text + shown, seen - shown);
			sanitize_append(&pieces, SANITIZE_COLOR, text + shown,
			    more, false);
			shown += more;
		}
		sanitize_append(&pieces, SANITIZE_COLOR, text + shown,
		    n - shown, true);
		assert_int_equal(pieces.size, whole.size);
		if (whole.size > 0)
			assert_memory_equal(pieces.data, whole.data,
			    whole.size);
	}
	buffer_clear(&whole);
	buffer_clear(&pieces);
}

static void
no_sequence_is_waited_for_forever(void **state)
{
	uint8_t text[SANITIZE_SEQUENCE_MAX + 1];

	(void)state;
	memset(text, '1', sizeof(text));
	text[0] = 0x1b;
	text[1] = '[';
	assert_int_equal(sanitize_whole(text, SANITIZE_SEQUENCE_MAX), 0);
	assert_int_equal(sanitize_whole(text, sizeof(text)), sizeof(text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_is_shown_as_written),
		cmocka_unit_test(
		    a_carriage_return_stays_at_the_end_of_a_line_only),
		cmocka_unit_test(a_nul_is_visible),
		cmocka_unit_test(whatever_comes_is_safe),
		cmocka_unit_test(pieces_are_as_safe_as_the_whole),
		cmocka_unit_test(no_sequence_is_waited_for_forever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
