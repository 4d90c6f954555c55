/* SPDX-License-Identifier: ISC */

/* Who is behind the proxies 10.0.0.0/8 and 2001:db8:1::/48. */

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
#include "core/forwarded.h"
#include "core/http.h"
#include "seed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define XFF "X-Forwarded-For: "

static struct network trusted[2];

static int
set_trusted(void **state)
{
	(void)state;
	return network_parse("10.0.0.0/8", &trusted[0]) &&
		network_parse("2001:db8:1::/48", &trusted[1]) ?
	    0 :
	    -1;
}

/* fields: lines of a head, each with a line feed at its end. */
static const struct {
	const char *fields;
	const char *expected; /* address and port; NULL: none */
} cases[] = {
	{ "", NULL },
	{ "X-Real-IP: 192.0.2.1\n", NULL },
	{ XFF "192.0.2.1\n", "192.0.2.1 0" },
	{ "x-forwarded-FOR:192.0.2.1\n", "192.0.2.1 0" },
	{ XFF "192.0.2.1:4711\n", "192.0.2.1 4711" },
	{ XFF "2001:db8::1\n", "2001:db8::1 0" },
	{ XFF "[2001:db8::1]:4711\n", "2001:db8::1 4711" },
	/* The last one that is not a proxy of ours: others can be made up. */
	{ XFF "192.0.2.1, 192.0.2.2\n", "192.0.2.2 0" },
	{ XFF "192.0.2.1, 192.0.2.2, 10.0.0.1\n", "192.0.2.2 0" },
	{ XFF "192.0.2.2,10.0.0.1,\t2001:db8:1::1 , 10.2.3.4\n",
	    "192.0.2.2 0" },
	{ XFF "10.0.0.7, 192.0.2.2, 10.0.0.1\n", "192.0.2.2 0" },
	{ XFF "192.0.2.1\n" XFF "192.0.2.2\n", "192.0.2.2 0" },
	{ XFF "192.0.2.1\nX: y\n" XFF "10.0.0.1\n", "192.0.2.1 0" },
	/* Ours alone: the first of them has asked. */
	{ XFF "10.0.0.2, 10.0.0.1\n", "10.0.0.2 0" },
	/* What is bad is not believed, nor what stands before it. */
	{ XFF "\n", NULL },
	{ XFF "x\n", NULL },
	{ XFF "unknown\n", NULL },
	{ XFF "192.0.2.1, x\n", NULL },
	{ XFF "192.0.2.1, x, 192.0.2.2\n", "192.0.2.2 0" },
	{ XFF "192.0.2.1, x, 10.0.0.2, 10.0.0.1\n", "10.0.0.2 0" },
	{ XFF "192.0.2.1,, 10.0.0.1,\n", "192.0.2.1 0" },
	{ XFF "\"192.0.2.1\"\n", NULL },
	{ XFF "\", 192.0.2.1\n", "192.0.2.1 0" },
	{ XFF "192.0.2.1 192.0.2.2\n", NULL },
	/* Forwarded, as in RFC 7239. */
	{ "Forwarded: for=192.0.2.43\n", "192.0.2.43 0" },
	{ "forwarded: For=\"[2001:db8:cafe::17]:4711\"\n",
	    "2001:db8:cafe::17 4711" },
	{ "Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43\n",
	    "192.0.2.60 0" },
	{ "Forwarded: proto=http ; for=192.0.2.60\n", "192.0.2.60 0" },
	{ "Forwarded: for=192.0.2.43, for=198.51.100.17\n", "198.51.100.17 0" },
	{ "Forwarded: for=192.0.2.43\nForwarded: for=10.1.1.1\n",
	    "192.0.2.43 0" },
	{ "Forwarded: for=192.0.2.1;by=\"a,b;for=192.0.2.9\"\n",
	    "192.0.2.1 0" },
	{ "Forwarded: by=\"\\\";for=192.0.2.9\";for=192.0.2.1\n",
	    "192.0.2.1 0" },
	{ "Forwarded: for=192.0.2.1, for=unknown\n", NULL },
	{ "Forwarded: for=192.0.2.1, for=_gazonk\n", NULL },
	{ "Forwarded: for=192.0.2.1, proto=http\n", NULL },
	{ "Forwarded: for=\"192.0.2.1\n", NULL },
	{ "Forwarded: for=192.0.2.9;x=\", for=192.0.2.1\n", NULL },
	{ "Forwarded: for=192.0.2.9;x=\", for=\"[2001:db8::1]\"\n", NULL },
	{ "Forwarded: for=192.0.2.9;x=\"\\\", for=\"192.0.2.1\"\n", NULL },
	{ "Forwarded: for=192.0.2.9;x=\"\", for=192.0.2.1\n", "192.0.2.1 0" },
	{ "Forwarded: for=192.0.2.9;\", for=\"192.0.2.1\"\n", NULL },
	{ "Forwarded: for=\n", NULL },
	{ "Forwarded: for\n", NULL },
	{ "Forwarded: before=192.0.2.1\n", NULL },
	/* A proxy of ours that knows one of them lets the other through. */
	{ XFF "192.0.2.1\nForwarded: for=192.0.2.2\n", "192.0.2.1 0" },
	{ "Forwarded: for=192.0.2.2\n" XFF "x\n", NULL },
};

static bool
find(const char *fields, struct address *client)
{
	struct http_request request;
	char *head = malloc(HTTP_HEAD_MAX), *end = head;
	size_t used;
	bool found;

	assert_non_null(head);
	end = stpcpy(end, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (; *fields != '\0'; fields++) {
		if (*fields == '\n')
			*end++ = '\r';
		*end++ = *fields;
	}
	end = stpcpy(end, "\r\n");
	assert_int_equal(http_parse_head(head, (size_t)(end - head), &request,
			     &used),
	    HTTP_DONE);
	found =
	    forwarded_find_client(&request, trusted, COUNT(trusted), client);
	free(head);
	return found;
}

static void
test_clients_are_found(void **state)
{
	struct address client;
	char host[INET6_ADDRSTRLEN], text[128];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		if (find(cases[i].fields, &client) !=
		    (cases[i].expected != NULL))
			fail_msg("%s", cases[i].fields);
		if (cases[i].expected == NULL)
			continue;
		assert_non_null(
		    inet_ntop(client.family, client.bytes, host, sizeof(host)));
		(void)snprintf(text, sizeof(text), "%s %u", host, client.port);
		assert_string_equal(text, cases[i].expected);
	}
}

/* Whatever a client sends before what a proxy of ours adds. */
static void
random_fields(char *fields, size_t size, const char *name, const char *added)
{
	static const char *const parts[] = { "192.0.2.7", "10.0.0.1", ",", ";",
		"\"", "\\", "for=", "=", "[", "]", ":", "::1", " ", "x",
		"\377" };
	long n;

	(void)strlcpy(fields, name, size);
	for (n = random() % 12; n > 0; n--)
		(void)strlcat(fields, parts[(size_t)random() % COUNT(parts)],
		    size);
	(void)strlcat(fields, added, size);
}

static void
test_nothing_can_be_made_up(void **state)
{
	static const uint8_t real[] = { 198, 51, 100, 1 };
	struct address client;
	char fields[1024];
	bool found;
	int i;

	(void)state;
	seed_random();
	for (i = 0; i < 60000; i++) {
		if (i % 3 == 0)
			random_fields(fields, sizeof(fields), XFF,
			    ", 198.51.100.1, 10.0.0.1\n");
		else
			random_fields(fields, sizeof(fields), "Forwarded: ",
			    i % 3 == 1 ? ", for=198.51.100.1\n" :
					 ", for=\"198.51.100.1:80\"\n");
		found = find(fields, &client);
		/* Of Forwarded some can be made bad, but not to another one. */
		if (i % 3 == 0)
			assert_true(found);
		if (!found)
			continue;
		if (client.family != AF_INET ||
		    memcmp(client.bytes, real, sizeof(real)) != 0)
			fail_msg("%s", fields);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients_are_found),
		cmocka_unit_test(test_nothing_can_be_made_up),
	};

	return cmocka_run_group_tests(tests, set_trusted, NULL);
}
