/* SPDX-License-Identifier: ISC */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/backoff.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
assert_delay(struct backoff *s, double seconds, double expected)
{
	double delay = -1;

	assert_true(backoff_judge(s, true, seconds, &delay));
	assert_true(delay == expected);
}

static void
test_policies(void **state)
{
	static const struct {
		enum restart_policy policy;
		bool failed;
		bool restarts;
	} cases[] = {
		{ RESTART_NEVER, false, false },
		{ RESTART_NEVER, true, false },
		{ RESTART_ON_FAILURE, false, false },
		{ RESTART_ON_FAILURE, true, true },
		{ RESTART_ALWAYS, false, true },
		{ RESTART_ALWAYS, true, true },
	};
	struct backoff s;
	double delay;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		backoff_init(&s, cases[i].policy, 1);
		delay = -1;
		assert_int_equal(backoff_judge(&s, cases[i].failed, 3, &delay),
		    cases[i].restarts);
		assert_true(delay == (cases[i].restarts ? 1 : -1));
	}
}

static void
test_delay_doubles_to_a_minute(void **state)
{
	static const double delays[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	struct backoff s;
	size_t i;

	(void)state;
	backoff_init(&s, RESTART_ALWAYS, 1);
	for (i = 0; i < COUNT(delays); i++)
		assert_delay(&s, i % 2 == 0 ? 0 : 9.999, delays[i]);
}

static void
test_run_that_is_not_short_begins_anew(void **state)
{
	struct backoff s;

	(void)state;
	backoff_init(&s, RESTART_ON_FAILURE, 0.5);
	assert_delay(&s, 10, 0.5);
	assert_delay(&s, 0, 1);
	assert_delay(&s, 0, 2);
	assert_delay(&s, 10, 0.5);
	assert_delay(&s, 1e9, 0.5);
	assert_delay(&s, 9, 1);
}

/* Nothing stays nothing, and what is more than a minute stays that. */
static void
test_first_delay_at_its_bounds(void **state)
{
	struct backoff s;
	int i;

	(void)state;
	backoff_init(&s, RESTART_ALWAYS, 0);
	for (i = 0; i < 100; i++)
		assert_delay(&s, 0, 0);
	backoff_init(&s, RESTART_ALWAYS, 3600);
	for (i = 0; i < 100; i++)
		assert_delay(&s, i, 3600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_delay_doubles_to_a_minute),
		cmocka_unit_test(test_run_that_is_not_short_begins_anew),
		cmocka_unit_test(test_first_delay_at_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
