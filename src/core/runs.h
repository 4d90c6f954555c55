/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_RUNS_H
#define WSEXEC_RUNS_H

/*
 * The runs there have been: each is one life of the command, with a random id
 * and the sequence number of its first record.  Since numbers go on from one
 * run to the next, a client that names any of these runs and a number says
 * without doubt where it is.
 *
 *	number   1 ... 120       121 ... 300      301 ...
 *	run      bd8122a15b81    6f0c1d5ae29b     0a4be7734c18
 *	               restart--'       restart--'
 *
 * The record of a restart is the last one of the run that has ended.  Only the
 * newest RUNS_MAX are known by their ids.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RUNS_MAX 64
#define RUN_ID_SIZE 17 /* 16 hexadecimal digits, and NUL */

struct run {
	char id[RUN_ID_SIZE];
	uint64_t first; /* sequence number of its first record */
};

/* All zero: there has been none. */
struct runs {
	struct run known[RUNS_MAX]; /* run number n at n % RUNS_MAX */
	uint64_t count;		    /* ever */
};

/* The next run begins, with a random number for its id. */
void runs_begin(struct runs *runs, uint64_t number, uint64_t first);

/* The current one, of which there must be one. */
const struct run *runs_current(const struct runs *runs);

/* Whether id is that of a run that is known. */
bool runs_have(const struct runs *runs, const char *id);

/* The run that record seq is of, or the oldest one that is known. */
const struct run *runs_find(const struct runs *runs, uint64_t seq);

#endif
