/* SPDX-License-Identifier: ISC */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

/*
 * What belongs to the process as a whole: its limits, and its end by a signal.
 */

#include <signal.h>
#include <stdbool.h>

/* As many descriptors as it may have. */
void process_raise_descriptors(void);

/*
 * Catches SIGTERM and SIGINT, but blocks them: before is the mask to wait
 * with, in epoll_pwait() and the like, so that none is missed.
 */
void process_catch_stop(sigset_t *before);

/* Whether one of them came. */
bool process_is_stopped(void);

#endif
