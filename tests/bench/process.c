/* SPDX-License-Identifier: ISC */

#include <sys/resource.h>

#include <stddef.h>

#include "process.h"

static volatile sig_atomic_t is_stopped;

static void
stop_cb(int signal)
{
	(void)signal;
	is_stopped = 1;
}

void
process_raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

void
process_catch_stop(sigset_t *before)
{
	const struct sigaction action = { .sa_handler = stop_cb };
	sigset_t blocked;

	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGTERM);
	(void)sigaddset(&blocked, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &blocked, before);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
}

bool
process_is_stopped(void)
{
	return is_stopped != 0;
}
