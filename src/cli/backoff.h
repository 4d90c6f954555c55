/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_BACKOFF_H
#define WSEXEC_BACKOFF_H

/*
 * Whether a command that has ended is run again, and after which delay.  Of
 * runs that are short the delay doubles each time, up to BACKOFF_DELAY_MAX;
 * after one that was not, it is the first again.  Knows no clock and no
 * process.
 */

#include <stdbool.h>

#define BACKOFF_DELAY_MAX 60.0 /* seconds; unless the first is more */
#define BACKOFF_STEADY 10.0    /* a run of so many seconds is not short */

enum restart_policy {
	RESTART_NEVER,
	RESTART_ON_FAILURE,
	RESTART_ALWAYS,
};

struct backoff {
	enum restart_policy policy;
	double first_delay; /* seconds */
	double delay;	    /* before the next restart */
};

void backoff_init(struct backoff *s, enum restart_policy policy,
    double first_delay);

/*
 * A run of so many seconds has ended.  True: another one is to follow, in
 * *delay seconds.
 */
bool backoff_judge(struct backoff *s, bool failed, double seconds,
    double *delay);

#endif
