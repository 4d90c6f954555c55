/* SPDX-License-Identifier: ISC */
#ifndef BENCH_SWARM_OPTIONS_H
#define BENCH_SWARM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct swarm_options {
	const char *url;
	uint64_t clients; /* that read */
	uint64_t stalled; /* further ones that stop reading */
	uint64_t stall_after_bytes;
	uint64_t workers;
	uint64_t inflight;
	int mode;	       /* enum lines_mode */
	bool raw;	       /* no WebSocket */
	bool deflate;	       /* offer it */
	uint64_t inflate;      /* so many clients do it */
	uint64_t expect_lines; /* 0: not known */
	uint64_t line_bytes;   /* 0: not known */
	bool verify;
	uint64_t sample;
	bool idle;
	double duration_s, settle_s, drain_s, connect_timeout_s;
	const char *ready_file, *talk_file; /* or NULL */
};

/* Ends the process if there is a mistake, or --help was asked for. */
const struct swarm_options *swarm_options_parse(int argc, char *argv[]);

#endif
