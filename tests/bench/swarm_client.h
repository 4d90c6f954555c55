/* SPDX-License-Identifier: ISC */
#ifndef BENCH_SWARM_CLIENT_H
#define BENCH_SWARM_CLIENT_H

/*
 * A client: one connection from its first step to its end.  It tells its
 * crowd of each step by counting there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm_frames.h"
#include "swarm_lines.h"

struct crowd;

enum client_state {
	CLIENT_NEW,
	CLIENT_CONNECTING,
	CLIENT_ASKING, /* the answer to the handshake is to come */
	CLIENT_OPEN,
	CLIENT_OVER,
	CLIENT_FAILED, /* never was open */
};

struct client {
	struct crowd *crowd; /* borrowed: owns it */
	int fd;
	uint8_t state; /* enum client_state */
	bool stalls;   /* is to stop reading */
	bool is_deaf;  /* does not read now */
	bool is_done;  /* has all lines, or will get no more */
	char *answer;  /* owned: of the handshake, while it is not whole */
	size_t answer_size;
	uint64_t received; /* bytes behind the handshake */
	struct frames frames;
	struct lines lines;
};

/* Begins to connect. */
void client_connect(struct client *c);

/* What epoll has told. */
void client_event(struct client *c, uint32_t events);

/* Lets one that has stalled read on. */
void client_resume(struct client *c);

/* Sends a short message. */
void client_talk(struct client *c);

void client_clear(struct client *c);

#endif
