/* SPDX-License-Identifier: ISC */

/*
 * What the environment says of sockets that were passed.  Each test runs in a
 * process of its own, where descriptors from 3 on are as it wants them.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/passed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
set_variables(const char *pid, const char *fds)
{
	char own[32];

	snprintf(own, sizeof(own), "%ld", (long)getpid());
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	if (pid != NULL)
		setenv("LISTEN_PID", strcmp(pid, "own") == 0 ? own : pid, 1);
	if (fds != NULL)
		setenv("LISTEN_FDS", fds, 1);
}

static const struct {
	const char *pid;
	const char *fds;
	int count;
} cases[] = {
	{ NULL, NULL, 0 },
	{ "own", NULL, 0 },
	{ NULL, "2", 0 },
	{ "1", "2", 0 },
	{ "", "2", 0 },
	{ "x", "2", 0 },
	{ "-1", "2", 0 },
	{ "99999999999999999999", "2", 0 },
	{ "own", "0", 0 },
	{ "own", "1", 1 },
	{ "own", "2", 2 },
	{ "own", "3", -1 }, /* 5 is not open */
	{ "own", "65", -1 },
	{ "own", "-1", -1 },
	{ "own", "x", -1 },
	{ "own", "", -1 },
	{ "own", "2x", -1 },
	{ "own", "99999999999999999999", -1 },
};

/* In a process of its own: -1, or the number of the first case that fails. */
static int
try_cases(void)
{
	int null = open("/dev/null", O_RDWR), i;

	dup2(null, STDERR_FILENO);
	for (i = 0; i < (int)COUNT(cases); i++) {
		dup2(STDERR_FILENO, 3);
		dup2(STDERR_FILENO, 4);
		closefrom(5);
		set_variables(cases[i].pid, cases[i].fds);
		if (passed_take() != cases[i].count)
			return i;
		/* Those that are passed, and no other, close on exec. */
		if (cases[i].count >= 0 &&
		    (fcntl(3, F_GETFD) != (cases[i].count > 0) ||
			fcntl(4, F_GETFD) != (cases[i].count > 1)))
			return i;
	}
	return -1;
}

/* What it returns in a process of its own, plus 1. */
static int
try_in_child(int (*try)(void))
{
	pid_t pid;
	int status;

	fflush(NULL);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0)
		_exit(try() + 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_counts_those_that_are_for_us(void **state)
{
	int wrong;

	(void)state;
	if ((wrong = try_in_child(try_cases)) != 0)
		fail_msg("case %d", wrong - 1);
}

static void
test_names(void **state)
{
	char name[PASSED_NAME_MAX], names[1024];

	(void)state;
	unsetenv("LISTEN_FDNAMES");
	assert_string_equal(passed_name(0, name), "");
	setenv("LISTEN_FDNAMES", "one::three", 1);
	assert_string_equal(passed_name(0, name), "one");
	assert_string_equal(passed_name(1, name), "");
	assert_string_equal(passed_name(2, name), "three");
	assert_string_equal(passed_name(3, name), "");
	memset(names, 'x', sizeof(names));
	names[sizeof(names) - 1] = '\0';
	setenv("LISTEN_FDNAMES", names, 1);
	assert_int_equal(strlen(passed_name(0, name)), PASSED_NAME_MAX - 1);
	assert_string_equal(passed_name(1, name), "");
}

static const struct {
	int family;
	const char *address;
	bool is_public;
} addresses[] = {
	{ AF_INET, "127.0.0.1", false },
	{ AF_INET, "127.255.0.1", false },
	{ AF_INET, "0.0.0.0", true },
	{ AF_INET6, "::", true },
	{ AF_INET6, "::1", false },
	{ AF_INET6, "::ffff:127.0.0.2", false },
	{ AF_INET6, "::ffff:0.0.0.0", true },
	{ AF_UNIX, "", false },
};

/* Binds descriptor 3; false: this machine does not have that address. */
static bool
bind_first(int family, const char *text)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const int off = 0;
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd == -1)
		return false;
	if (fd != PASSED_FIRST) {
		dup2(fd, PASSED_FIRST);
		close(fd);
	}
	setsockopt(PASSED_FIRST, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (family == AF_INET && inet_pton(family, text, &in4.sin_addr) == 1)
		return bind(PASSED_FIRST, (void *)&in4, sizeof(in4)) == 0;
	if (family == AF_INET6 && inet_pton(family, text, &in6.sin6_addr) == 1)
		return bind(PASSED_FIRST, (void *)&in6, sizeof(in6)) == 0;
	return true;
}

static int
try_addresses(void)
{
	int i;

	for (i = 0; i < (int)COUNT(addresses); i++) {
		if (!bind_first(addresses[i].family, addresses[i].address)) {
			if (addresses[i].family == AF_INET6)
				continue;
			return i;
		}
		if (passed_are_public(1) != addresses[i].is_public ||
		    passed_are_public(0))
			return i;
	}
	return -1;
}

static void
test_knows_what_others_can_reach(void **state)
{
	int wrong;

	(void)state;
	if ((wrong = try_in_child(try_addresses)) != 0)
		fail_msg("%s", addresses[wrong - 1].address);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_those_that_are_for_us),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_knows_what_others_can_reach),
	};

	return cmocka_run_group_tests_name("passed", tests, NULL, NULL);
}
