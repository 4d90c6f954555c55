/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_RING_H
#define WSEXEC_RING_H

/*
 * A queue of pointers that are found by number.  Numbers grow by one with
 * each push and are never used again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	void **slots;	 /* owned; a power of two of them */
	size_t capacity; /* of slots */
	uint64_t first;	 /* number of the oldest */
	uint64_t end;	 /* number the next will get */
};

/* The first item pushed gets number first. */
void ring_init(struct ring *r, uint64_t first);
void ring_clear(struct ring *r);

/* Adds an item (NULL is one too).  False: out of memory. */
bool ring_push(struct ring *r, void *item);

/* The item of that number, or NULL if it is not in the queue. */
void *ring_get(const struct ring *r, uint64_t number);

/* Replaces an item that is in the queue. */
void ring_set(struct ring *r, uint64_t number, void *item);

/* Takes the oldest out of a queue that is not empty and returns it. */
void *ring_shift(struct ring *r);

#endif
