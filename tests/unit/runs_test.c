/* SPDX-License-Identifier: ISC */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/runs.h"

#define LENGTH 10 /* records of each run here */

/* The id of run number n, whose random number is n, too. */
static const char *
id_of(uint64_t n)
{
	static char id[RUN_ID_SIZE];

	(void)snprintf(id, sizeof(id), "%016" PRIx64, n);
	return id;
}

static void
test_first_run(void **state)
{
	struct runs runs = { 0 };

	(void)state;
	assert_false(runs_have(&runs, ""));
	runs_begin(&runs, UINT64_C(0xbd8122a15b81a470), 1);
	assert_string_equal(runs_current(&runs)->id, "bd8122a15b81a470");
	assert_int_equal(runs_current(&runs)->first, 1);
	assert_true(runs_have(&runs, "bd8122a15b81a470"));
	assert_false(runs_have(&runs, "bd8122a15b81a47"));
	assert_false(runs_have(&runs, ""));
	assert_ptr_equal(runs_find(&runs, 1), runs_current(&runs));
	assert_ptr_equal(runs_find(&runs, UINT64_MAX), runs_current(&runs));
}

/* The newest ones are known; what is older is taken for the oldest of them. */
static void
test_many_runs(void **state)
{
	struct runs runs = { 0 };
	uint64_t n, seen, oldest;

	(void)state;
	for (n = 0; n < 3 * RUNS_MAX; n++) {
		runs_begin(&runs, n, n * LENGTH + 1);
		assert_int_equal(runs.count, n + 1);
		assert_string_equal(runs_current(&runs)->id, id_of(n));
		oldest = n < RUNS_MAX ? 0 : n - RUNS_MAX + 1;
		for (seen = 0; seen <= n; seen++) {
			assert_int_equal(runs_have(&runs, id_of(seen)),
			    seen >= oldest);
			assert_string_equal(
			    runs_find(&runs, seen * LENGTH + 1)->id,
			    id_of(seen < oldest ? oldest : seen));
			assert_string_equal(
			    runs_find(&runs, (seen + 1) * LENGTH)->id,
			    id_of(seen < oldest ? oldest : seen));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_run),
		cmocka_unit_test(test_many_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
