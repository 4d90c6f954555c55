/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_SOURCE_H
#define WSEXEC_SOURCE_H

/*
 * Where the output comes from: the command, or our own standard input where
 * there is none.  A run of it begins with source_start() and ends once.  When
 * nothing of it is left it may be started again.
 */

#include "cli/child.h"
#include "wsexec.h"

struct event_base;
struct source;

struct source_handlers {
	/* n is 1..65536 */
	void (*on_output)(enum wsexec_stream stream, const void *bytes,
	    size_t n, void *arg);
	/* Once a run; no output of it follows. */
	void (*on_end)(const struct child_result *result, void *arg);
	/* Once a run, after its end: nothing of it is left. */
	void (*on_gone)(void *arg);
	/* source_write() takes bytes again. */
	void (*on_room)(void *arg);
	void *arg;
};

/*
 * config (borrowed): the command; where its input is to be ours and it cannot
 * have that itself, as one of the two is a terminal, it is copied.  Standard input is read if argv[0] is NULL.
 * NULL: out of memory.
 */
struct source *source_new(struct event_base *base,
    const struct child_config *config, const struct source_handlers *handlers);

/* As child_check(), after why was told; where there is no command it is 0. */
int source_check(const struct source *s);

/*
 * Begins a run.  0, or the status to exit with after why was told.  Not before
 * the run before has gone.
 */
int source_start(struct source *s);

/* Of the command; 0: there is none. */
long source_pid(const struct source *s);

/* Whether the command has exited, and only its output has not ended. */
bool source_has_exited(const struct source *s);

/*
 * Writes to the command, if its input is what is written.  It takes all of n
 * bytes, or none: false, and on_room follows.
 */
bool source_write(struct source *s, const void *bytes, size_t n);

/* Stops and goes on reading, in this run or the next; may be called twice. */
void source_pause(struct source *s);
void source_resume(struct source *s);

/* Nobody takes the output of a stream any more, now and in later runs. */
void source_close_output(struct source *s, enum wsexec_stream stream);

/*
 * The run is to end: the command gets the signal, and KILL in time.  Standard
 * input is not read any further, and its end is called back from here.
 */
void source_stop(struct source *s, int signal);

/* Passes a signal on to the command; SIGWINCH gives it our size. */
void source_signal(struct source *s, int signal);

/* Kills what is left of it.  NULL is allowed. */
void source_free(struct source *s);

#endif
