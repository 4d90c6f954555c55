/* SPDX-License-Identifier: ISC */

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "cli/guard.h"

#define GUARD_FD 3
#define GUARD_POLL_NS 100000000L

static double
guard_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* After KILL nothing can be done, so there is no point in watching. */
static void
guard_end_group(pid_t group, double kill_seconds)
{
	const struct timespec pause = { 0, GUARD_POLL_NS };
	double deadline = guard_now() + kill_seconds;

	if (kill(-group, SIGTERM) == -1)
		return;
	kill(-group, SIGCONT);
	while (kill(-group, 0) == 0) {
		if (guard_now() >= deadline) {
			kill(-group, SIGKILL);
			return;
		}
		nanosleep(&pause, NULL);
	}
}

/* Whoever reads our stdout must see its end although the guard lives on. */
static bool
guard_let_go(int fd)
{
	int null;

	if (setsid() == -1 || chdir("/") == -1 ||
	    (null = open("/dev/null", O_RDWR)) == -1)
		return false;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	dup2(fd, GUARD_FD);
	closefrom(GUARD_FD + 1);
	return true;
}

static _Noreturn void
guard_run(int fd, double kill_seconds)
{
	pid_t group;
	char byte;

	if (!guard_let_go(fd))
		_exit(1);
	setproctitle("guard");
	if (read(GUARD_FD, &group, sizeof(group)) != (ssize_t)sizeof(group))
		_exit(0);
	if (read(GUARD_FD, &byte, 1) == 0)
		guard_end_group(group, kill_seconds);
	_exit(0);
}

int
guard_start(struct guard *g, double kill_seconds)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	g->pid = fork();
	if (g->pid == 0)
		guard_run(fds[0], kill_seconds);
	close(fds[0]);
	if (g->pid == -1) {
		g->pid = 0;
		close(fds[1]);
		return -1;
	}
	g->fd = fds[1];
	return 0;
}

int
guard_register(const struct guard *g)
{
	pid_t group = getpid();

	if (write(g->fd, &group, sizeof(group)) != (ssize_t)sizeof(group))
		return -1;
	return 0;
}

void
guard_stop(struct guard *g)
{
	/* Killed first: the end of the pipe would set it to work. */
	if (g->pid != 0)
		kill(g->pid, SIGKILL);
	if (g->fd != -1)
		close(g->fd);
	g->fd = -1;
}
