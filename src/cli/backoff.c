/* SPDX-License-Identifier: ISC */

#include "cli/backoff.h"

void
backoff_init(struct backoff *s, enum restart_policy policy, double first_delay)
{
	*s = (struct backoff){ .policy = policy,
		.first_delay = first_delay,
		.delay = first_delay };
}

/* Never less than before. */
static double
backoff_longer(double delay)
{
	if (delay >= BACKOFF_DELAY_MAX)
		return delay;
	return 2 * delay < BACKOFF_DELAY_MAX ? 2 * delay : BACKOFF_DELAY_MAX;
}

bool
backoff_judge(struct backoff *s, bool failed, double seconds, double *delay)
{
	if (s->policy == RESTART_NEVER ||
	    (s->policy == RESTART_ON_FAILURE && !failed))
		return false;
	if (seconds >= BACKOFF_STEADY)
		s->delay = s->first_delay;
	*delay = s->delay;
	s->delay = backoff_longer(s->delay);
	return true;
}
