/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_TEST_SEED_H
#define WSEXEC_TEST_SEED_H

/*
 * Random tests print what repeats them: SEED=N in the environment.
 */

#include <stdio.h>
#include <stdlib.h>

/* Seeds random(3), and says with what. */
static inline void
seed_random(void)
{
	const char *given = getenv("SEED");
	unsigned int seed = arc4random();

	if (given != NULL)
		seed = (unsigned int)strtoul(given, NULL, 10);
	printf("SEED=%u\n", seed);
	srandom(seed);
}

#endif
