/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_GUARD_H
#define WSEXEC_GUARD_H

/*
 * A process that does nothing but outlive this one: if it finds the pipe
 * between them closed, it ends the command's process group with TERM and,
 * after a while, KILL.  It holds no other descriptor and ignores every signal
 * that can be ignored.
 */

#include <sys/types.h>

struct guard {
	pid_t pid; /* 0: none, or waited for */
	int fd;	   /* owned: the end of the pipe that tells we are alive */
};

/*
 * Forks the guard.  Every signal must be blocked in the caller and descriptors
 * 0 to 2 open.  0, or -1 with errno.
 */
int guard_start(struct guard *g, double kill_seconds);

/*
 * Tells it that the calling process leads the group to end.  Called by the
 * command's own process before it execs, so that at no time a command runs
 * that the guard does not know.  0, or -1 with errno.
 */
int guard_register(const struct guard *g);

/* Ends the guard, but not the group.  Its process is still to be waited for. */
void guard_stop(struct guard *g);

#endif
