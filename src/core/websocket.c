/* SPDX-License-Identifier: ISC */

/*
 * The opening handshake, and frames out.  Frames in are in websocket_input.c.
 */

#include <resolv.h>
#include <sha1.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <wslay/wslay.h>

#include "core/buffer.h"
#include "core/http.h"
#include "core/utf8.h"
#include "core/websocket.h"

#define KEY_BYTES 16	     /* of a Sec-WebSocket-Key, decoded */
#define KEY_SIZE 24	     /* and in base64 */
#define CLOSE_REASON_MAX 123 /* bytes: a control frame less the code */
#define HEADERS_CACHED 4096  /* sizes of payload whose header is kept */
#define HEADER_SHORT 4	     /* bytes of the longest of those */
#define FIN 0x80	     /* of the first byte */

/*
 * The headers of short frames as wslay made them.  All but the first byte
 * depends on the size alone, so that its place is free for their length.
 */
struct websocket_output {
	uint8_t headers[HEADERS_CACHED][HEADER_SHORT]; /* [0]: 0: not made */
};

/* The header that wslay is making. */
struct header {
	uint8_t *bytes; /* borrowed: by the call in progress */
	size_t size;
};

/* The field of that name if there is exactly one, else NULL. */
static const struct slice *
only_field(const struct http_request *request, const char *name)
{
	const struct slice *found = NULL;

	for (size_t i = 0; i < request->field_count; i++) {
		if (!slice_equals_nocase(request->fields[i].name, name))
			continue;
		if (found != NULL)
			return NULL;
		found = &request->fields[i].value;
	}
	return found;
}

static bool
key_is_valid(const struct slice *key)
{
	char text[KEY_SIZE + 1];
	/* b64_pton() also writes the bits that the padding stands for. */
	unsigned char bytes[KEY_BYTES + 2];

	if (key == NULL || key->size != KEY_SIZE)
		return false;
	memcpy(text, key->data, KEY_SIZE);
	text[KEY_SIZE] = '\0';
	return b64_pton(text, bytes, sizeof(bytes)) == KEY_BYTES;
}

int
websocket_check_handshake(const struct http_request *request, const char **why)
{
	const struct slice *version;

	*why = NULL;
	if (request->method != HTTP_GET)
		*why = "a WebSocket handshake must be a GET";
	else if (request->minor < 1)
		*why = "a WebSocket handshake must be HTTP/1.1";
	else if (!http_field_has_token(request, "Upgrade", "websocket"))
		*why = "Upgrade must name websocket";
	else if (!http_field_has_token(request, "Connection", "upgrade"))
		*why = "Connection must name upgrade";
	if (*why != NULL)
		return 400;

	version = only_field(request, "Sec-WebSocket-Version");
	if (version == NULL || !slice_equals(*version, "13")) {
		*why = "Sec-WebSocket-Version must be 13";
		return 426;
	}
	if (!key_is_valid(only_field(request, "Sec-WebSocket-Key"))) {
		*why = "Sec-WebSocket-Key must be 16 bytes in base64";
		return 400;
	}
	return 0;
}

bool
websocket_is_asked_for(const struct http_request *request)
{
	return http_field_has_token(request, "Upgrade", "websocket") ||
	    http_field(request, "Sec-WebSocket-Key") != NULL;
}

void
websocket_accept_key(const struct http_request *request,
    char key[WEBSOCKET_KEY_MAX])
{
	static const uint8_t guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	const struct slice *asked = http_field(request, "Sec-WebSocket-Key");
	uint8_t digest[SHA1_DIGEST_LENGTH];
	SHA1_CTX sha1;

	SHA1Init(&sha1);
	if (asked != NULL)
		SHA1Update(&sha1, (const uint8_t *)asked->data, asked->size);
	SHA1Update(&sha1, guid, sizeof(guid) - 1);
	SHA1Final(digest, &sha1);
	b64_ntop(digest, sizeof(digest), key, WEBSOCKET_KEY_MAX);
}

static ssize_t
header_send_cb(const uint8_t *data, size_t size, int flags, void *arg)
{
	struct header *header = arg;

	(void)flags;
	memcpy(header->bytes + header->size, data, size);
	header->size += size;
	return (ssize_t)size;
}

/* Has wslay make a header; 0: no such frame, or no memory. */
static size_t
make_header(enum websocket_opcode opcode, unsigned int flags, size_t size,
    uint8_t bytes[WEBSOCKET_HEADER_MAX])
{
	const struct wslay_frame_callbacks callbacks = {
		.send_callback = header_send_cb,
	};
	/* There is to be payload, but none of it yet: so it stops there. */
	struct wslay_frame_iocb frame = {
		.fin = 1,
		.rsv = (uint8_t)flags,
		.opcode = (uint8_t)opcode,
		.payload_length = size,
	};
	struct header header = { bytes, 0 };
	struct wslay_frame_context *frames;

	if (wslay_frame_context_init(&frames, &callbacks, &header) != 0)
		return 0;
	if (wslay_frame_send(frames, &frame) < 0)
		header.size = 0;
	wslay_frame_context_free(frames);
	return header.size;
}

struct websocket_output *
websocket_output_new(void)
{
	return calloc(1, sizeof(struct websocket_output));
}

void
websocket_output_free(struct websocket_output *output)
{
	free(output);
}

size_t
websocket_output_header(struct websocket_output *output,
    enum websocket_opcode opcode, unsigned int flags, size_t size,
    uint8_t header[WEBSOCKET_HEADER_MAX])
{
	uint8_t *kept;
	size_t length;

	if (size >= HEADERS_CACHED || wslay_is_ctrl_frame(opcode))
		return make_header(opcode, flags, size, header);
	kept = output->headers[size];
	if (kept[0] == 0) {
		if ((length = make_header(opcode, flags, size, header)) == 0)
			return 0;
		memcpy(kept, header, length);
		kept[0] = (uint8_t)length;
		return length;
	}
	memcpy(header, kept, HEADER_SHORT);
	header[0] = (uint8_t)(FIN | flags << 4 | (unsigned int)opcode);
	return kept[0];
}

void
websocket_output_append(struct websocket_output *output, struct buffer *out,
    enum websocket_opcode opcode, unsigned int flags, const void *payload,
    size_t size)
{
	uint8_t *to;
	size_t length;

	if (size > SIZE_MAX - WEBSOCKET_HEADER_MAX) {
		out->failed = true;
		return;
	}
	/* One growth for all, or none of it: no header without its payload. */
	if ((to = buffer_reserve(out, WEBSOCKET_HEADER_MAX + size)) == NULL)
		return;
	length = websocket_output_header(output, opcode, flags, size, to);
	if (length == 0) {
		out->failed = true;
		return;
	}
	if (size > 0)
		memcpy(to + length, payload, size);
	out->size += length + size;
}

void
websocket_append_frame(struct buffer *out, enum websocket_opcode opcode,
    const void *payload, size_t size)
{
	uint8_t header[WEBSOCKET_HEADER_MAX];
	size_t length = make_header(opcode, 0, size, header);

	if (length == 0)
		out->failed = true;
	buffer_append(out, header, length);
	buffer_append(out, payload, size);
}

void
websocket_append_close(struct buffer *out, unsigned int code,
    const char *reason)
{
	uint8_t payload[2 + CLOSE_REASON_MAX];
	size_t size = 0;

	if (code == WEBSOCKET_NO_CODE) {
		websocket_append_frame(out, WEBSOCKET_CLOSE, NULL, 0);
		return;
	}
	payload[0] = (uint8_t)(code >> 8);
	payload[1] = (uint8_t)code;
	if (reason != NULL) {
		size = strnlen(reason, CLOSE_REASON_MAX);
		size = utf8_valid_prefix((const uint8_t *)reason, size);
		memcpy(payload + 2, reason, size);
	}
	websocket_append_frame(out, WEBSOCKET_CLOSE, payload, 2 + size);
}
