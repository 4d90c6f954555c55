/* SPDX-License-Identifier: ISC */

/* Dates as RFC 9110 section 5.6.7 has them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/http.h"

static const struct {
	int64_t seconds;
	const char *text;
} dates[] = {
	{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
	{ 951782399, "Mon, 28 Feb 2000 23:59:59 GMT" },
	{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
	{ 1483228799, "Sat, 31 Dec 2016 23:59:59 GMT" },
	{ 1700000000, "Tue, 14 Nov 2023 22:13:20 GMT" },
	{ 2147483648, "Tue, 19 Jan 2038 03:14:08 GMT" },
	{ 4102444799, "Thu, 31 Dec 2099 23:59:59 GMT" },
	{ 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" },
	{ 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
};

static void
test_dates(void **state)
{
	char text[HTTP_DATE_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		http_date(dates[i].seconds, text);
		assert_string_equal(text, dates[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
	};

	return cmocka_run_group_tests_name("http_date", tests, NULL, NULL);
}
