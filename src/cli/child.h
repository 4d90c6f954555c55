/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_CHILD_H
#define WSEXEC_CHILD_H

/*
 * Runs the one command: fork and exec without a shell, in a process group of
 * its own, its stdout and stderr on two pipes or on one pseudoterminal.  Hands
 * over bytes as they come and exactly one end; never interprets them.  Its
 * stdin is nothing, or ours, or what is written to it here.
 *
 * Exit and end of output are separate events.  The end is reported when the
 * leader has exited and all output has ended; or, where other processes still
 * hold the pipes, after drain_seconds.  What is left of the process group then
 * gets TERM, and after kill_seconds KILL.  A guard process does the same if
 * this process dies without a chance to.
 */

#include <sys/resource.h>
#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "wsexec.h"

struct event_base;
struct child;

/* What the command reads; on a pseudoterminal, all but WRITTEN is nothing. */
enum child_input {
	CHILD_INPUT_NONE, /* /dev/null */
	CHILD_INPUT_OWN,  /* our stdin, which is to be no terminal: only the
			   * process group in the foreground may read one */
	CHILD_INPUT_WRITTEN,
};

struct child_config {
	char *const *argv;	/* NULL-terminated; argv[0] sought in PATH */
	const char *cwd;	/* NULL: as it is */
	const char *const *env; /* "NAME=VALUE" to add, NULL-terminated */
	bool pty;
	enum child_input input;
	double drain_seconds;
	double kill_seconds;
	rlim_t descriptor_limit; /* soft RLIMIT_NOFILE for the command */
	rlim_t core_limit;	 /* soft RLIMIT_CORE for it */
	sigset_t ignored;	 /* signals it ignores, as after nohup(1) */
};

struct child_result {
	int code;	/* exit status, if signal is 0 */
	int signal;	/* what ended the leader, or 0 */
	double seconds; /* from start to the leader's exit */
	bool cut;	/* output was still open after drain_seconds */
};

struct child_handlers {
	/* n is 1..65536; stderr is part of stdout on a pseudoterminal. */
	void (*on_output)(enum wsexec_stream stream, const void *bytes,
	    size_t n, void *arg);
	/* Once; no output follows. */
	void (*on_end)(const struct child_result *result, void *arg);
	/*
	 * Once, after on_end: nothing of the process group is left, or nothing
	 * that KILL can end.  Only this one may call child_free().
	 */
	void (*on_gone)(void *arg);
	/* There is room for more input; see feeder.h.  NULL: nobody asks. */
	void (*on_room)(void *arg);
	void *arg;
};

/*
 * Whether argv[0] can be found and executed: 0, 127, 126, or 125 if cwd
 * cannot be entered; errno says why.  For finding a mistake early when the
 * command starts later.
 */
int child_check(const struct child_config *config);

/*
 * Starts the command.  0: *out is it (release with child_free()).  Else the
 * exit status for wsexec, 127 not found, 126 not executable, 125 anything
 * else (also a cwd that cannot be entered), and why says it in a sentence.
 * Everything in config and handlers is copied or used up at once.
 *
 * Descriptors 0 to 2 must be open, and SIGPIPE ignored where input is written.
 * One child at a time: while there is one, every child process of this one is
 * waited for, and orphans among the command's descendants become children of
 * this process.
 */
int child_start(struct child **out, struct event_base *base,
    const struct child_config *config, const struct child_handlers *handlers,
    char *why, size_t size);

pid_t child_pid(const struct child *c);

/* Whether the leader has exited. */
bool child_has_exited(const struct child *c);

/*
 * Writes to its stdin, ends that, and says whether what was written waits, as
 * feeder.h has it.  What comes when its output has ended, or when it is to
 * end (child_stop()), is dropped.
 */
void child_write(struct child *c, const void *bytes, size_t n);
void child_end_input(struct child *c);
bool child_is_full(const struct child *c);

/* Stops and goes on reading the output; both may be called twice. */
void child_pause(struct child *c);
void child_resume(struct child *c);

/* Closes our end of a stream: the command gets SIGPIPE when it writes. */
void child_close_output(struct child *c, enum wsexec_stream stream);

/*
 * Sends a signal to the process group.  INT, TERM, HUP and QUIT also start
 * the countdown of kill_seconds to KILL; more of them do not start it again.
 */
void child_signal(struct child *c, int signal);

/* The same with the countdown for any signal: the command is to end. */
void child_stop(struct child *c, int signal);

/* Gives the pseudoterminal, if there is one, the size of our terminal. */
void child_resize(const struct child *c);

/* Kills what is left, waits for its death and frees.  NULL is allowed. */
void child_free(struct child *c);

#endif
