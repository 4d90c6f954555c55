/* SPDX-License-Identifier: ISC */

/*
 * Frames in.  wslay takes frames apart and checks what can be told from one
 * header; what needs to know that we are the server, which extension is in
 * use, or what came before, is checked here.
 *
 * All that is half-received is in a struct reception, which exists from the
 * first byte of a frame until the message is taken, so an input without one is
 * idle.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <wslay/wslay.h>

#include "core/buffer.h"
#include "core/deflate.h"
#include "core/utf8.h"
#include "core/websocket.h"

#define CONTROL_MAX 125 /* bytes of payload of a control frame */

struct reception {
	struct wslay_frame_context *frames; /* owned */
	size_t held; /* bytes that wslay took and no chunk gave back */
	uint64_t payload_left; /* of the frame in progress, to come */

	/* Of the message in progress, CONTINUATION if there is none. */
	enum websocket_opcode opcode;
	bool compressed;
	struct buffer message; /* as it comes, compressed or not */
	uint32_t utf8;	    /* state of the check of text, 0 between messages */
	bool holds;	    /* the message is whole and waits */
	struct buffer rest; /* what was written behind it */

	/* A control frame may come in between. */
	uint8_t control[CONTROL_MAX];
	size_t control_size;

	/* The write in progress. */
	const uint8_t *bytes; /* borrowed: by the caller */
	size_t bytes_left;
	bool deflates;
	websocket_message_cb *cb;
	void *arg;
};

struct websocket_input {
	struct reception *reception; /* owned; NULL: nothing half-received */
	size_t max_message;
	unsigned int frames; /* not yet taken */
	bool ended;
};

static ssize_t
reception_recv_cb(uint8_t *to, size_t size, int flags, void *arg)
{
	struct reception *r = arg;

	(void)flags;
	if (size > r->bytes_left)
		size = r->bytes_left;
	if (size == 0)
		return -1;
	memcpy(to, r->bytes, size);
	r->bytes += size;
	r->bytes_left -= size;
	r->held += size;
	return (ssize_t)size;
}

static struct reception *
reception_new(void)
{
	const struct wslay_frame_callbacks callbacks = {
		.recv_callback = reception_recv_cb,
	};
	struct reception *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	if (wslay_frame_context_init(&r->frames, &callbacks, r) != 0) {
		free(r);
		return NULL;
	}
	return r;
}

static void
reception_free(struct reception *r)
{
	if (r == NULL)
		return;
	wslay_frame_context_free(r->frames);
	buffer_clear(&r->message);
	buffer_clear(&r->rest);
	free(r);
}

static bool
reception_is_done(const struct reception *r)
{
	return r->held == 0 && r->payload_left == 0 &&
	    r->opcode == WEBSOCKET_CONTINUATION;
}

/* Reports an error; false, as there is nothing to go on with. */
static bool
report_error(websocket_message_cb *cb, void *arg, enum websocket_code code,
    const char *reason)
{
	const struct websocket_message message = {
		.event = WEBSOCKET_EVENT_ERROR,
		.code = code,
		.reason = reason,
	};

	cb(arg, &message);
	return false;
}

static bool
reception_fail(struct reception *r, enum websocket_code code,
    const char *reason)
{
	return report_error(r->cb, r->arg, code, reason);
}

/* The bits that the first frame of a message may have, and no other one. */
static uint8_t
allowed_rsv(const struct reception *r, uint8_t opcode)
{
	bool first = opcode == WEBSOCKET_TEXT || opcode == WEBSOCKET_BINARY;

	return first && r->deflates ? WEBSOCKET_COMPRESSED : 0;
}

/* What is wrong with the frame that this chunk begins, or NULL. */
static const char *
frame_error(const struct reception *r, const struct wslay_frame_iocb *chunk)
{
	bool inside = r->opcode != WEBSOCKET_CONTINUATION;

	if (!chunk->mask)
		return "frame is not masked";
	if ((chunk->rsv & ~allowed_rsv(r, chunk->opcode)) != 0)
		return "reserved bit is set";
	switch (chunk->opcode) {
	case WEBSOCKET_CONTINUATION:
		return inside ? NULL : "continuation of nothing";
	case WEBSOCKET_TEXT:
	case WEBSOCKET_BINARY:
		return inside ? "new message inside a message" : NULL;
	case WEBSOCKET_CLOSE:
	case WEBSOCKET_PING:
	case WEBSOCKET_PONG:
		return NULL;
	default:
		return "reserved opcode";
	}
}

static size_t
header_size(uint64_t payload_length)
{
	size_t size = 2 + 4; /* with the mask */

	if (payload_length > UINT16_MAX)
		size += 8;
	else if (payload_length >= 126)
		size += 2;
	return size;
}

/* Whether a frame fits into the message that it is of. */
static bool
input_has_room(const struct websocket_input *in,
    const struct wslay_frame_iocb *chunk)
{
	const struct reception *r = in->reception;
	bool compressed = r->opcode == WEBSOCKET_CONTINUATION ?
	    (chunk->rsv & WEBSOCKET_COMPRESSED) != 0 :
	    r->compressed;
	size_t max = compressed ? WEBSOCKET_COMPRESSED_MAX(in->max_message) :
				  in->max_message;

	return chunk->payload_length <= max - r->message.size;
}

static bool
input_begin_frame(struct websocket_input *in,
    const struct wslay_frame_iocb *chunk)
{
	struct reception *r = in->reception;
	bool control = wslay_is_ctrl_frame(chunk->opcode);
	const char *error;

	if ((error = frame_error(r, chunk)) != NULL)
		return reception_fail(r, WEBSOCKET_PROTOCOL_ERROR, error);
	if (!control && !input_has_room(in, chunk))
		return reception_fail(r, WEBSOCKET_TOO_BIG, "message too big");

	in->frames++;
	r->held -= header_size(chunk->payload_length);
	r->payload_left = chunk->payload_length;
	if (control) {
		r->control_size = 0;
	} else if (chunk->opcode != WEBSOCKET_CONTINUATION) {
		r->opcode = (enum websocket_opcode)chunk->opcode;
		r->compressed = (chunk->rsv & WEBSOCKET_COMPRESSED) != 0;
	}
	return true;
}

static bool
reception_collect(struct reception *r, const struct wslay_frame_iocb *chunk)
{
	if (wslay_is_ctrl_frame(chunk->opcode)) {
		memcpy(r->control + r->control_size, chunk->data,
		    chunk->data_length);
		r->control_size += chunk->data_length;
		return true;
	}
	if (r->opcode == WEBSOCKET_TEXT && !r->compressed &&
	    !utf8_check_next(&r->utf8, chunk->data, chunk->data_length))
		return reception_fail(r, WEBSOCKET_BAD_DATA,
		    "text is not UTF-8");
	buffer_append(&r->message, chunk->data, chunk->data_length);
	if (r->message.failed)
		return reception_fail(r, WEBSOCKET_INTERNAL, "out of memory");
	return true;
}

/* Puts the message where its compressed bytes are. */
static bool
input_inflate(struct websocket_input *in)
{
	struct reception *r = in->reception;
	struct buffer compressed = r->message;
	enum inflate_result result;

	r->message = (struct buffer)BUFFER_INIT;
	result = inflate_message(&r->message, compressed.data, compressed.size,
	    in->max_message);
	buffer_clear(&compressed);
	if (result == INFLATE_TOO_BIG)
		return reception_fail(r, WEBSOCKET_TOO_BIG, "message too big");
	if (result == INFLATE_BAD_DATA)
		return reception_fail(r, WEBSOCKET_BAD_DATA,
		    "message is not compressed as agreed");
	if (result == INFLATE_NO_MEMORY)
		return reception_fail(r, WEBSOCKET_INTERNAL, "out of memory");
	if (r->opcode == WEBSOCKET_TEXT &&
	    !utf8_check_next(&r->utf8, r->message.data, r->message.size))
		return reception_fail(r, WEBSOCKET_BAD_DATA,
		    "text is not UTF-8");
	return true;
}

/* Offers the message, which is whole and good. */
static bool
reception_offer(struct reception *r)
{
	const struct websocket_message message = {
		.event = WEBSOCKET_EVENT_MESSAGE,
		.opcode = r->opcode,
		.payload = r->message.data != NULL ? r->message.data :
						     (const uint8_t *)"",
		.size = r->message.size,
	};
	enum websocket_answer answer = r->cb(r->arg, &message);

	r->holds = answer == WEBSOCKET_HOLD;
	if (r->holds)
		return true;
	buffer_clear(&r->message);
	r->opcode = WEBSOCKET_CONTINUATION;
	return answer == WEBSOCKET_GO_ON;
}

static bool
input_end_message(struct websocket_input *in)
{
	struct reception *r = in->reception;

	if (r->compressed && !input_inflate(in))
		return false;
	if (r->opcode == WEBSOCKET_TEXT && r->utf8 != 0)
		return reception_fail(r, WEBSOCKET_BAD_DATA,
		    "text ends inside a character");
	return reception_offer(r);
}

/* Whether a client may send the code (section 7.4, the IANA registry). */
static bool
close_code_is_valid(unsigned int code)
{
	return (code >= 1000 && code <= 1003) ||
	    (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static bool
reception_end_close(struct reception *r)
{
	struct websocket_message message = {
		.event = WEBSOCKET_EVENT_CLOSE,
		.payload = r->control,
		.code = WEBSOCKET_NO_CODE,
	};

	if (r->control_size == 1)
		return reception_fail(r, WEBSOCKET_PROTOCOL_ERROR,
		    "half a close code");
	if (r->control_size >= 2) {
		message.code = (unsigned int)r->control[0] << 8 | r->control[1];
		message.payload = r->control + 2;
		message.size = r->control_size - 2;
		if (!close_code_is_valid(message.code))
			return reception_fail(r, WEBSOCKET_PROTOCOL_ERROR,
			    "bad close code");
		if (!utf8_is_valid(message.payload, message.size))
			return reception_fail(r, WEBSOCKET_BAD_DATA,
			    "close reason is not UTF-8");
	}
	r->cb(r->arg, &message);
	return false;
}

static bool
input_end_frame(struct websocket_input *in,
    const struct wslay_frame_iocb *chunk)
{
	struct reception *r = in->reception;
	struct websocket_message message = {
		.payload = r->control,
		.size = r->control_size,
	};

	if (chunk->opcode == WEBSOCKET_CLOSE)
		return reception_end_close(r);
	if (!wslay_is_ctrl_frame(chunk->opcode))
		return chunk->fin ? input_end_message(in) : true;
	message.event = chunk->opcode == WEBSOCKET_PING ? WEBSOCKET_EVENT_PING :
							  WEBSOCKET_EVENT_PONG;
	return r->cb(r->arg, &message) == WEBSOCKET_GO_ON;
}

static bool
input_take_chunk(struct websocket_input *in,
    const struct wslay_frame_iocb *chunk)
{
	struct reception *r = in->reception;

	/* A frame in progress always has payload to come. */
	if (r->payload_left == 0 && !input_begin_frame(in, chunk))
		return false;
	r->held -= chunk->data_length;
	r->payload_left -= chunk->data_length;
	if (!reception_collect(r, chunk))
		return false;
	return r->payload_left > 0 || input_end_frame(in, chunk);
}

/* Keeps what is behind a message that is held. */
static bool
reception_keep_rest(struct reception *r)
{
	buffer_append(&r->rest, r->bytes, r->bytes_left);
	if (r->rest.failed)
		return reception_fail(r, WEBSOCKET_INTERNAL, "out of memory");
	return true;
}

/* Takes what there is; false: no more is wanted. */
static bool
input_take_bytes(struct websocket_input *in)
{
	struct reception *r = in->reception;
	struct wslay_frame_iocb chunk;
	ssize_t n;

	while (!r->holds) {
		n = wslay_frame_recv(r->frames, &chunk);
		if (n == WSLAY_ERR_WANT_READ && r->bytes_left == 0)
			return true;
		if (n == WSLAY_ERR_WANT_READ)
			continue;
		if (n < 0)
			return reception_fail(r, WEBSOCKET_PROTOCOL_ERROR,
			    "malformed frame");
		if (!input_take_chunk(in, &chunk))
			return false;
	}
	return reception_keep_rest(r);
}

struct websocket_input *
websocket_input_new(size_t max_message)
{
	struct websocket_input *in;

	if ((in = calloc(1, sizeof(*in))) == NULL)
		return NULL;
	in->max_message = max_message;
	return in;
}

void
websocket_input_free(struct websocket_input *in)
{
	if (in == NULL)
		return;
	reception_free(in->reception);
	free(in);
}

/* Lets go of what is not needed any more; whether more is wanted. */
static bool
input_finish(struct websocket_input *in, bool more)
{
	in->ended = !more;
	if (in->ended || reception_is_done(in->reception)) {
		reception_free(in->reception);
		in->reception = NULL;
	}
	return more;
}

bool
websocket_input_write(struct websocket_input *in, const void *bytes, size_t n,
    bool deflates, websocket_message_cb *cb, void *arg)
{
	struct reception *r;

	if (in->ended || n == 0)
		return !in->ended;
	if (in->reception == NULL &&
	    (in->reception = reception_new()) == NULL) {
		in->ended = true;
		return report_error(cb, arg, WEBSOCKET_INTERNAL,
		    "out of memory");
	}
	r = in->reception;
	r->bytes = bytes;
	r->bytes_left = n;
	r->deflates = deflates;
	r->cb = cb;
	r->arg = arg;
	return input_finish(in, input_take_bytes(in));
}

bool
websocket_input_resume(struct websocket_input *in, bool deflates,
    websocket_message_cb *cb, void *arg)
{
	struct reception *r = in->reception;
	struct buffer rest;
	bool more;

	if (!websocket_input_is_held(in))
		return !in->ended;
	rest = r->rest;
	r->rest = (struct buffer)BUFFER_INIT;
	r->bytes = rest.data;
	r->bytes_left = rest.size;
	r->deflates = deflates;
	r->cb = cb;
	r->arg = arg;
	more = input_finish(in, reception_offer(r) && input_take_bytes(in));
	buffer_clear(&rest);
	return more;
}

bool
websocket_input_is_held(const struct websocket_input *in)
{
	return in->reception != NULL && in->reception->holds;
}

bool
websocket_input_is_idle(const struct websocket_input *in)
{
	return in->reception == NULL && !in->ended;
}

unsigned int
websocket_input_take_frames(struct websocket_input *in)
{
	unsigned int frames = in->frames;

	in->frames = 0;
	return frames;
}
