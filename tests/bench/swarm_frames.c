/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "swarm_frames.h"
#include "swarm_inflater.h"
#include "swarm_lines.h"
#include "swarm_stats.h"

#define FINAL 0x80
#define COMPRESSED 0x40 /* RSV1, RFC 7692 section 6 */
#define RESERVED 0x70
#define MASKED 0x80
#define OPCODE 0x0f
#define OPCODE_TEXT 0x1
#define OPCODE_BINARY 0x2
#define OPCODE_CONTROL 0x8 /* and above */
#define OPCODE_CLOSE 0x8
#define OPCODE_PING 0x9
#define OPCODE_PONG 0xa
#define NO_CODE 1005

unsigned int
frames_close_code(const struct frames *f)
{
	if (f->control_size < 2)
		return NO_CODE;
	return (unsigned int)f->control[0] << 8 | f->control[1];
}

/* A part of a message; ends: its last. */
static bool
frames_deliver(struct frames *f, const uint8_t *bytes, size_t n, bool ends)
{
	const char *text = (const char *)bytes;

	if (!f->is_compressed) {
		lines_take(f->lines, text, n, ends);
		return true;
	}
	if (ends)
		f->lines->check->stats->compressed_messages++;
	if (f->inflater != NULL)
		return inflater_take(f->inflater, f->lines, text, n, ends);
	if (ends)
		lines_take_unseen(f->lines);
	return true;
}

/* Messages that are one short frame, and here as a whole: nearly all. */
static const uint8_t *
frames_take_whole(struct frames *f, const uint8_t *at, const uint8_t *end)
{
	uint8_t flag = f->takes_compressed ? COMPRESSED : 0, first;
	uint64_t count = 0;
	size_t header, size;

	for (; end - at >= 4; at += header + size) {
		first = at[0] & (uint8_t)~flag;
		if (first != (FINAL | OPCODE_TEXT) &&
		    first != (FINAL | OPCODE_BINARY))
			break;
		header = at[1] < 126 ? 2 : 4;
		size = at[1] < 126 ? at[1] : (size_t)at[2] << 8 | at[3];
		if (at[1] > 126 || (size_t)(end - at) < header + size)
			break;
		f->is_compressed = (at[0] & flag) != 0;
		if (!frames_deliver(f, at + header, size, true))
			break;
		count++;
	}
	f->lines->check->stats->frames += count;
	return at;
}

static size_t
header_size(uint8_t length)
{
	if (length < 126)
		return 2;
	return length == 126 ? 4 : 10;
}

/* A header is there: false if it is none. */
static bool
frames_begin(struct frames *f)
{
	uint8_t first = f->header[0], opcode = first & OPCODE, i;
	bool continues = opcode == 0;

	f->left = f->header_size == 2 ? f->header[1] : 0;
	for (i = 2; i < f->header_size; i++)
		f->left = f->left << 8 | f->header[i];
	f->is_in_payload = true;
	if (opcode >= OPCODE_CONTROL) {
		f->control_size = 0;
		return opcode <= OPCODE_PONG && (first & FINAL) != 0 &&
		    (first & RESERVED) == 0 && f->left <= FRAMES_CONTROL_MAX;
	}
	if (opcode > OPCODE_BINARY || continues != f->is_in_message)
		return false;
	if (!continues)
		f->is_compressed = (first & COMPRESSED) != 0;
	f->is_in_message = (first & FINAL) == 0;
	f->lines->check->stats->frames++;
	if ((first & RESERVED) == 0)
		return true;
	return (first & RESERVED) == COMPRESSED && f->takes_compressed &&
	    !continues;
}

/* Takes bytes of the header.  False: they are of none. */
static bool
frames_take_header(struct frames *f, const uint8_t **at, const uint8_t *end)
{
	while (*at < end && !f->is_in_payload) {
		f->header[f->header_size++] = *(*at)++;
		if (f->header_size < 2)
			continue;
		if ((f->header[1] & MASKED) != 0)
			return false;
		if (f->header_size == header_size(f->header[1]) &&
		    !frames_begin(f))
			return false;
	}
	return true;
}

/* A control frame is whole. */
static enum frames_event
frames_end_control(const struct frames *f)
{
	switch (f->header[0] & OPCODE) {
	case OPCODE_PING:
		return FRAMES_PING;
	case OPCODE_CLOSE:
		return FRAMES_CLOSE;
	default:
		return FRAMES_NONE;
	}
}

/* Takes bytes of the payload. */
static enum frames_event
frames_take_payload(struct frames *f, const uint8_t **at, const uint8_t *end)
{
	bool is_control = (f->header[0] & OPCODE) >= OPCODE_CONTROL;
	size_t n = (size_t)(end - *at);
	const uint8_t *bytes = *at;

	if (n > f->left)
		n = (size_t)f->left;
	*at += n;
	f->left -= n;
	if (f->left == 0) {
		f->is_in_payload = false;
		f->header_size = 0;
	}
	if (!is_control)
		return frames_deliver(f, bytes, n,
			   f->left == 0 && !f->is_in_message) ?
		    FRAMES_NONE :
		    FRAMES_BAD;
	memcpy(f->control + f->control_size, bytes, n);
	f->control_size += (uint8_t)n;
	return f->left == 0 ? frames_end_control(f) : FRAMES_NONE;
}

const uint8_t *
frames_take(struct frames *f, const uint8_t *at, const uint8_t *end,
    enum frames_event *event)
{
	*event = FRAMES_NONE;
	while (*event == FRAMES_NONE && at < end) {
		if (f->header_size == 0 && !f->is_in_message)
			at = frames_take_whole(f, at, end);
		if (!frames_take_header(f, &at, end))
			*event = FRAMES_BAD;
		else if (f->is_in_payload)
			*event = frames_take_payload(f, &at, end);
	}
	return at;
}
