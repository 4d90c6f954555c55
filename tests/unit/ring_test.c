/* SPDX-License-Identifier: ISC */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/ring.h"
#include "seed.h"

#define ITEMS_MAX 5000
#define ROUNDS 20

/* An item is the address of the byte that has its number. */
static char items[ITEMS_MAX];

static const uint64_t firsts[] = { 0, 1, 15, 16, 17, 1000, UINT64_C(1) << 32,
	UINT64_MAX - ITEMS_MAX };

/* The ring has the items of [first, end), and nothing beside them. */
static void
check_all(const struct ring *r, uint64_t first, uint64_t end, uint64_t base)
{
	uint64_t number;

	assert_true(r->first == first);
	assert_true(r->end == end);
	for (number = first; number != end; number++)
		assert_ptr_equal(ring_get(r, number), items + (number - base));
	assert_null(ring_get(r, first - 1));
	assert_null(ring_get(r, end));
	assert_null(ring_get(r, end + 16));
	assert_null(ring_get(r, 0 - UINT64_C(1)));
}

static void
test_numbers_begin_where_told(void **state)
{
	struct ring r;
	uint64_t base, number;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
		base = firsts[i];
		ring_init(&r, base);
		check_all(&r, base, base, base);
		for (number = base; number < base + 100; number++) {
			assert_true(ring_push(&r, items + (number - base)));
			check_all(&r, base, number + 1, base);
		}
		for (number = base; number < base + 100; number++) {
			assert_ptr_equal(ring_shift(&r),
			    items + (number - base));
			check_all(&r, number + 1, base + 100, base);
		}
		ring_clear(&r);
	}
}

/* What is always about as long does not take ever more memory. */
static void
test_slots_are_used_again(void **state)
{
	struct ring r;
	size_t i;

	(void)state;
	ring_init(&r, 7);
	for (i = 0; i < ITEMS_MAX; i++) {
		assert_true(ring_push(&r, items + i));
		if (i >= 16)
			assert_ptr_equal(ring_shift(&r), items + i - 16);
	}
	assert_true(r.capacity <= 32);
	ring_clear(&r);
}

static void
test_set_and_null(void **state)
{
	struct ring r;

	(void)state;
	ring_init(&r, 3);
	assert_true(ring_push(&r, NULL));
	assert_true(ring_push(&r, items + 4));
	assert_null(ring_get(&r, 3));
	assert_ptr_equal(ring_get(&r, 4), items + 4);
	ring_set(&r, 3, items + 3);
	ring_set(&r, 4, NULL);
	assert_ptr_equal(ring_get(&r, 3), items + 3);
	assert_null(ring_get(&r, 4));
	assert_ptr_equal(ring_shift(&r), items + 3);
	assert_null(ring_shift(&r));
	assert_true(r.first == 5 && r.end == 5);
	ring_clear(&r);
}

static void
test_clear_makes_it_new(void **state)
{
	struct ring r;

	(void)state;
	ring_init(&r, 9);
	ring_clear(&r);
	ring_init(&r, 9);
	assert_true(ring_push(&r, items));
	ring_clear(&r);
	assert_null(ring_get(&r, 9));
	ring_init(&r, 0);
	assert_true(ring_push(&r, items));
	assert_ptr_equal(ring_get(&r, 0), items);
	ring_clear(&r);
	ring_clear(&r);
}

static void
test_random_calls(void **state)
{
	uint64_t base, first, end;
	struct ring r;
	size_t round;
	bool grow;

	(void)state;
	for (round = 0; round < ROUNDS; round++) {
		base = firsts[(size_t)random() %
		    (sizeof(firsts) / sizeof(firsts[0]))];
		first = end = base;
		ring_init(&r, base);
		while (end < base + ITEMS_MAX) {
			/* Long runs of either, so that it wraps and grows. */
			grow = random() % 64 < 33;
			if (!grow && first == end)
				continue;
			if (grow)
				assert_true(
				    ring_push(&r, items + (end++ - base)));
			else
				assert_ptr_equal(ring_shift(&r),
				    items + (first++ - base));
			if (random() % 64 == 0)
				check_all(&r, first, end, base);
		}
		check_all(&r, first, end, base);
		ring_clear(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_begin_where_told),
		cmocka_unit_test(test_slots_are_used_again),
		cmocka_unit_test(test_set_and_null),
		cmocka_unit_test(test_clear_makes_it_new),
		cmocka_unit_test(test_random_calls),
	};

	seed_random();
	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
