/* SPDX-License-Identifier: ISC */

/* Who may speak to the server, each case in memory of just its size. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/origin.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal)                                                         \
	{                                                                      \
		literal, sizeof(literal) - 1                                   \
	}
#define LABEL "a12345678901234567890123456789012345678901234567890123456789."
#define LONGEST LABEL LABEL LABEL LABEL "bcdefghij" /* 253 bytes */

struct host_case {
	struct slice host;
	bool is_allowed;
};

static struct slice
copy_of(struct slice s)
{
	char *data = malloc(s.size);
	struct slice copy = { data, s.size };

	assert_true(s.size == 0 || data != NULL);
	if (s.size > 0)
		memcpy(data, s.data, s.size);
	return copy;
}

static struct slice
copy_of_string(const char *string)
{
	struct slice s = { string, strlen(string) };

	return copy_of(s);
}

static void
check_hosts(const struct host_case *cases, size_t count,
    const char *const *names)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct slice host = copy_of(cases[i].host);

		if (origin_host_is_allowed(host, names) != cases[i].is_allowed)
			fail_msg("%s", cases[i].host.data);
		free((void *)host.data);
	}
}

static const struct host_case hosts_of_all[] = {
	{ BYTES("localhost"), true },
	{ BYTES("LocalHost:8080"), true },
	{ BYTES("localhost."), true },
	{ BYTES("localhost.:80"), true },
	{ BYTES("a.localhost"), true },
	{ BYTES("a.b.LOCALHOST.:1"), true },
	{ BYTES("127.0.0.1"), true },
	{ BYTES("127.0.0.1:8080"), true },
	{ BYTES("192.168.1.20:65535"), true },
	{ BYTES("[::1]"), true },
	{ BYTES("[::1]:8080"), true },
	{ BYTES("[FE80::1:2]:80"), true },
	{ BYTES("[::ffff:127.0.0.1]"), true },

	{ BYTES(""), false },
	{ BYTES("."), false },
	{ BYTES(":80"), false },
	{ BYTES(".localhost"), false },
	{ BYTES("a..localhost"), false },
	{ BYTES("localhost.."), false },
	{ BYTES("xlocalhost"), false },
	{ BYTES("localhost.evil.example"), false },
	{ BYTES("evil.example"), false },
	{ BYTES("127.0.0.1.evil.example"), false },
	{ BYTES("127.0.0.1.nip.io"), false },
	{ BYTES("127.0.0.1."), false },
	{ BYTES("127.1"), false },
	{ BYTES("127.0.0.01"), false },
	{ BYTES("127.0.0.256"), false },
	{ BYTES("0x7f.0.0.1"), false },
	{ BYTES("2130706433"), false },
	{ BYTES("::1"), false },
	{ BYTES("[::1"), false },
	{ BYTES("[]"), false },
	{ BYTES("[127.0.0.1]"), false },
	{ BYTES("[localhost]"), false },
	{ BYTES("[::1]x"), false },
	{ BYTES("[::1]:"), false },
	{ BYTES("[::1%lo]"), false },
	{ BYTES("[1:2:3:4:5:6:7:8:1:2:3:4:5:6:7:8:1:2:3:4:5:6:7]"), false },
	{ BYTES("[0000:0000:0000:0000:0000:0000:127.127.127.0127]"), false },
	{ BYTES("localhost:"), false },
	{ BYTES("localhost:0"), false },
	{ BYTES("localhost:65536"), false },
	{ BYTES("localhost:000080"), false },
	{ BYTES("localhost:99999999999999999999"), false },
	{ BYTES("localhost:8x"), false },
	{ BYTES("localhost:+8"), false },
	{ BYTES("localhost:80:80"), false },
	{ BYTES("localhost,evil.example"), false },
	{ BYTES("localhost evil.example"), false },
	{ BYTES("evil@localhost"), false },
	{ BYTES("localhost/"), false },
	{ BYTES("localhost\0"), false },
	{ BYTES("127.0.0.1\0.evil.example"), false },
	{ BYTES("\xc5\x82ocalhost"), false },
};

static void
test_hosts_without_names(void **state)
{
	static const char *const none[] = { NULL };

	(void)state;
	check_hosts(hosts_of_all, COUNT(hosts_of_all), NULL);
	check_hosts(hosts_of_all, COUNT(hosts_of_all), none);
}

static void
test_hosts_with_names(void **state)
{
	static const char *const names[] = { "Build.Example.", "", "bad name",
		"with-port.example:99", "evil.example/", "dots..", LONGEST,
		LONGEST "k", NULL };
	static const struct host_case cases[] = {
		{ BYTES("build.example"), true },
		{ BYTES("BUILD.EXAMPLE.:8080"), true },
		{ BYTES("with-port.example"), true },
		{ BYTES("with-port.example:100"), true },
		{ BYTES(LONGEST), true },
		{ BYTES(LONGEST ".:80"), true },
		{ BYTES("localhost"), true },
		{ BYTES("127.0.0.1"), true },
		{ BYTES(LONGEST "k"), false },
		{ BYTES("dots.."), false },
		{ BYTES("a.build.example"), false },
		{ BYTES("xbuild.example"), false },
		{ BYTES("build.examples"), false },
		{ BYTES("build.exampl"), false },
		{ BYTES("build.example:x"), false },
		{ BYTES("bad name"), false },
		{ BYTES("evil.example"), false },
		{ BYTES("evil.example/"), false },
		{ BYTES(""), false },
	};

	(void)state;
	assert_int_equal(strlen(LONGEST), 253);
	check_hosts(cases, COUNT(cases), names);
}

static bool
is_allowed_by(bool over_tls, const char *origin, const char *host,
    const char *const *extra)
{
	struct slice o = copy_of_string(origin), h = copy_of_string(host);
	bool answer = origin_is_allowed(o, h, extra, over_tls);

	free((void *)o.data);
	free((void *)h.data);
	return answer;
}

static bool
is_allowed(const char *origin, const char *host, const char *const *extra)
{
	return is_allowed_by(false, origin, host, extra);
}

static const struct origin_case {
	const char *origin, *host;
	bool is_allowed;
} same_origins[] = {
	{ "http://localhost:8080", "localhost:8080", true },
	{ "HTTP://LOCALHOST:8080", "localhost.:8080", true },
	{ "http://localhost.:8080", "localhost:8080", true },
	{ "https://build.example", "build.example", true },
	{ "https://build.example", "build.example:443", true },
	{ "https://build.example:443", "build.example", true },
	{ "http://build.example", "build.example:80", true },
	{ "http://build.example:80", "build.example", true },
	{ "http://127.0.0.1:80", "127.0.0.1", true },
	{ "http://[::1]:8080", "[::1]:8080", true },
	{ "https://[FE80::A]", "[fe80::a]:443", true },

	{ "http://localhost:8081", "localhost:8080", false },
	{ "http://localhost", "localhost:8080", false },
	{ "https://localhost", "localhost:80", false },
	{ "http://localhost", "localhost:443", false },
	{ "http://localhost:443", "localhost", false },
	{ "http://127.0.0.1:8080", "localhost:8080", false },
	{ "http://127.0.0.1.:8080", "127.0.0.1:8080", false },
	{ "http://evil.example", "localhost", false },
	{ "http://localhost.evil.example", "localhost", false },
	{ "http://evil-localhost", "localhost", false },
	{ "http://a.localhost", "localhost", false },
	{ "ftp://localhost", "localhost", false },
	{ "file://", "localhost", false },
	{ "httpx://localhost", "localhost", false },
	{ "ws://localhost", "localhost", false },
	{ "null", "localhost", false },
	{ "null", "null", false },
	{ "", "localhost", false },
	{ "", "", false },
	{ "http://", "", false },
	{ "http://localhost", "", false },
	{ "http://bad host", "bad host", false },
	{ "localhost", "localhost", false },
	{ "//localhost", "localhost", false },
	{ "://localhost", "localhost", false },
	{ "http:localhost", "localhost", false },
	{ "http:///localhost", "localhost", false },
	{ "http://localhost/", "localhost", false },
	{ "http://localhost?", "localhost", false },
	{ "http://localhost#", "localhost", false },
	{ "http://localhost:", "localhost", false },
	{ "http://localhost:0", "localhost", false },
	{ "http://localhost:65616", "localhost", false },
	{ "http://evil@localhost", "localhost", false },
	{ "http://localhost http://localhost", "localhost", false },
	{ "http://localhost, http://localhost", "localhost", false },
	{ "http://evil.example,http://localhost", "localhost", false },
	{ "http://::1", "[::1]", false },
	{ "http://[::1", "[::1]", false },
};

static void
test_same_origin(void **state)
{
	const struct origin_case *c = same_origins;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(same_origins); i++, c++)
		if (is_allowed(c->origin, c->host, NULL) != c->is_allowed)
			fail_msg("%s at %s", c->origin, c->host);
}

static void
test_extra_origins(void **state)
{
	static const char *const extra[] = { "null", "bad", "",
		"https://Dash.Example:443", "http://two.example.:81",
		"https://slash.example/", NULL };
	static const struct origin_case cases[] = {
		{ "https://dash.example", "localhost", true },
		{ "https://dash.example.:443", "localhost", true },
		{ "https://dash.example", "", true },
		{ "http://two.example:81", "localhost", true },
		{ "http://localhost", "localhost", true },
		{ "http://dash.example", "localhost", false },
		{ "http://dash.example:443", "localhost", false },
		{ "https://dash.example:444", "localhost", false },
		{ "https://a.dash.example", "localhost", false },
		{ "http://two.example", "localhost", false },
		{ "https://slash.example/", "localhost", false },
		{ "https://slash.example", "localhost", false },
		{ "null", "localhost", false },
		{ "bad", "localhost", false },
		{ "", "localhost", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		if (is_allowed(cases[i].origin, cases[i].host, extra) !=
		    cases[i].is_allowed)
			fail_msg("%s", cases[i].origin);
}

static void
test_over_tls_pages_are_of_https(void **state)
{
	static const char *const extra[] = { "http://dash.example", NULL };

	(void)state;
	assert_true(is_allowed_by(true, "https://a.example:8443",
	    "a.example:8443", NULL));
	assert_true(
	    is_allowed_by(true, "HTTPS://a.example", "a.example:443", NULL));
	assert_false(is_allowed_by(true, "http://a.example:8443",
	    "a.example:8443", NULL));
	assert_false(
	    is_allowed_by(true, "http://a.example", "a.example:80", NULL));
	assert_false(is_allowed_by(true, "https://b.example:8443",
	    "a.example:8443", NULL));
	assert_true(
	    is_allowed_by(true, "http://dash.example", "a.example", extra));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts_without_names),
		cmocka_unit_test(test_hosts_with_names),
		cmocka_unit_test(test_same_origin),
		cmocka_unit_test(test_extra_origins),
		cmocka_unit_test(test_over_tls_pages_are_of_https),
	};

	return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
