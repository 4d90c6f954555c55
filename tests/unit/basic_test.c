/* SPDX-License-Identifier: ISC */

/* Names and passwords, as fields Authorization show them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <resolv.h>

#include <cmocka.h>

#include "core/basic.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct slice
slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/* The field that shows size bytes. */
static struct slice
encode(char field[2048], const char *bytes, size_t size)
{
	strcpy(field, "Basic ");
	assert_true(b64_ntop((const unsigned char *)bytes, size, field + 6,
			2048 - 6) >= 0);
	return slice_of(field);
}

static void
test_what_is_shown(void **state)
{
	static const struct {
		const char *field, *text;
	} cases[] = {
		/* RFC 7617 sections 2 and 2.1 */
		{ "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin:open sesame" },
		{ "basic dGVzdDoxMjPCow==", "test:123\xc2\xa3" },
		{ "BASIC   YTpiOmM= ", "a:b:c" },
		{ "Basic YTo=", "a:" },
	};
	struct basic b;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		memset(&b, 0x5a, sizeof(b));
		assert_true(basic_is_shown(slice_of(cases[i].field)));
		assert_true(basic_parse(slice_of(cases[i].field), &b));
		assert_string_equal(b.text, cases[i].text);
		assert_int_equal(b.size, strlen(cases[i].text));
		assert_int_equal(b.name_size, strcspn(cases[i].text, ":"));
	}
}

static void
test_what_is_none(void **state)
{
	static const char *const cases[] = {
		"",
		"Basic",
		"Basic ",
		"Basic =",
		"Basic YTpi=",
		"Basic YTo",   /* without its padding */
		"Basic YT pi", /* a blank inside */
		"Basic YT\tpi",
		"Basic YTpi YTpi",
		"Basic a:b",
		"Basic YWI=",	  /* no colon */
		"Basic OmI=",	  /* no name */
		"Basic YTpiCg==", /* a newline */
		"Basic YTpif38=", /* DEL */
		"Basic YTpi\x80",
		"Basic Y-pi",
		"BasicYTpi",
		"Bearer YTpi",
		"Digest username=\"a\"",
	};
	static const struct basic none;
	struct basic b;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		memset(&b, 0x5a, sizeof(b));
		if (basic_parse(slice_of(cases[i]), &b))
			fail_msg("'%s' is taken", cases[i]);
		assert_memory_equal(&b, &none, sizeof(b));
	}
}

static void
test_the_longest(void **state)
{
	char text[BASIC_MAX + 4], field[2048];
	struct basic b;
	size_t size;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[300] = ':';
	for (size = BASIC_MAX - 3; size < BASIC_MAX + 4; size++) {
		assert_int_equal(basic_parse(encode(field, text, size), &b),
		    size <= BASIC_MAX);
		if (size <= BASIC_MAX) {
			assert_int_equal(b.size, size);
			assert_int_equal(b.name_size, 300);
		}
	}
}

static void
test_nul_is_a_control(void **state)
{
	char field[2048];
	struct basic b;

	(void)state;
	assert_false(basic_parse(encode(field, "a:b\0c", 5), &b));
	assert_false(basic_parse(encode(field, "a\0:b", 4), &b));
}

/* Whatever the bytes are, and cut wherever, each is read inside its bounds. */
static void
test_random_fields(void **state)
{
	const unsigned int seed = (unsigned int)arc4random();
	char field[1024], *exact;
	struct basic b;
	size_t size, i;
	int round;

	(void)state;
	printf("seed %u\n", seed);
	srandom(seed);
	for (round = 0; round < 20000; round++) {
		size = (size_t)random() % sizeof(field);
		for (i = 0; i < size; i++)
			field[i] = "Basic YTpiMDEy+/=\t:"[random() % 19];
		memcpy(field, "Basic ", size < 6 ? size : 6);
		assert_non_null(exact = malloc(size + 1));
		memcpy(exact, field, size);
		if (basic_parse((struct slice){ exact, size }, &b))
			assert_true(basic_is_credential(
			    (struct slice){ b.text, b.size }));
		free(exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_shown),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_the_longest),
		cmocka_unit_test(test_nul_is_a_control),
		cmocka_unit_test(test_random_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
