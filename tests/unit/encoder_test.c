/* SPDX-License-Identifier: ISC */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/format.h"
#include "core/splitter.h"
#include "core/utf8.h"
#include "core/websocket.h"
#include "seed.h"

#define ROUNDS 3000
#define TEXT_MAX 200
#define CARRIERS CARRIER_EVENTS_CHUNKED /* events are tested elsewhere */
#define TIME INT64_C(1700000000123456)
#define R "\357\277\275" /* U+FFFD */

#define LINE(...) .kind = KIND_LINE, .record = { __VA_ARGS__ }
#define PARTIAL(...) .kind = KIND_PARTIAL, .record = { __VA_ARGS__ }
#define TEXT(s) .text = (const uint8_t *)(s), .size = sizeof(s) - 1
#define NO_TEXT .text = NULL, .size = 0
#define RESTART(...)                                                           \
	.kind = KIND_RESTART, .record = { .seq = 7, .time_us = TIME },         \
	.restart = { .run = "bd8122a15b81a470", __VA_ARGS__ }

enum kind {
	KIND_LINE,
	KIND_PARTIAL,
	KIND_START,
	KIND_GAP,
	KIND_CLIENTS,
	KIND_EXIT,
	KIND_RESTART,
	KIND_COUNT,
};

/* A call of one of the functions; what the kind does not need is unset. */
struct sample {
	enum kind kind;
	struct record record;
	struct start_info start;
	struct exit_info exit;
	struct restart_info restart; /* record has its number and time */
	uint64_t first;
	uint64_t last;
	enum gap_reason reason;
	size_t count;
};

/* The text of such a record is not aligned. */
static void
append_restart(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier, const struct sample *s)
{
	uint8_t text[sizeof(s->restart) + 1];
	struct record r = s->record;

	memcpy(text + 1, &s->restart, sizeof(s->restart));
	r.text = text + 1;
	r.size = sizeof(s->restart);
	r.restart = true;
	encoder_append_line(e, out, format, carrier, &r);
}

static void
append_sample(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier, const struct sample *s)
{
	switch (s->kind) {
	case KIND_LINE:
		encoder_append_line(e, out, format, carrier, &s->record);
		break;
	case KIND_PARTIAL:
		encoder_append_partial(e, out, format, carrier, &s->record);
		break;
	case KIND_START:
		encoder_append_start(e, out, format, carrier, &s->start);
		break;
	case KIND_GAP:
		encoder_append_gap(e, out, format, carrier, s->first, s->last,
		    s->reason);
		break;
	case KIND_CLIENTS:
		encoder_append_clients(e, out, format, carrier, s->count);
		break;
	case KIND_EXIT:
		encoder_append_exit(e, out, format, carrier, &s->exit);
		break;
	case KIND_RESTART:
		append_restart(e, out, format, carrier, s);
		break;
	case KIND_COUNT:
		fail();
	}
}

/* Takes one whole frame off, strictly; returns its size. */
static size_t
unwrap_frame(struct buffer *payload, enum websocket_opcode opcode,
    const uint8_t *s, size_t n)
{
	size_t length, head = 2, i;

	assert_true(n >= 2);
	assert_int_equal(s[0], 0x80 | opcode);
	assert_int_equal(s[1] & 0x80, 0);
	length = s[1];
	if (length >= 126) {
		head += length == 126 ? 2 : 8;
		assert_true(n >= head);
		for (length = 0, i = 2; i < head; i++)
			length = length << 8 | s[i];
		assert_true(length >= (head == 4 ? 126 : 65536));
	}
	assert_true(length <= n - head);
	buffer_append(payload, s + head, length);
	return head + length;
}

static size_t
unwrap_chunk(struct buffer *payload, const uint8_t *s, size_t n)
{
	char head[32];
	size_t length, size;
	const uint8_t *end = memchr(s, '\r', n);

	assert_non_null(end);
	length = (size_t)strtoul((const char *)s, NULL, 16);
	assert_true(length > 0);
	size = (size_t)snprintf(head, sizeof(head), "%zx\r\n", length);
	assert_true(n >= size + length + 2);
	assert_memory_equal(s, head, size);
	assert_memory_equal(s + size + length, "\r\n", 2);
	buffer_append(payload, s + size, length);
	return size + length + 2;
}

/* Takes everything in out apart, as a client would put it together. */
static void
unwrap_all(struct buffer *payload, enum format format, enum carrier carrier,
    const struct buffer *out)
{
	enum websocket_opcode opcode =
	    format == FORMAT_RAW ? WEBSOCKET_BINARY : WEBSOCKET_TEXT;
	size_t i = 0;

	assert_false(out->failed);
	while (i < out->size) {
		if (carrier == CARRIER_WEBSOCKET)
			i += unwrap_frame(payload, opcode, out->data + i,
			    out->size - i);
		else if (carrier == CARRIER_CHUNKED)
			i +=
			    unwrap_chunk(payload, out->data + i, out->size - i);
		else {
			buffer_append(payload, out->data, out->size);
			i = out->size;
		}
	}
	assert_int_equal(i, out->size);
}

/* The payload of a sample, the same in each carrier and each time. */
static void
append_payload(struct encoder *e, struct buffer *payload, enum format format,
    enum carrier carrier, const struct sample *s)
{
	struct buffer once = BUFFER_INIT, twice = BUFFER_INIT;

	append_sample(e, &once, format, carrier, s);
	unwrap_all(payload, format, carrier, &once);
	append_sample(e, &twice, format, carrier, s);
	append_sample(e, &twice, format, carrier, s);
	assert_int_equal(twice.size, 2 * once.size);
	if (once.size > 0) {
		assert_memory_equal(twice.data, once.data, once.size);
		assert_memory_equal(twice.data + once.size, once.data,
		    once.size);
	}
	buffer_clear(&once);
	buffer_clear(&twice);
}

static void
check_sample(enum format format, const struct sample *s, const char *expected,
    size_t n)
{
	struct encoder *e = encoder_new();
	struct buffer payload = BUFFER_INIT, wanted = BUFFER_INIT;
	enum carrier carrier;

	assert_non_null(e);
	for (carrier = 0; carrier < CARRIERS; carrier++) {
		append_payload(e, &payload, format, carrier, s);
		buffer_append(&wanted, expected, n);
		/* Text has a newline where the command wrote one. */
		if (carrier != CARRIER_WEBSOCKET && format != FORMAT_RAW &&
		    (format == FORMAT_JSON || s->kind != KIND_LINE ||
			!s->record.continued))
			buffer_append_byte(&wanted, '\n');
		assert_int_equal(payload.size, wanted.size);
		if (wanted.size > 0)
			assert_memory_equal(payload.data, wanted.data,
			    wanted.size);
		buffer_reset(&payload);
		buffer_reset(&wanted);
	}
	buffer_clear(&payload);
	buffer_clear(&wanted);
	encoder_free(e);
}

static const char *const no_command[] = { NULL };
static const char *const make_command[] = { "make", "-j8", NULL };
static const char *const odd_command[] = { "", "a\"b", "\377\\", NULL };

static const struct {
	const char *name;
	enum format format;
	struct sample sample;
	const char *expected;
} cases[] = {
	{ "text line", FORMAT_TEXT, { LINE(1, TIME, TEXT("gr\303\274n")) },
	    "gr\303\274n" },
	{ "text empty", FORMAT_TEXT, { LINE(1, TIME, TEXT("")) }, "" },
	{ "text of no address", FORMAT_TEXT, { LINE(1, TIME, NO_TEXT) }, "" },
	{ "text continued", FORMAT_TEXT,
	    { LINE(1, TIME, TEXT("abc"), STREAM_STDERR, true) }, "abc" },
	{ "text repaired", FORMAT_TEXT,
	    { LINE(1, TIME, TEXT("gr\374n \"\\\"")) }, "gr" R "n \"\\\"" },
	{ "text gap", FORMAT_TEXT,
	    { .kind = KIND_GAP,
		.first = 10,
		.last = 20,
		.reason = GAP_EVICTED },
	    "[wsexec: lines 10 to 20 are missing: evicted from the history]" },
	{ "text gap of one", FORMAT_TEXT,
	    { .kind = KIND_GAP, .first = 10, .last = 10, .reason = GAP_SLOW },
	    "[wsexec: line 10 is missing: this client was too slow]" },
	{ "text gap, far", FORMAT_TEXT,
	    { .kind = KIND_GAP,
		.first = 1,
		.last = UINT64_MAX,
		.reason = GAP_SLOW },
	    "[wsexec: lines 1 to 18446744073709551615 are missing: "
	    "this client was too slow]" },

	{ "raw line", FORMAT_RAW, { LINE(1, TIME, TEXT("\377a")) }, "\377a\n" },
	{ "raw empty", FORMAT_RAW, { LINE(1, TIME, TEXT("")) }, "\n" },
	{ "raw of no address", FORMAT_RAW, { LINE(1, TIME, NO_TEXT) }, "\n" },
	{ "raw continued", FORMAT_RAW,
	    { LINE(1, TIME, TEXT("a"), STREAM_STDOUT, true) }, "a" },

	{ "json line", FORMAT_JSON, { LINE(121, TIME, TEXT("a b")) },
	    "{\"type\":\"line\",\"seq\":121,\"time\":1700000000.123456,"
	    "\"stream\":\"stdout\",\"text\":\"a b\"}" },
	{ "json stderr continued", FORMAT_JSON,
	    { LINE(1, 0, TEXT(""), STREAM_STDERR, true) },
	    "{\"type\":\"line\",\"seq\":1,\"time\":0.000000,"
	    "\"stream\":\"stderr\",\"text\":\"\",\"continued\":true}" },
	{ "json of no address", FORMAT_JSON, { LINE(UINT64_MAX, 7, NO_TEXT) },
	    "{\"type\":\"line\",\"seq\":18446744073709551615,"
	    "\"time\":0.000007,\"stream\":\"stdout\",\"text\":\"\"}" },
	{ "json before 1970", FORMAT_JSON, { LINE(1, -500000, TEXT("")) },
	    "{\"type\":\"line\",\"seq\":1,\"time\":-0.500000,"
	    "\"stream\":\"stdout\",\"text\":\"\"}" },
	{ "json long before", FORMAT_JSON, { LINE(1, INT64_MIN, TEXT("")) },
	    "{\"type\":\"line\",\"seq\":1,\"time\":-9223372036854.775808,"
	    "\"stream\":\"stdout\",\"text\":\"\"}" },
	{ "json escapes", FORMAT_JSON,
	    { LINE(10, 1000000, TEXT("\"\\/\t\r\b\f\v\033[0m\177\001\037")) },
	    "{\"type\":\"line\",\"seq\":10,\"time\":1.000000,"
	    "\"stream\":\"stdout\",\"text\":\"\\\"\\\\/\\t\\r\\b\\f\\u000b"
	    "\\u001b[0m\177\\u0001\\u001f\"}" },
	{ "json repaired", FORMAT_JSON,
	    { LINE(1, 0, TEXT("\303\274\303\"\341\200\n\360\237\230")) },
	    "{\"type\":\"line\",\"seq\":1,\"time\":0.000000,"
	    "\"stream\":\"stdout\",\"text\":\"\303\274" R "\\\"" R "\\n" R
	    "\"}" },
	{ "json partial", FORMAT_JSON,
	    { PARTIAL(2, TIME, TEXT("50%"), STREAM_STDERR) },
	    "{\"type\":\"line\",\"seq\":2,\"time\":1700000000.123456,"
	    "\"stream\":\"stderr\",\"text\":\"50%\",\"partial\":true}" },
	{ "json partial is not continued", FORMAT_JSON,
	    { PARTIAL(2, TIME, TEXT("?"), STREAM_STDOUT, true) },
	    "{\"type\":\"line\",\"seq\":2,\"time\":1700000000.123456,"
	    "\"stream\":\"stdout\",\"text\":\"?\",\"partial\":true}" },

	{ "json start", FORMAT_JSON,
	    { .kind = KIND_START,
		.start = { "Xy-1", make_command, "the build", TIME, 123, 1, 120,
		    false, false } },
	    "{\"type\":\"start\",\"run\":\"Xy-1\",\"command\":[\"make\","
	    "\"-j8\"],\"title\":\"the build\",\"time\":1700000000.123456,"
	    "\"pid\":123,\"first\":1,\"last\":120,\"resumed\":false}" },
	{ "json start of a writer", FORMAT_JSON,
	    { .kind = KIND_START,
		.start = { "r", no_command, "", 0, 1, 1, 0, false, true } },
	    "{\"type\":\"start\",\"run\":\"r\",\"command\":[],\"title\":\"\","
	    "\"time\":0.000000,\"pid\":1,\"first\":1,\"last\":0,"
	    "\"resumed\":false,\"writable\":true}" },
	{ "json start of no command", FORMAT_JSON,
	    { .kind = KIND_START,
		.start = { "r", no_command, "", TIME, 0, 1, 0, true, false } },
	    "{\"type\":\"start\",\"run\":\"r\",\"command\":[],\"title\":\"\","
	    "\"time\":1700000000.123456,\"pid\":null,\"first\":1,\"last\":0,"
	    "\"resumed\":true}" },
	{ "json start, repaired", FORMAT_JSON,
	    { .kind = KIND_START,
		.start = { "r", odd_command, "\303\n", TIME, 1, 1, 0, true,
		    false } },
	    "{\"type\":\"start\",\"run\":\"r\",\"command\":[\"\",\"a\\\"b\","
	    "\"" R "\\\\\"],\"title\":\"" R "\\n\","
	    "\"time\":1700000000.123456,\"pid\":1,\"first\":1,\"last\":0,"
	    "\"resumed\":true}" },

	{ "json gap", FORMAT_JSON,
	    { .kind = KIND_GAP,
		.first = 10,
		.last = 20,
		.reason = GAP_EVICTED },
	    "{\"type\":\"gap\",\"first\":10,\"last\":20,"
	    "\"reason\":\"evicted\"}" },
	{ "json gap, slow", FORMAT_JSON,
	    { .kind = KIND_GAP, .first = 5, .last = 5, .reason = GAP_SLOW },
	    "{\"type\":\"gap\",\"first\":5,\"last\":5,\"reason\":\"slow\"}" },
	{ "json clients", FORMAT_JSON, { .kind = KIND_CLIENTS, .count = 3 },
	    "{\"type\":\"clients\",\"count\":3}" },
	{ "json exit", FORMAT_JSON,
	    { .kind = KIND_EXIT, .exit = { 0, 0, 12.345, 500, false } },
	    "{\"type\":\"exit\",\"code\":0,\"signal\":null,"
	    "\"seconds\":12.345,\"last\":500}" },
	{ "json exit by a signal", FORMAT_JSON,
	    { .kind = KIND_EXIT, .exit = { 7, 9, 0.0004, 0, false } },
	    "{\"type\":\"exit\",\"code\":null,\"signal\":9,"
	    "\"seconds\":0.000,\"last\":0}" },
	{ "json exit, rounded", FORMAT_JSON,
	    { .kind = KIND_EXIT, .exit = { 255, 0, 59.9996, 1, false } },
	    "{\"type\":\"exit\",\"code\":255,\"signal\":null,"
	    "\"seconds\":60.000,\"last\":1}" },
	{ "json exit before the start", FORMAT_JSON,
	    { .kind = KIND_EXIT, .exit = { 1, 0, -3, 1, false } },
	    "{\"type\":\"exit\",\"code\":1,\"signal\":null,"
	    "\"seconds\":0.000,\"last\":1}" },
	{ "json exit at no time", FORMAT_JSON,
	    { .kind = KIND_EXIT, .exit = { 1, 0, NAN, 1, false } },
	    "{\"type\":\"exit\",\"code\":1,\"signal\":null,"
	    "\"seconds\":0.000,\"last\":1}" },
	{ "json exit at the end of time", FORMAT_JSON,
	    { .kind = KIND_EXIT, .exit = { 1, 0, INFINITY, 1, false } },
	    "{\"type\":\"exit\",\"code\":1,\"signal\":null,"
	    "\"seconds\":1000000000000.000,\"last\":1}" },
	{ "json exit as time is up", FORMAT_JSON,
	    { .kind = KIND_EXIT, .exit = { 0, 15, 2, 1, true } },
	    "{\"type\":\"exit\",\"code\":null,\"signal\":15,"
	    "\"seconds\":2.000,\"timeout\":true,\"last\":1}" },

	{ "json restart", FORMAT_JSON,
	    { RESTART(.code = 1, .seconds = 3.2, .delay = 1, .count = 1) },
	    "{\"type\":\"restart\",\"seq\":7,\"time\":1700000000.123456,"
	    "\"run\":\"bd8122a15b81a470\",\"code\":1,\"signal\":null,"
	    "\"seconds\":3.200,\"delay\":1.000,\"count\":1}" },
	{ "json restart as time is up", FORMAT_JSON,
	    { RESTART(.timed_out = true, .signal = 9, .count = UINT64_MAX) },
	    "{\"type\":\"restart\",\"seq\":7,\"time\":1700000000.123456,"
	    "\"run\":\"bd8122a15b81a470\",\"code\":null,\"signal\":9,"
	    "\"seconds\":0.000,\"timeout\":true,\"delay\":0.000,"
	    "\"count\":18446744073709551615}" },
	{ "text restart", FORMAT_TEXT,
	    { RESTART(.code = 0, .delay = 1, .count = 1) },
	    "[wsexec: the command ended with status 0; "
	    "restart 1 follows in 1 s]" },
	{ "text restart after a signal", FORMAT_TEXT,
	    { RESTART(.signal = 11, .delay = 0.05, .count = 20) },
	    "[wsexec: the command ended with signal 11; "
	    "restart 20 follows in 0.05 s]" },
	{ "text restart as time is up", FORMAT_TEXT,
	    { RESTART(.signal = 15, .timed_out = true, .delay = 59.9996) },
	    "[wsexec: the command ended with signal 15, as its time was up; "
	    "restart 0 follows in 60 s]" },
	{ "text restart at no time", FORMAT_TEXT, { RESTART(.delay = NAN) },
	    "[wsexec: the command ended with status 0; "
	    "restart 0 follows in 0 s]" },
	{ "text restart at the end of time", FORMAT_TEXT,
	    { RESTART(.delay = INFINITY) },
	    "[wsexec: the command ended with status 0; "
	    "restart 0 follows in 1000000000000 s]" },
	{ "raw restart", FORMAT_RAW, { RESTART(.code = 1) }, "" },
};

static void
test_cases_in_all_carriers(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("           %s\n", cases[i].name);
		check_sample(cases[i].format, &cases[i].sample,
		    cases[i].expected, strlen(cases[i].expected));
	}
}

static void
test_nul_in_a_line(void **state)
{
	static const char json[] = "{\"type\":\"line\",\"seq\":1,"
				   "\"time\":0.000000,\"stream\":\"stdout\","
				   "\"text\":\"a\\u0000b\"}";
	const struct sample s = { LINE(1, 0, TEXT("a\0b")) };

	(void)state;
	check_sample(FORMAT_TEXT, &s, "a\0b", 3);
	check_sample(FORMAT_RAW, &s, "a\0b\n", 4);
	check_sample(FORMAT_JSON, &s, json, sizeof(json) - 1);
}

/* Formats that cannot carry a record say nothing, not even an empty chunk. */
static void
test_what_formats_cannot_carry(void **state)
{
	static const bool carried[FORMAT_COUNT][KIND_COUNT] = {
		[FORMAT_TEXT] = { [KIND_LINE] = true,
		    [KIND_GAP] = true,
		    [KIND_RESTART] = true },
		[FORMAT_JSON] = { true, true, true, true, true, true, true },
		[FORMAT_RAW] = { [KIND_LINE] = true },
	};
	struct sample s = { LINE(1, TIME, TEXT("a")) };
	struct encoder *e = encoder_new();
	struct buffer out = BUFFER_INIT;
	enum format format;
	enum carrier carrier;

	(void)state;
	assert_non_null(e);
	s.start = (struct start_info){ .run = "r",
		.command = no_command,
		.title = "",
		.first = 1 };
	for (s.kind = 0; s.kind < KIND_COUNT; s.kind++) {
		for (format = 0; format < FORMAT_COUNT; format++) {
			for (carrier = 0; carrier < CARRIERS; carrier++) {
				append_sample(e, &out, format, carrier, &s);
				assert_int_equal(out.size > 0,
				    carried[format][s.kind]);
				buffer_reset(&out);
			}
		}
	}
	buffer_clear(&out);
	encoder_free(e);
}

/* As a line of text it begins one, also where the output ended in one. */
static void
test_restart_behind_an_unfinished_line(void **state)
{
	const struct sample s = { RESTART(.unfinished = true, .code = 1) };
	const char *notice = "[wsexec: the command ended with status 1; "
			     "restart 0 follows in 0 s]";
	struct encoder *e = encoder_new();
	struct buffer out = BUFFER_INIT;
	enum carrier carrier;

	(void)state;
	assert_non_null(e);
	for (carrier = 0; carrier < CARRIERS; carrier++) {
		append_payload(e, &out, FORMAT_TEXT, carrier, &s);
		buffer_append_byte(&out, '\0');
		assert_false(out.failed);
		if (carrier != CARRIER_WEBSOCKET) {
			assert_int_equal(out.data[0], '\n');
			assert_int_equal(out.data[out.size - 2], '\n');
			out.data[out.size - 2] = '\0';
			buffer_shift(&out, 1);
		}
		assert_string_equal((const char *)out.data, notice);
		buffer_reset(&out);
	}
	buffer_clear(&out);
	encoder_free(e);
}

static void
test_raw_piece_of_nothing(void **state)
{
	const struct sample s = { LINE(1, 0, NO_TEXT, STREAM_STDOUT, true) };

	(void)state;
	check_sample(FORMAT_RAW, &s, "", 0);
}

/* Around the sizes at which the head of a frame or a chunk grows. */
static void
test_sizes(void **state)
{
	static const size_t sizes[] = { 1, 14, 15, 16, 124, 125, 126, 127, 254,
		255, 256, 4094, 4095, 4096, 65534, 65535, 65536, 65537, 1048575,
		1048576 };
	struct sample s = { .kind = KIND_LINE };
	char *text;
	size_t i;

	(void)state;
	assert_non_null(text = malloc(1048577));
	memset(text, 'x', 1048577);
	s.record.text = (const uint8_t *)text;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		s.record.size = sizes[i];
		check_sample(FORMAT_TEXT, &s, text, sizes[i]);
		text[sizes[i]] = '\n';
		check_sample(FORMAT_RAW, &s, text, sizes[i] + 1);
		text[sizes[i]] = 'x';
		s.record.continued = true;
		check_sample(FORMAT_RAW, &s, text, sizes[i]);
		s.record.continued = false;
	}
	free(text);
}

static size_t
random_text(uint8_t *text)
{
	static const char *const pieces[] = { "plain text", "a", "\"", "\\",
		"\303\244", "\342\202\254", "\360\237\230\200", "\t", "\033",
		"\200", "\360\237", "\377", "\177" };
	size_t wanted = (size_t)random() % (TEXT_MAX - 10), n = 0, length;
	const char *piece;

	while (n < wanted) {
		piece = pieces[(size_t)random() %
		    (sizeof(pieces) / sizeof(pieces[0]))];
		length = strlen(piece);
		memcpy(text + n, piece, length);
		n += length;
		if (random() % 16 == 0)
			text[n - 1] = (uint8_t)random();
	}
	return n;
}

static unsigned int
read_hex(const uint8_t *s)
{
	unsigned int value = 0, i;

	for (i = 0; i < 4; i++) {
		assert_non_null(memchr("0123456789abcdef", s[i], 16));
		value = value * 16 + s[i];
		value -= s[i] <= '9' ? '0' : 'a' - 10;
	}
	return value;
}

/* Reads a JSON string as RFC 8259 has it; returns what follows it. */
static const uint8_t *
read_string(const uint8_t *s, const uint8_t *end, struct buffer *text)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	const char *name;

	assert_true(s < end && *s == '"');
	for (s++; s < end && *s != '"'; s++) {
		assert_true(*s >= 0x20);
		if (*s != '\\') {
			buffer_append_byte(text, *s);
			continue;
		}
		assert_true(++s < end && *s != '\0');
		if (*s == 'u') {
			assert_true(end - s > 4);
			assert_true(read_hex(s + 1) < 0x20);
			buffer_append_byte(text, (uint8_t)read_hex(s + 1));
			s += 4;
			continue;
		}
		assert_non_null(name = strchr(names, *s));
		buffer_append_byte(text, (uint8_t)values[name - names]);
	}
	assert_true(s < end);
	return s + 1;
}

static void
check_json_line(const struct buffer *out, const struct buffer *expected)
{
	static const char head[] =
	    "{\"type\":\"line\",\"seq\":42,"
	    "\"time\":1.500000,\"stream\":\"stderr\",\"text\":";
	const uint8_t *end = out->data + out->size, *tail;
	struct buffer text = BUFFER_INIT;

	assert_true(out->size > sizeof(head));
	assert_memory_equal(out->data, head, sizeof(head) - 1);
	tail = read_string(out->data + sizeof(head) - 1, end, &text);
	assert_int_equal(end - tail, 2);
	assert_memory_equal(tail, "}\n", 2);
	assert_int_equal(text.size, expected->size);
	if (text.size > 0)
		assert_memory_equal(text.data, expected->data, text.size);
	assert_true(utf8_is_valid(out->data, out->size));
	buffer_clear(&text);
}

static void
test_random_text_is_repaired_and_parses(void **state)
{
	struct encoder *e = encoder_new();
	struct buffer out = BUFFER_INIT, repaired = BUFFER_INIT;
	uint8_t text[TEXT_MAX];
	struct sample s = { LINE(42, 1500000, .text = text,
	    .stream = STREAM_STDERR) };
	size_t i;

	(void)state;
	assert_non_null(e);
	for (i = 0; i < ROUNDS; i++) {
		s.record.size = random_text(text);
		utf8_append_repaired(&repaired, text, s.record.size);
		assert_true(utf8_is_valid(repaired.data, repaired.size));
		append_sample(e, &out, FORMAT_JSON, CARRIER_PLAIN, &s);
		check_json_line(&out, &repaired);
		check_sample(FORMAT_TEXT, &s, (const char *)repaired.data,
		    repaired.size);
		check_sample(FORMAT_JSON, &s, (const char *)out.data,
		    out.size - 1);
		buffer_reset(&out);
		buffer_reset(&repaired);
	}
	buffer_clear(&out);
	buffer_clear(&repaired);
	encoder_free(e);
}

struct raw_output {
	struct encoder *e; /* borrowed: the test */
	struct buffer out; /* owned */
	enum carrier carrier;
};

static bool
append_raw_line(void *arg, const uint8_t *text, size_t n, bool continued)
{
	struct raw_output *raw = arg;
	struct record r = { 1, 0, text, n, STREAM_STDOUT, continued, false };

	encoder_append_line(raw->e, &raw->out, FORMAT_RAW, raw->carrier, &r);
	return true;
}

static void
check_raw_round_trip(struct raw_output *raw, const uint8_t *text, size_t n)
{
	struct splitter *s = splitter_new(16, append_raw_line, raw);
	struct buffer payload = BUFFER_INIT;

	assert_non_null(s);
	assert_true(splitter_write(s, text, n));
	assert_true(splitter_end(s));
	splitter_free(s);
	unwrap_all(&payload, FORMAT_RAW, raw->carrier, &raw->out);
	assert_int_equal(payload.size, n);
	if (n > 0)
		assert_memory_equal(payload.data, text, n);
	buffer_clear(&payload);
	buffer_reset(&raw->out);
}

static void
test_raw_gives_the_bytes_back(void **state)
{
	struct raw_output raw = { encoder_new(), BUFFER_INIT, 0 };
	uint8_t text[TEXT_MAX];
	size_t n, i, round;

	(void)state;
	assert_non_null(raw.e);
	for (round = 0; round < ROUNDS; round++) {
		n = random_text(text);
		for (i = 0; i < n; i++) {
			if (random() % 8 == 0)
				text[i] = '\n';
		}
		for (raw.carrier = 0; raw.carrier < CARRIERS; raw.carrier++)
			check_raw_round_trip(&raw, text, n);
	}
	buffer_clear(&raw.out);
	encoder_free(raw.e);
}

/* One message of the lines in json with newlines between, or none at all. */
static void
test_lines_in_one_message(void **state)
{
	static const struct sample lines[] = {
		{ LINE(7, 0, TEXT("x")) },
		{ LINE(8, 1500000, .text = NULL, .stream = STREAM_STDERR) },
		{ LINE(9, 0, TEXT("\"")) },
	};
	struct encoder *e = encoder_new();
	struct buffer out = BUFFER_INIT, joined = BUFFER_INIT;
	size_t i, n = 0, head = 4;

	(void)state;
	assert_non_null(e);
	encoder_append_added(e, NULL, &out);
	assert_int_equal(out.size, 0);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		append_payload(e, &joined, FORMAT_JSON, CARRIER_PLAIN,
		    &lines[i]);
	}
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		n = encoder_add_line(e, &lines[i].record);
	assert_int_equal(n, joined.size - 1);
	encoder_append_added(e, NULL, &out);
	assert_int_equal(out.data[0], 0x81);
	assert_int_equal(out.data[1], 126);
	assert_int_equal(out.size, head + n);
	assert_memory_equal(out.data + head, joined.data, n);
	/* And nothing is left of them. */
	encoder_append_added(e, NULL, &out);
	assert_int_equal(out.size, head + n);
	buffer_clear(&out);
	buffer_clear(&joined);
	encoder_free(e);
}

/* A line that no memory can hold, and the encoder after that. */
static void
test_failure_is_told_and_leaves_nothing(void **state)
{
	struct sample huge = { LINE(1, 0, TEXT("x")) };
	const struct sample line = { LINE(1, 0, TEXT("x")) };
	struct encoder *e = encoder_new();
	struct buffer out = BUFFER_INIT, next = BUFFER_INIT;
	enum carrier carrier;
	int continued;

	(void)state;
	assert_non_null(e);
	huge.record.size = SIZE_MAX / 2 + 100;
	for (carrier = 0; carrier < CARRIERS; carrier++) {
		for (continued = 0; continued < 2; continued++) {
			huge.record.continued = continued != 0;
			append_sample(e, &out, FORMAT_RAW, carrier, &huge);
			assert_true(out.failed);
			assert_int_equal(out.size, 0);
			append_sample(e, &out, FORMAT_JSON, carrier, &line);
			assert_int_equal(out.size, 0);
			append_payload(e, &next, FORMAT_RAW, carrier, &line);
			assert_int_equal(next.size, 2);
			assert_memory_equal(next.data, "x\n", 2);
			buffer_reset(&out);
			buffer_reset(&next);
		}
	}
	buffer_clear(&out);
	buffer_clear(&next);
	encoder_free(e);
	encoder_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases_in_all_carriers),
		cmocka_unit_test(test_nul_in_a_line),
		cmocka_unit_test(test_what_formats_cannot_carry),
		cmocka_unit_test(test_restart_behind_an_unfinished_line),
		cmocka_unit_test(test_raw_piece_of_nothing),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_random_text_is_repaired_and_parses),
		cmocka_unit_test(test_raw_gives_the_bytes_back),
		cmocka_unit_test(test_lines_in_one_message),
		cmocka_unit_test(test_failure_is_told_and_leaves_nothing),
	};

	seed_random();
	return cmocka_run_group_tests_name("encoder", tests, NULL, NULL);
}
