/* SPDX-License-Identifier: ISC */

#include <sys/resource.h>

#include <err.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "cli/announce.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/passed.h"
#include "cli/token.h"
#include "cli/wrapper.h"

#define EXIT_FAILED 125

/* Descriptors 0 to 2 that are closed would be taken for other things. */
static void
open_standard_descriptors(void)
{
	int fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			err(EXIT_FAILED, "/dev/null");
	} while (fd <= STDERR_FILENO);
	close(fd);
}

/* A client costs a descriptor.  Returns the soft limit there was before. */
static rlim_t
raise_descriptor_limit(void)
{
	struct rlimit limit;
	rlim_t before;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		err(EXIT_FAILED, "getrlimit");
	before = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return before;
}

/* What is ignored now the command shall ignore, too. */
static sigset_t
find_ignored_signals(void)
{
	struct sigaction action;
	sigset_t ignored;
	int i;

	(void)sigemptyset(&ignored);
	for (i = 1; i <= SIGRTMAX; i++)
		if (sigaction(i, NULL, &action) == 0 &&
		    action.sa_handler == SIG_IGN)
			(void)sigaddset(&ignored, i);
	return ignored;
}

/*
 * Everything that is asked for before anything is opened.  False: it cannot
 * be had, and why has been told.
 */
static bool
find_sockets(struct options *o, struct wrapper_config *config,
    char token[TOKEN_MAX])
{
	int passed = passed_take();

	if (passed == -1 || !token_find(o, passed_are_public(passed), token))
		return false;
	if (passed > 0 && !o->tcp_is_given)
		o->addresses[0] = NULL;
	config->passed_sockets = passed;
	config->token = token[0] != '\0' ? token : NULL;
	return true;
}

int
main(int argc, char **argv, char **envp)
{
	struct options options;
	struct event_base *base;
	struct wrapper *wrapper;
	char token[TOKEN_MAX];
	struct wrapper_config config = { .options = &options,
		.ignored = find_ignored_signals() };
	int status;

	setproctitle_init(argc, argv, envp);
	open_standard_descriptors();
	/* Blocks of history go back to the system when they are dropped. */
	(void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	options_parse(&options, argc, argv);
	log_set_verbose(options.verbose);
	if (options.command[0] == NULL && isatty(STDIN_FILENO)) {
		log_warn("no command, and standard input is a terminal (see "
			 "wsexec --help)");
		return EXIT_FAILED;
	}
	if (options.command[0] == NULL && options.restart != RESTART_NEVER) {
		log_warn("--restart: there is no command to run again");
		return EXIT_FAILED;
	}
	if (!announce_check(options.ready_fd) ||
	    !find_sockets(&options, &config, token))
		return EXIT_FAILED;
	config.descriptor_limit = raise_descriptor_limit();
	(void)signal(SIGPIPE, SIG_IGN);
	/* A background job may write to its terminal, whatever stty says. */
	(void)signal(SIGTTOU, SIG_IGN);
	if ((base = event_base_new()) == NULL) {
		log_warn("no event loop can be made");
		return EXIT_FAILED;
	}
	if ((status = wrapper_open(&wrapper, base, &config)) == 0) {
		status = wrapper_run(wrapper);
		wrapper_free(wrapper);
	}
	event_base_free(base);
	libevent_global_shutdown();
	return status;
}
