/* SPDX-License-Identifier: ISC */

/*
 * What gets out on stderr, and that nothing waits for it.  Each case is a
 * process of its own, since the module has one state; it fails by its exit
 * status, and ends by SIGALRM if it hangs.
 */

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/log.h"

#define HANG_SECONDS 30

/* In a child, where cmocka's checks do not work. */
static void
check(bool holds, int line)
{
	if (!holds)
		_exit(line % 250 + 1);
}

#define CHECK(condition) check((condition), __LINE__)

/* Runs body with stderr on fd (-1: closed); body gets other. */
static void
run(void (*body)(int other), int fd, int other)
{
	pid_t pid;
	int status;

	fflush(NULL);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		alarm(HANG_SECONDS);
		signal(SIGPIPE, SIG_IGN);
		if (fd == -1)
			close(STDERR_FILENO);
		else if (dup2(fd, STDERR_FILENO) == -1)
			_exit(255);
		body(other);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What is in a pipe, a socket or a terminal now, or soon if there is none. */
static size_t
read_some(int fd, char *text, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	ssize_t got;

	while (n < size - 1 && poll(&p, 1, n == 0 ? -1 : 0) == 1) {
		if ((got = read(fd, text + n, size - 1 - n)) <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	return n;
}

static void
log_some(int other)
{
	int flags = fcntl(STDERR_FILENO, F_GETFL);

	(void)other;
	log_verbose("not yet");
	errno = ESRCH;
	log_warn("%s is %d", "one", 1);
	log_info("two");
	log_set_verbose(1);
	log_verbose("three");
	log_warn("%s", "a\nb\r\t\033[2J\\ \177 \303\244 \"'%s");
	log_warn("%s", "");
	CHECK(errno == ESRCH);
	CHECK(fcntl(STDERR_FILENO, F_GETFL) == flags);
}

static const char some[] = "wsexec: one is 1\nwsexec: two\nwsexec: three\n"
			   "wsexec: a\\nb\\r\\t\\033[2J\\\\ \\177 \\303\\244 "
			   "\"'%s\nwsexec: \n";

static void
test_lines_arrive_and_are_visible(void **state)
{
	char text[4096];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	run(log_some, fds[1], -1);
	read_some(fds[0], text, sizeof(text));
	assert_string_equal(text, some);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	run(log_some, fds[1], -1);
	read_some(fds[0], text, sizeof(text));
	assert_string_equal(text, some);
	close(fds[0]);
	close(fds[1]);
}

static void
test_files_are_gone_on_with(void **state)
{
	FILE *file = tmpfile();
	char text[4096];
	size_t n;

	(void)state;
	assert_non_null(file);
	assert_int_equal(write(fileno(file), "before\n", 7), 7);
	run(log_some, fileno(file), -1);
	assert_int_equal(write(fileno(file), "after\n", 6), 6);
	rewind(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	assert_memory_equal(text, "before\n", 7);
	assert_memory_equal(text + 7, some, sizeof(some) - 1);
	assert_string_equal(text + 7 + sizeof(some) - 1, "after\n");
	fclose(file);
}

static void
log_long(int other)
{
	char text[8192];

	(void)other;
	memset(text, '\033', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_warn("%s", text);
	log_warn("next");
}

static void
test_a_long_message_is_cut(void **state)
{
	char text[16384], *end;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	run(log_long, fds[1], -1);
	read_some(fds[0], text, sizeof(text));
	assert_memory_equal(text, "wsexec: \\033\\033", 16);
	assert_non_null(end = strchr(text, '\n'));
	assert_in_range(end - text, 2000, 4095);
	assert_string_equal(end, "\nwsexec: next\n");
	close(fds[0]);
	close(fds[1]);
}

static void
log_nowhere(int other)
{
	(void)other;
	errno = ESRCH;
	for (int i = 0; i < 100; i++)
		log_warn("nobody reads this");
	CHECK(errno == ESRCH);
}

static void
test_nobody_to_tell(void **state)
{
	int fds[2], fd;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	run(log_nowhere, fds[1], -1);
	close(fds[1]);
	run(log_nowhere, -1, -1);
	assert_int_not_equal(fd = open("/dev/full", O_WRONLY), -1);
	run(log_nowhere, fd, -1);
	close(fd);
}

#define FLOOD 5000 /* lines, of 20 to 819 bytes */

/*
 * Counts the lines that came whole and those that are said to be lost, until
 * one of the later ones.  That one's number is how many of its kind there
 * were before.  Returns that number, or -1: it has not come yet.
 */
static long
count_lines(const char *text, long *whole, long *lost, long *notices)
{
	static const char full[] = " (stderr was full)\n";
	static const char end[] = " the end\n";
	const char *next;
	char *after;
	long number;

	*whole = *lost = *notices = 0;
	for (; (next = strchr(text, '\n')) != NULL; text = next + 1) {
		if (strncmp(text, "wsexec: messages lost: ", 23) == 0) {
			number = strtol(text + 23, &after, 10);
			if (strncmp(after, full, sizeof(full) - 1) != 0)
				continue;
			*lost += number;
			++*notices;
		} else if (strncmp(text, "wsexec: late ", 13) == 0) {
			number = strtol(text + 13, &after, 10);
			if (strncmp(after, end, sizeof(end) - 1) == 0)
				return number;
		} else if ((size_t)(next - text) >= sizeof(end) &&
		    strncmp(next + 2 - sizeof(end), end, sizeof(end) - 1) == 0)
			++*whole;
	}
	return -1;
}

/* Logs more than fits, and then reads and logs until something gets out. */
static void
log_flood(int reader)
{
	static char text[8 * 1024 * 1024];
	long whole, lost, notices, late = -1;
	size_t n = 0;

	for (int i = 0; i < FLOOD; i++)
		log_warn("%0*d the end", 3 + i * 7 % 800, i);
	for (long tries = 0; late == -1; tries++) {
		n += read_some(reader, text + n, sizeof(text) - n);
		log_warn("late %ld the end", tries);
		late = count_lines(text, &whole, &lost, &notices);
	}
	CHECK(whole > 0 && lost > FLOOD / 2 && notices > 0);
	/* One that lacks nothing but its newline counts as lost, too. */
	CHECK(whole + lost >= FLOOD + late);
	CHECK(whole + lost <= FLOOD + late + notices);
}

/* fds[0] is the master. */
static void
open_raw_pty(int fds[2])
{
	struct termios settings;

	assert_int_equal(openpty(&fds[0], &fds[1], NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(fds[1], &settings), 0);
	cfmakeraw(&settings);
	assert_int_equal(tcsetattr(fds[1], TCSANOW, &settings), 0);
}

static void
test_what_is_lost_is_counted(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	run(log_flood, fds[1], fds[0]);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	run(log_flood, fds[1], fds[0]);
	close(fds[0]);
	close(fds[1]);
	open_raw_pty(fds);
	run(log_flood, fds[1], fds[0]);
	close(fds[0]);
	close(fds[1]);
}

static void
log_long_often(int other)
{
	for (int i = 0; i < 50; i++)
		log_long(other);
}

/* It says that it can be written to, but has no room for a whole line. */
static void
test_nearly_full_terminal_is_not_waited_for(void **state)
{
	int fds[2];

	(void)state;
	open_raw_pty(fds);
	run(log_long_often, fds[1], -1);
	close(fds[0]);
	close(fds[1]);
}

static void
log_suspended(int other)
{
	(void)other;
	CHECK(tcflow(STDERR_FILENO, TCOOFF) == 0);
	log_nowhere(-1);
}

static void
test_suspended_terminal_is_not_waited_for(void **state)
{
	int master, slave;

	(void)state;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	run(log_suspended, slave, -1);
	close(master);
	close(slave);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_arrive_and_are_visible),
		cmocka_unit_test(test_files_are_gone_on_with),
		cmocka_unit_test(test_a_long_message_is_cut),
		cmocka_unit_test(test_nobody_to_tell),
		cmocka_unit_test(test_what_is_lost_is_counted),
		cmocka_unit_test(test_nearly_full_terminal_is_not_waited_for),
		cmocka_unit_test(test_suspended_terminal_is_not_waited_for),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
