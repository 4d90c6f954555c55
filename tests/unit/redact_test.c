/* SPDX-License-Identifier: ISC */

/* What is left of addresses, each in memory of just its size. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buffer.h"
#include "core/redact.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TOKEN "s3cret-s3cret"
#define BEFORE "/?token=" TOKEN " "

static const struct {
	const char *address;
	const char *expected;
} cases[] = {
	{ "", "" },
	{ "/", "/" },
	{ "/?", "/?" },
	{ "/?&&=&", "/?&&=&" },
	{ "/raw?tail=10&follow=0", "/raw?tail=10&follow=0" },
	{ "/?token=", "/?token=-" },
	{ "/?token=a", "/?token=-" },
	{ "/?token", "/?token" },
	{ "/?token=a=b&tail=1", "/?token=-&tail=1" },
	{ "/?tail=1&token=" TOKEN, "/?tail=1&token=-" },
	{ "/?token=a&token=b&tail=1", "/?token=-&token=-&tail=1" },
	{ "/?%74oken=%73", "/?%74oken=-" },
	{ "/?%74%6F%6b%65%6e=a&x", "/?%74%6F%6b%65%6e=-&x" },
	{ "/?tokens=a&atoken=b&TOKEN=c", "/?tokens=a&atoken=b&TOKEN=c" },
	{ "/?a=1?token=b#token=c", "/?a=1?token=-" },
	{ "/?a#token=b;c&d?token=?&#;e", "/?a#token=-&d?token=-&#;e" },
	{ "/?token=a?b;c#d/e&tail=1", "/?token=-&tail=1" },
	{ "/?%74oken=a?token=b", "/?%74oken=-" },
	{ "/?a;token=b", "/?a;token=-" },
	{ "http://a:1/b?x=y&token=z", "http://a:1/b?x=y&token=-" },
	{ TOKEN, "-" },
	{ "/" TOKEN "/" TOKEN TOKEN "?" TOKEN "=1&x=" TOKEN, "/-/--?-=1&x=-" },
	{ "/s3cret-s3cre", "/s3cret-s3cre" },
	{ "/s3cret-" TOKEN, "/--s3cret" },
};

static void
check(const char *address, const char *token, const char *expected)
{
	struct buffer out = BUFFER_INIT;
	const char *const tokens[] = { token, NULL };
	const size_t size = strlen(address), before = strlen(BEFORE);
	char *copy = malloc(size);

	assert_true(size == 0 || copy != NULL);
	if (size > 0)
		memcpy(copy, address, size);
	/* What is there already is not looked at. */
	buffer_append_string(&out, BEFORE);
	redact_append(&out, (struct slice){ copy, size }, tokens);
	buffer_append_byte(&out, '\0');
	assert_false(out.failed);
	assert_memory_equal(out.data, BEFORE, before);
	assert_string_equal((char *)out.data + before, expected);
	buffer_clear(&out);
	free(copy);
}

static void
test_tokens_are_left_out(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		check(cases[i].address, TOKEN, cases[i].expected);
}

static void
test_without_a_token_parameters_are_still_left_out(void **state)
{
	(void)state;
	check("/" TOKEN "?token=" TOKEN, NULL, "/" TOKEN "?token=-");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens_are_left_out),
		cmocka_unit_test(
		    test_without_a_token_parameters_are_still_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
