/* SPDX-License-Identifier: ISC */

/*
 * Offers of permessage-deflate as a table: what clients send, and what they
 * must not.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/extension.h"
#include "core/http.h"
#include "seed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define P "permessage-deflate"
#define FIELDS 3

static void
add_field(struct http_request *request, const char *name, const char *value,
    size_t size)
{
	struct http_field *field = &request->fields[request->field_count++];

	field->name = (struct slice){ name, strlen(name) };
	field->value = (struct slice){ value, size };
}

static const struct {
	const char *values[FIELDS]; /* a field for each */
	bool expected;
} cases[] = {
	/* What clients are known to send. */
	{ { P }, true },
	{ { P "; client_max_window_bits" }, true },
	{ { P "; client_max_window_bits=15" }, true },
	{ { P "; server_max_window_bits=12; client_max_window_bits=12" },
	    true },
	{ { P "; client_no_context_takeover; client_max_window_bits" }, true },

	/* Each parameter, and the ends of its range. */
	{ { P "; server_max_window_bits=15" }, true },
	{ { P "; server_max_window_bits=12" }, true },
	{ { P "; server_max_window_bits=11" }, false },
	{ { P "; server_max_window_bits=8" }, false },
	{ { P "; server_max_window_bits=7" }, false },
	{ { P "; server_max_window_bits=16" }, false },
	{ { P "; server_max_window_bits" }, false },
	{ { P "; client_max_window_bits=8" }, true },
	{ { P "; client_max_window_bits=9" }, true },
	{ { P "; client_max_window_bits=10" }, true },
	{ { P "; client_max_window_bits=7" }, false },
	{ { P "; client_max_window_bits=16" }, false },
	{ { P "; client_max_window_bits=08" }, false },
	{ { P "; client_max_window_bits=012" }, false },
	{ { P "; client_max_window_bits=+12" }, false },
	{ { P "; client_max_window_bits=-12" }, false },
	{ { P "; client_max_window_bits=12.0" }, false },
	{ { P "; client_max_window_bits=1" }, false },
	{ { P "; client_max_window_bits=120" }, false },
	{ { P "; client_max_window_bits=12000000000000000000000000" }, false },
	{ { P "; client_max_window_bits=x" }, false },
	{ { P "; client_no_context_takeover" }, true },
	{ { P "; client_no_context_takeover=1" }, false },
	{ { P "; server_no_context_takeover" }, false },
	{ { P "; server_no_context_takeover=1" }, false },

	/* Parameters that there are not, or twice. */
	{ { P "; unknown" }, false },
	{ { P "; unknown=12" }, false },
	{ { P "; client_max_window_bits; unknown" }, false },
	{ { P "; client_max_window_bits; client_max_window_bits" }, false },
	{ { P "; server_max_window_bits=12; server_max_window_bits=12" },
	    false },
	{ { P "; client_no_context_takeover; client_no_context_takeover" },
	    false },
	{ { P "; Client_Max_Window_Bits" }, false },
	{ { P "; client_max_window_bit" }, false },
	{ { P "; client_max_window_bitsx" }, false },

	/* Quotes and white space. */
	{ { P ";client_max_window_bits=10;server_max_window_bits=13" }, true },
	{ { P " ;\t client_max_window_bits  =  10\t" }, true },
	{ { P "; client_max_window_bits=\"10\"" }, true },
	{ { P "; client_max_window_bits = \"10\" ; server_max_window_bits=\"1"
	      "\\2\"" },
	    true },
	{ { P "; server_max_window_bits=\"\\1\\1\"" }, false },
	{ { P "; client_no_context_takeover=\"x\"" }, false },
	{ { "x; y=\"permessage-deflate\"" }, false },

	/* Other extensions, and several offers. */
	{ { "x-webkit-deflate-frame" }, false },
	{ { "permessage-deflat" }, false },
	{ { "permessage-deflatee" }, false },
	{ { "permessage-bzip2; a=1, " P }, true },
	{ { P ", permessage-bzip2; a; a; a=b" }, true },
	{ { P "; server_no_context_takeover, " P }, true },
	{ { P "; server_max_window_bits=10, " P "; unknown, " P
	      "; client_max_window_bits" },
	    true },
	{ { P "; server_max_window_bits=10, " P "; unknown" }, false },
	{ { P ", " P "; server_no_context_takeover" }, true },
	{ { P "; client_max_window_bits, " P "; client_max_window_bits" },
	    true },
	{ { "x; a=\"b\", " P }, true },
	{ { ", ,, " P " ,\t, x,," }, true },
	{ { "," }, false },
	{ { "" }, false },

	/* Several fields. */
	{ { "x", P }, true },
	{ { "x", "y", P "; client_max_window_bits" }, true },
	{ { P "; server_no_context_takeover", P }, true },
	{ { P, "" }, true },
	{ { "x", "y", "z" }, false },
	{ { P "; client_max_window_bits", "client_max_window_bits" }, true },

	/* Malformed: nothing is offered, whatever else there is. */
	{ { P ";" }, false },
	{ { P "; " }, false },
	{ { P ";;client_max_window_bits" }, false },
	{ { P "; client_max_window_bits=" }, false },
	{ { P "; client_max_window_bits==10" }, false },
	{ { P "; =10" }, false },
	{ { P "=10" }, false },
	{ { P " x" }, false },
	{ { P "; client_max_window_bits 10" }, false },
	{ { P "; client_max_window_bits=10 11" }, false },
	{ { P "; client_max_window_bits=10=11" }, false },
	{ { "; " P }, false },
	{ { "\"" P "\"" }, false },
	{ { P "/1" }, false },
	{ { P "\xe4" }, false },
	{ { P ", x; a=\"b" }, false },
	{ { P ", x; a=\"b\\" }, false },
	{ { P ", x; a=\"b\\\"" }, false },
	{ { P ", x; a=\"b\"c" }, false },
	{ { P ", x; a=\"\"" }, false },
	{ { P ", x; a=\"b c\"" }, false },
	{ { P ", x; a=\"b,c\"" }, false },
	{ { P ", x; a=\"b\\,c\"" }, false },
	{ { P ", x; \"a\"" }, false },
	{ { P ", x y" }, false },
	{ { P ", x@y" }, false },
	{ { P ", ;" }, false },
	{ { P, ";" }, false },
	{ { "=", P }, false },
};

static void
test_offers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_request request = { 0 };

		add_field(&request, "Host", "example.com", 11);
		for (size_t k = 0; k < FIELDS; k++) {
			const char *value = cases[i].values[k];

			if (value != NULL)
				add_field(&request, "sec-WebSocket-extensions",
				    value, strlen(value));
			add_field(&request, "Sec-WebSocket-Protocol", ";", 1);
		}
		if (extension_deflate_is_offered(&request) != cases[i].expected)
			fail_msg("case %zu: %s", i, cases[i].values[0]);
	}
}

static void
test_no_offer(void **state)
{
	struct http_request request = { 0 };

	(void)state;
	assert_false(extension_deflate_is_offered(&request));
	add_field(&request, "Sec-WebSocket-Extension", P, strlen(P));
	assert_false(extension_deflate_is_offered(&request));
	add_field(&request, "Sec-WebSocket-Extensions", P, strlen(P));
	assert_true(extension_deflate_is_offered(&request));
}

/* What we answer with is itself an offer that we would take. */
static void
test_answer(void **state)
{
	struct http_request request = { 0 };

	(void)state;
	add_field(&request, "Sec-WebSocket-Extensions", EXTENSION_DEFLATE,
	    strlen(EXTENSION_DEFLATE));
	assert_true(extension_deflate_is_offered(&request));
}

/*
 * Beginnings of all cases, and random changes to them, in memory of their
 * own for the address sanitizer.
 */
static void
test_mutated(void **state)
{
	static const char interesting[] = ";;,,==\"\"\\ \t1a";
	size_t taken = 0;

	(void)state;
	for (size_t i = 0; i < 200000; i++) {
		const char *value = cases[i % COUNT(cases)].values[0];
		size_t size = strlen(value);
		struct http_request request = { 0 };
		char *copy = malloc(size);

		assert_true(copy != NULL || size == 0);
		if (size > 0)
			memcpy(copy, value, size);
		for (int n = (int)(random() % 3); n > 0 && size > 0; n--)
			copy[(size_t)random() % size] =
			    interesting[(size_t)random() %
				(sizeof(interesting) - 1)];
		if (random() % 2 == 0 && size > 0) {
			size = (size_t)random() % size;
			if (size > 0 && (copy = realloc(copy, size)) == NULL)
				fail();
		}
		add_field(&request, "Sec-WebSocket-Extensions", copy, size);
		taken += extension_deflate_is_offered(&request);
		free(copy);
	}
	assert_in_range(taken, 1000, 199000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_no_offer),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_mutated),
	};

	seed_random();
	return cmocka_run_group_tests_name("extension", tests, NULL, NULL);
}
