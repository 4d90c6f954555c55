/* SPDX-License-Identifier: ISC */

/* Lines of the access log, byte by byte. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cli/access_line.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct wsexec_access plain = {
	.client = "192.0.2.1",
	.method = "GET",
	.target = "/?tail=10",
	.protocol = "HTTP/1.1",
	.status = 200,
	.bytes = 5000000000,
	.time = 971211336.75,
	.seconds = 12.3456,
};

static int
set_zone(void **state)
{
	(void)state;
	setenv("TZ", "XYZ+7", 1); /* 7 hours west of Greenwich */
	tzset();
	return 0;
}

static void
check(const struct wsexec_access *access, enum access_format format,
    const char *expected)
{
	char line[ACCESS_LINE_MAX];
	size_t size = access_line_format(line, access, format);

	assert_true(size < sizeof(line));
	line[size] = '\0';
	assert_int_equal(strlen(line), size);
	assert_string_equal(line, expected);
}

static void
test_the_two_formats(void **state)
{
	struct wsexec_access access = plain;

	(void)state;
	check(&access, ACCESS_COMMON,
	    "192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "
	    "\"GET /?tail=10 HTTP/1.1\" 200 5000000000 12.346\n");
	check(&access, ACCESS_COMBINED,
	    "192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "
	    "\"GET /?tail=10 HTTP/1.1\" 200 5000000000 \"-\" \"-\" 12.346\n");
	access.referer = "http://example.org/";
	access.user_agent = "curl/7.88.1";
	check(&access, ACCESS_COMBINED,
	    "192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "
	    "\"GET /?tail=10 HTTP/1.1\" 200 5000000000 "
	    "\"http://example.org/\" \"curl/7.88.1\" 12.346\n");
}

static void
test_what_was_no_request(void **state)
{
	const struct wsexec_access access = { .client = "2001:db8::1",
		.protocol = "HTTP/1.0",
		.status = 400,
		.bytes = 12 };

	(void)state;
	check(&access, ACCESS_COMMON,
	    "2001:db8::1 - - [31/Dec/1969:17:00:00 -0700] "
	    "\"-\" 400 12 0.000\n");
}

static void
test_strings_of_clients_cannot_make_fields_or_lines(void **state)
{
	struct wsexec_access access = plain;

	(void)state;
	access.target = "/\" 200 1 \\";
	access.referer = "a\nb\r\t\033[2J\177";
	access.user_agent = "\303\244 %s \"";
	check(&access, ACCESS_COMBINED,
	    "192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "
	    "\"GET /\\\" 200 1 \\\\ HTTP/1.1\" 200 5000000000 "
	    "\"a\\x0ab\\x0d\\x09\\x1b[2J\\x7f\" \"\\xc3\\xa4 %s \\\"\" "
	    "12.346\n");
}

static void
test_a_user_is_one_word(void **state)
{
	struct wsexec_access access = plain;

	(void)state;
	access.user = "a [b] \303\251\n\"";
	check(&access, ACCESS_COMMON,
	    "192.0.2.1 - a\\x20[b]\\x20\\xc3\\xa9\\x0a\\\" "
	    "[10/Oct/2000:13:55:36 -0700] "
	    "\"GET /?tail=10 HTTP/1.1\" 200 5000000000 12.346\n");
}

/* No request has as much; a program of the library may. */
static void
test_too_much_is_cut_but_the_line_is_whole(void **state)
{
	static const char end[] = "\" 12.346\n";
	static const char *const fills[] = { "x", "\377", "\"" };
	char *text = malloc(2 * ACCESS_LINE_MAX);
	char line[ACCESS_LINE_MAX];
	struct wsexec_access access = plain;
	size_t i, size;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < COUNT(fills); i++) {
		memset(text, fills[i][0], 2 * ACCESS_LINE_MAX - 1);
		text[2 * ACCESS_LINE_MAX - 1] = '\0';
		access.target = access.referer = access.user_agent = text;
		size = access_line_format(line, &access, ACCESS_COMBINED);
		assert_in_range(size, ACCESS_LINE_MAX / 2, ACCESS_LINE_MAX);
		assert_memory_equal(line + size - strlen(end), end,
		    strlen(end));
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_two_formats),
		cmocka_unit_test(test_what_was_no_request),
		cmocka_unit_test(test_a_user_is_one_word),
		cmocka_unit_test(
		    test_strings_of_clients_cannot_make_fields_or_lines),
		cmocka_unit_test(test_too_much_is_cut_but_the_line_is_whole),
	};

	return cmocka_run_group_tests(tests, set_zone, NULL);
}
