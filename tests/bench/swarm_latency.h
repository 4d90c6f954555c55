/* SPDX-License-Identifier: ISC */
#ifndef BENCH_SWARM_LATENCY_H
#define BENCH_SWARM_LATENCY_H

/*
 * A histogram of times in nanoseconds, in buckets that grow with what is in
 * them: 32 for each power of two, which is exact to three in a hundred.
 */

#include <stdint.h>
#include <stdio.h>

#define LATENCY_BUCKET_BITS 5
#define LATENCY_BUCKETS (64 << LATENCY_BUCKET_BITS)

struct latency {
	uint64_t count, sum_ns, max_ns;
	uint64_t min_ns; /* UINT64_MAX: nothing was added */
	uint64_t buckets[LATENCY_BUCKETS];
};

void latency_init(struct latency *l);
void latency_add(struct latency *l, uint64_t ns);
void latency_merge(struct latency *to, const struct latency *from);

/* As a JSON object, in microseconds. */
void latency_print(const struct latency *l, FILE *out);

#endif
