/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_SIGNALS_H
#define WSEXEC_SIGNALS_H

/*
 * The signals to this process that are for the command: those that end it, and
 * those that are passed on.
 */

#include <signal.h>
#include <stdbool.h>

struct event_base;
struct signals;

typedef void signals_cb(int signal, void *arg);

/*
 * From now on the loop calls back for each of them, but for those that are
 * ignored, which stay so.  without_command: ^Z is left to the kernel, as there
 * is nothing but us to stop.  NULL: out of memory.
 */
struct signals *signals_open(struct event_base *base, const sigset_t *ignored,
    bool without_command, signals_cb *cb, void *arg);

/* NULL is allowed. */
void signals_close(struct signals *s);

#endif
