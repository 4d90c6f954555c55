/* SPDX-License-Identifier: ISC */

/*
 * Formats and carriers brought together.  A payload that is the text of the
 * record as it is goes to the wire from there; others are made in one scratch
 * buffer first, since a frame and a chunk begin with the size.
 */

#include <stdlib.h>

#include "core/buffer.h"
#include "core/deflate.h"
#include "core/format.h"
#include "core/format_encoders.h"
#include "core/websocket.h"

/* A chunk size in hexadecimal, and the line ends of a chunk. */
#define CHUNK_HEAD_MAX (2 * sizeof(size_t) + 2)
#define CHUNK_EXTRA_MAX (CHUNK_HEAD_MAX + 2)

struct encoder {
	struct websocket_output *frames; /* owned */
	struct buffer scratch;	   /* a payload; empty between two messages */
	struct deflater *deflater; /* borrowed: by the call in progress */
	struct buffer wrapped;	   /* a payload, compressed or as an event */
	uint64_t deflated_bytes;   /* compressed so far, not yet taken */
	const struct runs *runs;   /* borrowed: of its owner; or NULL */
	enum sanitize sanitize;
};

struct encoder *
encoder_new(void)
{
	struct encoder *e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	e->scratch = e->wrapped = (struct buffer)BUFFER_INIT;
	if ((e->frames = websocket_output_new()) == NULL) {
		free(e);
		return NULL;
	}
	return e;
}

void
encoder_free(struct encoder *e)
{
	if (e == NULL)
		return;
	websocket_output_free(e->frames);
	buffer_clear(&e->scratch);
	buffer_clear(&e->wrapped);
	free(e);
}

void
encoder_set_runs(struct encoder *e, const struct runs *runs)
{
	e->runs = runs;
}

/* What the ids of events have in front of the number; those alone need it. */
static const char *
encoder_run_of(const struct encoder *e, enum carrier carrier, uint64_t seq)
{
	return e->runs != NULL && carrier_has_events(carrier) ?
	    runs_find(e->runs, seq)->id :
	    "";
}

void
encoder_set_sanitize(struct encoder *e, enum sanitize level)
{
	e->sanitize = level;
}

bool
encoder_keeps_lines(const struct encoder *e)
{
	return e->sanitize == SANITIZE_NONE;
}

static void
append_plain(struct buffer *out, const struct format_payload *p)
{
	buffer_append(out, p->data, p->size);
	if (p->newline)
		buffer_append_byte(out, '\n');
}

/* Writes a chunk size and its line end; returns what is behind them. */
static uint8_t *
write_chunk_head(uint8_t *to, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	unsigned int digits = 1, i;

	while (digits < 2 * sizeof(size) && size >> (4 * digits) != 0)
		digits++;
	for (i = 1; i <= digits; i++)
		*to++ = (uint8_t)hex[size >> (4 * (digits - i)) & 0xf];
	*to++ = '\r';
	*to++ = '\n';
	return to;
}

/* RFC 9112 section 7.1 */
static void
append_chunk(struct buffer *out, const struct format_payload *p)
{
	uint8_t *to;

	/* A chunk of no bytes would end the response. */
	if (p->size == 0 && !p->newline)
		return;
	/* One growth for all, or none of it: no chunk without its end. */
	if ((to = buffer_reserve(out, p->size + 1 + CHUNK_EXTRA_MAX)) == NULL)
		return;
	to = write_chunk_head(to, p->size + p->newline);
	if (p->size > 0)
		memcpy(to, p->data, p->size);
	to += p->size;
	if (p->newline)
		*to++ = '\n';
	*to++ = '\r';
	*to++ = '\n';
	out->size = (size_t)(to - out->data);
}

static void
encoder_append_frame(struct encoder *e, struct buffer *out,
    enum websocket_opcode opcode, const uint8_t *payload, size_t size)
{
	unsigned int flags = 0;

	if (e->deflater != NULL) {
		buffer_reset(&e->wrapped);
		deflater_append(e->deflater, &e->wrapped, payload, size);
		e->deflated_bytes += size;
		if (e->wrapped.failed) {
			out->failed = true;
			return;
		}
		payload = e->wrapped.data;
		size = e->wrapped.size;
		flags = WEBSOCKET_COMPRESSED;
	}
	websocket_output_append(e->frames, out, opcode, flags, payload, size);
}

static void
encoder_append_message(struct encoder *e, struct buffer *out,
    enum websocket_opcode opcode, const struct format_payload *p)
{
	if (opcode == WEBSOCKET_TEXT || !p->newline) {
		encoder_append_frame(e, out, opcode, p->data, p->size);
		return;
	}
	append_plain(&e->scratch, p);
	if (e->scratch.failed)
		out->failed = true;
	else
		encoder_append_frame(e, out, opcode, e->scratch.data,
		    e->scratch.size);
}

static void
append_body(struct buffer *out, enum carrier carrier,
    const struct format_payload *p)
{
	if (carrier_is_chunked(carrier))
		append_chunk(out, p);
	else
		append_plain(out, p);
}

static void
encoder_append_event(struct encoder *e, struct buffer *out,
    enum carrier carrier, const struct format_event *event,
    const struct format_payload *p)
{
	struct format_payload body = { 0 };

	buffer_reset(&e->wrapped);
	format_event(&e->wrapped, event, p->data, p->size);
	if (e->wrapped.failed) {
		out->failed = true;
		return;
	}
	body.data = e->wrapped.data;
	body.size = e->wrapped.size;
	append_body(out, carrier, &body);
}

/* Puts a payload on the wire; the scratch buffer is empty after that. */
static void
encoder_carry(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier, const struct format_event *event,
    const struct format_payload *p)
{
	if (e->scratch.failed)
		out->failed = true;
	else if (carrier == CARRIER_WEBSOCKET)
		encoder_append_message(e, out,
		    format == FORMAT_RAW ? WEBSOCKET_BINARY : WEBSOCKET_TEXT,
		    p);
	else if (carrier_has_events(carrier))
		encoder_append_event(e, out, carrier, event, p);
	else
		append_body(out, carrier, p);
	buffer_reset(&e->scratch);
}

/* The same for a payload that is in the scratch buffer, and no raw bytes. */
static void
encoder_carry_scratch(struct encoder *e, struct buffer *out,
    enum carrier carrier, const struct format_event *event)
{
	struct format_payload p = { e->scratch.data, e->scratch.size, true };

	encoder_carry(e, out, FORMAT_JSON, carrier, event, &p);
}

static void
encoder_append_restart(struct encoder *e, struct buffer *out,
    enum format format, enum carrier carrier, const struct record *r)
{
	const struct format_event event = { "restart",
		encoder_run_of(e, carrier, r->seq), r->seq };
	struct restart_info info;

	memcpy(&info, r->text, sizeof(info));
	if (format_tells_all(format, carrier)) {
		format_json_restart(&e->scratch, r, &info);
	} else if (format == FORMAT_TEXT) {
		if (carrier != CARRIER_WEBSOCKET && info.unfinished)
			buffer_append_byte(&e->scratch, '\n');
		format_text_restart(&e->scratch, &info);
	} else {
		return;
	}
	encoder_carry_scratch(e, out, carrier, &event);
}

/* As much as is shown of a line, in the scratch buffer. */
static struct format_payload
encoder_sanitize(struct encoder *e, enum format format, const struct record *r)
{
	bool newline = !r->continued;

	sanitize_append(&e->scratch, e->sanitize, r->text, r->size, newline);
	/* Raw messages have the newline, and what is here is not copied. */
	if (format == FORMAT_RAW && newline) {
		buffer_append_byte(&e->scratch, '\n');
		newline = false;
	}
	return (
	    struct format_payload){ e->scratch.data, e->scratch.size, newline };
}

static struct format_payload
encoder_show_line(struct encoder *e, enum format format, const struct record *r)
{
	if (e->sanitize != SANITIZE_NONE)
		return encoder_sanitize(e, format, r);
	return format == FORMAT_TEXT ? format_text_line(&e->scratch, r) :
				       format_raw_line(r);
}

void
encoder_append_line(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier, const struct record *r)
{
	const struct format_event event = { NULL,
		encoder_run_of(e, carrier, r->seq), r->seq };
	struct format_payload p;

	if (r->restart) {
		encoder_append_restart(e, out, format, carrier, r);
		return;
	}
	if (format == FORMAT_JSON) {
		format_json_line(&e->scratch, r, false);
		encoder_carry_scratch(e, out, carrier, &event);
		return;
	}
	p = encoder_show_line(e, format, r);
	/* A message of no bytes would say nothing. */
	if (format == FORMAT_RAW && p.size == 0 && !p.newline)
		return;
	encoder_carry(e, out, format, carrier, &event, &p);
}

void
encoder_append_deflated(struct encoder *e, struct deflater *d,
    struct buffer *out, enum format format, const struct record *r)
{
	e->deflater = d;
	encoder_append_line(e, out, format, CARRIER_WEBSOCKET, r);
	e->deflater = NULL;
}

size_t
encoder_add_line(struct encoder *e, const struct record *r)
{
	struct restart_info info;

	if (e->scratch.size > 0)
		buffer_append_byte(&e->scratch, '\n');
	if (r->restart) {
		memcpy(&info, r->text, sizeof(info));
		format_json_restart(&e->scratch, r, &info);
	} else {
		format_json_line(&e->scratch, r, false);
	}
	return e->scratch.size;
}

void
encoder_append_added(struct encoder *e, struct deflater *d, struct buffer *out)
{
	if (e->scratch.size == 0 && !e->scratch.failed)
		return;
	e->deflater = d;
	encoder_carry_scratch(e, out, CARRIER_WEBSOCKET, NULL);
	e->deflater = NULL;
}

uint64_t
encoder_take_deflated(struct encoder *e)
{
	uint64_t bytes = e->deflated_bytes;

	e->deflated_bytes = 0;
	return bytes;
}

void
encoder_append_partial(struct encoder *e, struct buffer *out,
    enum format format, enum carrier carrier, const struct record *r)
{
	static const struct format_event event = { .type = "partial" };

	if (!format_tells_all(format, carrier))
		return;
	format_json_line(&e->scratch, r, true);
	encoder_carry_scratch(e, out, carrier, &event);
}

void
encoder_append_start(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier, const struct start_info *info)
{
	static const struct format_event event = { .type = "start" };

	if (!format_tells_all(format, carrier))
		return;
	format_json_start(&e->scratch, info);
	encoder_carry_scratch(e, out, carrier, &event);
}

void
encoder_append_gap(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier, uint64_t first, uint64_t last, enum gap_reason reason)
{
	static const struct format_event event = { .type = "gap" };

	if (format_tells_all(format, carrier))
		format_json_gap(&e->scratch, first, last, reason);
	else if (format == FORMAT_TEXT)
		format_text_gap(&e->scratch, first, last, reason);
	else
		return;
	encoder_carry_scratch(e, out, carrier, &event);
}

void
encoder_append_clients(struct encoder *e, struct buffer *out,
    enum format format, enum carrier carrier, size_t count)
{
	static const struct format_event event = { .type = "clients" };

	if (!format_tells_all(format, carrier))
		return;
	format_json_clients(&e->scratch, count);
	encoder_carry_scratch(e, out, carrier, &event);
}

void
encoder_append_exit(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier, const struct exit_info *info)
{
	const struct format_event event = { "exit",
		encoder_run_of(e, carrier, info->last + 1), 0 };

	if (!format_tells_all(format, carrier))
		return;
	format_json_exit(&e->scratch, info);
	encoder_carry_scratch(e, out, carrier, &event);
}

void
encoder_append_hint(struct buffer *out, enum carrier carrier, const char *hint)
{
	/* The newline is the empty line at the end of an event of nothing. */
	const struct format_payload p = { (const uint8_t *)hint, strlen(hint),
		true };

	append_body(out, carrier, &p);
}
