/* SPDX-License-Identifier: ISC */

#include <sys/time.h>

#include <event2/event.h>

#include "cli/timer.h"

#define TIMER_LONGEST_SECONDS 1e8 /* what a timer is sure to understand */

void
timer_set(struct event *timer, double seconds)
{
	struct timeval tv;

	if (seconds < 0)
		seconds = 0;
	if (seconds > TIMER_LONGEST_SECONDS)
		seconds = TIMER_LONGEST_SECONDS;
	tv.tv_sec = (time_t)seconds;
	tv.tv_usec = (suseconds_t)((seconds - (double)tv.tv_sec) * 1e6);
	if (evtimer_add(timer, &tv) == -1)
		event_active(timer, EV_TIMEOUT, 1);
}
