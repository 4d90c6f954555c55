/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/runs.h"

static uint64_t
runs_oldest(const struct runs *runs)
{
	return runs->count > RUNS_MAX ? runs->count - RUNS_MAX : 0;
}

void
runs_begin(struct runs *runs, uint64_t number, uint64_t first)
{
	struct run *run = &runs->known[runs->count++ % RUNS_MAX];

	(void)snprintf(run->id, sizeof(run->id), "%016" PRIx64, number);
	run->first = first;
}

const struct run *
runs_current(const struct runs *runs)
{
	return &runs->known[(runs->count - 1) % RUNS_MAX];
}

bool
runs_have(const struct runs *runs, const char *id)
{
	uint64_t i;

	for (i = runs_oldest(runs); i < runs->count; i++)
		if (strcmp(runs->known[i % RUNS_MAX].id, id) == 0)
			return true;
	return false;
}

const struct run *
runs_find(const struct runs *runs, uint64_t seq)
{
	uint64_t i = runs->count - 1;

	/* Mostly it is the newest. */
	while (i > runs_oldest(runs) && runs->known[i % RUNS_MAX].first > seq)
		i--;
	return &runs->known[i % RUNS_MAX];
}
