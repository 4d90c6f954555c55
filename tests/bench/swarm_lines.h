/* SPDX-License-Identifier: ISC */
#ifndef BENCH_SWARM_LINES_H
#define BENCH_SWARM_LINES_H

/*
 * The lines of emit (see line.h) as one client gets them: whether each is the
 * next, how long it is, and how long it took.  Here is most of what swarm
 * costs, and what it costs limits what can be measured.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line.h"

struct stats;

enum lines_mode {
	LINES_FRAME,  /* a message is a line */
	LINES_LINES,  /* a message is one or more lines */
	LINES_STREAM, /* lines go on in the next message */
};

/* What lines are held against: the same for all clients of a process. */
struct lines_check {
	enum lines_mode mode;
	uint64_t expect;     /* lines there will be; 0: not known */
	uint64_t line_bytes; /* of each; 0: not known */
	const char *letters; /* borrowed: for whole reads; NULL: any */
	uint64_t sample;     /* the time is taken of every so many lines */
	uint64_t sample_left;
	uint64_t now_ns;     /* when what is read now has come */
	struct stats *stats; /* borrowed */
};

struct lines {
	struct lines_check *check; /* borrowed */
	uint64_t count;
	uint64_t next;	  /* number of the next line; UINT64_MAX: any */
	uint64_t done_ns; /* when the last one came; 0: not yet */
	char next_digits[LINE_NUMBER_DIGITS]; /* the same, to compare with */

	/* the line that is not whole yet */
	bool is_wrong;
	uint64_t size;
	char head[LINE_LETTERS_AT];
};

void lines_init(struct lines *l, struct lines_check *check);

/* Takes a part of a message; ends: its last. */
void lines_take(struct lines *l, const char *bytes, size_t n, bool ends);

/* A message that is a line, and counts as the next, as nobody can see it. */
void lines_take_unseen(struct lines *l);

#endif
