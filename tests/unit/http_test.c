/* SPDX-License-Identifier: ISC */

/*
 * The parser of request heads.  Every head is parsed as each of its prefixes,
 * in memory of just that size, so that a read past the end is found.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/http.h"
#include "seed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal)                                                         \
	{                                                                      \
		literal, sizeof(literal) - 1                                   \
	}
#define START "GET / HTTP/1.1\r\n"
#define HOST "Host: localhost\r\n"
#define BROWSER_UPGRADE                                                        \
	START "Host: 127.0.0.1:8080\r\nConnection: keep-alive, Upgrade\r\n"    \
	      "Pragma: no-cache\r\nUpgrade: websocket\r\nOrigin: http://a\r\n" \
	      "Sec-WebSocket-Version: 13\r\nAccept-Language: en,de;q=0.9\r\n"  \
	      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                \
	      "Sec-WebSocket-Extensions: permessage-deflate; "                 \
	      "client_max_window_bits\r\n\r\n"

/* What one call said. */
struct answer {
	enum http_result result;
	size_t used;
	struct http_request request;
	char *data; /* owned: what the slices point into */
};

static void
assert_inside(struct slice s, const char *data, size_t size)
{
	assert_true(s.data >= data && s.data <= data + size);
	assert_true(s.size <= (size_t)(data + size - s.data));
}

static void
assert_slices_inside(const struct answer *a)
{
	const struct http_request *r = &a->request;
	size_t i;

	assert_inside(r->target, a->data, a->used);
	assert_inside(r->path, a->data, a->used);
	assert_inside(r->query, a->data, a->used);
	assert_in_range(r->field_count, 0, HTTP_FIELDS_MAX);
	for (i = 0; i < r->field_count; i++) {
		assert_inside(r->fields[i].name, a->data, a->used);
		assert_inside(r->fields[i].value, a->data, a->used);
	}
}

static void
answer_clear(struct answer *a)
{
	free(a->data);
}

static void
parse(struct answer *a, const char *data, size_t size)
{
	a->used = SIZE_MAX;
	a->data = malloc(size);
	assert_true(size == 0 || a->data != NULL);
	if (size > 0)
		memcpy(a->data, data, size);
	a->result = http_parse_head(a->data, size, &a->request, &a->used);
	if (a->result == HTTP_DONE) {
		assert_in_range(a->used, 1, size);
		assert_slices_inside(a);
	} else {
		assert_int_equal(a->used, SIZE_MAX);
	}
	if (a->result == HTTP_ERROR) {
		assert_string_not_equal(http_status_text(a->request.status),
		    "Unknown");
		assert_non_null(a->request.why);
		assert_null(strchr(a->request.why, '\n'));
	}
}

/* Parses what stays alive as long as the program: for literals. */
static void
parse_good(struct http_request *request, const char *text)
{
	size_t used = 0;

	if (http_parse_head(text, strlen(text), request, &used) != HTTP_DONE)
		fail_msg("%d %s: %s", request->status, request->why, text);
	assert_int_equal(used, strlen(text));
}

static void
assert_same_answer(const struct answer *a, const struct answer *b)
{
	assert_int_equal(a->result, b->result);
	assert_int_equal(a->used, b->used);
	assert_int_equal(a->request.status, b->request.status);
	if (a->result == HTTP_ERROR)
		assert_string_equal(a->request.why, b->request.why);
	assert_int_equal(a->request.field_count, b->request.field_count);
	assert_int_equal(a->request.minor, b->request.minor);
	assert_int_equal(a->request.keep_alive, b->request.keep_alive);
}

/*
 * Gives more and more bytes, step() at a time, until there is an answer; it
 * must be that for the whole, and must not change with what comes after.
 */
static void
check_steps(struct slice head, size_t (*step)(void))
{
	struct answer whole, part;
	size_t size = 0;
	bool is_answered = false;

	parse(&whole, head.data, head.size);
	while (size < head.size) {
		size += step();
		if (size > head.size)
			size = head.size;
		parse(&part, head.data, size);
		if (part.result != HTTP_MORE)
			is_answered = true;
		if (is_answered)
			assert_same_answer(&part, &whole);
		answer_clear(&part);
	}
	assert_int_equal(is_answered, whole.result != HTTP_MORE);
	answer_clear(&whole);
}

static size_t
step_of_one(void)
{
	return 1;
}

static size_t
step_at_random(void)
{
	return (size_t)(1 + random() % (random() % 2 == 0 ? 8 : 400));
}

static void
check_splits(struct slice head)
{
	int i;

	check_steps(head, step_of_one);
	for (i = 0; i < 10; i++)
		check_steps(head, step_at_random);
}

static struct slice
text_slice(const char *text)
{
	struct slice s = { text, strlen(text) };

	return s;
}

static const char *const good_heads[] = {
	START HOST "\r\n",
	"HEAD /status?a=b?c HTTP/1.1\r\n" HOST "\r\n",
	"GET / HTTP/1.0\r\n\r\n",
	"GET //x/%00~{}|\"<> HTTP/1.1\r\nhOST:\r\nX:\t a\tb \t\r\n\r\n",
	START HOST "Content-Length: 0\r\nX: \xc3\xa9\xff\r\n\r\n",
	START HOST "!#$%&'*+-.^_`|~09azAZ: \"(),/:;<=>?@[\\]{}\r\n\r\n",
	BROWSER_UPGRADE,
};

/*
 * Heads that are refused.  No prefix of "before" is refused yet; the first
 * byte of "wrong" is the one that settles it.
 */
static const struct bad_head {
	const char *name;
	struct slice before, wrong;
	int status;
} bad_heads[] = {
	{ "TLS", BYTES(""), BYTES("\x16\x03\x01\x02"), 400 },
	{ "empty line first", BYTES(""), BYTES("\r\n" START), 400 },
	{ "space first", BYTES(""), BYTES(" GET / HTTP/1.1\r\n"), 400 },
	{ "NUL first", BYTES(""), BYTES("\0GET / HTTP/1.1\r\n"), 400 },
	{ "8-bit method", BYTES("G"), BYTES("\xc9T / HTTP/1.1\r\n"), 400 },
	{ "no target", BYTES("GET"), BYTES("\r\n\r\n"), 400 },
	{ "tab for space", BYTES("GET"), BYTES("\t/ HTTP/1.1\r\n"), 400 },
	{ "POST", BYTES("POST"), BYTES(" / HTTP/1.1\r\n"), 405 },
	{ "PUT", BYTES("PUT"), BYTES(" / HTTP/1.1\r\n"), 405 },
	{ "DELETE", BYTES("DELETE"), BYTES(" / HTTP/1.1\r\n"), 405 },
	{ "OPTIONS", BYTES("OPTIONS"), BYTES(" * HTTP/1.1\r\n"), 405 },
	{ "PATCH", BYTES("PATCH"), BYTES(" / HTTP/1.1\r\n"), 405 },
	{ "CONNECT", BYTES("CONNECT"), BYTES(" a:1 HTTP/1.1\r\n"), 405 },
	{ "TRACE", BYTES("TRACE"), BYTES(" / HTTP/1.1\r\n"), 405 },
	{ "lower case", BYTES("get"), BYTES(" / HTTP/1.1\r\n"), 501 },
	{ "prefix of GET", BYTES("GE"), BYTES(" / HTTP/1.1\r\n"), 501 },
	{ "HTTP/2", BYTES("PRI"), BYTES(" * HTTP/2.0\r\n\r\nSM"), 501 },
	{ "16-byte method", BYTES("ABCDEFGHIJKLMNOP"), BYTES(" /"), 501 },
	{ "17-byte method", BYTES("ABCDEFGHIJKLMNOP"), BYTES("Q /"), 501 },
	{ "absolute-form", BYTES("GET "), BYTES("http://a/ HTTP/1.1"), 400 },
	{ "asterisk-form", BYTES("GET "), BYTES("* HTTP/1.1\r\n"), 400 },
	{ "two spaces", BYTES("GET "), BYTES(" / HTTP/1.1\r\n"), 400 },
	{ "8-bit target", BYTES("GET /"), BYTES("\xff HTTP/1.1\r\n"), 400 },
	{ "NUL in target", BYTES("GET /"), BYTES("\0 HTTP/1.1\r\n"), 400 },
	{ "DEL in target", BYTES("GET /"), BYTES("\x7f HTTP/1.1"), 400 },
	{ "tab in target", BYTES("GET /"), BYTES("\tHTTP/1.1\r\n"), 400 },
	{ "HTTP/0.9", BYTES("GET /"), BYTES("\r\n"), 400 },
	{ "space in target", BYTES("GET /a "), BYTES("b HTTP/1.1"), 400 },
	{ "lower http", BYTES("GET / "), BYTES("http/1.1\r\n"), 400 },
	{ "no minor", BYTES("GET / HTTP/1"), BYTES("\r\n\r\n"), 400 },
	{ "HTTP/11", BYTES("GET / HTTP/1"), BYTES("1\r\n\r\n"), 400 },
	{ "HTTP/x.1", BYTES("GET / HTTP/"), BYTES("x.1\r\n\r\n"), 400 },
	{ "HTTP/1.10", BYTES("GET / HTTP/1.1"), BYTES("0\r\n"), 400 },
	{ "space behind", BYTES("GET / HTTP/1.1"), BYTES(" \r\n"), 400 },
	{ "HTTP/1.2", BYTES("GET / HTTP/1.2\r"), BYTES("\n"), 505 },
	{ "HTTP/2.0", BYTES("GET / HTTP/2.0\r"), BYTES("\n"), 505 },
	{ "HTTP/0.9 said", BYTES("GET / HTTP/0.9\r"), BYTES("\n"), 505 },
	{ "HTTP/3.1", BYTES("GET / HTTP/3.1\r"), BYTES("\n"), 505 },
	{ "bare LF", BYTES("GET / HTTP/1.1"), BYTES("\n" HOST "\r\n"), 400 },
	{ "bare CR", BYTES("GET / HTTP/1.1\r"), BYTES(HOST "\r\n"), 400 },
	{ "bare LF in field", BYTES(START "Host: a"), BYTES("\n\r\n"), 400 },
	{ "bare CR in field", BYTES(START "Host: a\r"), BYTES("b"), 400 },
	{ "CR CR LF", BYTES(START "Host: a\r"), BYTES("\r\n\r\n"), 400 },
	{ "CR CR at the end", BYTES(START HOST "\r"), BYTES("\r\n"), 400 },
	{ "bare LF at the end", BYTES(START HOST), BYTES("\n"), 400 },
	{ "space before colon", BYTES(START "Host"), BYTES(" : a"), 400 },
	{ "tab before colon", BYTES(START "Host"), BYTES("\t: a"), 400 },
	{ "empty name", BYTES(START), BYTES(": a\r\n"), 400 },
	{ "no colon", BYTES(START "Host"), BYTES("\r\n\r\n"), 400 },
	{ "X(y):", BYTES(START "X"), BYTES("(y): 1\r\n"), 400 },
	{ "8-bit name", BYTES(START "X"), BYTES("\xe9: 1\r\n"), 400 },
	{ "NUL in name", BYTES(START "X"), BYTES("\0Y: 1\r\n"), 400 },
	{ "NUL in value", BYTES(START "Host: a"), BYTES("\0b\r\n"), 400 },
	{ "BEL in value", BYTES(START "Host: a"), BYTES("\x07\r\n"), 400 },
	{ "DEL in value", BYTES(START "Host: a"), BYTES("\x7f\r\n"), 400 },
	{ "folded, space", BYTES(START "X: a\r\n"), BYTES(" b\r\n"), 400 },
	{ "folded, tab", BYTES(START "X: a\r\n"), BYTES("\tb\r\n"), 400 },
	{ "space before fields", BYTES(START), BYTES(" " HOST), 400 },
	{ "no Host", BYTES(START "\r"), BYTES("\n"), 400 },
	{ "only X-Host", BYTES(START "X-" HOST "\r"), BYTES("\n"), 400 },
	{ "two Hosts", BYTES(START HOST "Host: localhost\r"), BYTES("\n"),
	    400 },
	{ "two hosts, 1.0", BYTES("GET / HTTP/1.0\r\nhost:a\r\nHOST:b\r"),
	    BYTES("\n"), 400 },
	{ "two keys",
	    BYTES(START "Sec-WebSocket-Key: a\r\n"
			"Sec-Websocket-Key: a\r"),
	    BYTES("\n"), 400 },
	{ "two versions",
	    BYTES(START "Sec-WebSocket-Version: 13\r\n"
			"Sec-WebSocket-Version: 13\r"),
	    BYTES("\n"), 400 },
	{ "two Origins",
	    BYTES(START "Origin: null\r\nX: y\r\n"
			"origin: null\r"),
	    BYTES("\n"), 400 },
	{ "two Authorizations",
	    BYTES(START "Authorization: a\r\n"
			"Authorization: b\r"),
	    BYTES("\n"), 400 },
	{ "two lengths",
	    BYTES(START "Content-Length: 0\r\n"
			"Content-Length: 0\r"),
	    BYTES("\n"), 400 },
	{ "a body", BYTES(START "Content-Length: 5\r"), BYTES("\n"), 413 },
	{ "length 00", BYTES(START "Content-Length: 00\r"), BYTES("\n"), 413 },
	{ "length +0", BYTES(START "content-length: +0\r"), BYTES("\n"), 413 },
	{ "lengths 0, 0", BYTES(START "Content-Length: 0, 0\r"), BYTES("\n"),
	    413 },
	{ "empty length", BYTES(START "Content-Length:\r"), BYTES("\n"), 413 },
	{ "chunked", BYTES(START "Transfer-Encoding: chunked\r"), BYTES("\n"),
	    501 },
	{ "identity", BYTES(START "transfer-encoding: identity\r"), BYTES("\n"),
	    501 },
	{ "Expect", BYTES(START "Expect: 100-continue\r"), BYTES("\n"), 417 },
};

/* Every byte in each place: which ones may be there (RFC 9110 5.6.2). */
static void
test_bytes(void **state)
{
	static const char token[] =
	    "!#$%&'*+-.^_`|~0123456789"
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char target[] = "GET /aa", name[] = "GET / HTTP/1.1\r\nXaa";
	char value[] = "GET / HTTP/1.1\r\nX:aa";
	struct answer a;
	int byte;

	(void)state;
	for (byte = 0; byte < 256; byte++) {
		bool is_token = memchr(token, byte, sizeof(token) - 1) != NULL;
		bool is_target = byte > 0x20 && byte < 0x7f;
		bool is_value = byte == '\t' || (byte >= 0x20 && byte != 0x7f);

		target[5] = name[17] = value[18] = (char)byte;
		parse(&a, target, sizeof(target) - 1);
		assert_int_equal(a.result, is_target ? HTTP_MORE : HTTP_ERROR);
		answer_clear(&a);
		parse(&a, name, sizeof(name) - 1);
		assert_int_equal(a.result,
		    is_token || byte == ':' ? HTTP_MORE : HTTP_ERROR);
		answer_clear(&a);
		parse(&a, value, sizeof(value) - 1);
		assert_int_equal(a.result, is_value ? HTTP_MORE : HTTP_ERROR);
		answer_clear(&a);
	}
}

static void
test_reasons(void **state)
{
	static const struct {
		const char *head, *why;
	} cases[] = {
		{ "\x16\x03\x01", "TLS on a plain port" },
		{ "PUT /", "method not allowed, use GET or HEAD" },
		{ "GET *", "the request target does not begin with /" },
		{ START " ", "a field is folded over lines" },
		{ START ":", "a field does not begin with a name" },
		{ START HOST "host:\r\n", "more than one Host field" },
		{ START "\r\n", "no Host field" },
	};
	struct answer a;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		parse(&a, cases[i].head, strlen(cases[i].head));
		assert_int_equal(a.result, HTTP_ERROR);
		assert_string_equal(a.request.why, cases[i].why);
		answer_clear(&a);
	}
}

/* All prefixes up to before give HTTP_MORE; the next byte is the end. */
static void
check_bad_head(const struct bad_head *bad)
{
	struct slice head;
	struct answer a;
	char *data;
	size_t size;

	head.size = bad->before.size + bad->wrong.size;
	head.data = data = malloc(head.size);
	assert_non_null(data);
	memcpy(data, bad->before.data, bad->before.size);
	memcpy(data + bad->before.size, bad->wrong.data, bad->wrong.size);

	for (size = 0; size <= head.size; size++) {
		bool is_bad = size > bad->before.size;

		parse(&a, data, size);
		if (a.result != (is_bad ? HTTP_ERROR : HTTP_MORE) ||
		    a.request.status != (is_bad ? bad->status : 0))
			fail_msg("%s: %zu bytes: result %d, status %d",
			    bad->name, size, (int)a.result, a.request.status);
		answer_clear(&a);
	}
	check_splits(head);
	free(data);
}

static void
test_bad_heads(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad_heads); i++)
		check_bad_head(&bad_heads[i]);
}

static void
check_good_head(struct slice head)
{
	static const char behind[] = "\x16\0GET";
	struct answer a;
	char *more;
	size_t size;

	for (size = 0; size < head.size; size++) {
		parse(&a, head.data, size);
		if (a.result != HTTP_MORE)
			fail_msg("%zu bytes of %.*s: %s", size, (int)head.size,
			    head.data, a.request.why);
		answer_clear(&a);
	}
	parse(&a, head.data, head.size);
	assert_int_equal(a.result, HTTP_DONE);
	assert_int_equal(a.used, head.size);
	answer_clear(&a);

	more = malloc(head.size + sizeof(behind));
	assert_non_null(more);
	memcpy(more, head.data, head.size);
	memcpy(more + head.size, behind, sizeof(behind));
	parse(&a, more, head.size + sizeof(behind));
	assert_int_equal(a.result, HTTP_DONE);
	assert_int_equal(a.used, head.size);
	answer_clear(&a);
	free(more);
	check_splits(head);
}

static void
test_good_heads(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good_heads); i++)
		check_good_head(text_slice(good_heads[i]));
}

static void
test_nothing_is_a_prefix(void **state)
{
	struct http_request request;
	size_t used = 7;

	(void)state;
	assert_int_equal(http_parse_head(NULL, 0, &request, &used), HTTP_MORE);
	assert_int_equal(used, 7);
}

static void
test_what_was_parsed(void **state)
{
	struct http_request r;

	(void)state;
	parse_good(&r,
	    "HEAD /a/b?c=d?e HTTP/1.0\r\nX-One: \t 1, 2\t \r\n"
	    "Empty:  \r\nx-one:3\r\n\r\n");
	assert_int_equal(r.method, HTTP_HEAD);
	assert_int_equal(r.minor, 0);
	assert_true(slice_equals(r.target, "/a/b?c=d?e"));
	assert_true(slice_equals(r.path, "/a/b"));
	assert_true(slice_equals(r.query, "c=d?e"));
	assert_int_equal(r.field_count, 3);
	assert_true(slice_equals(r.fields[0].name, "X-One"));
	assert_true(slice_equals(r.fields[0].value, "1, 2"));
	assert_true(slice_equals(r.fields[1].value, ""));
	assert_ptr_equal(http_field(&r, "X-ONE"), &r.fields[0].value);
	assert_ptr_equal(http_field(&r, "empty"), &r.fields[1].value);
	assert_null(http_field(&r, "X-On"));
	assert_null(http_field(&r, "X-One:"));

	parse_good(&r, "GET /a HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(r.method, HTTP_GET);
	assert_int_equal(r.minor, 1);
	assert_true(slice_equals(r.path, "/a"));
	assert_int_equal(r.query.size, 0);
	parse_good(&r, "GET /? HTTP/1.1\r\n" HOST "\r\n");
	assert_true(slice_equals(r.path, "/"));
	assert_int_equal(r.query.size, 0);
}

static void
test_keep_alive(void **state)
{
	static const struct {
		const char *head;
		bool keep_alive;
	} cases[] = {
		{ START HOST "\r\n", true },
		{ START HOST "Connection: close\r\n\r\n", false },
		{ START HOST "Connection: x, CLOSE\r\n\r\n", false },
		{ START HOST "Connection: x\r\nConnection: close\r\n\r\n",
		    false },
		{ START HOST "Connection: closed\r\n\r\n", true },
		{ START HOST "X-Connection: close\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
		    false },
	};
	struct http_request request;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		parse_good(&request, cases[i].head);
		if (request.keep_alive != cases[i].keep_alive)
			fail_msg("%s", cases[i].head);
	}
}

static void
test_list_fields_are_joined(void **state)
{
	static const struct {
		const char *token;
		bool is_there;
	} cases[] = {
		{ "one", true },
		{ "TWO", true },
		{ "three", true },
		{ "four", true },
		{ "last", true },
		{ "q=1", false },
		{ "hidden", false },
		{ "also-hidden", false },
		{ "on", false },
		{ "fourth", false },
		{ "other", false },
	};
	struct http_request request;
	size_t i;

	(void)state;
	parse_good(&request,
	    START HOST
	    "List: , one ,two;q=1;x=y,\r\n"
	    "Else: other\r\n"
	    "LIST:three ; x=\"a, hidden, \\\", also-hidden\", four\r\n"
	    "list: x=\"open, hidden\\\r\n"
	    "list:\r\nlist: last\r\n\r\n");
	for (i = 0; i < COUNT(cases); i++)
		if (http_field_has_token(&request, "List", cases[i].token) !=
		    cases[i].is_there)
			fail_msg("%s", cases[i].token);
}

/* Appends so many bytes of filling. */
static char *
fill(char *to, char byte, size_t count)
{
	memset(to, byte, count);
	return to + count;
}

static void
check_limit(const char *name, struct slice head, int status)
{
	struct answer a;

	parse(&a, head.data, head.size);
	if (a.request.status != status ||
	    a.result != (status == 0 ? HTTP_DONE : HTTP_ERROR))
		fail_msg("%s: result %d, status %d", name, (int)a.result,
		    a.request.status);
	answer_clear(&a);
	check_steps(head, step_at_random);
}

static void
check_target_limit(size_t size, int status)
{
	char data[HTTP_HEAD_MAX], *end = data;
	struct slice head = { data, 0 };

	end = stpcpy(end, "GET /");
	end = fill(end, 'a', size - 1);
	end = stpcpy(end, " HTTP/1.1\r\n" HOST "\r\n");
	head.size = (size_t)(end - data);
	check_limit("target", head, status);
}

static void
check_field_limit(size_t count, int status)
{
	char data[HTTP_HEAD_MAX], *end = data;
	struct slice head = { data, 0 };
	size_t i;

	end = stpcpy(end, START HOST);
	for (i = 1; i < count; i++)
		end = stpcpy(end, "a:\r\n");
	end = stpcpy(end, "\r\n");
	head.size = (size_t)(end - data);
	check_limit("fields", head, status);
}

static void
check_head_limit(size_t size, int status)
{
	char data[2 * HTTP_HEAD_MAX + 1], *end = data;
	struct slice head = { data, size };

	end = stpcpy(end, START HOST "a: ");
	end = fill(end, 'a', size - (size_t)(end - data) - 4);
	stpcpy(end, "\r\n\r\n");
	check_limit("head", head, status);
}

static void
test_limits(void **state)
{
	(void)state;
	check_target_limit(HTTP_TARGET_MAX, 0);
	check_target_limit(HTTP_TARGET_MAX + 1, 414);
	check_target_limit(HTTP_TARGET_MAX + 3000, 414);
	check_field_limit(HTTP_FIELDS_MAX, 0);
	check_field_limit(HTTP_FIELDS_MAX + 1, 431);
	check_head_limit(HTTP_HEAD_MAX, 0);
	check_head_limit(HTTP_HEAD_MAX + 1, 431);
	check_head_limit(HTTP_HEAD_MAX + 4, 431);
	check_head_limit(2 * HTTP_HEAD_MAX, 431);
}

/* Endless heads are refused as soon as the limit is reached, not later. */
static void
test_endless_heads(void **state)
{
	char data[HTTP_HEAD_MAX], *end = data;
	struct answer a;
	size_t size;

	(void)state;
	end = stpcpy(end, START HOST "a: ");
	fill(end, 'a', sizeof(data) - (size_t)(end - data));
	for (size = sizeof(data) - 3; size <= sizeof(data); size++) {
		parse(&a, data, size);
		assert_int_equal(a.result,
		    size < sizeof(data) ? HTTP_MORE : HTTP_ERROR);
		assert_int_equal(a.request.status,
		    size < sizeof(data) ? 0 : 431);
		answer_clear(&a);
	}
	stpcpy(data, "GET /");
	fill(data + 5, 'a', HTTP_TARGET_MAX);
	for (size = 5; size <= HTTP_TARGET_MAX + 5; size++) {
		bool is_long = size > HTTP_TARGET_MAX + 4;

		parse(&a, data, size);
		assert_int_equal(a.request.status, is_long ? 414 : 0);
		answer_clear(&a);
	}
}

/* Good heads with a few bytes changed: no split may change the answer. */
static void
test_damaged_heads(void **state)
{
	static const char bytes[] = "\0\t\n\r :/?,;\"\\.aG1\x16\x7f\x80\xff";
	char data[1024];
	struct slice head = { data, 0 };
	int i;

	(void)state;
	for (i = 0; i < 300; i++) {
		const char *good =
		    good_heads[(size_t)random() % COUNT(good_heads)];
		int changes = (int)(1 + random() % 3);

		head.size = strlen(good);
		memcpy(data, good, head.size);
		while (changes-- > 0)
			data[(size_t)random() % head.size] =
			    bytes[(size_t)random() % sizeof(bytes)];
		check_steps(head, step_of_one);
		check_steps(head, step_at_random);
	}
}

static void
test_slices(void **state)
{
	struct slice empty = { NULL, 0 }, some = BYTES("Ab[");

	(void)state;
	assert_true(slice_equals(empty, ""));
	assert_false(slice_equals(empty, "a"));
	assert_true(slice_equals(some, "Ab["));
	assert_false(slice_equals(some, "ab["));
	assert_false(slice_equals(some, "Ab"));
	assert_false(slice_equals(some, "Ab[["));
	assert_true(slice_equals_nocase(some, "aB["));
	assert_false(slice_equals_nocase(some, "aB{"));
	assert_false(slice_equals_nocase(some, "aB"));
	assert_true(slice_equals_slice_nocase(some, some));
	assert_false(slice_equals_slice_nocase(some, empty));
}

static void
test_status_texts(void **state)
{
	static const int statuses[] = { 101, 200, 204, 304, 400, 401, 403, 404,
		405, 406, 408, 413, 414, 417, 421, 426, 429, 431, 500, 501, 503,
		505 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(statuses); i++)
		assert_string_not_equal(http_status_text(statuses[i]),
		    "Unknown");
	assert_string_equal(http_status_text(404), "Not Found");
	assert_string_equal(http_status_text(505),
	    "HTTP Version Not Supported");
	assert_string_equal(http_status_text(0), "Unknown");
	assert_string_equal(http_status_text(418), "Unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_heads),
		cmocka_unit_test(test_bad_heads),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_nothing_is_a_prefix),
		cmocka_unit_test(test_what_was_parsed),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_list_fields_are_joined),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_endless_heads),
		cmocka_unit_test(test_damaged_heads),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_status_texts),
	};

	seed_random();
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
