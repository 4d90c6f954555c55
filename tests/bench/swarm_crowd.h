/* SPDX-License-Identifier: ISC */
#ifndef BENCH_SWARM_CROWD_H
#define BENCH_SWARM_CROWD_H

/*
 * The clients of one worker, and the phases they go through together.
 */

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm_client.h"
#include "swarm_lines.h"
#include "upgrade.h"

struct stats;
struct swarm_options;
struct target;

#define CROWD_READ_MAX 65536 /* bytes read at once */

enum crowd_phase {
	CROWD_CONNECTING,
	CROWD_SETTLING, /* connected; a moment of rest */
	CROWD_RUNNING,
	CROWD_DRAINING, /* those that stalled read what is left for them */
	CROWD_OVER,
};

/* What all workers are to have done before something happens. */
struct crowd_meeting {
	_Atomic uint64_t ready, talked;
};

struct crowd {
	const struct swarm_options *options; /* borrowed */
	const struct target *target;	     /* borrowed */
	struct crowd_meeting *meeting;	     /* borrowed */
	struct stats *stats;		     /* borrowed */
	struct lines_check check;
	char request[UPGRADE_REQUEST_MAX];
	size_t request_size;
	char *letters;	/* owned: of check, or NULL */
	uint8_t *bytes; /* owned: what is read now */
	int epoll;

	struct client *clients; /* owned */
	size_t count;
	size_t stalled_count;
	size_t asked_count;  /* have begun to connect */
	size_t under_way;    /* of those, neither open nor failed */
	size_t readers_left; /* that may get more lines */
	size_t stalled_left; /* the same of those that stall */
	size_t inflaters_left;
	unsigned int source;	  /* 127.0.0.1 + source is connected from */
	unsigned int source_used; /* by so many */

	enum crowd_phase phase;
	uint64_t phase_ends_ns;
	bool has_talked;
};

/* Fills *c for the worker of this number, before crowd_run(). */
void crowd_init(struct crowd *c, const struct swarm_options *options,
    const struct target *target, uint64_t worker);

/* From the first connection to the last line; signals: to wait with. */
void crowd_run(struct crowd *c, const sigset_t *signals);

void crowd_clear(struct crowd *c);

#endif
