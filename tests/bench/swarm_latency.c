/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <string.h>

#include "swarm_latency.h"

#define SHARE (1 << LATENCY_BUCKET_BITS) /* buckets of one power of two */

void
latency_init(struct latency *l)
{
	memset(l, 0, sizeof(*l));
	l->min_ns = UINT64_MAX;
}

/* Values below SHARE have a bucket each; above, the top bits choose one. */
static unsigned int
bucket_of(uint64_t ns)
{
	unsigned int shift;

	if (ns < SHARE)
		return (unsigned int)ns;
	shift = 63 - (unsigned int)__builtin_clzll(ns) - LATENCY_BUCKET_BITS;
	return shift * SHARE + (unsigned int)(ns >> shift);
}

/* The middle of a bucket. */
static uint64_t
bucket_ns(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < 2 * SHARE)
		return bucket;
	shift = bucket / SHARE - 1;
	return ((uint64_t)(bucket % SHARE + SHARE) << shift) +
	    (UINT64_C(1) << shift) / 2;
}

void
latency_add(struct latency *l, uint64_t ns)
{
	l->buckets[bucket_of(ns)]++;
	l->count++;
	l->sum_ns += ns;
	if (ns < l->min_ns)
		l->min_ns = ns;
	if (ns > l->max_ns)
		l->max_ns = ns;
}

void
latency_merge(struct latency *to, const struct latency *from)
{
	size_t i;

	for (i = 0; i < LATENCY_BUCKETS; i++)
		to->buckets[i] += from->buckets[i];
	to->count += from->count;
	to->sum_ns += from->sum_ns;
	if (from->min_ns < to->min_ns)
		to->min_ns = from->min_ns;
	if (from->max_ns > to->max_ns)
		to->max_ns = from->max_ns;
}

static double
to_us(uint64_t ns)
{
	return (double)ns / 1000;
}

/* What share of all, 0 to 1, is not above. */
static double
percentile_us(const struct latency *l, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)l->count), seen = 0;
	unsigned int i;

	for (i = 0; i < LATENCY_BUCKETS; i++) {
		seen += l->buckets[i];
		if (seen > wanted)
			return to_us(bucket_ns(i));
	}
	return to_us(l->max_ns);
}

void
latency_print(const struct latency *l, FILE *out)
{
	double count = l->count == 0 ? 1 : (double)l->count;

	fprintf(out,
	    "{\"samples\":%" PRIu64 ",\"min\":%.1f,\"mean\":%.1f,\"p50\":%.1f,"
	    "\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}",
	    l->count, l->count == 0 ? 0 : to_us(l->min_ns),
	    to_us(l->sum_ns) / count, percentile_us(l, 0.5),
	    percentile_us(l, 0.9), percentile_us(l, 0.99),
	    percentile_us(l, 0.999), to_us(l->max_ns));
}
