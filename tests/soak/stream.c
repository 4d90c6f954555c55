/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

#define OPCODE_TEXT 0x1
#define OPCODE_CLOSE 0x8
#define OPCODE_PING 0x9
#define OPCODE_PONG 0xa
#define FINAL 0x80
#define MASKED 0x80

static void
stream_fail(struct stream *s, const char *why)
{
	(void)snprintf(s->ended, sizeof(s->ended), "error: %.128s", why);
	s->state = STREAM_OVER;
}

void
stream_end(struct stream *s, const char *how)
{
	if (s->ended[0] == '\0')
		(void)snprintf(s->ended, sizeof(s->ended), "%s", how);
	s->state = STREAM_OVER;
}

void
stream_ask(struct stream *s, int fd, const char *host)
{
	char request[512];
	int n;

	if (s->tally.format == TALLY_RAW)
		n = snprintf(request, sizeof(request),
		    "GET /raw HTTP/1.1\r\nHost: %s\r\n\r\n", host);
	else
		n = snprintf(request, sizeof(request),
		    "GET /?format=%s HTTP/1.1\r\nHost: %s\r\n"
		    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		    "Sec-WebSocket-Version: 13\r\n"
		    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		    s->tally.format == TALLY_JSON ? "json" : "text", host);
	s->fd = fd;
	(void)send(fd, request, (size_t)n, MSG_NOSIGNAL);
}

/* A mask of zeros is a mask, too. */
static void
stream_send_control(struct stream *s, uint8_t opcode, const void *payload,
    size_t n)
{
	uint8_t frame[6 + STREAM_CONTROL_MAX] = { FINAL | opcode,
		(uint8_t)(MASKED | n) };

	memcpy(frame + 6, payload, n);
	(void)send(s->fd, frame, 6 + n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
stream_leave(struct stream *s)
{
	static const uint8_t normal[] = { 1000 >> 8, 1000 & 0xff };

	if (s->tally.format == TALLY_RAW || !s->says_goodbye) {
		stream_end(s, "left");
		return;
	}
	s->is_leaving = true;
	stream_send_control(s, OPCODE_CLOSE, normal, sizeof(normal));
}

static void
stream_take(struct stream *s, const uint8_t *bytes, size_t n)
{
	if (s->is_leaving)
		return;
	tally_take(&s->tally, bytes, n);
	if (tally_is_full(&s->tally))
		stream_leave(s);
}

/* Holds bytes until there are wanted; returns how many it took. */
static size_t
stream_hold(struct stream *s, const uint8_t *bytes, size_t n, size_t wanted)
{
	if (n > wanted - s->held_size)
		n = wanted - s->held_size;
	memcpy(s->held + s->held_size, bytes, n);
	s->held_size += n;
	return n;
}

/* The same until there is a whole line, or a whole head. */
static size_t
stream_hold_until(struct stream *s, const uint8_t *bytes, size_t n,
    const char *end)
{
	size_t size = strlen(end), i;

	for (i = 0; i < n; i++) {
		if (s->held_size == sizeof(s->held) - 1) {
			stream_fail(s, "too long a line or head");
			return n;
		}
		s->held[s->held_size++] = bytes[i];
		if (s->held_size >= size &&
		    memcmp(s->held + s->held_size - size, end, size) == 0)
			return i + 1;
	}
	return n;
}

static bool
stream_holds_end(const struct stream *s, const char *end)
{
	size_t size = strlen(end);

	return s->held_size >= size &&
	    memcmp(s->held + s->held_size - size, end, size) == 0;
}

static size_t
stream_read_head(struct stream *s, const uint8_t *bytes, size_t n)
{
	bool is_raw = s->tally.format == TALLY_RAW;
	const char *wanted = is_raw ? "HTTP/1.1 200 " : "HTTP/1.1 101 ";

	n = stream_hold_until(s, bytes, n, "\r\n\r\n");
	if (s->state == STREAM_OVER || !stream_holds_end(s, "\r\n\r\n"))
		return n;
	s->held[s->held_size] = '\0';
	s->held_size = 0;
	s->state = is_raw ? STREAM_CHUNK_SIZE : STREAM_FRAME_HEAD;
	if (strncmp((char *)s->held, wanted, strlen(wanted)) != 0) {
		s->held[strcspn((char *)s->held, "\r")] = '\0';
		stream_fail(s, (char *)s->held);
	}
	return n;
}

/* Bytes of the head of the frame, as far as it tells. */
static size_t
frame_head_size(const struct stream *s)
{
	if (s->held_size < 2)
		return 2;
	if (s->held[1] == 126)
		return 4;
	return s->held[1] == 127 ? 10 : 2;
}

static void
stream_begin_frame(struct stream *s)
{
	size_t i;

	s->opcode = s->held[0] & 0x0f;
	s->is_final = (s->held[0] & FINAL) != 0;
	s->left = s->held_size == 2 ? s->held[1] : 0;
	for (i = 2; i < s->held_size; i++)
		s->left = s->left << 8 | s->held[i];
	s->held_size = 0;
	if ((s->opcode & 0x8) != 0) {
		s->state = STREAM_CONTROL;
		if (s->left > STREAM_CONTROL_MAX || !s->is_final)
			stream_fail(s, "a control frame that is none");
		return;
	}
	s->state = STREAM_PAYLOAD;
	if (s->opcode > OPCODE_TEXT)
		stream_fail(s, "an unknown kind of frame");
	else if (s->opcode == OPCODE_TEXT && !s->is_leaving)
		tally_begin_message(&s->tally);
	if (!s->is_leaving && tally_is_full(&s->tally))
		stream_leave(s);
}

static void
stream_end_control(struct stream *s)
{
	size_t n = s->held_size;

	s->held_size = 0;
	s->state = STREAM_FRAME_HEAD;
	if (s->opcode == OPCODE_PING) {
		stream_send_control(s, OPCODE_PONG, s->held, n);
		return;
	}
	if (s->opcode != OPCODE_CLOSE)
		return;
	(void)snprintf(s->ended, sizeof(s->ended), "%sclose %d%s%.*s",
	    s->is_leaving ? "left, " : "",
	    n < 2 ? 1005 : s->held[0] << 8 | s->held[1], n > 2 ? " " : "",
	    n > 2 ? (int)n - 2 : 0, (char *)s->held + 2);
	if (!s->is_leaving)
		stream_send_control(s, OPCODE_CLOSE, s->held, n < 2 ? 0 : 2);
	s->state = STREAM_DONE;
}

static size_t
stream_read_frame_head(struct stream *s, const uint8_t *bytes, size_t n)
{
	size_t taken = stream_hold(s, bytes, n, frame_head_size(s));

	if (s->held_size == frame_head_size(s))
		stream_begin_frame(s);
	return taken;
}

static size_t
stream_read_payload(struct stream *s, const uint8_t *bytes, size_t n)
{
	if (n > s->left)
		n = (size_t)s->left;
	s->left -= n;
	stream_take(s, bytes, n);
	return n;
}

static size_t
stream_read_chunk_size(struct stream *s, const uint8_t *bytes, size_t n)
{
	char *end;

	n = stream_hold_until(s, bytes, n, "\r\n");
	if (s->state == STREAM_OVER || !stream_holds_end(s, "\r\n"))
		return n;
	s->held[s->held_size - 2] = '\0';
	s->held_size = 0;
	s->left = strtoull((char *)s->held, &end, 16);
	if (s->held[0] == '\0' || *end != '\0')
		stream_fail(s, "a chunk without a size");
	else
		s->state = s->left > 0 ? STREAM_CHUNK : STREAM_LAST_CHUNK;
	return n;
}

static size_t
stream_read_line_end(struct stream *s, const uint8_t *bytes, size_t n)
{
	n = stream_hold(s, bytes, n, 2);
	if (s->held_size < 2)
		return n;
	s->held_size = 0;
	if (memcmp(s->held, "\r\n", 2) != 0) {
		stream_fail(s, "no line end behind a chunk");
	} else if (s->state == STREAM_CHUNK_END) {
		s->state = STREAM_CHUNK_SIZE;
	} else {
		(void)snprintf(s->ended, sizeof(s->ended), "last chunk");
		s->state = STREAM_DONE;
	}
	return n;
}

/* Goes on where nothing is left to read. */
static void
stream_step(struct stream *s)
{
	if (s->state == STREAM_CONTROL && s->held_size == s->left) {
		stream_end_control(s);
	} else if (s->state == STREAM_PAYLOAD && s->left == 0) {
		if (s->is_final && !s->is_leaving)
			tally_end_message(&s->tally);
		s->state = STREAM_FRAME_HEAD;
	} else if (s->state == STREAM_CHUNK && s->left == 0) {
		s->state = STREAM_CHUNK_END;
	}
}

static size_t
stream_read_some(struct stream *s, const uint8_t *bytes, size_t n)
{
	switch (s->state) {
	case STREAM_HEAD:
		return stream_read_head(s, bytes, n);
	case STREAM_FRAME_HEAD:
		return stream_read_frame_head(s, bytes, n);
	case STREAM_PAYLOAD:
	case STREAM_CHUNK:
		return stream_read_payload(s, bytes, n);
	case STREAM_CONTROL:
		return stream_hold(s, bytes, n, (size_t)s->left);
	case STREAM_CHUNK_SIZE:
		return stream_read_chunk_size(s, bytes, n);
	case STREAM_CHUNK_END:
	case STREAM_LAST_CHUNK:
		return stream_read_line_end(s, bytes, n);
	case STREAM_DONE:
		stream_fail(s, "bytes behind the end");
		break;
	case STREAM_OVER:
		break;
	}
	return n;
}

void
stream_read(struct stream *s, const uint8_t *bytes, size_t n)
{
	size_t taken;

	while (n > 0 && s->state != STREAM_OVER) {
		taken = stream_read_some(s, bytes, n);
		bytes += taken;
		n -= taken;
		stream_step(s);
	}
}
