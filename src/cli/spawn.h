/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_SPAWN_H
#define WSEXEC_SPAWN_H

/*
 * Fork and exec: makes the process of a command exactly as a shell would have
 * made it, but in a process group of its own and with its output on pipes or
 * on a pseudoterminal.  Nothing of ours leaks into it: no descriptor, signal
 * disposition, limit, secret or variable that is for us.
 */

#include <sys/types.h>

#include <stddef.h>

struct child_config;
struct guard;

struct spawned {
	pid_t pid;  /* also the process group */
	int fds[2]; /* our ends of its stdout and stderr, owned by the caller;
		     * [1] is -1 on a pseudoterminal, where [0] is the master */
	int input;  /* the same of its stdin, if we write that; else -1 */
};

/* See child_check(). */
int spawn_check(const struct child_config *config);

/*
 * Starts the command and returns when it has been executed or has failed to;
 * the result and why are those of child_start().  Every signal must be blocked
 * in the caller.  The group is registered with the guard.
 */
int spawn_start(struct spawned *s, const struct child_config *config,
    const struct guard *guard, char *why, size_t size);

/* Gives a pseudoterminal the size of our terminal, or 80x24. */
void spawn_resize(int master);

#endif
