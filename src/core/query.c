/* SPDX-License-Identifier: ISC */

/*
 * One table says what there is: a name, how its value is taken, and what is
 * said when it cannot be.  Nothing that the client wrote is repeated.
 */

#include <stdio.h>
#include <string.h>

#include "core/buffer.h"
#include "core/query.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A name or value without its percent-encoding; any bytes. */
struct decoded {
	char bytes[QUERY_TOKEN_MAX];
	size_t size;
};

enum decode_result {
	DECODE_DONE,
	DECODE_BAD_ESCAPE,
	DECODE_TOO_LONG,
};

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* RFC 3986 section 2.1.  A plus sign is one: this is not a form. */
static enum decode_result
decode(struct slice text, struct decoded *d)
{
	size_t i;
	char c;

	d->size = 0;
	for (i = 0; i < text.size; i++) {
		if ((c = text.data[i]) == '%') {
			int high, low;

			if (text.size - i < 3 ||
			    (high = hex_digit(text.data[i + 1])) < 0 ||
			    (low = hex_digit(text.data[i + 2])) < 0)
				return DECODE_BAD_ESCAPE;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (d->size == sizeof(d->bytes))
			return DECODE_TOO_LONG;
		d->bytes[d->size++] = c;
	}
	return DECODE_DONE;
}

static bool
parse_number(struct slice value, uint64_t *number)
{
	uint64_t n = 0, digit;
	size_t i;

	for (i = 0; i < value.size; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return false;
		digit = (uint64_t)(value.data[i] - '0');
		if (n > (INT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*number = n;
	return value.size > 0;
}

static bool
is_run_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool
is_token_byte(char c)
{
	return c > ' ' && c < 0x7f;
}

/* Copies value into a string that has room for it. */
static bool
copy_bytes(char *to, struct slice value, bool (*is_allowed)(char))
{
	size_t i;

	for (i = 0; i < value.size; i++) {
		if (!is_allowed(value.data[i]))
			return false;
		to[i] = value.data[i];
	}
	to[i] = '\0';
	return true;
}

static bool
set_after(struct query *q, struct slice value)
{
	q->has_after = true;
	return parse_number(value, &q->after);
}

static bool
set_tail(struct query *q, struct slice value)
{
	q->has_tail = true;
	return parse_number(value, &q->tail);
}

static bool
set_run(struct query *q, struct slice value)
{
	return value.size >= 1 && value.size <= QUERY_RUN_MAX &&
	    copy_bytes(q->run, value, is_run_byte);
}

static bool
set_format(struct query *q, struct slice value)
{
	q->has_format = true;
	if (slice_equals(value, "text"))
		q->format = FORMAT_TEXT;
	else if (slice_equals(value, "json"))
		q->format = FORMAT_JSON;
	else if (slice_equals(value, "raw"))
		q->format = FORMAT_RAW;
	else
		return false;
	return true;
}

static bool
set_stream(struct query *q, struct slice value)
{
	q->has_stream = true;
	if (slice_equals(value, "stdout"))
		q->stream = STREAM_STDOUT;
	else if (slice_equals(value, "stderr"))
		q->stream = STREAM_STDERR;
	else
		return false;
	return true;
}

static bool
set_follow(struct query *q, struct slice value)
{
	q->follow = slice_equals(value, "1");
	return q->follow || slice_equals(value, "0");
}

static bool
set_limit(struct query *q, struct slice value)
{
	q->has_limit = true;
	return parse_number(value, &q->limit);
}

static bool
set_token(struct query *q, struct slice value)
{
	return value.size <= QUERY_TOKEN_MAX &&
	    copy_bytes(q->token, value, is_token_byte);
}

static const struct parameter {
	const char *name;
	bool (*set)(struct query *q, struct slice value);
	const char *problem; /* what to say when set() does not take it */
} parameters[] = {
	{ "after", set_after, "not a sequence number, use 0 or more" },
	{ "tail", set_tail, "not a number of records, use 0 or more" },
	{ "run", set_run,
	    "not a run id, use 1 to 64 letters, digits, '-' and '_'" },
	{ "format", set_format, "not a format, use text, json or raw" },
	{ "stream", set_stream, "not a stream, use stdout or stderr" },
	{ "follow", set_follow, "not a switch, use 0 or 1" },
	{ "limit", set_limit, "not a number of records, use 0 or more" },
	{ "token", set_token,
	    "not a token, use at most 256 visible ASCII characters" },
};

static const struct parameter *
find_parameter(struct slice name)
{
	struct decoded d;
	struct slice decoded_name = { d.bytes, 0 };
	size_t i;

	if (decode(name, &d) != DECODE_DONE)
		return NULL;
	decoded_name.size = d.size;
	for (i = 0; i < COUNT(parameters); i++)
		if (slice_equals(decoded_name, parameters[i].name))
			return &parameters[i];
	return NULL;
}

/* What is wrong with the value, or NULL. */
static const char *
set_parameter(const struct parameter *p, struct query *q, struct slice text)
{
	struct decoded d;
	struct slice value = { d.bytes, 0 };

	switch (decode(text, &d)) {
	case DECODE_BAD_ESCAPE:
		return "bad percent-encoding, use % and two hex digits";
	case DECODE_TOO_LONG:
		return p->problem;
	case DECODE_DONE:
		break;
	}
	value.size = d.size;
	return p->set(q, value) ? NULL : p->problem;
}

/* Takes what is before the next separator out of text; it goes as well. */
static struct slice
take_until(struct slice *text, char separator)
{
	struct slice taken = { text->data, text->size };
	const char *found = memchr(text->data, separator, text->size);
	size_t skipped = text->size;

	if (found != NULL) {
		taken.size = (size_t)(found - text->data);
		skipped = taken.size + 1;
	}
	text->data += skipped;
	text->size -= skipped;
	return taken;
}

bool
query_parse(struct slice text, struct query *q, char *why, size_t size)
{
	bool is_given[COUNT(parameters)] = { false }, is_good = true;

	memset(q, 0, sizeof(*q));
	q->follow = true;
	while (text.size > 0) {
		struct slice value = take_until(&text, '&');
		const struct parameter *p;
		const char *problem;

		if (value.size == 0)
			continue;
		p = find_parameter(take_until(&value, '='));
		if (p == NULL)
			continue;
		problem = is_given[p - parameters] ?
		    "given more than once, give it once" :
		    set_parameter(p, q, value);
		is_given[p - parameters] = true;
		if (problem == NULL || !is_good)
			continue;
		snprintf(why, size, "%s: %s", p->name, problem);
		is_good = false;
	}
	/* So many of what is yet to come might never be. */
	if (q->has_limit)
		q->follow = false;
	return is_good;
}

bool
query_name_is_secret(struct slice name)
{
	const struct parameter *p = find_parameter(name);

	return p != NULL && p->set == set_token;
}

void
query_append_public(struct buffer *out, struct slice text)
{
	const size_t begin = out->size;
	struct slice rest, pair;

	while (text.size > 0) {
		pair = rest = take_until(&text, '&');
		if (pair.size == 0 ||
		    query_name_is_secret(take_until(&rest, '=')))
			continue;
		buffer_append_byte(out, out->size > begin ? '&' : '?');
		buffer_append(out, pair.data, pair.size);
	}
}

void
query_set_event_id(struct query *q, struct slice id)
{
	struct slice run = take_until(&id, '/');
	struct query given = *q;

	given.has_exit = slice_equals(id, FORMAT_EXIT_ID);
	if (!set_run(&given, run) ||
	    !(given.has_exit || parse_number(id, &given.after)))
		return;
	if (given.has_exit)
		given.after = INT64_MAX;
	given.has_after = true;
	*q = given;
}
