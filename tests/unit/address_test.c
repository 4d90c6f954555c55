/* SPDX-License-Identifier: ISC */

/* Addresses and networks, each text in memory of just its size. */

#include <arpa/inet.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/address.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
parse(const char *text, struct address *a)
{
	const size_t size = strlen(text);
	char *copy = malloc(size);
	bool parsed;

	assert_true(size == 0 || copy != NULL);
	if (size > 0)
		memcpy(copy, text, size);
	memset(a, 0x5a, sizeof(*a));
	parsed = address_parse((struct slice){ copy, size }, a);
	free(copy);
	return parsed;
}

static const struct {
	const char *text;
	const char *expected; /* address and port */
} good[] = {
	{ "192.0.2.1", "192.0.2.1 0" },
	{ "0.0.0.0", "0.0.0.0 0" },
	{ "192.0.2.1:1", "192.0.2.1 1" },
	{ "192.0.2.1:65535", "192.0.2.1 65535" },
	{ "192.0.2.1:00080", "192.0.2.1 80" },
	{ "::", ":: 0" },
	{ "::1", "::1 0" },
	{ "2001:DB8::1", "2001:db8::1 0" },
	{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8 0" },
	{ "[2001:db8::1]", "2001:db8::1 0" },
	{ "[2001:db8::1]:8080", "2001:db8::1 8080" },
	{ "::ffff:192.0.2.1", "192.0.2.1 0" },
	{ "0:0:0:0:0:ffff:c000:201", "192.0.2.1 0" },
	{ "[::ffff:192.0.2.1]:80", "192.0.2.1 80" },
	{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201 0" },
};

static const char *const bad[] = {
	"",
	" ",
	"-",
	"unknown",
	"_hidden",
	"192.0.2",
	"192.0.2.256",
	"192.0.2.1.",
	"192.0.2.01x",
	" 192.0.2.1",
	"192.0.2.1 ",
	"192.0.2.1:",
	"192.0.2.1:65536",
	"192.0.2.1:000080",
	"192.0.2.1:-1",
	"192.0.2.1:8x",
	"192.0.2.1/24",
	"[192.0.2.1]",
	"[::1",
	"[::1]x",
	"[::1]:",
	"[::1]8080",
	"[]",
	"[",
	"::1]",
	":",
	":::",
	"fe80::1%eth0",
	"1:2:3:4:5:6:7:8:9",
	"2001:db8:0000:0000:0000:0000:0000:0000:0000:0000",
	"a.example",
	"a.example:80",
};

static void
test_addresses(void **state)
{
	struct address a;
	char host[INET6_ADDRSTRLEN], text[128];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		if (!parse(good[i].text, &a))
			fail_msg("'%s' is not taken", good[i].text);
		assert_non_null(
		    inet_ntop(a.family, a.bytes, host, sizeof(host)));
		(void)snprintf(text, sizeof(text), "%s %u", host, a.port);
		assert_string_equal(text, good[i].expected);
	}
	for (i = 0; i < COUNT(bad); i++)
		if (parse(bad[i], &a))
			fail_msg("'%s' is taken", bad[i]);
}

static const struct {
	const char *network;
	const char *address;
	bool expected;
} memberships[] = {
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "192.0.2.1/32", "192.0.2.0", false },
	{ "0.0.0.0/0", "255.255.255.255", true },
	{ "0.0.0.0/0", "::1", false },
	{ "10.0.0.0/8", "10.255.0.1", true },
	{ "10.0.0.0/8", "11.0.0.0", false },
	{ "10.1.2.3/8", "10.9.9.9",
	    true }, /* what is beyond is not looked at */
	{ "192.0.2.128/25", "192.0.2.255", true },
	{ "192.0.2.128/25", "192.0.2.127", false },
	{ "192.0.2.4/31", "192.0.2.5", true },
	{ "192.0.2.4/31", "192.0.2.6", false },
	{ "192.0.2.1", "::ffff:192.0.2.1", true },
	{ "::ffff:192.0.2.0/120", "192.0.2.9", true },
	{ "::ffff:192.0.2.0/120", "192.0.3.9", false },
	{ "2001:db8::/32", "2001:db8:ffff::1", true },
	{ "2001:db8::/32", "2001:db9::1", false },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "::1", "::1", true },
	{ "::1", "::", false },
	{ "::/0", "2001:db8::1", true },
	{ "::/0", "192.0.2.1", false },
	{ "unix", "192.0.2.1", false },
	{ "unix", "::1", false },
};

static const char *const bad_networks[] = {
	"",
	"/8",
	"10.0.0.0/",
	"10.0.0.0/33",
	"10.0.0.0/-1",
	"10.0.0.0/8x",
	"10.0.0.0/0008",
	"10.0.0.0/8/8",
	"10.0.0/8",
	"10.0.0.0:80",
	"[::1]",
	"::/129",
	"a.example",
	"unix/0",
	"UNIX",
};

static void
test_networks(void **state)
{
	struct network n;
	struct address a;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(memberships); i++) {
		if (!network_parse(memberships[i].network, &n))
			fail_msg("'%s' is not taken", memberships[i].network);
		assert_true(parse(memberships[i].address, &a));
		if (network_has(&n, &a) != memberships[i].expected)
			fail_msg("'%s' in '%s'", memberships[i].address,
			    memberships[i].network);
	}
	for (i = 0; i < COUNT(bad_networks); i++)
		if (network_parse(bad_networks[i], &n))
			fail_msg("'%s' is taken", bad_networks[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
