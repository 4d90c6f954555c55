/* SPDX-License-Identifier: ISC */

/* The query part of an address, each case in memory of just its size. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/query.h"
#include "seed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEN "abcde-_789"
#define SIXTY TEN TEN TEN TEN TEN TEN

/* What is said, word for word. */
#define BAD_AFTER "after: not a sequence number, use 0 or more"
#define BAD_TAIL "tail: not a number of records, use 0 or more"
#define BAD_RUN "run: not a run id, use 1 to 64 letters, digits, '-' and '_'"
#define BAD_FORMAT "format: not a format, use text, json or raw"
#define BAD_STREAM "stream: not a stream, use stdout or stderr"
#define BAD_LIMIT "limit: not a number of records, use 0 or more"
#define BAD_FOLLOW "follow: not a switch, use 0 or 1"
#define BAD_TOKEN "token: not a token, use at most 256 visible ASCII characters"
#define BAD_ESCAPE "bad percent-encoding, use % and two hex digits"
#define TWICE "given more than once, give it once"

static bool
parse_bytes(const char *text, size_t length, struct query *q, char *why,
    size_t size)
{
	char *copy = malloc(length);
	struct slice s = { copy, length };
	bool is_good;

	assert_true(length == 0 || copy != NULL);
	if (length > 0)
		memcpy(copy, text, length);
	is_good = query_parse(s, q, why, size);
	free(copy);
	return is_good;
}

static void
parse_good(const char *text, struct query *q)
{
	char why[200] = "";

	if (!parse_bytes(text, strlen(text), q, why, sizeof(why)))
		fail_msg("%s: %s", text, why);
}

static void
assert_bad(const char *text, const char *expected)
{
	struct query q;
	char why[200] = "";

	if (parse_bytes(text, strlen(text), &q, why, sizeof(why)))
		fail_msg("%s: taken", text);
	if (strcmp(why, expected) != 0)
		fail_msg("%s: %s", text, why);
}

static void
test_nothing_given(void **state)
{
	static const char *const texts[] = {
		"",
		"&",
		"&&&",
		"=",
		"x",
		"unknown=1&After=2&afte=3&afterr=4",
		"x=%zz&%zz=1&%=2&x=1&x=2",
		"=after=5",
		"utm=%00%ff",
		"after%00=5",
	};
	struct query q;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		memset(&q, 0xff, sizeof(q));
		parse_good(texts[i], &q);
		assert_false(q.has_after);
		assert_false(q.has_tail);
		assert_false(q.has_limit);
		assert_false(q.has_format);
		assert_false(q.has_stream);
		assert_true(q.follow);
		assert_string_equal(q.run, "");
		assert_string_equal(q.token, "");
	}
}

static void
test_everything_given(void **state)
{
	static const char plain[] =
	    "after=12&tail=34&run=aZ0-_&format=json&stream=stderr&follow=0&"
	    "token=s+e=c?r/e%2Bt%26&x=y";
	static const char escaped[] =
	    "&&%61fter=%31%32&t%61il=0&format=%74ext&stream=stdout&follow=1&"
	    "token=&&";
	struct query q;

	(void)state;
	parse_good(plain, &q);
	assert_true(q.has_after);
	assert_int_equal(q.after, 12);
	assert_true(q.has_tail);
	assert_int_equal(q.tail, 34);
	assert_string_equal(q.run, "aZ0-_");
	assert_true(q.has_format);
	assert_int_equal(q.format, FORMAT_JSON);
	assert_true(q.has_stream);
	assert_int_equal(q.stream, STREAM_STDERR);
	assert_false(q.follow);
	assert_string_equal(q.token, "s+e=c?r/e+t&");

	parse_good(escaped, &q);
	assert_int_equal(q.after, 12);
	assert_true(q.has_tail);
	assert_int_equal(q.tail, 0);
	assert_int_equal(q.format, FORMAT_TEXT);
	assert_int_equal(q.stream, STREAM_STDOUT);
	assert_true(q.follow);
	assert_string_equal(q.token, "");

	parse_good("format=raw", &q);
	assert_int_equal(q.format, FORMAT_RAW);
}

static void
test_numbers(void **state)
{
	static const char *const bad[] = {
		"after",
		"after=",
		"after=-1",
		"after=%2b1",
		"after=+1",
		"after=1.0",
		"after=0x1",
		"after=1e3",
		"after=%201",
		"after=1%20",
		"after=1%00",
		"after=9223372036854775808",
		"after=18446744073709551616",
		"after=99999999999999999999999999999999",
		"after=12345678901234567890",
		"after=\xc2\xb2",
		"after=1=",
	};
	struct query q;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_bad(bad[i], BAD_AFTER);
	assert_bad("tail=x", BAD_TAIL);
	assert_bad("tail=9223372036854775808", BAD_TAIL);

	parse_good("after=9223372036854775807&tail=9223372036854775807", &q);
	assert_true(q.after == INT64_MAX);
	assert_true(q.tail == INT64_MAX);
	parse_good("after=0&tail=007", &q);
	assert_true(q.has_after);
	assert_int_equal(q.after, 0);
	assert_int_equal(q.tail, 7);
}

static void
test_limit_ends(void **state)
{
	struct query q;

	(void)state;
	parse_good("limit=12", &q);
	assert_true(q.has_limit);
	assert_int_equal(q.limit, 12);
	assert_false(q.follow);
	parse_good("limit=0&follow=1", &q);
	assert_true(q.has_limit);
	assert_int_equal(q.limit, 0);
	assert_false(q.follow);
	parse_good("follow=1&limit=9223372036854775807", &q);
	assert_true(q.limit == INT64_MAX);
	assert_bad("limit=", BAD_LIMIT);
	assert_bad("limit=-1", BAD_LIMIT);
	assert_bad("limit=9223372036854775808", BAD_LIMIT);
	assert_bad("limit=1&limit=1", "limit: " TWICE);
}

static void
test_bad_words(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "run=", BAD_RUN },
		{ "run=a.b", BAD_RUN },
		{ "run=" SIXTY "12345", BAD_RUN },
		{ "format=", BAD_FORMAT },
		{ "format=JSON", BAD_FORMAT },
		{ "format=jso", BAD_FORMAT },
		{ "stream=std", BAD_STREAM },
		{ "stream=", BAD_STREAM },
		{ "follow=2", BAD_FOLLOW },
		{ "follow=true", BAD_FOLLOW },
		{ "follow", BAD_FOLLOW },
		{ "token=a%20b", BAD_TOKEN },
		{ "token=%00", BAD_TOKEN },
		{ "token=a%0aSet-Cookie:", BAD_TOKEN },
		{ "token=\xff", BAD_TOKEN },
		{ "x=1&after=1&x=2&after=1", "after: " TWICE },
		{ "tail=1&%74ail=2", "tail: " TWICE },
		{ "token=&token=", "token: " TWICE },
		{ "after=%", "after: " BAD_ESCAPE },
		{ "after=%3", "after: " BAD_ESCAPE },
		{ "token=%3&tail=1", "token: " BAD_ESCAPE },
		{ "run=%g1", "run: " BAD_ESCAPE },
		{ "run=%1g", "run: " BAD_ESCAPE },
		{ "format=%%6a", "format: " BAD_ESCAPE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		assert_bad(cases[i].text, cases[i].why);
}

static void
test_lengths(void **state)
{
	char text[4 * QUERY_TOKEN_MAX] = "token=", expected[QUERY_TOKEN_MAX];
	struct query q;
	int i;

	(void)state;
	parse_good("run=" SIXTY "1234", &q);
	assert_string_equal(q.run, SIXTY "1234");

	memset(expected, '~', sizeof(expected));
	for (i = 0; i < QUERY_TOKEN_MAX; i++)
		strlcat(text, i % 2 == 0 ? "~" : "%7e", sizeof(text));
	parse_good(text, &q);
	assert_int_equal(strlen(q.token), QUERY_TOKEN_MAX);
	assert_memory_equal(q.token, expected, sizeof(expected));
	strlcat(text, "~", sizeof(text));
	assert_bad(text, BAD_TOKEN);

	memcpy(text, "other", 5);
	parse_good(text, &q);
}

static void
test_why_is_cut(void **state)
{
	char why[8];
	struct query q;

	(void)state;
	assert_false(parse_bytes("after=x", 7, &q, why, sizeof(why)));
	assert_string_equal(why, "after: ");
	assert_false(parse_bytes("after=x", 7, &q, NULL, 0));
}

/* The id in memory of just its size, after a query that has a position. */
static struct query
set_event_id(const char *text)
{
	struct slice id = { NULL, strlen(text) };
	char *copy = malloc(id.size);
	struct query q;

	parse_good("after=5&run=other&tail=3", &q);
	if (id.size > 0)
		memcpy(copy, text, id.size);
	id.data = copy;
	query_set_event_id(&q, id);
	free(copy);
	return q;
}

static void
test_event_ids(void **state)
{
	static const char *const bad[] = { "", "/", "7", "exit", "/7", "/exit",
		"run", "run/", "run/x", "run/-1", "run/7/", "run/7 ", " run/7",
		"r.n/7", "run/exit/", "run/Exit", "run/exi", "run//7",
		"run/9223372036854775808", SIXTY "12345/7" };
	struct query q;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		q = set_event_id(bad[i]);
		assert_int_equal(q.after, 5);
		assert_string_equal(q.run, "other");
		assert_false(q.has_exit);
	}
	q = set_event_id("aZ0-_/0");
	assert_true(q.has_after && !q.has_exit);
	assert_int_equal(q.after, 0);
	assert_string_equal(q.run, "aZ0-_");
	q = set_event_id(SIXTY "1234/9223372036854775807");
	assert_true(q.has_after && q.after == INT64_MAX);
	assert_string_equal(q.run, SIXTY "1234");
	q = set_event_id("run/exit");
	assert_true(q.has_after && q.has_exit && q.after == INT64_MAX);
	assert_string_equal(q.run, "run");
}

static bool
is_plain_line(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

/* Any bytes at all: no crash, and nothing of them in why. */
static void
test_random_bytes(void **state)
{
	static const char *const pieces[] = { "after", "tail", "run", "token",
		"format", "=", "=", "=", "&", "&", "%", "%41", "%00", "%0a",
		"\n", "\xff", "json", "1", "99999", "+", "\x1b[2J" };
	char text[512], why[200];
	struct query q;
	bool is_good;
	int i, n;

	(void)state;
	for (i = 0; i < 5000; i++) {
		text[0] = '\0';
		for (n = (int)(random() % 12); n > 0; n--)
			strlcat(text, pieces[(size_t)random() % COUNT(pieces)],
			    sizeof(text));
		why[0] = '\0';
		is_good = parse_bytes(text, strlen(text), &q, why, sizeof(why));
		assert_int_equal(is_good, why[0] == '\0');
		if (!is_plain_line(why) || !is_plain_line(q.token))
			fail_msg("%s", text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_given),
		cmocka_unit_test(test_everything_given),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_limit_ends),
		cmocka_unit_test(test_bad_words),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_why_is_cut),
		cmocka_unit_test(test_event_ids),
		cmocka_unit_test(test_random_bytes),
	};

	seed_random();
	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
