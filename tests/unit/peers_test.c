/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/address.h"
#include "core/peers.h"

#define SECOND INT64_C(1000000)

static struct address
at(const char *text)
{
	struct address a;

	assert_true(address_parse((struct slice){ text, strlen(text) }, &a));
	return a;
}

static bool
add(struct peers *p, const struct address *a, size_t max)
{
	if (!peers_have_room(p, a, max))
		return false;
	peers_add_client(p, a);
	return true;
}

static int
set_up(void **state)
{
	*state = peers_new();
	return *state == NULL;
}

static int
tear_down(void **state)
{
	peers_free(*state);
	return 0;
}

static void
requests_come_in_a_burst_and_then_at_a_rate(void **state)
{
	const struct address a = at("192.0.2.1"), b = at("192.0.2.2");
	int64_t now = 5 * SECOND;
	int i;

	for (i = 0; i < PEERS_REQUESTS_BURST; i++)
		assert_true(peers_take_request(*state, &a, now));
	assert_false(peers_take_request(*state, &a, now));
	assert_true(peers_take_request(*state, &b, now));
	for (i = 0; i < PEERS_REQUESTS_RATE; i++) {
		now += SECOND / PEERS_REQUESTS_RATE;
		assert_true(peers_take_request(*state, &a, now));
		assert_false(peers_take_request(*state, &a, now));
	}
	now += 3600 * SECOND;
	for (i = 0; i < PEERS_REQUESTS_BURST; i++)
		assert_true(peers_take_request(*state, &a, now));
	assert_false(peers_take_request(*state, &a, now));
}

static void
failures_are_counted_for_a_time(void **state)
{
	const struct address a = at("2001:db8:0:1::1"),
			     near = at("2001:db8:0:1:ffff::2"),
			     far = at("2001:db8:0:2::1");
	const int64_t time = INT64_C(1000) * PEERS_FAILURES_MS;
	int i;

	for (i = 0; i < PEERS_FAILURES_MAX; i++) {
		assert_true(peers_may_show(*state, &near, i));
		peers_note_failure(*state, &a, i);
	}
	assert_false(peers_may_show(*state, &a, time - 1));
	assert_false(peers_may_show(*state, &near, time - 1));
	assert_true(peers_may_show(*state, &far, time - 1));
	peers_note_failure(*state, &a, time - 1);
	assert_true(peers_may_show(*state, &a, time));
	/* From the first one on. */
	for (i = 0; i < PEERS_FAILURES_MAX; i++)
		peers_note_failure(*state, &a, time + i);
	assert_false(peers_may_show(*state, &a, 2 * time - 1));
	assert_true(peers_may_show(*state, &a, 2 * time));
}

static void
clients_are_counted(void **state)
{
	const struct address a = at("192.0.2.1"),
			     mapped = at("::ffff:192.0.2.1"),
			     other = at("192.0.2.3");

	assert_true(add(*state, &a, 2));
	assert_true(add(*state, &mapped, 2));
	assert_false(add(*state, &a, 2));
	assert_true(add(*state, &a, 0));
	assert_true(add(*state, &other, 1));
	peers_remove_client(*state, &a);
	assert_false(add(*state, &a, 2));
	peers_remove_client(*state, &a);
	assert_true(add(*state, &a, 2));
	peers_remove_client(*state, &a);
	peers_remove_client(*state, &a);
	peers_remove_client(*state, &a); /* one too many */
	assert_true(add(*state, &a, 1));
	assert_int_equal(peers_count(*state), 2);
}

static void
this_machine_is_not_limited(void **state)
{
	static const char *const names[] = { "127.0.0.1", "127.9.9.9", "::1",
		"::ffff:127.0.0.1" };
	const struct address local = { .family = AF_UNIX, .bytes = { 1 } };
	struct address a = local;
	size_t i;
	int n;

	for (i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
		for (n = 0; n < 2 * PEERS_REQUESTS_BURST; n++) {
			assert_true(peers_take_request(*state, &a, 1));
			assert_true(add(*state, &a, 1));
			peers_note_failure(*state, &a, 1);
			assert_true(peers_may_show(*state, &a, 1));
		}
		if (i < sizeof(names) / sizeof(names[0]))
			a = at(names[i]);
	}
	assert_int_equal(peers_count(*state), 0);
}

static void
who_is_quiet_is_forgotten(void **state)
{
	const struct address client = at("192.0.2.1"), bad = at("192.0.2.2"),
			     quiet = at("192.0.2.3");

	assert_true(add(*state, &client, 1));
	assert_true(peers_take_request(*state, &quiet, 0));
	peers_note_failure(*state, &bad, 0);
	assert_int_equal(peers_count(*state), 3);
	peers_expire(*state, SECOND);
	assert_int_equal(peers_count(*state), 2);
	peers_expire(*state, INT64_C(1000) * PEERS_FAILURES_MS);
	assert_int_equal(peers_count(*state), 1);
	peers_remove_client(*state, &client);
	peers_expire(*state, 2 * INT64_C(1000) * PEERS_FAILURES_MS);
	assert_int_equal(peers_count(*state), 0);
}

/* Nor do many take memory, and clients are kept whatever comes. */
static void
there_is_a_bound(void **state)
{
	struct address a = { .family = AF_INET6, .bytes = { 0x20, 1 } };
	const struct address client = at("192.0.2.1");
	uint32_t i;

	assert_true(add(*state, &client, 1));
	for (i = 0; i < 3 * PEERS_QUIET_MAX; i++) {
		memcpy(a.bytes + 4, &i, sizeof(i));
		peers_note_failure(*state, &a, 0);
	}
	assert_int_equal(peers_count(*state), PEERS_QUIET_MAX + 1);
	assert_false(add(*state, &client, 1));
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_come_in_a_burst_and_then_at_a_rate),
		TEST(failures_are_counted_for_a_time),
		TEST(clients_are_counted),
		TEST(this_machine_is_not_limited),
		TEST(who_is_quiet_is_forgotten),
		TEST(there_is_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
