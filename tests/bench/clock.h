/* SPDX-License-Identifier: ISC */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

/*
 * The monotonic clock in nanoseconds: the same for all processes of a machine,
 * so that the time in a line can be compared with when the line came.
 */

#include <stdint.h>
#include <time.h>

#define NS_A_SECOND UINT64_C(1000000000)

static inline uint64_t
clock_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_A_SECOND + (uint64_t)t.tv_nsec;
}

/* As a count of nanoseconds; at most some 500 years. */
static inline uint64_t
clock_from_seconds(double seconds)
{
	return (uint64_t)(seconds * (double)NS_A_SECOND);
}

static inline double
clock_to_seconds(uint64_t ns)
{
	return (double)ns / (double)NS_A_SECOND;
}

#endif
