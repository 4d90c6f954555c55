/* SPDX-License-Identifier: ISC */

/* Files of users, and passwords against each kind of hash. */

#include <crypt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/passwords.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SHA256                                                                 \
	"$5$abc$/KIiEVD08ZyWvOXmP3riN4dM2ekp6N.s7VleQEHPlU5" /* of "pw-s5" */

static struct crypt_data data;
static const struct secret seed = { { 1, 2, 3 } };

static struct slice
slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static void
test_lines(void **state)
{
	static const char text[] = "# users\n\n  \nx";
	static const char good[] = "# users:of this\n"
				   "\r\n"
				   "anna:" SHA256 "\r\n"
				   "\n"
				   "Anna:" SHA256 "\n"
				   "b c\xc3\xa9:" SHA256;
	struct passwords p;
	char why[256];

	(void)state;
	assert_true(passwords_parse(&p, slice_of(good), why, sizeof(why)));
	assert_int_equal(p.count, 3);
	assert_string_equal(p.all[0].name, "anna");
	assert_string_equal(p.all[0].hash, SHA256);
	assert_string_equal(p.all[1].name, "Anna");
	assert_string_equal(p.all[2].name, "b c\xc3\xa9");
	assert_string_equal(p.all[2].hash, SHA256);
	passwords_clear(&p);
	assert_int_equal(p.count, 0);
	assert_false(passwords_parse(&p, slice_of(text), why, sizeof(why)));
	assert_string_equal(why, "line 3: it is not USER:HASH");
}

#define NO_HASH                                                                \
	": the hash is none of bcrypt, yescrypt, scrypt, SHA-256 or SHA-512 "  \
	"of crypt(5)"

static void
test_mistakes(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "there is no user in it" },
		{ "# a:b\n\n", "there is no user in it" },
		{ "anna", "line 1: it is not USER:HASH" },
		{ "\n:" SHA256, "line 2: it is not USER:HASH" },
		{ "a:" SHA256 "\t", "line 1: it is not USER:HASH" },
		{ "a\rb:" SHA256, "line 1: it is not USER:HASH" },
		{ "a:" SHA256 "\nb:" SHA256 "\na:" SHA256,
		    "line 3: this user was there already" },
		{ "a:", "line 1" NO_HASH },
		{ "a:" SHA256 " ", "line 1" NO_HASH },
		{ "a:" SHA256 ":x", "line 1" NO_HASH },
		{ "a:$5$abc$/KIi", "line 1" NO_HASH },
		{ "a:*", "line 1" NO_HASH },
		{ "a:!" SHA256, "line 1" NO_HASH },
		{ "a:a password", "line 1" NO_HASH },
		{ "a:abcdefghijklm", "line 1" NO_HASH }, /* as of DES */
		{ "a:$apr1$abcdefgh$abcdefghijklmnopqrstuv", "line 1" NO_HASH },
		{ "a:$1$abcdefgh$abcdefghijklmnopqrstuv", "line 1" NO_HASH },
		{ "a:{SHA}abcdefghijklmnopqrstuvwxyz0=", "line 1" NO_HASH },
		{ "a:$6$rounds=1$abc$", "line 1" NO_HASH },
		{ "a:$2y$05$abcdefghijklmnopqrstuu", "line 1" NO_HASH },
		{ "a:$", "line 1" NO_HASH },
	};
	struct passwords p;
	char why[256];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		memset(&p, 0x5a, sizeof(p));
		if (passwords_parse(&p, slice_of(cases[i].text), why,
			sizeof(why)))
			fail_msg("'%s' is taken", cases[i].text);
		assert_string_equal(why, cases[i].why);
		assert_int_equal(p.count, 0);
		assert_null(p.all);
	}
	assert_false(passwords_parse(&p, (struct slice){ "a:\0b\n", 5 }, why,
	    sizeof(why)));
	assert_string_equal(why, "it is not a text");
}

/* Cheap hashes of all that crypt(3) has here, and nothing less is asked for. */
static void
test_kinds(void **state)
{
	static const struct {
		const char *prefix;
		unsigned long cost;
	} kinds[] = {
		{ "$2a$", 4 },
		{ "$2b$", 4 },
		{ "$2y$", 4 },
		{ "$5$", 1000 },
		{ "$6$", 1000 },
		{ "$7$", 6 },
		{ "$y$", 1 },
		{ "$gy$", 1 },
	};
	static const char password[] = "p:w \xc3\xa9";
	char text[512], why[256];
	struct passwords p;
	const char *setting, *hash;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(kinds); i++) {
		setting =
		    crypt_gensalt(kinds[i].prefix, kinds[i].cost, NULL, 0);
		assert_non_null(setting);
		hash = crypt_r(password, setting, &data);
		assert_non_null(hash);
		snprintf(text, sizeof(text), "a:%s\n", hash);
		if (!passwords_parse(&p, slice_of(text), why, sizeof(why)))
			fail_msg("%s: %s", text, why);
		memset(&data, 0, sizeof(data));
		assert_true(password_is(&p.all[0], password, &data));
		assert_true(password_is(&p.all[0], password, &data));
		assert_false(password_is(&p.all[0], "p:w", &data));
		assert_false(password_is(&p.all[0], "", &data));
		passwords_clear(&p);
	}
}

static void
test_who_stands_in(void **state)
{
	struct secret other = { { 7 } };
	size_t times[3] = { 0 }, differ = 0, i;
	const struct password *found;
	struct passwords p;
	char why[256], name[16];
	bool is_known;

	(void)state;
	assert_true(passwords_parse(&p,
	    slice_of("a:" SHA256 "\nbb:" SHA256 "\nc:" SHA256), why,
	    sizeof(why)));
	found = passwords_find(&p, slice_of("bb"), &seed, &is_known);
	assert_true(is_known);
	assert_ptr_equal(found, &p.all[1]);
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "b%zu", i);
		found = passwords_find(&p, slice_of(name), &seed, &is_known);
		assert_false(is_known);
		assert_ptr_equal(found,
		    passwords_find(&p, slice_of(name), &seed, &is_known));
		times[found - p.all]++;
		differ += found !=
		    passwords_find(&p, slice_of(name), &other, &is_known);
	}
	for (i = 0; i < 3; i++)
		assert_true(times[i] > 50);
	assert_true(differ > 100);
	(void)passwords_find(&p, (struct slice){ "", 0 }, &seed, &is_known);
	assert_false(is_known);
	passwords_clear(&p);
}

static void
test_random_bytes(void **state)
{
	const unsigned int number = (unsigned int)arc4random();
	static const char alphabet[] = "a:$5y2#\r\n\n\0b/";
	struct passwords p;
	char bytes[256], why[256];
	size_t size, i;
	int round;

	(void)state;
	printf("seed %u\n", number);
	srandom(number);
	for (round = 0; round < 20000; round++) {
		size = (size_t)random() % sizeof(bytes);
		for (i = 0; i < size; i++)
			bytes[i] =
			    alphabet[(size_t)random() % (sizeof(alphabet) - 1)];
		assert_false(passwords_parse(&p, (struct slice){ bytes, size },
		    why, sizeof(why)));
		assert_true(strlen(why) > 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_who_stands_in),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
