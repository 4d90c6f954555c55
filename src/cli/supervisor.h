/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_SUPERVISOR_H
#define WSEXEC_SUPERVISOR_H

/*
 * The supervisor starts the source, ends it when its time is up, and starts it
 * again as --restart says.
 *
 *	             .---------- delay <---------.
 *	             v                           | on_restart
 *	waiting -> running -> its end is noted --+
 *	   |    on_start                         | on_end
 *	   `-------------------------------------`-> ended
 *
 * The next run begins when the delay is over and nothing of the last one is
 * left, whichever is later.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cli/backoff.h"

struct child_result;
struct event_base;
struct source;
struct supervisor;
struct wsexec_end;

struct supervisor_config {
	enum restart_policy policy;
	double first_delay; /* seconds */
	double timeout;	    /* seconds of each run; 0: no end */
	int stop_signal;    /* when that time is up */
};

struct supervisor_handlers {
	void (*on_start)(long pid, void *arg);
	/* A run has ended, and another one follows. */
	void (
	    *on_restart)(const struct wsexec_end *end, double delay, void *arg);
	/*
	 * Once: no run follows.  Of end, stopped says whether supervisor_stop()
	 * was called; linger is not set.
	 */
	void (*on_end)(const struct wsexec_end *end, void *arg);
	void *arg;
};

/* source is borrowed and outlives it.  NULL: out of memory. */
struct supervisor *supervisor_new(struct event_base *base,
    struct source *source, const struct supervisor_config *config,
    const struct supervisor_handlers *handlers);

/* The first run begins.  0, or why it could not, as source_start(). */
int supervisor_start(struct supervisor *s);

/* There is no first run: all ends with that status, or signal if not 0. */
void supervisor_give_up(struct supervisor *s, int code, int signal);

/*
 * All is to end with this run, which gets the signal; or with the last one, if
 * none is running.
 */
void supervisor_stop(struct supervisor *s, int signal);

/* What the source calls back, for the supervisor. */
void supervisor_note_end(struct supervisor *s,
    const struct child_result *result);
void supervisor_note_gone(struct supervisor *s);

bool supervisor_is_waiting(const struct supervisor *s);
bool supervisor_is_running(const struct supervisor *s);
bool supervisor_has_ended(const struct supervisor *s);

/* Whether it has ended and nothing of the command is left. */
bool supervisor_is_gone(const struct supervisor *s);

uint64_t supervisor_restarts(const struct supervisor *s);

/* The status to exit with, after the last run. */
int supervisor_status(const struct supervisor *s);

/* NULL is allowed. */
void supervisor_free(struct supervisor *s);

#endif
