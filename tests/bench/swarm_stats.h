/* SPDX-License-Identifier: ISC */
#ifndef BENCH_SWARM_STATS_H
#define BENCH_SWARM_STATS_H

/*
 * What the clients of a process have seen.  Each worker fills one, in memory
 * that it shares with its parent, which adds them up and prints them.  A table
 * in swarm_stats.c says how each number is added up, and its name in JSON.
 */

#include <stdint.h>
#include <stdio.h>

#include "swarm_latency.h"

#define STATS_TEXT_MAX 160
#define STATS_CODES_MAX 5000 /* close codes are below */

struct stats {
	uint64_t connected, failed;
	uint64_t messages; /* lines that readers got */
	uint64_t frames, compressed_messages;
	uint64_t bytes;	     /* of lines, without newlines */
	uint64_t wire_bytes; /* of everything behind the handshake */
	uint64_t reads;

	uint64_t complete;	/* readers that got every line once, in order */
	uint64_t gaps, missing; /* jumps ahead, and the lines jumped over */
	uint64_t out_of_order, non_seq, bad_length, bad_payload;
	uint64_t protocol_errors, pings, talked;
	uint64_t min_count, max_count; /* lines a reader got */

	/* how connections ended: of readers, and of those that stalled */
	uint64_t eof, reset, close_frames, open_at_end;
	uint64_t stalled_messages, stalled_bytes, stalled_open;
	uint64_t stalled_eof, stalled_reset, stalled_closed;
	uint64_t codes[STATS_CODES_MAX];

	/* clock_ns(); UINT64_MAX or 0: never */
	uint64_t begun_ns, connected_ns;
	uint64_t first_line_ns, last_line_ns;
	uint64_t first_done_ns, last_done_ns;

	struct latency latency;
	uint64_t user_us, system_us;	 /* CPU time */
	char error[STATS_TEXT_MAX];	 /* the first there was, or "" */
	char extensions[STATS_TEXT_MAX]; /* as the server named them, or "" */
};

void stats_init(struct stats *s);
void stats_merge(struct stats *to, const struct stats *from);

/* Notes what went wrong, unless something did before. */
void stats_note_error(struct stats *s, const char *what);

/* Adds the CPU time of this process. */
void stats_add_cpu(struct stats *s);

/* Prints one JSON object with these clients asked for. */
void stats_print(const struct stats *s, uint64_t clients, uint64_t stalled,
    FILE *out);

#endif
