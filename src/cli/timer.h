/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_TIMER_H
#define WSEXEC_TIMER_H

/* Timers of the loop whose time is a number of seconds of any size. */

struct event;

/*
 * Sets a timer that was assigned, anew if it is set.  Less than nothing is
 * nothing, and years are as good as more years.  Without memory to wait the
 * time is up at once.
 */
void timer_set(struct event *timer, double seconds);

#endif
