/* SPDX-License-Identifier: ISC */
#ifndef SOAK_STREAM_H
#define SOAK_STREAM_H

/*
 * The client's end of one connection: asks, takes the head of the answer and
 * the frames or chunks behind it, and answers pings and the close frame.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tally.h"

#define STREAM_HEAD_MAX 2048   /* bytes of the head of the answer */
#define STREAM_CONTROL_MAX 125 /* payload, RFC 6455 section 5.5 */
#define STREAM_ENDED_MAX 160   /* bytes that say how it ended, and NUL */

enum stream_state {
	STREAM_HEAD, /* the head of the answer */
	STREAM_FRAME_HEAD,
	STREAM_PAYLOAD,
	STREAM_CONTROL, /* the payload of a control frame */
	STREAM_CHUNK_SIZE,
	STREAM_CHUNK,
	STREAM_CHUNK_END,  /* the line end behind it */
	STREAM_LAST_CHUNK, /* the line end behind the last */
	STREAM_DONE,	   /* only the end of the connection is to come */
	STREAM_OVER,
};

struct stream {
	struct tally tally;
	enum stream_state state;
	int fd;		   /* borrowed */
	bool says_goodbye; /* leaves with a close frame */
	bool is_leaving;   /* has sent one: takes no more payload */
	uint8_t opcode;	   /* of the frame */
	bool is_final;	   /* of its message */
	uint64_t left;	   /* bytes of the payload or chunk */
	size_t held_size;
	uint8_t held[STREAM_HEAD_MAX]; /* what is not whole yet */
	char ended[STREAM_ENDED_MAX];  /* "": it has not */
};

/* Sends the request; host is "address:port".  Errors show when reading. */
void stream_ask(struct stream *s, int fd, const char *host);

void stream_read(struct stream *s, const uint8_t *bytes, size_t n);

/* It is over; how counts unless it ended in a regular way before. */
void stream_end(struct stream *s, const char *how);

#endif
