/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_WEBSOCKET_H
#define WSEXEC_WEBSOCKET_H

/*
 * The WebSocket protocol (RFC 6455), server side, without a socket: the
 * opening handshake, frames out, frames in.  Frames are made and taken apart
 * by wslay's frame layer; messages are put together here, since its event
 * layer is not strict about close frames and queues answers without bound.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;
struct http_request;

enum websocket_opcode {
	WEBSOCKET_CONTINUATION = 0x0,
	WEBSOCKET_TEXT = 0x1,
	WEBSOCKET_BINARY = 0x2,
	WEBSOCKET_CLOSE = 0x8,
	WEBSOCKET_PING = 0x9,
	WEBSOCKET_PONG = 0xa,
};

/* Close codes (RFC 6455 section 7.4.1 and the IANA registry). */
enum websocket_code {
	WEBSOCKET_NORMAL = 1000,
	WEBSOCKET_GOING_AWAY = 1001,
	WEBSOCKET_PROTOCOL_ERROR = 1002,
	WEBSOCKET_UNSUPPORTED = 1003,
	WEBSOCKET_NO_CODE = 1005, /* never on the wire */
	WEBSOCKET_BAD_DATA = 1007,
	WEBSOCKET_POLICY = 1008,
	WEBSOCKET_TOO_BIG = 1009,
	WEBSOCKET_INTERNAL = 1011,
	WEBSOCKET_TRY_LATER = 1013,
};

#define WEBSOCKET_KEY_MAX 29 /* an accept key and its NUL */

/*
 * Checks an opening handshake (section 4.2.1).  0: it is one.  Else the HTTP
 * status to refuse it with, 400 or 426, and *why is one line, static.  With
 * 426 the answer must carry "Sec-WebSocket-Version: 13" (section 4.4) and
 * "Upgrade: websocket".
 */
int websocket_check_handshake(const struct http_request *request,
    const char **why);

/* Whether the request asks for an upgrade to WebSocket at all. */
bool websocket_is_asked_for(const struct http_request *request);

/* Sec-WebSocket-Accept for the key of a checked request (section 4.2.2). */
void websocket_accept_key(const struct http_request *request,
    char key[WEBSOCKET_KEY_MAX]);

/* What a frame may be besides its opcode. */
enum websocket_flag {
	WEBSOCKET_COMPRESSED = 0x4, /* RSV1, see RFC 7692 section 6 */
};

#define WEBSOCKET_HEADER_MAX 10 /* bytes of a header without a mask */

/*
 * Makes frames; for whoever makes many of them: it keeps the headers of short
 * ones, in 16 KB.
 */
struct websocket_output;

/* NULL: no memory. */
struct websocket_output *websocket_output_new(void);
void websocket_output_free(struct websocket_output *output);

/*
 * Makes the header of one unmasked, final frame with size bytes of payload,
 * which the caller puts behind it.  Returns its length, or 0: without memory,
 * and for a control frame of more than 125 bytes.  What is behind the length
 * may be written to as well.
 */
size_t websocket_output_header(struct websocket_output *output,
    enum websocket_opcode opcode, unsigned int flags, size_t size,
    uint8_t header[WEBSOCKET_HEADER_MAX]);

/* Appends such a frame to out; where there is no header, out->failed is set. */
void websocket_output_append(struct websocket_output *output,
    struct buffer *out, enum websocket_opcode opcode, unsigned int flags,
    const void *payload, size_t size);

/* The same without flags for a single frame, some 100 ns slower. */
void websocket_append_frame(struct buffer *out, enum websocket_opcode opcode,
    const void *payload, size_t size);

/*
 * Appends a close frame; reason (NULL: none) is cut to 123 bytes at a
 * character, and where it stops being UTF-8.  With WEBSOCKET_NO_CODE the
 * frame is empty.
 */
void websocket_append_close(struct buffer *out, unsigned int code,
    const char *reason);

enum websocket_event {
	WEBSOCKET_EVENT_MESSAGE, /* text or binary, whole */
	WEBSOCKET_EVENT_PING,	 /* answer with the same payload */
	WEBSOCKET_EVENT_PONG,
	WEBSOCKET_EVENT_CLOSE, /* the peer closes; answer with code */
	WEBSOCKET_EVENT_ERROR, /* close with code and reason, read no more */
};

struct websocket_message {
	enum websocket_event event;
	enum websocket_opcode opcode; /* of a message: text or binary */
	const uint8_t *payload; /* valid during the call; of a close: why */
	size_t size;
	unsigned int code;  /* close: what to answer with, 1005: no code;
			     * error: what to close with */
	const char *reason; /* error: one line, static */
};

/* What is to follow an event. */
enum websocket_answer {
	WEBSOCKET_GO_ON,
	WEBSOCKET_STOP, /* nothing more is wanted */
	WEBSOCKET_HOLD, /* of a message: it is to be offered again later */
};

/* Called for each event.  Must neither write to the input nor free it. */
typedef enum websocket_answer websocket_message_cb(void *arg,
    const struct websocket_message *message);

/* Takes frames apart: what a client sends, any number of bytes at a time. */
struct websocket_input;

/* Compression may make a message longer, at worst so long (see zlib.h). */
#define WEBSOCKET_COMPRESSED_MAX(size) ((size) + (size) / 8 + 64)

/*
 * max_message: bytes a message may have; more is error 1009.  Compressed it
 * may have WEBSOCKET_COMPRESSED_MAX() of them.
 */
struct websocket_input *websocket_input_new(size_t max_message);
void websocket_input_free(struct websocket_input *in);

/*
 * Takes n bytes, calls back for each event they complete.  A frame is judged
 * with its first byte of payload, or its last of header if it has none; text,
 * with the first byte that cannot be part of it.
 *
 * deflates: permessage-deflate is agreed on, without context takeover by the
 * client: its messages may be compressed, are reported as they were before,
 * and judged when they are whole.
 *
 * A message that is held waits with all that is behind it, also what is still
 * written meanwhile, for websocket_input_resume(), which offers it again.
 *
 * False once a callback said to stop, or after CLOSE or ERROR was reported:
 * the rest of the bytes is dropped and nothing more is reported.
 */
bool websocket_input_write(struct websocket_input *in, const void *bytes,
    size_t n, bool deflates, websocket_message_cb *cb, void *arg);
bool websocket_input_resume(struct websocket_input *in, bool deflates,
    websocket_message_cb *cb, void *arg);

/* Whether a message is held. */
bool websocket_input_is_held(const struct websocket_input *in);

/*
 * Whether nothing is half-received: between two frames and between two
 * messages.  An idle input may be lent to another connection, and takes some
 * 32 bytes.  One that was told to stop is not idle.
 */
bool websocket_input_is_idle(const struct websocket_input *in);

/* Frames seen since it was made or last asked; for rate limits. */
unsigned int websocket_input_take_frames(struct websocket_input *in);

#endif
