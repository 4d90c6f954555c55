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

struct websocket_output {
	struct wslay_frame_context *frames; /* owned */
	struct buffer *out; /* borrowed: by the call in progress */
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
output_send_cb(const uint8_t *data, size_t size, int flags, void *arg)
{
	struct websocket_output *output = arg;

	(void)flags;
	/* That it failed is noted there; wslay must not keep half a frame. */
	buffer_append(output->out, data, size);
	return (ssize_t)size;
}

static bool
output_init(struct websocket_output *output)
{
	const struct wslay_frame_callbacks callbacks = {
		.send_callback = output_send_cb,
	};

	return wslay_frame_context_init(&output->frames, &callbacks, output) ==
	    0;
}

struct websocket_output *
websocket_output_new(void)
{
	struct websocket_output *output;

	if ((output = malloc(sizeof(*output))) == NULL)
		return NULL;
	if (!output_init(output)) {
		free(output);
		return NULL;
	}
	return output;
}

void
websocket_output_free(struct websocket_output *output)
{
	if (output == NULL)
		return;
	wslay_frame_context_free(output->frames);
	free(output);
}

void
websocket_output_append(struct websocket_output *output, struct buffer *out,
    enum websocket_opcode opcode, const void *payload, size_t size)
{
	struct wslay_frame_iocb frame = {
		.fin = 1,
		.opcode = (uint8_t)opcode,
		.payload_length = size,
		.data = payload,
		.data_length = size,
	};

	output->out = out;
	if (wslay_frame_send(output->frames, &frame) < 0)
		out->failed = true;
}

void
websocket_append_frame(struct buffer *out, enum websocket_opcode opcode,
    const void *payload, size_t size)
{
	struct websocket_output output;

	if (!output_init(&output)) {
		out->failed = true;
		return;
	}
	websocket_output_append(&output, out, opcode, payload, size);
	wslay_frame_context_free(output.frames);
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
