/* SPDX-License-Identifier: ISC */

/*
 * Records as events: what is encoded is parsed back by a parser of event
 * streams that is written after the HTML standard, section 9.2.6, and gives
 * each line byte by byte as it was.
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
#include "core/format.h"
#include "core/utf8.h"
#include "seed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROUNDS 3000
#define TEXT_MAX 200
#define EVENTS_MAX 8
#define RUN "bd8122a15b81a470"
#define RUN_NUMBER UINT64_C(0xbd8122a15b81a470)

struct event {
	char type[32];
	char id[64]; /* the last one up to there */
	struct buffer data;
};

struct parser {
	struct event events[EVENTS_MAX]; /* of which the last is in work */
	size_t count;
	bool has_data;
	bool has_id; /* the event in work */
	bool ids[EVENTS_MAX];
	long retry_ms;
};

static struct runs runs; /* of the encoder */

static const enum carrier carriers[] = { CARRIER_EVENTS_CHUNKED,
	CARRIER_EVENTS_PLAIN };

static void
parser_dispatch(struct parser *p)
{
	struct event *event = &p->events[p->count];

	if (!p->has_data) {
		event->type[0] = '\0';
		return;
	}
	if (event->type[0] == '\0')
		strcpy(event->type, "message");
	event->data.size--; /* the newline of the last line */
	p->ids[p->count] = p->has_id;
	p->has_data = p->has_id = false;
	assert_true(++p->count < EVENTS_MAX);
	p->events[p->count] = (struct event){ .data = BUFFER_INIT };
	strcpy(p->events[p->count].id, event->id);
}

static void
parser_set_field(struct parser *p, const char *name, const uint8_t *value,
    size_t size)
{
	struct event *event = &p->events[p->count];
	char text[64] = "";

	if (strcmp(name, "data") == 0) {
		buffer_append(&event->data, value, size);
		buffer_append_byte(&event->data, '\n');
		p->has_data = true;
		return;
	}
	assert_true(size < sizeof(text));
	memcpy(text, value, size);
	if (strcmp(name, "event") == 0) {
		strcpy(event->type, text);
	} else if (strcmp(name, "id") == 0) {
		assert_int_equal(strlen(text), size);
		strcpy(event->id, text);
		p->has_id = true;
	} else if (strcmp(name, "retry") == 0) {
		p->retry_ms = strtol(text, NULL, 10);
	} else {
		fail_msg("no such field: %s", name);
	}
}

static void
parser_take_line(struct parser *p, const uint8_t *line, size_t n)
{
	const uint8_t *colon = n > 0 ? memchr(line, ':', n) : NULL;
	char name[16] = "";
	size_t skip;

	if (n == 0) {
		parser_dispatch(p);
		return;
	}
	assert_non_null(colon); /* we write no field without a value */
	if (colon == line)
		return;
	assert_true((size_t)(colon - line) < sizeof(name));
	memcpy(name, line, (size_t)(colon - line));
	skip = (size_t)(colon - line) + 1;
	if (skip < n && line[skip] == ' ')
		skip++;
	parser_set_field(p, name, line + skip, n - skip);
}

/* A line ends at CR LF, LF or CR. */
static void
parser_take(struct parser *p, const uint8_t *bytes, size_t n)
{
	size_t start = 0, i;

	for (i = 0; i < n; i++) {
		if (bytes[i] != '\r' && bytes[i] != '\n')
			continue;
		parser_take_line(p, bytes + start, i - start);
		if (bytes[i] == '\r' && i + 1 < n && bytes[i + 1] == '\n')
			i++;
		start = i + 1;
	}
	assert_int_equal(start, n); /* nothing is left over */
	assert_false(p->has_data);
}

static void
parser_clear(struct parser *p)
{
	size_t i;

	for (i = 0; i <= p->count; i++)
		buffer_clear(&p->events[i].data);
	memset(p, 0, sizeof(*p));
}

/* Takes the chunks apart, each of which must be whole events. */
static void
parse(struct parser *p, enum carrier carrier, const struct buffer *out)
{
	const uint8_t *at = out->data, *end = out->data + out->size;
	char *size_end;
	size_t size;

	assert_false(out->failed);
	if (carrier == CARRIER_EVENTS_PLAIN) {
		parser_take(p, at, out->size);
		return;
	}
	while (at < end) {
		size = strtoul((const char *)at, &size_end, 16);
		at = (const uint8_t *)size_end;
		assert_true(size > 0 && size + 4 <= (size_t)(end - at));
		assert_memory_equal(at, "\r\n", 2);
		parser_take(p, at + 2, size);
		assert_memory_equal(at + 2 + size, "\r\n", 2);
		at += size + 4;
	}
}

static void
assert_event(const struct parser *p, size_t index, const char *type,
    const char *id)
{
	assert_true(index < p->count);
	assert_string_equal(p->events[index].type, type);
	assert_int_equal(p->ids[index], id != NULL);
	if (id != NULL)
		assert_string_equal(p->events[index].id, id);
}

static void
assert_data(const struct parser *p, size_t index, const uint8_t *data, size_t n)
{
	const struct buffer *found = &p->events[index].data;

	assert_int_equal(found->size, n);
	if (n > 0)
		assert_memory_equal(found->data, data, n);
}

static struct encoder *
make_encoder(void)
{
	struct encoder *e = encoder_new();

	assert_non_null(e);
	memset(&runs, 0, sizeof(runs));
	runs_begin(&runs, RUN_NUMBER, 1);
	encoder_set_runs(e, &runs);
	return e;
}

/* What a client is to get of a line. */
static void
append_expected(struct encoder *e, struct buffer *out, enum format format,
    const struct record *r)
{
	size_t i;

	if (format == FORMAT_JSON) {
		encoder_append_line(e, out, format, CARRIER_PLAIN, r);
		out->size--; /* the newline */
		return;
	}
	utf8_append_repaired(out, r->text, r->size);
	for (i = 0; i < out->size; i++)
		if (out->data[i] == '\r')
			out->data[i] = '\n';
}

/* A line between two hints, in each format and carrier. */
static void
check_line(struct encoder *e, const struct record *r)
{
	static const enum format formats[] = { FORMAT_TEXT, FORMAT_JSON };
	struct parser p = { 0 };
	struct buffer out = BUFFER_INIT, expected = BUFFER_INIT;
	char id[64];
	size_t i;

	(void)snprintf(id, sizeof(id), RUN "/%llu", (unsigned long long)r->seq);
	for (i = 0; i < COUNT(formats) * COUNT(carriers); i++) {
		enum format format = formats[i % COUNT(formats)];
		enum carrier carrier = carriers[i / COUNT(formats)];

		encoder_append_hint(&out, carrier, FORMAT_RETRY);
		encoder_append_line(e, &out, format, carrier, r);
		encoder_append_hint(&out, carrier, FORMAT_COMMENT);
		encoder_append_line(e, &out, format, carrier, r);
		parse(&p, carrier, &out);
		append_expected(e, &expected, format, r);
		assert_int_equal(p.retry_ms, 2000);
		assert_int_equal(p.count, 2);
		assert_event(&p, 0, "message", id);
		assert_data(&p, 0, expected.data, expected.size);
		assert_event(&p, 1, "message", id);
		assert_data(&p, 1, expected.data, expected.size);
		parser_clear(&p);
		buffer_reset(&out);
		buffer_reset(&expected);
	}
	buffer_clear(&out);
	buffer_clear(&expected);
}

static void
test_lines(void **state)
{
	static const char *const texts[] = { "", " ", "  two", "a line", "\r",
		"\r\r", "a\r", "\ra", "10%\r20%\r30%", ": no comment",
		"data: x", "id: 5", "event: exit", "retry: 1",
		"\357\273\277bom", "gr\303\274n\342\200\250", "gr\374n" };
	struct encoder *e = make_encoder();
	struct record r = { .seq = 1 };
	size_t i;

	(void)state;
	check_line(e, &r); /* of no address */
	for (i = 0; i < COUNT(texts); i++) {
		r.seq = i % 2 == 0 ? i + 1 : UINT64_MAX - i;
		r.text = (const uint8_t *)texts[i];
		r.size = strlen(texts[i]);
		r.continued = i % 3 == 0;
		check_line(e, &r);
	}
	r.text = (const uint8_t *)"a\0\rb";
	r.size = 4;
	check_line(e, &r);
	encoder_free(e);
}

static void
test_lines_of_any_bytes(void **state)
{
	struct encoder *e = make_encoder();
	uint8_t text[TEXT_MAX];
	struct record r = { .text = text, .stream = STREAM_STDERR };
	size_t i;

	(void)state;
	for (r.seq = 1; r.seq <= ROUNDS; r.seq++) {
		r.size = (size_t)random() % TEXT_MAX;
		for (i = 0; i < r.size; i++) {
			text[i] = (uint8_t)random();
			if (random() % 8 == 0)
				text[i] = '\r';
			if (text[i] == '\n') /* which no line has */
				text[i] = 'n';
		}
		check_line(e, &r);
	}
	encoder_free(e);
}

/* One of each kind that is no line. */
static void
append_records(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier)
{
	static const char *const command[] = { "a\rb", "c\n", NULL };
	const struct start_info start = { RUN, command, "title", 5, 7, 1, 3,
		true, false };
	const struct exit_info end = { .code = 3, .seconds = 1, .last = 9 };
	const struct record partial = { .seq = 4,
		.text = (const uint8_t *)"1%\r2%",
		.size = 5 };

	encoder_append_start(e, out, format, carrier, &start);
	encoder_append_gap(e, out, format, carrier, 1, 2, GAP_SLOW);
	encoder_append_clients(e, out, format, carrier, 12);
	encoder_append_partial(e, out, format, carrier, &partial);
	encoder_append_exit(e, out, format, carrier, &end);
}

static void
test_other_records_are_events_of_their_type(void **state)
{
	static const char *const types[] = { "start", "gap", "clients",
		"partial", "exit" };
	static const enum format formats[] = { FORMAT_TEXT, FORMAT_JSON };
	struct encoder *e = make_encoder();
	struct parser p = { 0 };
	struct buffer out = BUFFER_INIT, joined = BUFFER_INIT,
		      expected = BUFFER_INIT;
	size_t i, k;

	(void)state;
	append_records(e, &expected, FORMAT_JSON, CARRIER_PLAIN);
	for (i = 0; i < COUNT(formats) * COUNT(carriers); i++) {
		append_records(e, &out, formats[i % COUNT(formats)],
		    carriers[i / COUNT(formats)]);
		parse(&p, carriers[i / COUNT(formats)], &out);
		assert_int_equal(p.count, COUNT(types));
		for (k = 0; k < p.count; k++) {
			assert_event(&p, k, types[k],
			    strcmp(types[k], "exit") == 0 ? RUN "/exit" : NULL);
			buffer_append(&joined, p.events[k].data.data,
			    p.events[k].data.size);
			buffer_append_byte(&joined, '\n');
		}
		assert_int_equal(joined.size, expected.size);
		assert_memory_equal(joined.data, expected.data, expected.size);
		parser_clear(&p);
		buffer_reset(&out);
		buffer_reset(&joined);
	}
	buffer_clear(&out);
	buffer_clear(&joined);
	buffer_clear(&expected);
	encoder_free(e);
}

/* A restart is the last record of its run, and has an id as lines have. */
static void
test_ids_are_of_their_runs(void **state)
{
	static const struct restart_info info = { .run = "0000000000000001" };
	static const char *const ids[] = { RUN "/1", RUN "/2",
		"0000000000000001/3", "0000000000000001/4",
		"0000000000000001/exit" };
	static const char *const types[] = { "message", "restart", "message",
		"message", "exit" };
	const struct record restart = { .seq = 2,
		.text = (const uint8_t *)&info,
		.size = sizeof(info),
		.restart = true };
	const struct exit_info end = { .last = 4 };
	struct encoder *e = make_encoder();
	struct record r = { .text = (const uint8_t *)"x", .size = 1 };
	struct buffer out = BUFFER_INIT;
	struct parser p = { 0 };
	size_t i, k;

	(void)state;
	runs_begin(&runs, 1, 3);
	for (i = 0; i < COUNT(carriers); i++) {
		for (r.seq = 1; r.seq <= 4; r.seq++)
			encoder_append_line(e, &out, FORMAT_TEXT, carriers[i],
			    r.seq == 2 ? &restart : &r);
		encoder_append_exit(e, &out, FORMAT_TEXT, carriers[i], &end);
		parse(&p, carriers[i], &out);
		assert_int_equal(p.count, COUNT(ids));
		for (k = 0; k < p.count; k++)
			assert_event(&p, k, types[k], ids[k]);
		parser_clear(&p);
		buffer_reset(&out);
	}
	buffer_clear(&out);
	encoder_free(e);
}

/* A line that no memory can hold, and the encoder after that. */
static void
test_failure_is_told_and_leaves_nothing(void **state)
{
	const struct record huge = { .seq = 1,
		.text = (const uint8_t *)"x",
		.size = SIZE_MAX / 2 + 100 };
	const struct record line = { .seq = 1,
		.text = (const uint8_t *)"x",
		.size = 1 };
	struct encoder *e = make_encoder();
	struct buffer out = BUFFER_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(carriers); i++) {
		encoder_append_line(e, &out, FORMAT_RAW, carriers[i], &huge);
		assert_true(out.failed);
		assert_int_equal(out.size, 0);
		check_line(e, &line);
		buffer_reset(&out);
	}
	buffer_clear(&out);
	encoder_free(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_lines_of_any_bytes),
		cmocka_unit_test(test_other_records_are_events_of_their_type),
		cmocka_unit_test(test_ids_are_of_their_runs),
		cmocka_unit_test(test_failure_is_told_and_leaves_nothing),
	};

	seed_random();
	return cmocka_run_group_tests_name("event_stream", tests, NULL, NULL);
}
