/* SPDX-License-Identifier: ISC */
#ifndef BENCH_FLOOR_RING_H
#define BENCH_FLOOR_RING_H

/*
 * The lines of the command, each framed once as a WebSocket message, in a ring
 * that all clients are sent from.  It is mapped twice in a row, so that what
 * is between two positions always is in one piece:
 *
 *	[ ring ........ ][ the same again ]
 *	        ^low   ^head
 *
 * Positions count all bytes there ever were.  One thread puts bytes in, any
 * number of them read what is before head.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct floor_ring {
	char *bytes; /* owned: 2 * size of them, mapped */
	size_t size; /* a power of two */
	_Atomic uint64_t head;
	char *input; /* owned: what was read and is no whole line yet */
	size_t input_size;
	uint64_t reads, lines;
};

/* Ends the process with a message if it cannot; size is rounded up. */
void floor_ring_open(struct floor_ring *r, size_t size);
void floor_ring_close(struct floor_ring *r);

/* Whether a chunk can be read while bytes from low on are still needed. */
bool floor_ring_has_room(const struct floor_ring *r, uint64_t low,
    size_t chunk);

/* Reads up to a chunk, if there is any.  False: that was the end. */
bool floor_ring_read(struct floor_ring *r, int fd, size_t chunk);

static inline const char *
floor_ring_at(const struct floor_ring *r, uint64_t position)
{
	return r->bytes + (position & (r->size - 1));
}

#endif
