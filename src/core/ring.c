/* SPDX-License-Identifier: ISC */

#include <stdlib.h>

#include "core/ring.h"

#define RING_FIRST 16 /* slots allocated at first; a power of two */

void
ring_init(struct ring *r, uint64_t first)
{
	*r = (struct ring){ .first = first, .end = first };
}

void
ring_clear(struct ring *r)
{
	free(r->slots);
	ring_init(r, 0);
}

static void **
ring_slot(const struct ring *r, uint64_t number)
{
	return &r->slots[number & (r->capacity - 1)];
}

static bool
ring_grow(struct ring *r)
{
	struct ring wider = *r;
	uint64_t number;

	wider.capacity = r->capacity == 0 ? RING_FIRST : r->capacity * 2;
	wider.slots = calloc(wider.capacity, sizeof(*wider.slots));
	if (wider.slots == NULL)
		return false;
	for (number = r->first; number != r->end; number++)
		*ring_slot(&wider, number) = *ring_slot(r, number);
	free(r->slots);
	*r = wider;
	return true;
}

bool
ring_push(struct ring *r, void *item)
{
	if (r->end - r->first == r->capacity && !ring_grow(r))
		return false;
	*ring_slot(r, r->end++) = item;
	return true;
}

void *
ring_get(const struct ring *r, uint64_t number)
{
	if (number < r->first || number >= r->end)
		return NULL;
	return *ring_slot(r, number);
}

void
ring_set(struct ring *r, uint64_t number, void *item)
{
	*ring_slot(r, number) = item;
}

void *
ring_shift(struct ring *r)
{
	return *ring_slot(r, r->first++);
}
