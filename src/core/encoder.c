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
	struct buffer scratch;	   /* a payload; empty between two records */
	struct deflater *deflater; /* borrowed: by the call in progress */
	struct buffer deflated;	   /* a payload, compressed */
	uint64_t deflated_bytes;   /* compressed so far, not yet taken */
};

struct encoder *
encoder_new(void)
{
	struct encoder *e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	e->scratch = e->deflated = (struct buffer)BUFFER_INIT;
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
	buffer_clear(&e->deflated);
	free(e);
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
		buffer_reset(&e->deflated);
		deflater_append(e->deflater, &e->deflated, payload, size);
		e->deflated_bytes += size;
		if (e->deflated.failed) {
			out->failed = true;
			return;
		}
		payload = e->deflated.data;
		size = e->deflated.size;
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

/* Puts a payload on the wire; the scratch buffer is empty after that. */
static void
encoder_carry(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier, const struct format_payload *p)
{
	if (e->scratch.failed)
		out->failed = true;
	else if (carrier == CARRIER_WEBSOCKET)
		encoder_append_message(e, out,
		    format == FORMAT_RAW ? WEBSOCKET_BINARY : WEBSOCKET_TEXT,
		    p);
	else if (carrier == CARRIER_CHUNKED)
		append_chunk(out, p);
	else
		append_plain(out, p);
	buffer_reset(&e->scratch);
}

/* The same for a payload that is in the scratch buffer. */
static void
encoder_carry_scratch(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier)
{
	struct format_payload p = { e->scratch.data, e->scratch.size, true };

	encoder_carry(e, out, format, carrier, &p);
}

void
encoder_append_line(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier, const struct record *r)
{
	struct format_payload p;

	if (format == FORMAT_JSON) {
		format_json_line(&e->scratch, r, false);
		encoder_carry_scratch(e, out, format, carrier);
		return;
	}
	if (format == FORMAT_TEXT)
		p = format_text_line(&e->scratch, r);
	else
		p = format_raw_line(r);
	/* A message of no bytes would say nothing. */
	if (format == FORMAT_RAW && p.size == 0 && !p.newline)
		return;
	encoder_carry(e, out, format, carrier, &p);
}

void
encoder_append_deflated(struct encoder *e, struct deflater *d,
    struct buffer *out, enum format format, const struct record *r)
{
	e->deflater = d;
	encoder_append_line(e, out, format, CARRIER_WEBSOCKET, r);
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
	if (format != FORMAT_JSON)
		return;
	format_json_line(&e->scratch, r, true);
	encoder_carry_scratch(e, out, format, carrier);
}

void
encoder_append_start(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier, const struct start_info *info)
{
	if (format != FORMAT_JSON)
		return;
	format_json_start(&e->scratch, info);
	encoder_carry_scratch(e, out, format, carrier);
}

void
encoder_append_gap(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier, uint64_t first, uint64_t last, enum gap_reason reason)
{
	if (format == FORMAT_RAW)
		return;
	if (format == FORMAT_TEXT)
		format_text_gap(&e->scratch, first, last, reason);
	else
		format_json_gap(&e->scratch, first, last, reason);
	encoder_carry_scratch(e, out, format, carrier);
}

void
encoder_append_clients(struct encoder *e, struct buffer *out,
    enum format format, enum carrier carrier, size_t count)
{
	if (format != FORMAT_JSON)
		return;
	format_json_clients(&e->scratch, count);
	encoder_carry_scratch(e, out, format, carrier);
}

void
encoder_append_exit(struct encoder *e, struct buffer *out, enum format format,
    enum carrier carrier, const struct exit_info *info)
{
	if (format != FORMAT_JSON)
		return;
	format_json_exit(&e->scratch, info);
	encoder_carry_scratch(e, out, format, carrier);
}
