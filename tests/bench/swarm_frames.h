/* SPDX-License-Identifier: ISC */
#ifndef BENCH_SWARM_FRAMES_H
#define BENCH_SWARM_FRAMES_H

/*
 * The frames that one client gets, taken apart: data goes on to its lines,
 * control frames are for the caller.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMES_HEADER_MAX 10
#define FRAMES_CONTROL_MAX 125 /* RFC 6455 section 5.5 */

struct inflater;
struct lines;

enum frames_event {
	FRAMES_NONE, /* all was taken */
	FRAMES_PING, /* its payload is in control */
	FRAMES_CLOSE,
	FRAMES_BAD, /* this is no WebSocket protocol */
};

struct frames {
	struct lines *lines;	   /* borrowed */
	struct inflater *inflater; /* borrowed; NULL: lines are not seen */
	bool takes_compressed;	   /* permessage-deflate was agreed on */
	bool is_in_message;	   /* the next data frame continues it */
	bool is_compressed;	   /* that message */
	bool is_in_payload;
	uint8_t header_size;
	uint8_t header[FRAMES_HEADER_MAX]; /* of this frame, so far */
	uint8_t control_size;
	uint8_t control[FRAMES_CONTROL_MAX]; /* payload, so far */
	uint64_t left;			     /* bytes of the payload to come */
};

/*
 * Takes bytes up to end, or up to the end of a control frame, and returns
 * where it stopped.  Counts in the statistics of the lines.
 */
const uint8_t *frames_take(struct frames *f, const uint8_t *at,
    const uint8_t *end, enum frames_event *event);

/* Of a close frame; 1005: it has none. */
unsigned int frames_close_code(const struct frames *f);

#endif
