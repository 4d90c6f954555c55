/* SPDX-License-Identifier: ISC */

/*
 * Many clients of one server, in one or more processes: what they see of the
 * lines of emit is counted and printed.  Nothing is judged here.
 */

#include <sys/mman.h>
#include <sys/wait.h>

#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "process.h"
#include "swarm_crowd.h"
#include "swarm_options.h"
#include "swarm_stats.h"
#include "target.h"

/* In memory of all workers. */
struct swarm {
	struct crowd_meeting meeting;
	struct stats stats[]; /* one for each */
};

/* Leaves all connections as they are, for crowd_clear(). */
static struct crowd *
work(struct swarm *swarm, uint64_t worker, const struct swarm_options *options,
    const struct target *target, const sigset_t *signals)
{
	static struct crowd crowd;

	crowd.meeting = &swarm->meeting;
	crowd.stats = &swarm->stats[worker];
	stats_init(crowd.stats);
	crowd_init(&crowd, options, target, worker);
	crowd_run(&crowd, signals);
	return &crowd;
}

static void
stop_all(const pid_t *workers, uint64_t count)
{
	uint64_t i;

	for (i = 0; i < count; i++)
		(void)kill(workers[i], SIGTERM);
}

/* Waits for all workers, and passes on that they are to end. */
static void
lead(const pid_t *workers, uint64_t count, const sigset_t *signals)
{
	bool has_failed = false;
	uint64_t left = count;
	int signal, status;

	while (left > 0) {
		if (sigwait(signals, &signal) != 0)
			err(1, "sigwait");
		while (left > 0 && waitpid(-1, &status, WNOHANG) > 0) {
			left--;
			if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
				has_failed = true;
		}
		if (signal != SIGCHLD || has_failed)
			stop_all(workers, count);
	}
	if (has_failed)
		errx(1, "a worker has failed");
}

/* Signals have their handlers, and are blocked, before there are workers. */
static void
share_work(struct swarm *swarm, const struct swarm_options *options,
    const struct target *target, const sigset_t *before)
{
	pid_t *workers = calloc(options->workers, sizeof(*workers));
	sigset_t signals;
	uint64_t i;

	if (workers == NULL)
		err(1, NULL);
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGCHLD);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	for (i = 0; i < options->workers; i++) {
		if ((workers[i] = fork()) == -1)
			err(1, "fork");
		if (workers[i] > 0)
			continue;
		crowd_clear(work(swarm, i, options, target, before));
		exit(0);
	}
	lead(workers, options->workers, &signals);
	for (i = 1; i < options->workers; i++)
		stats_merge(&swarm->stats[0], &swarm->stats[i]);
	free(workers);
}

int
main(int argc, char *argv[])
{
	const struct swarm_options *options = swarm_options_parse(argc, argv);
	struct target target;
	struct crowd *crowd = NULL;
	struct swarm *swarm;
	sigset_t before;

	target_parse(&target, options->url);
	process_raise_descriptors();
	process_catch_stop(&before);
	swarm = mmap(NULL,
	    sizeof(*swarm) + options->workers * sizeof(swarm->stats[0]),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (swarm == MAP_FAILED)
		err(1, "mmap");
	if (options->workers == 1)
		crowd = work(swarm, 0, options, &target, &before);
	else
		share_work(swarm, options, &target, &before);
	stats_print(&swarm->stats[0], options->clients, options->stalled,
	    stdout);
	if (fflush(stdout) == EOF)
		err(1, "standard output");
	/* Only now: what it costs a server is nobody's measure any more. */
	if (crowd != NULL)
		crowd_clear(crowd);
	return swarm->stats[0].connected == 0 &&
	    options->clients + options->stalled > 0;
}
