/* SPDX-License-Identifier: ISC */

/*
 * The handshake against requests built by hand, frames out against an encoder
 * written here, frames in as a table of what is sent and what is reported,
 * fed whole, byte by byte and in random portions.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/deflate.h"
#include "core/http.h"
#include "core/utf8.h"
#include "core/websocket.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_MESSAGE 70000 /* bytes, of the inputs here */

/* Numbers that are the same again for the same seed (xorshift64). */
static uint64_t random_state;

static uint64_t
random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* 0..bound-1 */
static size_t
random_below(size_t bound)
{
	return (size_t)(random_next() % bound);
}

/* TEST_SEED repeats a run. */
static void
random_seed(void)
{
	const char *given = getenv("TEST_SEED");
	uint64_t seed = 0;

	if (given != NULL)
		seed = strtoull(given, NULL, 10);
	while (seed == 0)
		seed = arc4random();
	print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
	random_state = seed;
}

/* An encoder of our own, from the picture in section 5.2. */
static void
append_header(struct buffer *b, uint8_t first, uint64_t size, bool masked)
{
	uint8_t mask_bit = masked ? 0x80 : 0;
	int bytes = size > 0xffff ? 8 : 2;

	buffer_append_byte(b, first);
	if (size <= 125) {
		buffer_append_byte(b, (uint8_t)(mask_bit | size));
		return;
	}
	buffer_append_byte(b, mask_bit | (bytes == 8 ? 127 : 126));
	while (bytes-- > 0)
		buffer_append_byte(b, (uint8_t)(size >> (8 * bytes)));
}

static void
append_masked(struct buffer *b, uint8_t first, const void *payload, size_t size)
{
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	const uint8_t *bytes = payload;

	append_header(b, first, size, true);
	buffer_append(b, mask, sizeof(mask));
	for (size_t i = 0; i < size; i++)
		buffer_append_byte(b, bytes[i] ^ mask[i % 4]);
}

/* The handshake. */

static const char *const good_fields[][2] = {
	{ "Host", "server.example.com" },
	{ "Upgrade", "websocket" },
	{ "Connection", "Upgrade" },
	{ "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==" },
	{ "Sec-WebSocket-Version", "13" },
};

static struct slice
slice_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

static void
add_field(struct http_request *request, const char *name, const char *value)
{
	struct http_field *field = &request->fields[request->field_count++];

	field->name = slice_of(name);
	field->value = slice_of(value);
}

/*
 * A good request in which the field has another value (NULL: is missing), or
 * which has it twice.
 */
static struct http_request
request_with(const char *name, const char *value, bool twice)
{
	struct http_request request = { .method = HTTP_GET, .minor = 1 };

	for (size_t i = 0; i < COUNT(good_fields); i++) {
		const char *const *field = good_fields[i];

		if (name == NULL || strcmp(field[0], name) != 0 || twice)
			add_field(&request, field[0], field[1]);
	}
	if (name != NULL && value != NULL)
		add_field(&request, name, value);
	return request;
}

static void
test_handshake(void **state)
{
	static const char key[] = "Sec-WebSocket-Key";
	static const char version[] = "Sec-WebSocket-Version";
	static const struct {
		const char *name;
		const char *field;
		const char *value;
		bool twice;
		int status;
	} cases[] = {
		{ "as in the RFC", NULL, NULL, false, 0 },
		{ "case", "Upgrade", "WebSocket", false, 0 },
		{ "list", "Connection", "keep-alive, uPGRADE", false, 0 },
		{ "other field", "Origin", "http://a", false, 0 },
		{ "no upgrade", "Upgrade", NULL, false, 400 },
		{ "upgrade to h2c", "Upgrade", "h2c", false, 400 },
		{ "part of a token", "Upgrade", "websocket2", false, 400 },
		{ "no connection", "Connection", NULL, false, 400 },
		{ "keep-alive", "Connection", "keep-alive", false, 400 },
		{ "no version", version, NULL, false, 426 },
		{ "version 8", version, "8", false, 426 },
		{ "version 130", version, "130", false, 426 },
		{ "version twice", version, "13", true, 426 },
		{ "no key", key, NULL, false, 400 },
		{ "empty key", key, "", false, 400 },
		{ "15 bytes", key, "AAAAAAAAAAAAAAAAAAAA", false, 400 },
		{ "17 bytes", key, "AAAAAAAAAAAAAAAAAAAAAAA=", false, 400 },
		{ "18 bytes", key, "AAAAAAAAAAAAAAAAAAAAAAAA", false, 400 },
		{ "16 bytes", key, "+/+/AAAAAAAAAAAAAAAAAA==", false, 0 },
		{ "no padding", key, "AAAAAAAAAAAAAAAAAAAAAA", false, 400 },
		{ "base64url", key, "-_-_AAAAAAAAAAAAAAAAAA==", false, 400 },
		{ "space in it", key, "AAAAAAAA AAAAAAAAAAAAA==", false, 400 },
		{ "more than a key", key, "AAAAAAAAAAAAAAAAAAAAAA==A", false,
		    400 },
		{ "key twice", key, "AAAAAAAAAAAAAAAAAAAAAA==", true, 400 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_request request = request_with(cases[i].field,
		    cases[i].value, cases[i].twice);
		const char *why = NULL;
		int status = websocket_check_handshake(&request, &why);

		if (status != cases[i].status || (status != 0) != (why != NULL))
			fail_msg("%s: %d %s", cases[i].name, status,
			    why == NULL ? "" : why);
	}
}

static void
test_handshake_request_line(void **state)
{
	struct http_request request = request_with(NULL, NULL, false);
	const char *why;

	(void)state;
	request.minor = 0;
	assert_int_equal(websocket_check_handshake(&request, &why), 400);
	request.minor = 1;
	request.method = HTTP_HEAD;
	assert_int_equal(websocket_check_handshake(&request, &why), 400);
}

static void
test_asked_for(void **state)
{
	struct http_request request = request_with(NULL, NULL, false);

	(void)state;
	assert_true(websocket_is_asked_for(&request));
	request = request_with("Upgrade", NULL, false);
	assert_true(websocket_is_asked_for(&request));
	request = request_with("Sec-WebSocket-Key", NULL, false);
	assert_true(websocket_is_asked_for(&request));
	request = (struct http_request){ .method = HTTP_GET, .minor = 1 };
	assert_false(websocket_is_asked_for(&request));
	add_field(&request, "Upgrade", "h2c");
	add_field(&request, "Connection", "Upgrade");
	assert_false(websocket_is_asked_for(&request));
}

static void
test_accept_key(void **state)
{
	struct http_request request = request_with(NULL, NULL, false);
	char key[WEBSOCKET_KEY_MAX];

	(void)state;
	websocket_accept_key(&request, key);
	assert_string_equal(key, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

/* Frames out. */

static void
assert_bytes(const struct buffer *got, const struct buffer *expected)
{
	assert_false(got->failed);
	assert_int_equal(got->size, expected->size);
	assert_memory_equal(got->data, expected->data, expected->size);
}

static void
test_append_frame(void **state)
{
	static const size_t sizes[] = { 0, 1, 125, 126, 127, 65535, 65536,
		200000 };
	static const enum websocket_opcode opcodes[] = { WEBSOCKET_TEXT,
		WEBSOCKET_BINARY, WEBSOCKET_PING, WEBSOCKET_PONG };
	struct websocket_output *output = websocket_output_new();
	struct buffer one = BUFFER_INIT, all = BUFFER_INIT;
	struct buffer expected = BUFFER_INIT;
	uint8_t *payload = malloc(200000);
	size_t begin;

	(void)state;
	assert_non_null(output);
	assert_non_null(payload);
	for (size_t i = 0; i < 200000; i++)
		payload[i] = (uint8_t)(i * 31 >> 3);
	for (size_t i = 0; i < COUNT(sizes) * COUNT(opcodes); i++) {
		size_t size = sizes[i / COUNT(opcodes)];
		enum websocket_opcode opcode = opcodes[i % COUNT(opcodes)];

		if (opcode >= WEBSOCKET_CLOSE && size > 125)
			continue;
		begin = expected.size;
		append_header(&expected, (uint8_t)(0x80 | opcode), size, false);
		buffer_append(&expected, payload, size);
		websocket_output_append(output, &all, opcode, 0, payload, size);

		buffer_reset(&one);
		websocket_append_frame(&one, opcode, payload, size);
		assert_int_equal(one.size, expected.size - begin);
		assert_memory_equal(one.data, expected.data + begin, one.size);
	}
	assert_bytes(&all, &expected);
	websocket_output_free(output);
	buffer_clear(&one);
	buffer_clear(&all);
	buffer_clear(&expected);
	free(payload);
}

/*
 * Each size twice in each kind: as wslay makes it, for one kind or another,
 * and as it is kept for all of them.
 */
static void
test_output_sizes(void **state)
{
	static const struct {
		enum websocket_opcode opcode;
		unsigned int flags;
		uint8_t first;
	} kinds[] = {
		{ WEBSOCKET_TEXT, 0, 0x81 },
		{ WEBSOCKET_BINARY, WEBSOCKET_COMPRESSED, 0xc2 },
		{ WEBSOCKET_TEXT, WEBSOCKET_COMPRESSED, 0xc1 },
		{ WEBSOCKET_BINARY, 0, 0x82 },
	};
	struct websocket_output *output = websocket_output_new();
	struct buffer got = BUFFER_INIT, expected = BUFFER_INIT;
	uint8_t *payload = malloc(MAX_MESSAGE);

	(void)state;
	assert_non_null(output);
	assert_non_null(payload);
	for (size_t i = 0; i < MAX_MESSAGE; i++)
		payload[i] = (uint8_t)random_next();
	for (size_t i = 0; i <= COUNT(kinds) * MAX_MESSAGE * 2; i++) {
		size_t size = i / 2 / COUNT(kinds);
		size_t k = (i + size) % COUNT(kinds);
		uint8_t header[WEBSOCKET_HEADER_MAX];
		size_t length = websocket_output_header(output, kinds[k].opcode,
		    kinds[k].flags, size, header);

		buffer_reset(&expected);
		append_header(&expected, kinds[k].first, size, false);
		assert_int_equal(length, expected.size);
		assert_memory_equal(header, expected.data, length);
		if (i / COUNT(kinds) % 2 == 0 || size % COUNT(kinds) != k)
			continue;
		buffer_reset(&got);
		websocket_output_append(output, &got, kinds[k].opcode,
		    kinds[k].flags, payload, size);
		assert_int_equal(got.size, length + size);
		assert_memory_equal(got.data, header, length);
		assert_memory_equal(got.data + length, payload, size);
	}
	websocket_output_free(output);
	buffer_clear(&got);
	buffer_clear(&expected);
	free(payload);
}

static void
test_append_fails(void **state)
{
	struct websocket_output *output = websocket_output_new();
	struct buffer out = BUFFER_INIT;
	uint8_t payload[126] = { 0 };

	(void)state;
	websocket_output_append(output, &out, WEBSOCKET_PING, 0, payload, 126);
	assert_true(out.failed);
	assert_int_equal(out.size, 0);

	/* A failed buffer takes nothing and leaves the output usable. */
	websocket_output_append(output, &out, WEBSOCKET_TEXT, 0, "abc", 3);
	assert_int_equal(out.size, 0);
	buffer_reset(&out);
	for (int shift = 0; shift < 2; shift++) {
		websocket_output_append(output, &out, WEBSOCKET_TEXT, 0,
		    payload, SIZE_MAX >> shift);
		assert_true(out.failed);
		buffer_reset(&out);
	}
	websocket_output_append(output, &out, WEBSOCKET_TEXT, 0, "abc", 3);
	assert_false(out.failed);
	assert_int_equal(out.size, 5);
	assert_memory_equal(out.data, "\x81\x03\x61\x62\x63", 5);
	websocket_output_free(output);
	websocket_output_free(NULL);
	buffer_clear(&out);
}

#define A10 "aaaaaaaaaa"
#define A120 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10

static void
test_append_close(void **state)
{
	static const struct {
		const char *name;
		unsigned int code;
		const char *reason;
		size_t kept; /* bytes of the reason */
	} cases[] = {
		{ "reason", 1000, "exit 0", 6 },
		{ "empty reason", 1001, "", 0 },
		{ "no reason", 4999, NULL, 0 },
		{ "longest", 1008, A120 "abc", 123 },
		{ "too long", 1008, A120 "abcd", 123 },
		{ "cut before a character", 1008, A120 "ab\xc3\xa9", 122 },
		{ "cut before the euro sign", 1008, A120 "\xe2\x82\xac", 123 },
		{ "cut inside the euro sign", 1008, A120 "a\xe2\x82\xac", 121 },
		{ "not UTF-8", 1008, "ab\xffz", 2 },
	};
	struct buffer out = BUFFER_INIT, expected = BUFFER_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		buffer_reset(&out);
		buffer_reset(&expected);
		append_header(&expected, 0x88, 2 + cases[i].kept, false);
		buffer_append_byte(&expected, (uint8_t)(cases[i].code >> 8));
		buffer_append_byte(&expected, (uint8_t)cases[i].code);
		buffer_append(&expected, cases[i].reason, cases[i].kept);
		websocket_append_close(&out, cases[i].code, cases[i].reason);
		if (out.size != expected.size ||
		    memcmp(out.data, expected.data, out.size) != 0)
			fail_msg("%s: %zu bytes", cases[i].name, out.size);
	}
	buffer_reset(&out);
	websocket_append_close(&out, WEBSOCKET_NO_CODE, "not sent");
	assert_int_equal(out.size, 2);
	assert_memory_equal(out.data, "\x88\x00", 2);
	buffer_clear(&out);
	buffer_clear(&expected);
}

/*
 * Frames in.  What is reported is written down as a line of text, such as
 * "ping:abc text:Hello close:1000:bye", and long payloads as their size and a
 * hash.
 */
struct transcript {
	struct buffer line;
	size_t events;
	size_t stop_after; /* events; 0: never */
	size_t holds;	   /* one of so many messages; 0: none */
	bool deflates;	   /* the extension is agreed on */
	bool ended;	   /* close, error or stopped: no event may follow */
};

static void
append_payload(struct buffer *b, const uint8_t *bytes, size_t size)
{
	uint32_t hash = 5381;

	if (size > 125) {
		for (size_t i = 0; i < size; i++)
			hash = hash * 33 + bytes[i];
		buffer_append_format(b, "[%zu %08x]", size, hash);
		return;
	}
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] > ' ' && bytes[i] < 0x7f)
			buffer_append_byte(b, bytes[i]);
		else
			buffer_append_format(b, "\\%02x", bytes[i]);
	}
}

static enum websocket_answer
transcript_cb(void *arg, const struct websocket_message *message)
{
	struct transcript *t = arg;

	assert_false(t->ended);
	if (t->holds > 0 && message->event == WEBSOCKET_EVENT_MESSAGE &&
	    random_below(t->holds) == 0)
		return WEBSOCKET_HOLD;
	t->events++;
	if (t->line.size > 0)
		buffer_append_byte(&t->line, ' ');
	switch (message->event) {
	case WEBSOCKET_EVENT_MESSAGE:
		buffer_append_string(&t->line,
		    message->opcode == WEBSOCKET_TEXT ? "text:" : "binary:");
		assert_true(message->size <= MAX_MESSAGE);
		if (message->opcode == WEBSOCKET_TEXT)
			assert_true(
			    utf8_is_valid(message->payload, message->size));
		else
			assert_int_equal(message->opcode, WEBSOCKET_BINARY);
		break;
	case WEBSOCKET_EVENT_PING:
		buffer_append_string(&t->line, "ping:");
		break;
	case WEBSOCKET_EVENT_PONG:
		buffer_append_string(&t->line, "pong:");
		break;
	case WEBSOCKET_EVENT_CLOSE:
		buffer_append_format(&t->line, "close:%u:", message->code);
		t->ended = true;
		break;
	case WEBSOCKET_EVENT_ERROR:
		buffer_append_format(&t->line, "error:%u", message->code);
		assert_non_null(message->reason);
		assert_true(message->reason[0] != '\0');
		t->ended = true;
		return WEBSOCKET_GO_ON;
	}
	assert_non_null(message->payload);
	append_payload(&t->line, message->payload, message->size);
	if (t->events == t->stop_after)
		t->ended = true;
	return t->ended ? WEBSOCKET_STOP : WEBSOCKET_GO_ON;
}

static const char *
transcript_text(struct transcript *t)
{
	buffer_append_byte(&t->line, '\0');
	t->line.size--;
	return (const char *)t->line.data;
}

/* A piece of what a client sends: a frame, or bytes as they are. */
struct piece {
	uint8_t first; /* byte of the frame; 0x40, else an error: no frame */
	const char *bytes;
	size_t size;
	uint8_t fill; /* if bytes is NULL: the payload is size times this */
};

#define RAW 0x40
#define FRAME(first, payload)                                                  \
	{                                                                      \
		first, payload, sizeof(payload) - 1, 0                         \
	}
#define BYTES(bytes)                                                           \
	{                                                                      \
		RAW, bytes, sizeof(bytes) - 1, 0                               \
	}
#define FILLED(first, size, fill)                                              \
	{                                                                      \
		first, NULL, size, fill                                        \
	}

#define FIN_TEXT 0x81
#define FIN_BINARY 0x82
#define FIN_CONTINUATION 0x80
#define FIN_CLOSE 0x88
#define FIN_PING 0x89
#define FIN_PONG 0x8a
#define PART_TEXT 0x01
#define PART_BINARY 0x02
#define PART_CONTINUATION 0x00

static void
append_piece(struct buffer *b, const struct piece *piece)
{
	uint8_t *filled;

	if (piece->first == RAW) {
		buffer_append(b, piece->bytes, piece->size);
	} else if (piece->bytes != NULL) {
		append_masked(b, piece->first, piece->bytes, piece->size);
	} else {
		filled = malloc(piece->size);
		assert_non_null(filled);
		memset(filled, piece->fill, piece->size);
		append_masked(b, piece->first, filled, piece->size);
		free(filled);
	}
}

/* How to cut what is fed. */
enum cut {
	CUT_WHOLE,
	CUT_BYTES,
	CUT_RANDOM,
	CUT_HELD, /* the same, and messages are held at times */
};

static size_t
cut_next(enum cut cut, size_t left)
{
	if (cut == CUT_WHOLE)
		return left;
	if (cut == CUT_BYTES)
		return 1;
	/* Small ones half of the time, so that headers are cut, too. */
	if (random_below(2) == 0 && left > 8)
		left = 8;
	return 1 + random_below(left);
}

/* Some time after a message was held, or now if that is the last chance. */
static bool
resume(struct websocket_input *in, bool now, struct transcript *t)
{
	bool more = true;

	while (more && websocket_input_is_held(in) &&
	    (now || random_below(2) == 0)) {
		assert_false(websocket_input_is_idle(in));
		more =
		    websocket_input_resume(in, t->deflates, transcript_cb, t);
		assert_int_equal(more, !t->ended);
	}
	return more;
}

/* Feeds bytes until there are none or no more is wanted; whether it was. */
static bool
feed(struct websocket_input *in, const struct buffer *bytes, enum cut cut,
    struct transcript *t)
{
	bool more = true;
	size_t n;
	uint8_t *portion;

	for (size_t at = 0; more && at < bytes->size; at += n) {
		n = cut_next(cut, bytes->size - at);
		/* A copy of its own, for the address sanitizer. */
		portion = malloc(n);
		assert_non_null(portion);
		memcpy(portion, bytes->data + at, n);
		more = websocket_input_write(in, portion, n, t->deflates,
		    transcript_cb, t);
		free(portion);
		assert_int_equal(more, !t->ended);
		more = more && resume(in, false, t);
	}
	return more && resume(in, true, t);
}

static void
run_case(const char *name, const struct buffer *bytes, bool deflates,
    enum cut cut, const char *expected)
{
	struct websocket_input *in = websocket_input_new(MAX_MESSAGE);
	struct transcript t = { .deflates = deflates,
		.holds = cut == CUT_HELD ? 2 : 0 };
	const char *got;
	size_t events;

	assert_non_null(in);
	if (!feed(in, bytes, cut, &t)) {
		events = t.events;
		assert_false(websocket_input_is_idle(in));
		assert_false(websocket_input_write(in, "x", 1, deflates,
		    transcript_cb, &t));
		assert_int_equal(t.events, events);
	}
	got = transcript_text(&t);
	if (strcmp(got, expected) != 0)
		fail_msg("%s (cut %d%s):\n got %s\nwant %s", name, (int)cut,
		    deflates ? ", deflates" : "", got, expected);
	websocket_input_free(in);
	buffer_clear(&t.line);
}

static void
run_all_cuts(const char *name, const struct buffer *bytes, bool deflates,
    const char *expected)
{
	run_case(name, bytes, deflates, CUT_WHOLE, expected);
	run_case(name, bytes, deflates, CUT_BYTES, expected);
	for (int n = 0; n < 20; n++) {
		run_case(name, bytes, deflates, CUT_RANDOM, expected);
		run_case(name, bytes, deflates, CUT_HELD, expected);
	}
}

#define COMPRESSED_MAX WEBSOCKET_COMPRESSED_MAX(MAX_MESSAGE)
#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00" /* RFC 7692 section 7.2.3.1 */

struct input_case {
	const char *name;
	struct piece pieces[6];
	const char *expected;
};

/* In the order of the groups of the Autobahn test suite, 1 to 7. */
static const struct input_case input_cases[] = {
	/* Framing. */
	{ "nothing", { { 0 } }, "" },
	{ "text", { FRAME(FIN_TEXT, "Hello") }, "text:Hello" },
	{ "empty text", { FRAME(FIN_TEXT, "") }, "text:" },
	{ "empty binary", { FRAME(FIN_BINARY, "") }, "binary:" },
	{ "binary", { FRAME(FIN_BINARY, "\x00\xff") }, "binary:\\00\\ff" },
	{ "from section 5.7",
	    { BYTES("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58") },
	    "text:Hello" },
	{ "two messages", { FRAME(FIN_TEXT, "a"), FRAME(FIN_BINARY, "b") },
	    "text:a binary:b" },
	{ "125 bytes", { FRAME(FIN_TEXT, A120 "abcde") },
	    "text:" A120 "abcde" },

	/* Pings and pongs. */
	{ "ping", { FRAME(FIN_PING, "") }, "ping:" },
	{ "ping with payload", { FRAME(FIN_PING, "\x00\xff z") },
	    "ping:\\00\\ff\\20z" },
	{ "125 byte ping", { FRAME(FIN_PING, A120 "abcde") },
	    "ping:" A120 "abcde" },
	{ "126 byte ping", { FRAME(FIN_PING, A120 "abcdef") }, "error:1002" },
	{ "126 byte pong", { FRAME(FIN_PONG, A120 "abcdef") }, "error:1002" },
	{ "126 byte close", { FRAME(FIN_CLOSE, A120 "abcdef") }, "error:1002" },
	{ "unasked pong", { FRAME(FIN_PONG, "x"), FRAME(FIN_PING, "y") },
	    "pong:x ping:y" },
	{ "several pings",
	    { FRAME(FIN_PING, "1"), FRAME(FIN_PING, "22"),
		FRAME(FIN_PING, "") },
	    "ping:1 ping:22 ping:" },

	/* Reserved bits. */
	{ "RSV3", { FRAME(FIN_TEXT | 0x10, "a") }, "error:1002" },
	{ "RSV2", { FRAME(FIN_TEXT | 0x20, "a") }, "error:1002" },
	{ "RSV1 of a ping", { FRAME(FIN_PING | 0x40, "") }, "error:1002" },
	{ "RSV of a close", { FRAME(FIN_CLOSE | 0x70, "") }, "error:1002" },
	{ "RSV after a message",
	    { FRAME(FIN_TEXT, "a"), FRAME(FIN_TEXT | 0x20, "b"),
		FRAME(FIN_PING, "") },
	    "text:a error:1002" },
	{ "RSV of a continuation",
	    { FRAME(PART_TEXT, "a"), FRAME(FIN_CONTINUATION | 0x10, "b") },
	    "error:1002" },

	/* Reserved opcodes. */
	{ "opcode 3", { FRAME(0x83, "") }, "error:1002" },
	{ "opcode 4", { FRAME(0x84, "a") }, "error:1002" },
	{ "opcode 5", { FRAME(0x85, "a") }, "error:1002" },
	{ "opcode 6", { FRAME(0x86, "a") }, "error:1002" },
	{ "opcode 7 after a message",
	    { FRAME(FIN_TEXT, "a"), FRAME(0x87, "b") }, "text:a error:1002" },
	{ "opcode 11", { FRAME(0x8b, "") }, "error:1002" },
	{ "opcode 12", { FRAME(0x8c, "a") }, "error:1002" },
	{ "opcode 13", { FRAME(0x8d, "a") }, "error:1002" },
	{ "opcode 14", { FRAME(0x8e, "a") }, "error:1002" },
	{ "opcode 15 in a message", { FRAME(PART_TEXT, "a"), FRAME(0x8f, "b") },
	    "error:1002" },

	/* Masks and lengths. */
	{ "not masked", { BYTES("\x81\x05Hello") }, "error:1002" },
	{ "not masked, empty", { BYTES("\x81\x00") }, "error:1002" },
	{ "ping not masked", { BYTES("\x89\x00") }, "error:1002" },
	{ "close not masked", { BYTES("\x88\x02\x03\xe8") }, "error:1002" },
	{ "5 in 16 bits",
	    { BYTES("\x81\xfe\x00\x05"
		    "0000Hello") },
	    "error:1002" },
	{ "125 in 16 bits", { BYTES("\x81\xfe\x00\x7d") }, "error:1002" },
	{ "5 in 64 bits", { BYTES("\x81\xff\0\0\0\0\0\0\0\x05") },
	    "error:1002" },
	{ "65535 in 64 bits", { BYTES("\x82\xff\0\0\0\0\0\0\xff\xff") },
	    "error:1002" },
	{ "2^63", { BYTES("\x82\xff\x80\0\0\0\0\0\0\0") }, "error:1002" },
	{ "2^64-1", { BYTES("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff") },
	    "error:1002" },
	{ "2^63-1",
	    { BYTES("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"
		    "0000x") },
	    "error:1009" },
	{ "2^32",
	    { BYTES("\x82\xff\0\0\0\x01\0\0\0\0"
		    "0000x") },
	    "error:1009" },
	{ "maximum", { FILLED(FIN_BINARY, MAX_MESSAGE, 'x') },
	    "binary:[70000 a9777f85]" },
	{ "maximum plus 1", { FILLED(FIN_BINARY, MAX_MESSAGE + 1, 'x') },
	    "error:1009" },
	{ "too big and not UTF-8", { FILLED(FIN_TEXT, MAX_MESSAGE + 1, 0xff) },
	    "error:1009" },
	{ "too big in the sum",
	    { FILLED(PART_BINARY, MAX_MESSAGE, 'x'),
		FRAME(PART_CONTINUATION, ""), FRAME(FIN_PING, "p"),
		FRAME(FIN_CONTINUATION, "x") },
	    "ping:p error:1009" },
	{ "big ones in a row",
	    { FILLED(FIN_BINARY, MAX_MESSAGE, 'x'), FRAME(FIN_TEXT, "a"),
		FILLED(FIN_BINARY, MAX_MESSAGE, 'x') },
	    "binary:[70000 a9777f85] text:a binary:[70000 a9777f85]" },

	/* Fragments. */
	{ "fragments",
	    { FRAME(PART_TEXT, "Hel"), FRAME(FIN_CONTINUATION, "lo") },
	    "text:Hello" },
	{ "three fragments, binary",
	    { FRAME(PART_BINARY, "a"), FRAME(PART_CONTINUATION, "b"),
		FRAME(FIN_CONTINUATION, "c"), FRAME(FIN_TEXT, "d") },
	    "binary:abc text:d" },
	{ "empty fragments",
	    { FRAME(PART_TEXT, ""), FRAME(PART_CONTINUATION, ""),
		FRAME(FIN_CONTINUATION, "") },
	    "text:" },
	{ "ping between fragments",
	    { FRAME(PART_TEXT, "a"), FRAME(FIN_PING, "p"),
		FRAME(FIN_CONTINUATION, "b") },
	    "ping:p text:ab" },
	{ "pongs and pings between fragments",
	    { FRAME(PART_TEXT, "a"), FRAME(FIN_PONG, ""),
		FRAME(PART_CONTINUATION, "b"), FRAME(FIN_PING, "p"),
		FRAME(FIN_PING, "q"), FRAME(FIN_CONTINUATION, "c") },
	    "pong: ping:p ping:q text:abc" },
	{ "close between fragments",
	    { FRAME(PART_TEXT, "a"), FRAME(FIN_CLOSE, "\x03\xe8"),
		FRAME(FIN_CONTINUATION, "b") },
	    "close:1000:" },
	{ "ping in fragments",
	    { FRAME(0x09, "a"), FRAME(FIN_CONTINUATION, "b") }, "error:1002" },
	{ "pong in fragments", { FRAME(0x0a, "") }, "error:1002" },
	{ "close in fragments", { FRAME(0x08, "") }, "error:1002" },
	{ "continuation of nothing", { FRAME(FIN_CONTINUATION, "a") },
	    "error:1002" },
	{ "empty continuation of nothing", { FRAME(PART_CONTINUATION, "") },
	    "error:1002" },
	{ "continuation after the end",
	    { FRAME(PART_TEXT, "a"), FRAME(FIN_CONTINUATION, "b"),
		FRAME(FIN_CONTINUATION, "c") },
	    "text:ab error:1002" },
	{ "continuation after a whole message",
	    { FRAME(FIN_TEXT, "a"), FRAME(PART_CONTINUATION, "b") },
	    "text:a error:1002" },
	{ "text inside a message",
	    { FRAME(PART_TEXT, "a"), FRAME(FIN_TEXT, "b") }, "error:1002" },
	{ "binary inside a message, after a ping",
	    { FRAME(PART_TEXT, "a"), FRAME(FIN_PING, ""),
		FRAME(PART_BINARY, "") },
	    "ping: error:1002" },

	/* UTF-8. */
	{ "UTF-8", { FRAME(FIN_TEXT, "\xce\xba\xe1\xbd\xb9") },
	    "text:\\ce\\ba\\e1\\bd\\b9" },
	{ "character in two fragments",
	    { FRAME(PART_TEXT, "\xe2\x82"), FRAME(FIN_PING, "\xff"),
		FRAME(FIN_CONTINUATION, "\xac") },
	    "ping:\\ff text:\\e2\\82\\ac" },
	{ "character in four fragments",
	    { FRAME(PART_TEXT, "\xf0"), FRAME(PART_CONTINUATION, "\x9f"),
		FRAME(PART_CONTINUATION, "\x98"),
		FRAME(FIN_CONTINUATION, "\x80") },
	    "text:\\f0\\9f\\98\\80" },
	{ "first and last characters",
	    { FRAME(FIN_TEXT,
		"\x00\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"
		"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf") },
	    "text:\\00\\7f\\c2\\80\\df\\bf\\e0\\a0\\80\\ef\\bf\\bf"
	    "\\f0\\90\\80\\80\\f4\\8f\\bf\\bf" },
	{ "around the surrogates",
	    { FRAME(FIN_TEXT, "\xed\x9f\xbf\xee\x80\x80") },
	    "text:\\ed\\9f\\bf\\ee\\80\\80" },
	{ "surrogate", { FRAME(FIN_TEXT, "a\xed\xa0\x80z") }, "error:1007" },
	{ "surrogate pair", { FRAME(FIN_TEXT, "\xed\xad\xbf\xed\xb0\x80") },
	    "error:1007" },
	{ "U+110000", { FRAME(FIN_TEXT, "\xf4\x90\x80\x80") }, "error:1007" },
	{ "U+110000 by halves",
	    { FRAME(PART_TEXT, "\xf4"), FRAME(FIN_CONTINUATION, "\x90") },
	    "error:1007" },
	{ "0xf5", { FRAME(FIN_TEXT, "\xf5\x80\x80\x80") }, "error:1007" },
	{ "five bytes", { FRAME(FIN_TEXT, "\xf8\x88\x80\x80\x80") },
	    "error:1007" },
	{ "overlong slash", { FRAME(FIN_TEXT, "\xc0\xaf") }, "error:1007" },
	{ "overlong slash, 3 bytes", { FRAME(FIN_TEXT, "\xe0\x80\xaf") },
	    "error:1007" },
	{ "overlong slash, 4 bytes", { FRAME(FIN_TEXT, "\xf0\x80\x80\xaf") },
	    "error:1007" },
	{ "lone continuation byte", { FRAME(FIN_TEXT, "\x80") }, "error:1007" },
	{ "0xff", { FRAME(FIN_TEXT, "ab\xff") }, "error:1007" },
	{ "cut character", { FRAME(FIN_TEXT, "ab\xe2\x82") }, "error:1007" },
	{ "cut character, then an empty end",
	    { FRAME(PART_TEXT, "ab\xc3"), FRAME(FIN_CONTINUATION, "") },
	    "error:1007" },
	{ "bad in the first fragment",
	    { FRAME(PART_TEXT, "\xff"), FRAME(FIN_PING, "") }, "error:1007" },
	{ "binary need not be UTF-8",
	    { FRAME(PART_BINARY, "\xff"), FRAME(FIN_CONTINUATION, "\xe2") },
	    "binary:\\ff\\e2" },
	{ "nothing is left over from the text before",
	    { FRAME(FIN_TEXT, "a"), FRAME(FIN_BINARY, "\xe2"),
		FRAME(FIN_TEXT, "b") },
	    "text:a binary:\\e2 text:b" },

	/* Close. */
	{ "close without code", { FRAME(FIN_CLOSE, "") }, "close:1005:" },
	{ "close with half a code", { FRAME(FIN_CLOSE, "\x03") },
	    "error:1002" },
	{ "close with a reason",
	    { FRAME(FIN_CLOSE,
		"\x03\xe8"
		"bye") },
	    "close:1000:bye" },
	{ "longest reason", { FRAME(FIN_CLOSE, "\x03\xe9" A120 "abc") },
	    "close:1001:" A120 "abc" },
	{ "reason in UTF-8", { FRAME(FIN_CLOSE, "\x0b\xb8\xc3\xa9") },
	    "close:3000:\\c3\\a9" },
	{ "reason not UTF-8", { FRAME(FIN_CLOSE, "\x03\xe8\xed\xa0\x80") },
	    "error:1007" },
	{ "reason cut in a character", { FRAME(FIN_CLOSE, "\x03\xe8\xc3") },
	    "error:1007" },
	{ "ping after close",
	    { FRAME(FIN_CLOSE, "\x03\xe8"), FRAME(FIN_PING, "") },
	    "close:1000:" },
	{ "close after messages",
	    { FRAME(FIN_TEXT, "a"), FRAME(FIN_PING, "p"),
		FRAME(FIN_CLOSE, "\x0f\xa0") },
	    "text:a ping:p close:4000:" },
	{ "not a handshake", { BYTES("GET / HTTP/1.1\r\n\r\n") },
	    "error:1002" },
};

/* Without the extension. */
static const struct input_case plain_cases[] = {
	{ "RSV1", { FRAME(FIN_TEXT | 0x40, "a") }, "error:1002" },
	{ "RSV1 without payload", { FRAME(FIN_TEXT | 0x40, "") },
	    "error:1002" },
	{ "compressed", { FRAME(FIN_TEXT | 0x40, HELLO) }, "error:1002" },
	{ "compressed, after a message",
	    { FRAME(FIN_TEXT, "a"), FRAME(FIN_BINARY | 0x40, HELLO) },
	    "text:a error:1002" },
};

/* With permessage-deflate. */
static const struct input_case deflate_cases[] = {
	{ "text", { FRAME(FIN_TEXT | 0x40, HELLO) }, "text:Hello" },
	{ "binary", { FRAME(FIN_BINARY | 0x40, HELLO) }, "binary:Hello" },
	{ "empty", { FRAME(FIN_TEXT | 0x40, "\x00") }, "text:" },
	{ "some are, some not",
	    { FRAME(FIN_TEXT, "a"), FRAME(FIN_TEXT | 0x40, HELLO),
		FRAME(FIN_BINARY, HELLO), FRAME(FIN_BINARY | 0x40, HELLO),
		FRAME(PART_TEXT, "b"), FRAME(FIN_CONTINUATION, "c") },
	    "text:a text:Hello binary:\\f2H\\cd\\c9\\c9\\07\\00 binary:Hello "
	    "text:bc" },
	{ "fragments",
	    { FRAME(PART_TEXT | 0x40, "\xf2\x48\xcd"), FRAME(FIN_PING, "p"),
		FRAME(PART_CONTINUATION, "\xc9"), FRAME(FIN_PONG, ""),
		FRAME(FIN_CONTINUATION, "\xc9\x07\x00"),
		FRAME(FIN_TEXT | 0x40, HELLO) },
	    "ping:p pong: text:Hello text:Hello" },
	{ "empty fragments",
	    { FRAME(PART_BINARY | 0x40, ""), FRAME(PART_CONTINUATION, HELLO),
		FRAME(PART_CONTINUATION, ""), FRAME(FIN_CONTINUATION, "") },
	    "binary:Hello" },
	{ "close between fragments",
	    { FRAME(PART_TEXT | 0x40, "\xf2"), FRAME(FIN_CLOSE, "\x03\xe8") },
	    "close:1000:" },
	{ "text inside a compressed message",
	    { FRAME(PART_TEXT | 0x40, "\xf2"), FRAME(FIN_TEXT, "a") },
	    "error:1002" },

	/* Where the bit may not be. */
	{ "RSV1 of a continuation",
	    { FRAME(PART_TEXT | 0x40, HELLO),
		FRAME(FIN_CONTINUATION | 0x40, "") },
	    "error:1002" },
	{ "RSV1 of a continuation only",
	    { FRAME(PART_TEXT, "a"), FRAME(FIN_CONTINUATION | 0x40, HELLO) },
	    "error:1002" },
	{ "RSV1 of a ping", { FRAME(FIN_PING | 0x40, HELLO) }, "error:1002" },
	{ "RSV1 of a pong in a message",
	    { FRAME(PART_TEXT | 0x40, "\xf2"), FRAME(FIN_PONG | 0x40, "") },
	    "error:1002" },
	{ "RSV1 of a close", { FRAME(FIN_CLOSE | 0x40, "\x03\xe8") },
	    "error:1002" },
	{ "RSV1 and RSV2", { FRAME(FIN_TEXT | 0x60, HELLO) }, "error:1002" },
	{ "RSV1 and RSV3", { FRAME(FIN_BINARY | 0x50, HELLO) }, "error:1002" },
	{ "RSV1 and a reserved opcode", { FRAME(0xc3, HELLO) }, "error:1002" },

	/* Data. */
	{ "bad data", { FRAME(FIN_BINARY | 0x40, "\xff\xff") }, "error:1007" },
	{ "no data", { FRAME(FIN_TEXT | 0x40, "") }, "error:1007" },
	{ "cut", { FRAME(FIN_TEXT | 0x40, "\xf2\x48") }, "error:1007" },
	{ "bad data at the end",
	    { FRAME(PART_BINARY | 0x40, "\xff"), FRAME(FIN_PING, "p"),
		FRAME(FIN_CONTINUATION, "\xff") },
	    "ping:p error:1007" },
	{ "refers to the message before",
	    { FRAME(FIN_TEXT | 0x40, HELLO),
		FRAME(FIN_TEXT | 0x40, "\xf2\x00\x11\x00\x00") },
	    "text:Hello error:1007" },

	/* UTF-8. */
	{ "not UTF-8", { FRAME(FIN_TEXT | 0x40, "\x00\x01\0\xfe\xff\xff\0") },
	    "error:1007" },
	{ "cut in a character",
	    { FRAME(FIN_TEXT | 0x40, "\x00\x02\0\xfd\xff\xe2\x82\0") },
	    "error:1007" },
	{ "binary need not be UTF-8",
	    { FRAME(FIN_BINARY | 0x40, "\x00\x02\0\xfd\xff\xe2\x82\0"),
		FRAME(FIN_TEXT, "a") },
	    "binary:\\e2\\82 text:a" },
	{ "a character",
	    { FRAME(PART_TEXT | 0x40, "\x00\x03\0\xfc\xff\xe2"),
		FRAME(FIN_CONTINUATION, "\x82\xac\0") },
	    "text:\\e2\\82\\ac" },
	{ "text that is not compressed is looked at again",
	    { FRAME(FIN_TEXT | 0x40, HELLO), FRAME(FIN_TEXT, "\xff") },
	    "text:Hello error:1007" },

	/* Sizes. */
	{ "too big before it is inflated",
	    { FILLED(FIN_BINARY | 0x40, COMPRESSED_MAX + 1, 'x') },
	    "error:1009" },
	{ "too big in the sum",
	    { FILLED(PART_BINARY | 0x40, COMPRESSED_MAX, 'x'),
		FRAME(FIN_CONTINUATION, "x") },
	    "error:1009" },
	{ "too big without compression",
	    { FRAME(FIN_TEXT | 0x40, HELLO),
		FILLED(FIN_BINARY, MAX_MESSAGE + 1, 'x') },
	    "text:Hello error:1009" },
};

static void
append_pieces(struct buffer *bytes, const struct input_case *c)
{
	for (size_t k = 0; k < COUNT(c->pieces); k++) {
		if (c->pieces[k].size > 0 || c->pieces[k].bytes != NULL)
			append_piece(bytes, &c->pieces[k]);
	}
	assert_false(bytes->failed);
}

static void
run_table(const struct input_case *cases, size_t count, bool deflates)
{
	for (size_t i = 0; i < count; i++) {
		struct buffer bytes = BUFFER_INIT;

		append_pieces(&bytes, &cases[i]);
		run_all_cuts(cases[i].name, &bytes, deflates,
		    cases[i].expected);
		buffer_clear(&bytes);
	}
}

static void
test_input(void **state)
{
	(void)state;
	run_table(input_cases, COUNT(input_cases), false);
	run_table(plain_cases, COUNT(plain_cases), false);
}

static void
test_input_deflates(void **state)
{
	(void)state;
	run_table(input_cases, COUNT(input_cases), true);
	run_table(deflate_cases, COUNT(deflate_cases), true);
}

/* The limit is one of what comes out. */
static void
test_input_inflated_sizes(void **state)
{
	struct deflater *d = deflater_new(9);
	struct buffer payload = BUFFER_INIT, bytes = BUFFER_INIT;
	uint8_t *plain = malloc(2 * MAX_MESSAGE);
	struct websocket_input *in = websocket_input_new(MAX_MESSAGE);
	struct transcript t = { 0 };

	(void)state;
	assert_non_null(d);
	assert_non_null(plain);
	memset(plain, 'x', 2 * MAX_MESSAGE);
	deflater_append(d, &payload, plain, MAX_MESSAGE);
	append_masked(&bytes, FIN_TEXT | 0x40, payload.data, payload.size);
	run_all_cuts("as big as may be", &bytes, true, "text:[70000 a9777f85]");
	for (size_t size = MAX_MESSAGE + 1; size <= 2 * MAX_MESSAGE;
	     size += MAX_MESSAGE - 1) {
		buffer_reset(&payload);
		buffer_reset(&bytes);
		deflater_reset(d);
		deflater_append(d, &payload, plain, size);
		append_masked(&bytes, FIN_TEXT | 0x40, payload.data,
		    payload.size);
		run_all_cuts("too big", &bytes, true, "error:1009");
	}
	buffer_reset(&payload);
	buffer_reset(&bytes);
	deflater_reset(d);
	for (size_t i = 0; i < MAX_MESSAGE; i++)
		plain[i] = (uint8_t)random_below(256);
	deflater_append(d, &payload, plain, MAX_MESSAGE);
	assert_true(payload.size > MAX_MESSAGE);
	append_masked(&bytes, FIN_BINARY | 0x40, payload.data, payload.size);
	t.deflates = true;
	assert_true(feed(in, &bytes, CUT_WHOLE, &t));
	assert_int_equal(t.events, 1);
	websocket_input_free(in);
	buffer_clear(&t.line);
	deflater_free(d);
	free(plain);
	buffer_clear(&payload);
	buffer_clear(&bytes);
}

/* An input may be lent to a connection where the extension is not in use. */
static void
test_input_is_lent(void **state)
{
	struct websocket_input *in = websocket_input_new(MAX_MESSAGE);
	struct buffer bytes = BUFFER_INIT;
	struct transcript t = { .deflates = true };

	(void)state;
	assert_non_null(in);
	append_masked(&bytes, FIN_TEXT | 0x40, HELLO, sizeof(HELLO) - 1);
	assert_true(feed(in, &bytes, CUT_BYTES, &t));
	assert_true(websocket_input_is_idle(in));
	t.deflates = false;
	assert_false(feed(in, &bytes, CUT_BYTES, &t));
	assert_string_equal(transcript_text(&t), "text:Hello error:1002");
	websocket_input_free(in);
	buffer_clear(&bytes);
	buffer_clear(&t.line);
}

static void
test_input_close_codes(void **state)
{
	static const struct {
		unsigned int first;
		unsigned int last;
		bool valid;
	} ranges[] = {
		{ 0, 999, false },
		{ 1000, 1003, true },
		{ 1004, 1006, false },
		{ 1007, 1014, true },
		{ 1015, 2999, false },
		{ 3000, 4999, true },
		{ 5000, 65535, false },
	};
	char expected[32];

	(void)state;
	for (size_t i = 0; i < COUNT(ranges); i++) {
		unsigned int code = ranges[i].first;

		for (; code <= ranges[i].last; code++) {
			uint8_t payload[2] = { (uint8_t)(code >> 8),
				(uint8_t)code };
			struct buffer bytes = BUFFER_INIT;

			append_masked(&bytes, FIN_CLOSE, payload, 2);
			snprintf(expected, sizeof(expected),
			    ranges[i].valid ? "close:%u:" : "error:1002", code);
			run_case("close code", &bytes, false, CUT_WHOLE,
			    expected);
			buffer_clear(&bytes);
		}
	}
}

/* Errors are seen with the byte that makes them certain. */
static void
test_input_errors_early(void **state)
{
	static const struct {
		const char *name;
		struct piece piece;
		size_t header;	/* bytes of it */
		size_t payload; /* bytes of it that are needed */
		unsigned int code;
	} cases[] = {
		{ "surrogate", FRAME(FIN_TEXT, "ab\xed\xa0\x80zzz"), 6, 4,
		    1007 },
		{ "U+110000", FRAME(FIN_TEXT, "\xf4\x90\x80\x80zzz"), 6, 2,
		    1007 },
		{ "0xff", FRAME(PART_TEXT, "abc\xffzzz"), 6, 4, 1007 },
		{ "too big", FILLED(FIN_BINARY, MAX_MESSAGE + 1, 'x'), 14, 1,
		    1009 },
		{ "RSV1", FRAME(FIN_TEXT | 0x40, "zzz"), 6, 1, 1002 },
		{ "fragmented ping", FRAME(0x09, "zzz"), 2, 0, 1002 },
		{ "64 bits for 5", BYTES("\x81\xff\0\0\0\0\0\0\0\x05zzzz"), 10,
		    0, 1002 },
	};
	char expected[32];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer bytes = BUFFER_INIT;

		append_piece(&bytes, &cases[i].piece);
		bytes.size = cases[i].header + cases[i].payload;
		snprintf(expected, sizeof(expected), "error:%u", cases[i].code);
		run_case(cases[i].name, &bytes, false, CUT_WHOLE, expected);
		run_case(cases[i].name, &bytes, false, CUT_BYTES, expected);
		bytes.size--;
		run_case(cases[i].name, &bytes, false, CUT_WHOLE, "");
		run_case(cases[i].name, &bytes, false, CUT_BYTES, "");
		buffer_clear(&bytes);
	}
}

/* Payloads of every way to write a length arrive as they were sent. */
static void
test_input_payloads(void **state)
{
	static const size_t sizes[] = { 1, 3, 4, 5, 125, 126, 127, 4095, 4096,
		4097, 65535, 65536, MAX_MESSAGE };
	uint8_t *payload = malloc(MAX_MESSAGE);

	(void)state;
	assert_non_null(payload);
	for (size_t i = 0; i < MAX_MESSAGE; i++)
		payload[i] = (uint8_t)random_next();
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct buffer bytes = BUFFER_INIT, expected = BUFFER_INIT;
		size_t half = sizes[i] / 2;

		buffer_append_string(&expected, "binary:");
		append_payload(&expected, payload, sizes[i]);
		buffer_append_byte(&expected, ' ');
		buffer_append(&expected, expected.data, 7);
		append_payload(&expected, payload, sizes[i]);
		buffer_append_byte(&expected, '\0');

		append_masked(&bytes, FIN_BINARY, payload, sizes[i]);
		append_masked(&bytes, PART_BINARY, payload, half);
		append_masked(&bytes, FIN_CONTINUATION, payload + half,
		    sizes[i] - half);
		for (int cut = CUT_WHOLE; cut <= CUT_RANDOM; cut++)
			run_case("payload", &bytes, false, (enum cut)cut,
			    (const char *)expected.data);
		buffer_clear(&bytes);
		buffer_clear(&expected);
	}
	free(payload);
}

/* Idle exactly at the ends of frames that end messages or are control. */
static void
test_input_is_idle(void **state)
{
	static const struct {
		struct piece piece;
		bool idle_after;
	} pieces[] = {
		{ FRAME(FIN_TEXT, "Hello"), true },
		{ FRAME(FIN_PING, ""), true },
		{ FRAME(FIN_TEXT, ""), true },
		{ FILLED(FIN_BINARY, 126, 'x'), true },
		{ FILLED(FIN_BINARY, 65535, 'x'), true },
		{ FILLED(FIN_BINARY, 65536, 'x'), true },
		{ FRAME(PART_TEXT, ""), false },
		{ FRAME(FIN_PING, "p"), false },
		{ FRAME(PART_CONTINUATION, "a"), false },
		{ FILLED(PART_CONTINUATION, 300, 'b'), false },
		{ FRAME(FIN_PONG, ""), false },
		{ FRAME(FIN_CONTINUATION, ""), true },
		{ FRAME(FIN_PONG, "q"), true },
	};
	struct websocket_input *in = websocket_input_new(MAX_MESSAGE);
	struct buffer bytes = BUFFER_INIT, all = BUFFER_INIT;
	struct transcript t = { 0 };

	(void)state;
	assert_true(websocket_input_is_idle(in));
	assert_true(
	    websocket_input_write(in, NULL, 0, false, transcript_cb, &t));
	assert_true(websocket_input_is_idle(in));
	for (size_t i = 0; i < COUNT(pieces); i++) {
		buffer_reset(&bytes);
		append_piece(&bytes, &pieces[i].piece);
		append_piece(&all, &pieces[i].piece);
		for (size_t at = 0; at < bytes.size; at++) {
			assert_true(websocket_input_write(in, bytes.data + at,
			    1, false, transcript_cb, &t));
			assert_int_equal(websocket_input_is_idle(in),
			    pieces[i].idle_after && at + 1 == bytes.size);
		}
	}
	assert_true(feed(in, &all, CUT_WHOLE, &t));
	assert_true(websocket_input_is_idle(in));

	/* The first byte of another frame comes along with a whole one. */
	buffer_reset(&bytes);
	append_piece(&bytes, &pieces[0].piece);
	buffer_append_byte(&bytes, FIN_PING);
	assert_true(feed(in, &bytes, CUT_WHOLE, &t));
	assert_false(websocket_input_is_idle(in));
	websocket_input_free(in);
	websocket_input_free(NULL);
	buffer_clear(&bytes);
	buffer_clear(&all);
	buffer_clear(&t.line);
}

static void
test_input_take_frames(void **state)
{
	struct websocket_input *in = websocket_input_new(MAX_MESSAGE);
	struct buffer bytes = BUFFER_INIT;
	struct transcript t = { 0 };

	(void)state;
	assert_int_equal(websocket_input_take_frames(in), 0);
	append_masked(&bytes, PART_TEXT, "a", 1);
	append_masked(&bytes, FIN_PING, "", 0);
	append_masked(&bytes, FIN_CONTINUATION, "b", 1);
	assert_true(feed(in, &bytes, CUT_BYTES, &t));
	assert_int_equal(websocket_input_take_frames(in), 3);
	assert_int_equal(websocket_input_take_frames(in), 0);
	assert_true(feed(in, &bytes, CUT_WHOLE, &t));
	assert_true(feed(in, &bytes, CUT_WHOLE, &t));
	assert_int_equal(websocket_input_take_frames(in), 6);
	websocket_input_free(in);
	buffer_clear(&bytes);
	buffer_clear(&t.line);
}

/* What is behind a message that is held waits, however it is written. */
static void
test_input_hold(void **state)
{
	struct websocket_input *in = websocket_input_new(MAX_MESSAGE);
	struct buffer bytes = BUFFER_INIT;
	struct transcript t = { .holds = 1 };

	(void)state;
	for (char c = 'a'; c <= 'z'; c++)
		append_masked(&bytes, FIN_TEXT, &c, 1);
	append_masked(&bytes, FIN_PING, "p", 1);
	append_masked(&bytes, FIN_CLOSE, "\x03\xe8", 2);
	for (size_t at = 0; at < bytes.size; at++)
		assert_true(websocket_input_write(in, bytes.data + at, 1, false,
		    transcript_cb, &t));
	assert_true(websocket_input_resume(in, false, transcript_cb, &t));
	assert_int_equal(t.events, 0);
	t.holds = 0;
	assert_false(websocket_input_resume(in, false, transcript_cb, &t));
	assert_false(websocket_input_is_held(in));
	assert_string_equal(transcript_text(&t),
	    "text:a text:b text:c text:d text:e text:f text:g text:h text:i "
	    "text:j text:k text:l text:m text:n text:o text:p text:q text:r "
	    "text:s text:t text:u text:v text:w text:x text:y text:z ping:p "
	    "close:1000:");
	websocket_input_free(in);
	buffer_clear(&bytes);
	buffer_clear(&t.line);
}

/* A callback that says to stop gets no more, not even in the same write. */
static void
test_input_stop(void **state)
{
	static const struct {
		size_t stop_after;
		const char *expected;
	} cases[] = {
		{ 1, "text:a" },
		{ 2, "text:a ping:p" },
		{ 3, "text:a ping:p text:bc" },
	};
	struct buffer bytes = BUFFER_INIT;

	(void)state;
	append_masked(&bytes, FIN_TEXT, "a", 1);
	append_masked(&bytes, PART_TEXT, "b", 1);
	append_masked(&bytes, FIN_PING, "p", 1);
	append_masked(&bytes, FIN_CONTINUATION, "c", 1);
	append_masked(&bytes, FIN_PONG, "", 0);
	for (size_t i = 0; i < COUNT(cases) * 3; i++) {
		struct websocket_input *in = websocket_input_new(MAX_MESSAGE);
		struct transcript t = { .stop_after = cases[i / 3].stop_after };

		assert_false(feed(in, &bytes, (enum cut)(i % 3), &t));
		assert_string_equal(transcript_text(&t), cases[i / 3].expected);
		assert_false(websocket_input_is_idle(in));
		assert_false(websocket_input_write(in, bytes.data, bytes.size,
		    false, transcript_cb, &t));
		websocket_input_free(in);
		buffer_clear(&t.line);
	}
	buffer_clear(&bytes);
}

/* A fragment of a message, or all of it. */
static void
append_random_fragment(struct buffer *b, bool *inside, bool deflates)
{
	static const char *const texts[] = { "Hello", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80", "" };
	const char *text = texts[random_below(COUNT(texts))];
	uint8_t first = *inside ? 0 : (uint8_t)(1 + random_below(2));
	char filled[300];

	*inside = random_below(2) == 0;
	if (!*inside)
		first |= 0x80;
	if (deflates && (first & 0x0f) != 0 && random_below(2) == 0)
		append_masked(b, first | 0x40, HELLO, sizeof(HELLO) - 1);
	else if (random_below(8) > 0)
		append_masked(b, first, text, strlen(text));
	else
		append_masked(b, first, memset(filled, 'x', sizeof(filled)),
		    random_below(sizeof(filled)));
}

/* A frame that may follow what was sent, or be a close frame. */
static void
append_random_frame(struct buffer *b, bool *inside, bool deflates)
{
	static const uint8_t controls[] = { FIN_PING, FIN_PONG };

	if (random_below(16) == 0)
		append_masked(b, FIN_CLOSE, "\x03\xe8zzz", 5);
	else if (random_below(3) == 0)
		append_masked(b, controls[random_below(2)], "abc",
		    random_below(4));
	else
		append_random_fragment(b, inside, deflates);
}

static void
mutate(struct buffer *b)
{
	for (size_t n = 1 + random_below(3); n > 0; n--) {
		size_t at = random_below(b->size);

		if (random_below(3) == 0)
			b->data[at] += (uint8_t)(1 + random_below(255));
		else
			b->data[at] ^= (uint8_t)(1 << random_below(8));
	}
	if (random_below(8) == 0)
		b->size = random_below(b->size);
}

/* Whatever is sent, the cuts make no difference. */
static void
test_input_mutated(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	const size_t rounds = 100000;
	size_t events = 0; /* but for errors */

	(void)state;
	for (size_t round = 0; round < rounds; round++) {
		struct websocket_input *in = websocket_input_new(MAX_MESSAGE);
		struct transcript t = { .deflates = round % 2 == 0 };
		bool inside = false;

		assert_non_null(in);
		buffer_reset(&bytes);
		for (size_t n = 1 + random_below(6); n > 0; n--)
			append_random_frame(&bytes, &inside, t.deflates);
		mutate(&bytes);
		feed(in, &bytes, CUT_WHOLE, &t);
		events += t.events;
		if (strstr(transcript_text(&t), "error:") != NULL)
			events--;
		run_case("mutated", &bytes, t.deflates,
		    round % 4 < 2 ? CUT_RANDOM : CUT_HELD, transcript_text(&t));
		websocket_input_free(in);
		buffer_clear(&t.line);
	}
	/* Else it would be a test of the first few bytes only. */
	assert_true(events > rounds);
	buffer_clear(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_handshake_request_line),
		cmocka_unit_test(test_asked_for),
		cmocka_unit_test(test_accept_key),
		cmocka_unit_test(test_append_frame),
		cmocka_unit_test(test_output_sizes),
		cmocka_unit_test(test_append_fails),
		cmocka_unit_test(test_append_close),
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_input_deflates),
		cmocka_unit_test(test_input_inflated_sizes),
		cmocka_unit_test(test_input_is_lent),
		cmocka_unit_test(test_input_close_codes),
		cmocka_unit_test(test_input_errors_early),
		cmocka_unit_test(test_input_payloads),
		cmocka_unit_test(test_input_is_idle),
		cmocka_unit_test(test_input_take_frames),
		cmocka_unit_test(test_input_hold),
		cmocka_unit_test(test_input_stop),
		cmocka_unit_test(test_input_mutated),
	};

	random_seed();
	return cmocka_run_group_tests_name("websocket", tests, NULL, NULL);
}
