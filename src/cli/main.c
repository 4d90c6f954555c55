/* SPDX-License-Identifier: ISC */

#include <sys/prctl.h>
#include <sys/resource.h>

#include <err.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "cli/announce.h"
#include "cli/credential.h"
#include "cli/identity.h"
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

static struct rlimit
find_limit(unsigned int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) == -1)
		err(EXIT_FAILED, "getrlimit");
	return limit;
}

/* A client costs a descriptor. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit = find_limit(RLIMIT_NOFILE);

	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * No secret comes into a file, nor before the eyes of other processes of the
 * user.  The limit alone would not do where dumps go to a program (core(5)).
 */
static void
forbid_core_dumps(void)
{
	struct rlimit limit = find_limit(RLIMIT_CORE);

	limit.rlim_cur = 0;
	(void)setrlimit(RLIMIT_CORE, &limit);
	(void)prctl(PR_SET_DUMPABLE, 0);
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
    struct tokens *tokens)
{
	int passed = passed_take();

	if (passed == -1 || !credential_find(o) ||
	    !token_find(o, passed_are_public(passed), tokens))
		return false;
	if (passed > 0 && !o->tcp_is_given)
		o->addresses[0] = NULL;
	config->passed_sockets = passed;
	config->tokens = tokens;
	return true;
}

int
main(int argc, char **argv, char **envp)
{
	struct options options;
	struct event_base *base;
	struct wrapper *wrapper;
	struct identity identity;
	struct tokens tokens;
	struct wrapper_config config = { .options = &options,
		.identity = &identity,
		.ignored = find_ignored_signals() };
	int status;

	if (!token_hide_environment())
		err(EXIT_FAILED, "the environment");
	open_standard_descriptors();
	/* Blocks of history go back to the system when they are dropped. */
	(void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	options_parse(&options, argc, argv);
	/* It copies argv, which has no secrets any more. */
	setproctitle_init(argc, argv, envp);
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
	if (!identity_find(&options, &identity) ||
	    !announce_check(options.ready_fd) ||
	    !find_sockets(&options, &config, &tokens))
		return EXIT_FAILED;
	config.descriptor_limit = find_limit(RLIMIT_NOFILE).rlim_cur;
	config.core_limit = find_limit(RLIMIT_CORE).rlim_cur;
	raise_descriptor_limit();
	if (token_is_asked_for(&tokens) || credential_is_asked_for(&options))
		forbid_core_dumps();
	(void)signal(SIGPIPE, SIG_IGN);
	/* A background job may write to its terminal, whatever stty says. */
	(void)signal(SIGTTOU, SIG_IGN);
	if ((base = event_base_new()) == NULL) {
		log_warn("no event loop can be made");
		return EXIT_FAILED;
	}
	status = wrapper_open(&wrapper, base, &config);
	explicit_bzero(options.credential, strlen(options.credential));
	if (status == 0) {
		status = wrapper_run(wrapper);
		wrapper_free(wrapper);
	}
	event_base_free(base);
	libevent_global_shutdown();
	return status;
}
