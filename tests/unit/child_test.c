/* SPDX-License-Identifier: ISC */

/*
 * Runs real commands on a real loop.  A command that has to wait reads a pipe
 * of the test, the test waits for events; after each test no descriptor and
 * no process may be left.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "cli/child.h"
#include "cli/guard.h"
#include "descriptors.h"

#define WATCHDOG_SECONDS 60
#define KEPT_BYTES 4096
#define RUN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

struct run {
	struct event_base *base;
	struct child *child;
	struct child_config config;
	struct child_result result;
	char text[2][KEPT_BYTES]; /* the first bytes of each stream */
	uint64_t bytes[2];
	char why[256];
	int outputs;
	int ends;
	int gones;
	int rooms;	   /* how often there was room for input again */
	bool stray_output; /* after the end, while paused, or of a bad size */
	bool paused;
	bool timed_out;
	void (*hook)(struct run *r); /* after each output */
	int stdin_pipe[2];	     /* the command's stdin, if opened */
	int saved_fd[3];	     /* what 0 to 2 were */
	size_t descriptors;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
setup(void **state)
{
	struct run *r = calloc(1, sizeof(*r));
	struct rlimit limit;

	assert_non_null(r);
	*state = r;
	/* For tests that wait outside of the loop. */
	alarm(2 * WATCHDOG_SECONDS);
	r->descriptors = count_descriptors();
	r->base = event_base_new();
	assert_non_null(r->base);
	getrlimit(RLIMIT_NOFILE, &limit);
	r->config.descriptor_limit = limit.rlim_cur;
	assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
	r->config.core_limit = limit.rlim_cur;
	r->config.drain_seconds = WATCHDOG_SECONDS;
	r->config.kill_seconds = WATCHDOG_SECONDS;
	r->config.input = CHILD_INPUT_OWN;
	for (int i = 0; i < 3; i++)
		r->saved_fd[i] = -1;
	r->stdin_pipe[0] = r->stdin_pipe[1] = -1;
	return 0;
}

/* Puts another descriptor in the place of one of 0 to 2 until teardown(). */
static void
replace_fd(struct run *r, int number, int fd)
{
	if (r->saved_fd[number] == -1)
		r->saved_fd[number] = fcntl(number, F_DUPFD_CLOEXEC, 10);
	assert_int_not_equal(r->saved_fd[number], -1);
	assert_int_equal(dup2(fd, number), number);
}

static void
restore_fds(struct run *r)
{
	for (int i = 0; i < 3; i++) {
		if (r->saved_fd[i] == -1)
			continue;
		dup2(r->saved_fd[i], i);
		close(r->saved_fd[i]);
		r->saved_fd[i] = -1;
	}
}

static void
close_stdin_pipe(struct run *r)
{
	for (int i = 0; i < 2; i++) {
		if (r->stdin_pipe[i] != -1)
			close(r->stdin_pipe[i]);
		r->stdin_pipe[i] = -1;
	}
}

static int
teardown(void **state)
{
	struct run *r = *state;

	child_free(r->child);
	event_base_free(r->base);
	restore_fds(r);
	close_stdin_pipe(r);
	assert_int_equal(count_descriptors(), r->descriptors);
	errno = 0;
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	free(r);
	alarm(0);
	return 0;
}

static void
output_cb(enum wsexec_stream stream, const void *bytes, size_t n, void *arg)
{
	struct run *r = arg;
	size_t room = KEPT_BYTES - 1, used = r->bytes[stream];

	if (n == 0 || n > 65536 || r->ends != 0 || r->paused)
		r->stray_output = true;
	if (used < room)
		memcpy(r->text[stream] + used, bytes,
		    n < room - used ? n : room - used);
	r->bytes[stream] += n;
	if (r->hook != NULL)
		r->hook(r);
}

static void
end_cb(const struct child_result *result, void *arg)
{
	struct run *r = arg;

	r->ends++;
	r->result = *result;
}

static void
gone_cb(void *arg)
{
	struct run *r = arg;

	/* Out of order would show as a loop that does not end. */
	if (r->ends == 1)
		r->gones++;
	event_base_loopbreak(r->base);
}

static void
room_cb(void *arg)
{
	struct run *r = arg;

	r->rooms++;
}

static void
watchdog_cb(evutil_socket_t fd, short what, void *arg)
{
	struct run *r = arg;

	(void)fd;
	(void)what;
	r->timed_out = true;
	event_base_loopbreak(r->base);
}

static int
start_argv(struct run *r, char *const *argv)
{
	const struct child_handlers handlers = {
		.on_output = output_cb,
		.on_end = end_cb,
		.on_gone = gone_cb,
		.on_room = room_cb,
		.arg = r,
	};

	r->config.argv = argv;
	return child_start(&r->child, r->base, &r->config, &handlers, r->why,
	    sizeof(r->why));
}

static void
start_shell(struct run *r, const char *script)
{
	char *argv[] = { "sh", "-c", NULL, NULL };
	char *copy = strdup(script);

	argv[2] = copy;
	assert_int_equal(start_argv(r, argv), 0);
	free(copy);
}

static void
loop(struct run *r, int flags)
{
	const struct timeval limit = { WATCHDOG_SECONDS, 0 };
	struct event *watchdog = evtimer_new(r->base, watchdog_cb, r);

	evtimer_add(watchdog, &limit);
	event_base_loop(r->base, flags);
	event_free(watchdog);
	assert_false(r->timed_out);
}

static void
wait_until_gone(struct run *r)
{
	loop(r, 0);
	assert_int_equal(r->ends, 1);
	assert_int_equal(r->gones, 1);
	assert_false(r->stray_output);
}

static bool
is_group_empty(pid_t group)
{
	return kill(-group, 0) == -1 && errno == ESRCH;
}

static void
run_shell(struct run *r, const char *script)
{
	start_shell(r, script);
	wait_until_gone(r);
	assert_true(is_group_empty(child_pid(r->child)));
}

/* Makes ready for another command. */
static void
again(struct run *r)
{
	child_free(r->child);
	r->child = NULL;
	memset(r->text, 0, sizeof(r->text));
	r->bytes[0] = r->bytes[1] = 0;
	r->ends = r->gones = 0;
}

static void
open_stdin_pipe(struct run *r)
{
	assert_int_equal(pipe2(r->stdin_pipe, O_CLOEXEC), 0);
	replace_fd(r, STDIN_FILENO, r->stdin_pipe[0]);
}

static void
send_line(struct run *r, const char *line)
{
	ssize_t n = (ssize_t)strlen(line);

	assert_int_equal(write(r->stdin_pipe[1], line, (size_t)n), n);
}

static void
reap_everybody(void)
{
	while (waitpid(-1, NULL, 0) > 0)
		continue;
}

static void
wait_for_state(pid_t pid, int state)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, state | WNOWAIT), 0);
}

static void
test_exit_statuses(void **state)
{
	struct run *r = *state;
	char script[32];

	for (int i = 0; i < 256; i++) {
		snprintf(script, sizeof(script), "exit %d", i);
		run_shell(r, script);
		assert_int_equal(r->result.code, i);
		assert_int_equal(r->result.signal, 0);
		assert_false(r->result.cut);
		again(r);
	}
}

static void
test_signals_that_end(void **state)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP,
		SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2,
		SIGPIPE, SIGALRM, SIGTERM, SIGXCPU, SIGXFSZ, SIGSYS };
	struct run *r = *state;
	char script[64];

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		snprintf(script, sizeof(script), "ulimit -c 0; kill -%d $$",
		    signals[i]);
		run_shell(r, script);
		assert_int_equal(r->result.signal, signals[i]);
		again(r);
	}
}

static void
test_commands_that_cannot_run(void **state)
{
	static const struct {
		char *name;
		const char *cwd;
		int status;
		const char *why;
	} cases[] = {
		{ "no-such-command-x", NULL, 127,
		    "cannot run no-such-command-x: No such file" },
		{ "/no/such/x", NULL, 127, "/no/such/x: No such file" },
		{ "", NULL, 127, "No such file" },
		{ "/", NULL, 126, "cannot run /: Permission denied" },
		{ "/etc/passwd", NULL, 126, "/etc/passwd: Permission denied" },
		{ "/etc/passwd/x", NULL, 126, "Not a directory" },
		{ "./passwd", "/etc", 126, "./passwd: Permission denied" },
		{ "./true", "/etc", 127, "./true: No such file" },
		{ "true", "/no/such/dir", 125,
		    "cannot enter /no/such/dir: No such file" },
		{ "true", "/etc/passwd", 125, "Not a directory" },
		{ "true", NULL, 0, "" },
		{ "./true", "/bin", 0, "" },
	};
	struct run *r = *state;
	char *argv[] = { NULL, NULL };
	int status;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("\"%s\"\n", cases[i].name);
		argv[0] = cases[i].name;
		r->config.cwd = cases[i].cwd;
		r->why[0] = '\0';
		status = start_argv(r, argv);
		assert_int_equal(status, cases[i].status);
		assert_non_null(strstr(r->why, cases[i].why));
		assert_null(strchr(r->why, '\n'));
		errno = 0;
		assert_int_equal(child_check(&r->config), status);
		assert_true((errno == 0) == (status == 0));
		if (status == 0)
			wait_until_gone(r);
		again(r);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	}
}

static void
test_two_pipes(void **state)
{
	struct run *r = *state;

	run_shell(r, "echo out; echo err >&2; printf tail");
	assert_string_equal(r->text[WSEXEC_STDOUT], "out\ntail");
	assert_string_equal(r->text[WSEXEC_STDERR], "err\n");
	assert_true(r->result.seconds > 0);
	assert_true(r->result.seconds < WATCHDOG_SECONDS);
}

static void
test_no_output(void **state)
{
	struct run *r = *state;

	/* The end of output does not end the command. */
	open_stdin_pipe(r);
	start_shell(r, "exec >&- 2>&-; read line; exit 5");
	loop(r, EVLOOP_ONCE);
	loop(r, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(r->ends, 0);
	send_line(r, "go\n");
	wait_until_gone(r);
	assert_int_equal(r->result.code, 5);
	assert_int_equal(r->bytes[0] + r->bytes[1], 0);
}

static void
test_much_output(void **state)
{
	struct run *r = *state;

	run_shell(r,
	    "head -c 20000000 /dev/zero & "
	    "head -c 10000000 /dev/zero >&2; wait");
	assert_int_equal(r->bytes[WSEXEC_STDOUT], 20000000);
	assert_int_equal(r->bytes[WSEXEC_STDERR], 10000000);
	assert_false(r->result.cut);
}

static void
test_descriptors(void **state)
{
	struct run *r = *state;
	int stray[2];

	stray[0] = fcntl(STDERR_FILENO, F_DUPFD, 3);
	stray[1] = fcntl(STDERR_FILENO, F_DUPFD, 251);
	for (int pty = 0; pty < 2; pty++) {
		r->config.pty = pty != 0;
		/* The fourth is how ls reads the directory. */
		run_shell(r, "exec ls -1 /proc/self/fd");
		assert_string_equal(r->text[0], "0\n1\n2\n3\n");
		again(r);
	}
	close(stray[0]);
	close(stray[1]);
}

static bool is_in_valgrind;

/* It has limits of its own, and is the program where we run ourselves. */
static void
skip_in_valgrind(void)
{
	if (is_in_valgrind)
		skip();
}

static void
test_descriptor_limit(void **state)
{
	struct run *r = *state;

	skip_in_valgrind();
	r->config.descriptor_limit = 57;
	run_shell(r, "ulimit -S -n");
	assert_string_equal(r->text[0], "57\n");
}

static void
test_core_limit(void **state)
{
	struct run *r = *state;
	struct rlimit limit;

	skip_in_valgrind();
	assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
	r->config.core_limit = limit.rlim_max;
	limit.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_CORE, &limit), 0);
	run_shell(r, "test \"$(ulimit -S -c)\" = \"$(ulimit -H -c)\"");
	assert_int_equal(r->result.code, 0);
}

/* Of a line of /proc/PID/status, without the two that glibc hides. */
static uint64_t
ignored_in(const char *line)
{
	const uint64_t hidden = UINT64_C(3) << (32 - 1);
	const char *digits = strchr(line, '\t');

	assert_non_null(digits);
	return strtoull(digits, NULL, 16) & ~hidden;
}

static void
test_signal_dispositions(void **state)
{
	struct run *r = *state;
	sigset_t blocked, before, after;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGRTMIN, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	run_shell(r, "exec grep ^SigBlk /proc/self/status");
	assert_string_equal(r->text[0], "SigBlk:\t0000000000000000\n");
	again(r);
	run_shell(r, "exec grep ^SigIgn /proc/self/status");
	assert_int_equal(ignored_in(r->text[0]), 0);
	/* But what whoever started us wanted to be ignored. */
	again(r);
	sigaddset(&r->config.ignored, SIGHUP);
	run_shell(r, "exec grep ^SigIgn /proc/self/status");
	assert_int_equal(ignored_in(r->text[0]), 1 << (SIGHUP - 1));
	/* Starting it has left our own mask as it was. */
	sigprocmask(SIG_SETMASK, &before, &after);
	assert_true(sigismember(&after, SIGUSR1));
	assert_false(sigismember(&after, SIGTERM));
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGRTMIN, SIG_DFL);
}

static void
test_process_group(void **state)
{
	struct run *r = *state;
	char expected[64];

	run_shell(r, "exec cut -d ' ' -f 1,5,6 /proc/self/stat");
	snprintf(expected, sizeof(expected), "%d %d %d\n", child_pid(r->child),
	    child_pid(r->child), getsid(0));
	assert_string_equal(r->text[0], expected);
}

static void
test_directory(void **state)
{
	struct run *r = *state;

	r->config.cwd = "/usr/bin";
	run_shell(r, "pwd -P");
	assert_string_equal(r->text[0], "/usr/bin\n");
}

static void
test_environment(void **state)
{
	static const char *const added[] = { "CHILD_B=first",
		"CHILD_C=new=", "CHILD_B=last", "CHILD_EMPTY=", NULL };
	char *argv[] = { "env", NULL };
	struct run *r = *state;

	clearenv();
	setenv("PATH", "/usr/bin:/bin", 1);
	setenv("CHILD_A", "kept", 1);
	setenv("CHILD_B", "old", 1);
	setenv("CHILD_BB", "kept", 1);
	setenv("WSEXEC_TOKEN", "secret", 1);
	setenv("WSEXEC_CREDENTIAL", "secret", 1);
	setenv("WSEXEC_TOKENS", "kept", 1);
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDNAMES", "one", 1);
	setenv("NOTIFY_SOCKET", "/nowhere", 1);
	r->config.env = added;
	assert_int_equal(start_argv(r, argv), 0);
	wait_until_gone(r);
	assert_string_equal(r->text[0],
	    "PATH=/usr/bin:/bin\n"
	    "CHILD_A=kept\n"
	    "CHILD_BB=kept\n"
	    "WSEXEC_TOKENS=kept\n"
	    "CHILD_C=new=\n"
	    "CHILD_B=last\n"
	    "CHILD_EMPTY=\n");
	assert_string_equal(getenv("WSEXEC_TOKEN"), "secret");
	assert_string_equal(getenv("CHILD_B"), "old");
	clearenv();
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	ssize_t n = (ssize_t)strlen(text);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, (size_t)n), n);
	close(fd);
}

static void
expect_start(struct run *r, char *name, int status, const char *output)
{
	char *argv[] = { name, NULL };

	assert_int_equal(start_argv(r, argv), status);
	assert_int_equal(child_check(&r->config), status);
	if (status != 0)
		return;
	wait_until_gone(r);
	assert_string_equal(r->text[0], output);
	again(r);
}

/* The search is that of the command's environment and directory. */
static void
test_path(void **state)
{
	struct run *r = *state;
	char directory[] = "/tmp/child_test.XXXXXX";
	char tool[64], text[64], path[64];
	const char *env[] = { path, NULL };

	assert_non_null(mkdtemp(directory));
	snprintf(tool, sizeof(tool), "%s/child-test-tool", directory);
	snprintf(text, sizeof(text), "%s/child-test-text", directory);
	/* Without the line that names an interpreter it is for the shell. */
	write_file(tool, "echo tool\n", 0755);
	write_file(text, "echo text\n", 0644);

	expect_start(r, "child-test-tool", 127, NULL);
	r->config.env = env;
	snprintf(path, sizeof(path), "PATH=/nowhere:%s:/bin", directory);
	expect_start(r, "child-test-tool", 0, "tool\n");
	expect_start(r, "child-test-text", 126, NULL);
	expect_start(r, "child-test-none", 127, NULL);
	/* An empty part is the directory the command starts in. */
	snprintf(path, sizeof(path), "PATH=/nowhere:");
	expect_start(r, "child-test-tool", 127, NULL);
	r->config.cwd = directory;
	expect_start(r, "child-test-tool", 0, "tool\n");
	unlink(tool);
	unlink(text);
	rmdir(directory);
}

static void
test_input_is_ours(void **state)
{
	struct run *r = *state;

	open_stdin_pipe(r);
	send_line(r, "from us\n");
	run_shell(r, "head -n 1");
	assert_string_equal(r->text[0], "from us\n");
}

/* Opens a terminal in the place of one of 0 to 2; returns the master. */
static int
replace_by_terminal(struct run *r, int number)
{
	const struct winsize size = { .ws_row = 33, .ws_col = 111 };
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;

	assert_int_not_equal(master, -1);
	unlockpt(master);
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_int_not_equal(slave, -1);
	ioctl(master, TIOCSWINSZ, &size);
	replace_fd(r, number, slave);
	close(slave);
	return master;
}

static void
test_input_is_nothing(void **state)
{
	struct run *r = *state;

	open_stdin_pipe(r);
	send_line(r, "from us\n");
	r->config.input = CHILD_INPUT_NONE;
	run_shell(r, "readlink /proc/self/fd/0; cat");
	assert_string_equal(r->text[0], "/dev/null\n");
}

static void
write_line(struct run *r, const char *line)
{
	child_write(r->child, line, strlen(line));
}

static void
test_input_is_written(void **state)
{
	struct run *r = *state;

	r->config.input = CHILD_INPUT_WRITTEN;
	start_shell(r, "read a; read b; echo $b $a; cat; exec cat");
	write_line(r, "first\n");
	write_line(r, "second\nthird");
	child_end_input(r->child);
	wait_until_gone(r);
	assert_string_equal(r->text[0], "second first\nthird");
	/* Nobody is there any more. */
	write_line(r, "too late\n");
	child_end_input(r->child);
	assert_false(child_is_full(r->child));
	assert_int_equal(r->rooms, 0);
}

/* Who has been told to end is told so by its input, too. */
static void
test_input_ends_at_stop(void **state)
{
	struct run *r = *state;

	r->config.input = CHILD_INPUT_WRITTEN;
	start_shell(r, "trap '' TERM; echo ready; cat; echo end of input");
	while (r->bytes[0] == 0)
		loop(r, EVLOOP_ONCE);
	write_line(r, "a\n");
	child_signal(r->child, SIGTERM);
	write_line(r, "b\n");
	wait_until_gone(r);
	assert_string_equal(r->text[0], "ready\na\nend of input\n");
	assert_int_equal(r->result.code, 0);
}

/* The command reads nothing until it is told to; then all comes. */
static void
test_input_waits(void **state)
{
	struct run *r = *state;
	const size_t size = 200000;
	char *bytes = calloc(1, size);

	assert_non_null(bytes);
	r->config.input = CHILD_INPUT_WRITTEN;
	start_shell(r, "kill -STOP $$; exec wc -c");
	wait_for_state(child_pid(r->child), WSTOPPED);
	child_write(r->child, bytes, size);
	assert_true(child_is_full(r->child));
	loop(r, EVLOOP_NONBLOCK);
	assert_true(child_is_full(r->child));
	assert_int_equal(r->rooms, 0);
	child_end_input(r->child);
	child_signal(r->child, SIGCONT);
	wait_until_gone(r);
	assert_false(child_is_full(r->child));
	assert_int_equal(r->rooms, 1);
	assert_string_equal(r->text[0], "200000\n");
	free(bytes);
}

/* The kernel has room for less than this on the way to a terminal. */
static void
test_input_of_a_terminal(void **state)
{
	struct run *r = *state;
	const int lines = 20000;

	r->config.input = CHILD_INPUT_WRITTEN;
	r->config.pty = true;
	start_shell(r, "wc -lc; read line; echo $line; cat");
	for (int i = 0; i < lines; i++) {
		write_line(r, "0123456789\n");
		while (child_is_full(r->child))
			loop(r, EVLOOP_ONCE);
	}
	write_line(r, "\004");
	write_line(r, "a line\n");
	write_line(r, "in a line");
	child_end_input(r->child);
	wait_until_gone(r);
	assert_string_equal(r->text[0], "  20000  220000\na line\nin a line");
	assert_int_equal(r->result.code, 0);
}

/* A dead reader shows as well when all was taken before. */
static void
test_input_that_nobody_reads(void **state)
{
	struct run *r = *state;
	char bytes[100000] = "";

	signal(SIGPIPE, SIG_IGN);
	r->config.input = CHILD_INPUT_WRITTEN;
	start_shell(r, "exec 0</dev/null; echo ready; exec sleep 1000");
	while (r->bytes[0] == 0)
		loop(r, EVLOOP_ONCE);
	child_write(r->child, bytes, sizeof(bytes));
	assert_false(child_is_full(r->child));
	child_signal(r->child, SIGTERM);
	wait_until_gone(r);
	signal(SIGPIPE, SIG_DFL);
}

static void
test_terminal(void **state)
{
	struct run *r = *state;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char expected[128];

	for (int i = 0; i < 3; i++)
		replace_fd(r, i, null);
	close(null);
	r->config.pty = true;
	start_shell(r,
	    "test -t 0 && test -t 1 && test -t 2 && "
	    "stty size && echo error >&2 && echo tty >/dev/tty && "
	    "cut -d ' ' -f 5,6,8 /proc/self/stat && exit 9");
	wait_until_gone(r);
	restore_fds(r);
	/* Leader of a group, a session and the foreground of its terminal. */
	snprintf(expected, sizeof(expected), "24 80\nerror\ntty\n%d %d %d\n",
	    child_pid(r->child), child_pid(r->child), child_pid(r->child));
	assert_string_equal(r->text[0], expected);
	assert_int_equal(r->bytes[1], 0);
	assert_int_equal(r->result.code, 9);
	assert_false(r->result.cut);
}

/* Waits until the command has stopped itself and we have seen its output and
 * that nobody has the terminal open; then it goes on. */
static void
let_go_on_after(struct run *r, const char *text)
{
	wait_for_state(child_pid(r->child), WSTOPPED);
	while (strcmp(r->text[0], text) != 0)
		loop(r, EVLOOP_ONCE);
	loop(r, EVLOOP_NONBLOCK);
	loop(r, EVLOOP_NONBLOCK);
	child_signal(r->child, SIGCONT);
}

/* Who lets go of its terminal is not sent HUP, and may take it again. */
static void
test_terminal_that_nobody_has_open(void **state)
{
	struct run *r = *state;

	r->config.pty = true;
	start_shell(r,
	    "echo a; exec <&- >&- 2>&-; kill -STOP $$; "
	    "echo b >/dev/tty; kill -STOP $$; exit 3");
	let_go_on_after(r, "a\n");
	let_go_on_after(r, "a\nb\n");
	wait_until_gone(r);
	assert_string_equal(r->text[0], "a\nb\n");
	assert_int_equal(r->result.code, 3);
	assert_false(r->result.cut);
}

static void
resize_hook(struct run *r)
{
	const struct winsize size = { .ws_row = 44, .ws_col = 122 };

	if (strcmp(r->text[0], "33 111\nready\n") != 0)
		return;
	ioctl(STDOUT_FILENO, TIOCSWINSZ, &size);
	child_resize(r->child);
}

static void
test_terminal_size(void **state)
{
	struct run *r = *state;
	int master = replace_by_terminal(r, STDOUT_FILENO);

	r->config.pty = true;
	r->hook = resize_hook;
	start_shell(r,
	    "stty size; trap 'stty size; exit 0' WINCH; "
	    "sleep 1000 & echo ready; wait");
	loop(r, 0);
	restore_fds(r);
	close(master);
	assert_string_equal(r->text[0], "33 111\nready\n44 122\n");
	/* Without a terminal there is nothing to do. */
	again(r);
	r->hook = NULL;
	r->config.pty = false;
	start_shell(r, "exit 0");
	child_resize(r->child);
	wait_until_gone(r);
}

static void
test_late_output(void **state)
{
	struct run *r = *state;

	open_stdin_pipe(r);
	start_shell(r,
	    "exec 3<&0; (read line <&3; echo \"late $line\") & "
	    "echo early; exit 3");
	wait_for_state(child_pid(r->child), WEXITED);
	while (r->bytes[0] < strlen("early\n"))
		loop(r, EVLOOP_ONCE);
	loop(r, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(r->ends, 0);
	send_line(r, "line\n");
	wait_until_gone(r);
	assert_string_equal(r->text[0], "early\nlate line\n");
	assert_int_equal(r->result.code, 3);
	assert_false(r->result.cut);
	assert_true(is_group_empty(child_pid(r->child)));
}

static void
test_cut(void **state)
{
	struct run *r = *state;
	double started = now();

	open_stdin_pipe(r);
	/* The loop counts with a coarse clock. */
	r->config.drain_seconds = 0.21;
	run_shell(r, "exec 3<&0; (read line <&3) & echo early; exit 3");
	assert_true(now() - started >= 0.2);
	assert_string_equal(r->text[0], "early\n");
	assert_int_equal(r->result.code, 3);
	assert_true(r->result.cut);
}

/* Who has left the group does not keep us, and is not ours to end. */
static void
test_cut_from_outside(void **state)
{
	struct run *r = *state;

	open_stdin_pipe(r);
	r->config.drain_seconds = 0.05;
	run_shell(r, "exec 3<&0; setsid sh -c '(read line <&3) &'; exit 0");
	assert_true(r->result.cut);
	again(r);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
	close_stdin_pipe(r);
	reap_everybody();
}

static void
slow_hook(struct run *r)
{
	const struct timespec pause = { 0, 1000000 };

	(void)r;
	nanosleep(&pause, NULL);
}

/* The leader reads its input to the end. */
static void
endless_hook(struct run *r)
{
	slow_hook(r);
	if (r->bytes[0] > 0 && r->bytes[1] > 0)
		close_stdin_pipe(r);
}

/* Writes for ever after the exit of the leader, and faster than we read. */
static void
test_cut_of_endless_output(void **state)
{
	struct run *r = *state;

	open_stdin_pipe(r);
	r->hook = endless_hook;
	r->config.drain_seconds = 0.05;
	run_shell(r, "yes & yes >&2 & read line; exit 0");
	assert_true(r->result.cut);
	assert_true(r->bytes[0] > 0);
}

static void
resume_cb(evutil_socket_t fd, short what, void *arg)
{
	struct run *r = arg;

	(void)fd;
	(void)what;
	r->paused = false;
	child_resume(r->child);
	child_resume(r->child);
}

static void
pause_hook(struct run *r)
{
	const struct timeval pause = { 0, 20000 };

	if (++r->outputs % 2 != 0)
		return;
	r->paused = true;
	child_pause(r->child);
	child_pause(r->child);
	event_base_once(r->base, -1, EV_TIMEOUT, resume_cb, r, &pause);
}

/*
 * The drain time is less than one pause, and a full pipe takes many: what was
 * written before the exit must come although the end of output does not.
 */
static void
test_pause(void **state)
{
	static const double drains[] = { 0, 0.01 };
	struct run *r = *state;

	open_stdin_pipe(r);
	r->hook = pause_hook;
	for (size_t i = 0; i < 2; i++) {
		r->config.drain_seconds = drains[i];
		start_shell(r,
		    "exec 3<&0; (read line <&3) & "
		    "exec head -c 1000000 /dev/zero");
		wait_for_state(child_pid(r->child), WEXITED);
		wait_until_gone(r);
		assert_int_equal(r->bytes[0], 1000000);
		assert_true(r->result.cut);
		again(r);
	}
}

static void
pause_for(struct run *r, long us)
{
	const struct timeval pause = { 0, us };

	child_pause(r->child);
	r->paused = true;
	event_base_once(r->base, -1, EV_TIMEOUT, resume_cb, r, &pause);
	while (r->paused)
		loop(r, EVLOOP_ONCE);
}

static void
test_pause_from_start(void **state)
{
	struct run *r = *state;

	r->config.drain_seconds = 0.05;
	start_shell(r, "echo kept; exit 4");
	pause_for(r, 100000);
	wait_until_gone(r);
	assert_string_equal(r->text[0], "kept\n");
	assert_int_equal(r->result.code, 4);
	assert_false(r->result.cut);
}

/* Time in which nobody reads is no part of the drain time. */
static void
test_pause_in_drain_time(void **state)
{
	struct run *r = *state;

	open_stdin_pipe(r);
	r->config.drain_seconds = 0.6;
	start_shell(r,
	    "exec 3<&0; (read line <&3; echo \"late $line\") & exit 3");
	wait_for_state(child_pid(r->child), WEXITED);
	loop(r, EVLOOP_ONCE);
	pause_for(r, 700000);
	assert_int_equal(r->ends, 0);
	send_line(r, "line\n");
	wait_until_gone(r);
	assert_string_equal(r->text[0], "late line\n");
	assert_false(r->result.cut);
}

static void
flip_cb(evutil_socket_t fd, short what, void *arg)
{
	struct run *r = arg;

	(void)fd;
	(void)what;
	r->paused = !r->paused;
	(r->paused ? child_pause : child_resume)(r->child);
}

/* The drain time is the sum of all times in which somebody reads. */
static void
test_many_pauses_in_drain_time(void **state)
{
	const struct timeval interval = { 0, 20000 };
	struct run *r = *state;
	struct event *flip = event_new(r->base, -1, EV_PERSIST, flip_cb, r);

	open_stdin_pipe(r);
	r->config.drain_seconds = 0.1;
	start_shell(r, "exec 3<&0; (read line <&3) & exit 3");
	event_add(flip, &interval);
	wait_until_gone(r);
	event_free(flip);
	assert_true(r->result.cut);
}

static void
term_hook(struct run *r)
{
	child_signal(r->child, SIGTERM);
	if (r->stdin_pipe[1] != -1)
		send_line(r, "in case read is not interrupted\n");
	r->hook = NULL;
}

static void
test_signal_reaches_group(void **state)
{
	struct run *r = *state;

	open_stdin_pipe(r);
	r->hook = term_hook;
	run_shell(r,
	    "exec 3<&0; trap 'wait; exit 6' TERM; "
	    "(trap 'echo second; exit' TERM; echo ready; "
	    "read line <&3) & wait");
	assert_string_equal(r->text[0], "ready\nsecond\n");
	assert_int_equal(r->result.code, 6);
}

static void
test_signal_wakes_stopped(void **state)
{
	static const int signals[] = { SIGTERM, SIGHUP };
	struct run *r = *state;

	for (size_t i = 0; i < 2; i++) {
		start_shell(r, "kill -STOP $$");
		wait_for_state(child_pid(r->child), WSTOPPED);
		child_signal(r->child, signals[i]);
		wait_until_gone(r);
		assert_int_equal(r->result.signal, signals[i]);
		again(r);
	}
}

static void
test_kill_after_term(void **state)
{
	struct run *r = *state;
	double started = now();

	r->hook = term_hook;
	r->config.kill_seconds = 0.21;
	run_shell(r,
	    "trap '' TERM; sleep 1000 & echo ready; "
	    "while :; do wait; done");
	assert_int_equal(r->result.signal, SIGKILL);
	assert_true(now() - started >= 0.2);
	assert_false(r->result.cut);
}

static void
send_line_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_line(arg, "go on\n");
}

static void
usr1_hook(struct run *r)
{
	const struct timeval pause = { 0, 100000 };

	if (strcmp(r->text[0], "ready\n") == 0)
		child_signal(r->child, SIGUSR1);
	else
		event_base_once(r->base, -1, EV_TIMEOUT, send_line_cb, r,
		    &pause);
}

static void
stop_hook(struct run *r)
{
	child_stop(r->child, SIGUSR1);
}

/* Only what is meant to end it starts the countdown. */
static void
test_other_signals(void **state)
{
	struct run *r = *state;

	open_stdin_pipe(r);
	r->hook = usr1_hook;
	r->config.kill_seconds = 0;
	run_shell(r,
	    "exec 3<&0; sleep 1000 & "
	    "trap 'echo usr1; read line <&3; exit 8' USR1; "
	    "echo ready; wait");
	assert_string_equal(r->text[0], "ready\nusr1\n");
	assert_int_equal(r->result.code, 8);
	again(r);
	r->hook = stop_hook;
	run_shell(r, "trap '' USR1; echo ready; exec sleep 1000");
	assert_int_equal(r->result.signal, SIGKILL);
}

/* The group is ended although it keeps no output open. */
static void
test_rest_of_group(void **state)
{
	static const struct {
		const char *script;
		double kill_seconds;
	} cases[] = {
		{ "sleep 1000 >/dev/null 2>&1 & echo; exit 2",
		    WATCHDOG_SECONDS },
		{ "(sleep 1000 >/dev/null 2>&1 &) ; exit 2", WATCHDOG_SECONDS },
		{ "trap '' TERM; sleep 1000 >/dev/null 2>&1 & exit 2", 0.05 },
		{ "sh -c 'kill -STOP $$' >/dev/null 2>&1 & exit 2",
		    WATCHDOG_SECONDS },
	};
	struct run *r = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r->config.kill_seconds = cases[i].kill_seconds;
		run_shell(r, cases[i].script);
		assert_int_equal(r->result.code, 2);
		assert_int_equal(r->result.signal, 0);
		/* It must not reach whoever has the number now. */
		child_signal(r->child, SIGKILL);
		again(r);
	}
}

/*
 * A command that leaves a process in the group whose parent is no member: we
 * are not told when it ends.  It ends at once and the parent does not care
 * (is_zombie), or it ends with a line of input and the parent waits for it.
 */
static _Noreturn void
keep_member(bool is_zombie)
{
	char bytes[16];
	ssize_t n = 0;
	pid_t member;

	signal(SIGTERM, SIG_IGN);
	if ((member = fork()) == 0) {
		if (!is_zombie)
			n = read(STDIN_FILENO, bytes, sizeof(bytes));
		_exit(n == -1);
	}
	setsid();
	for (int fd = STDOUT_FILENO; fd < 10; fd++)
		close(fd);
	if (!is_zombie)
		waitpid(member, NULL, 0);
	n = read(STDIN_FILENO, bytes, sizeof(bytes));
	_exit(n == -1);
}

static int
leave_member(bool is_zombie)
{
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) == -1)
		return 1;
	switch (fork()) {
	case -1:
		return 1;
	case 0:
		keep_member(is_zombie);
	default:
		close(ready[1]);
		return read(ready[0], &byte, 1) == 0 ? 7 : 1;
	}
}

static void
run_self(struct run *r, char *mode)
{
	char *argv[] = { "/proc/self/exe", mode, NULL };

	open_stdin_pipe(r);
	assert_int_equal(start_argv(r, argv), 0);
}

/* We must not wait for ever for what cannot end. */
static void
test_group_that_cannot_end(void **state)
{
	struct run *r = *state;

	skip_in_valgrind();
	r->config.kill_seconds = 0;
	run_self(r, "leave-zombie");
	wait_until_gone(r);
	assert_int_equal(r->result.code, 7);
	assert_false(is_group_empty(child_pid(r->child)));
	again(r);
	close_stdin_pipe(r);
	reap_everybody();
}

static void
test_group_that_ends_silently(void **state)
{
	const struct timeval pause = { 0, 300000 };
	struct run *r = *state;

	skip_in_valgrind();
	run_self(r, "leave-member");
	event_base_once(r->base, -1, EV_TIMEOUT, send_line_cb, r, &pause);
	wait_until_gone(r);
	assert_int_equal(r->result.code, 7);
	assert_true(is_group_empty(child_pid(r->child)));
	again(r);
	close_stdin_pipe(r);
	reap_everybody();
}

static void
close_hook(struct run *r)
{
	child_close_output(r->child, WSEXEC_STDOUT);
	child_close_output(r->child, WSEXEC_STDOUT);
}

static void
test_close_output(void **state)
{
	struct run *r = *state;

	r->hook = close_hook;
	run_shell(r, "exec yes");
	assert_int_equal(r->result.signal, SIGPIPE);
	assert_false(r->result.cut);
	again(r);
	/* The other stream goes on. */
	run_shell(r,
	    "echo out; while echo more 2>&-; do :; done; "
	    "echo err >&2");
	assert_int_equal(r->result.signal, SIGPIPE);
	again(r);
	r->hook = NULL;
	start_shell(r,
	    "trap '' PIPE; while echo out 2>&-; do :; done; "
	    "echo err >&2");
	child_close_output(r->child, WSEXEC_STDOUT);
	wait_until_gone(r);
	assert_string_equal(r->text[WSEXEC_STDERR], "err\n");
	assert_int_equal(r->bytes[WSEXEC_STDOUT], 0);
	assert_int_equal(r->result.code, 0);
}

static void
break_hook(struct run *r)
{
	event_base_loopbreak(r->base);
}

/* teardown() sees what is left. */
static void
test_free_while_running(void **state)
{
	struct run *r = *state;
	pid_t group;

	r->hook = break_hook;
	for (int pty = 0; pty < 2; pty++) {
		r->config.pty = pty != 0;
		start_shell(r,
		    "trap '' TERM HUP; sleep 1000 & "
		    "(sleep 1000 &); echo ready; wait");
		loop(r, 0);
		group = child_pid(r->child);
		assert_false(is_group_empty(group));
		again(r);
		assert_true(is_group_empty(group));
	}
	start_shell(r, "exit 0");
	again(r);
	child_free(NULL);
}

/* The end of a pipe shows that nobody has it open any more. */
static void
wait_for_pipe(int fd)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
}

static void
start_guard(struct guard *g, double kill_seconds)
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	assert_int_equal(guard_start(g, kill_seconds), 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void
test_guard_holds_nothing(void **state)
{
	char path[64], target[64];
	struct guard g;
	int witness[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(witness, O_CLOEXEC), 0);
	assert_int_equal(dup2(witness[1], 500), 500);
	start_guard(&g, WATCHDOG_SECONDS);
	close(500);
	close(witness[1]);
	wait_for_pipe(witness[0]);

	for (int i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", g.pid, i);
		n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		if (i < 3)
			assert_string_equal(target, "/dev/null");
		else if (i == 3)
			assert_int_equal(strncmp(target, "pipe:", 5), 0);
		else
			assert_int_equal(n, -1);
	}
	assert_int_equal(getsid(g.pid), g.pid);
	guard_stop(&g);
	assert_int_equal(waitpid(g.pid, NULL, 0), g.pid);
}

static pid_t
start_member(const struct guard *g)
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	if ((pid = fork()) == 0) {
		setpgid(0, 0);
		if (guard_register(g) == -1)
			_exit(1);
		close(g->fd);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	return pid;
}

/* The same signals that end us come to the guard; it must outlive them. */
static void
test_guard_ends_group(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT,
		SIGUSR1, SIGPIPE };
	struct guard g;
	pid_t member;
	int status;

	(void)state;
	start_guard(&g, WATCHDOG_SECONDS);
	member = start_member(&g);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		kill(g.pid, signals[i]);
	close(g.fd);
	assert_int_equal(waitpid(member, &status, 0), member);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_int_equal(waitpid(g.pid, &status, 0), g.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
test_guard_stops(void **state)
{
	struct guard g;
	pid_t member;
	int status;

	(void)state;
	start_guard(&g, 0);
	member = start_member(&g);
	guard_stop(&g);
	assert_int_equal(waitpid(g.pid, NULL, 0), g.pid);
	assert_int_equal(waitpid(member, NULL, WNOHANG), 0);
	kill(member, SIGUSR1);
	assert_int_equal(waitpid(member, &status, 0), member);
	assert_int_equal(WTERMSIG(status), SIGUSR1);
}

/* The child process that is not the command, or 0. */
static pid_t
find_guard(const struct run *r)
{
	FILE *children = fopen("/proc/thread-self/children", "r");
	pid_t guard = 0;
	int pid;

	while (fscanf(children, "%d", &pid) == 1)
		if (pid != child_pid(r->child))
			guard = pid;
	fclose(children);
	return guard;
}

static void
kill_guard_hook(struct run *r)
{
	pid_t guard = find_guard(r);

	r->hook = NULL;
	send_line(r, guard != 0 && kill(guard, SIGKILL) == 0 ? "3\n" : "4\n");
}

static void
test_loss_of_guard(void **state)
{
	struct run *r = *state;

	open_stdin_pipe(r);
	r->hook = kill_guard_hook;
	run_shell(r, "echo ready; read status; exit $status");
	assert_int_equal(r->result.code, 3);
}

static void
test_no_guard_without_group(void **state)
{
	struct run *r = *state;

	run_shell(r, "exit 0");
	while (find_guard(r) != 0)
		loop(r, EVLOOP_ONCE);
}

/* What main does, in short, in a process that will be killed. */
static _Noreturn void
be_killed(struct run *r, char *script, int report)
{
	char *argv[] = { "sh", "-c", script, NULL };
	pid_t group;

	r->base = event_base_new();
	if (start_argv(r, argv) != 0)
		_exit(1);
	r->hook = break_hook;
	event_base_dispatch(r->base);
	group = child_pid(r->child);
	if (write(report, &group, sizeof(group)) == -1)
		_exit(1);
	r->hook = NULL;
	event_base_dispatch(r->base);
	_exit(1);
}

/* Every process of the group has the witness open as its descriptor 3. */
static void
kill_parent(struct run *r, const char *script)
{
	int report[2], witness[2];
	pid_t parent, group = 0;
	double started = now();
	char all[256];

	assert_int_equal(pipe2(witness, O_CLOEXEC), 0);
	assert_int_equal(pipe2(report, O_CLOEXEC), 0);
	snprintf(all, sizeof(all), "exec 3>/proc/%d/fd/%d; %s", getpid(),
	    witness[1], script);
	if ((parent = fork()) == 0)
		be_killed(r, all, report[1]);
	close(report[1]);
	assert_int_equal(read(report[0], &group, sizeof(group)), sizeof(group));
	close(report[0]);
	close(witness[1]);
	assert_false(is_group_empty(group));

	kill(parent, SIGKILL);
	wait_for_pipe(witness[0]);
	reap_everybody();
	assert_true(is_group_empty(group));
	assert_true(now() - started < WATCHDOG_SECONDS);
}

static void
test_killed_parent(void **state)
{
	static const struct {
		const char *script;
		bool pty;
		double kill_seconds;
	} cases[] = {
		{ "sleep 1000 & (sleep 1000 &); echo ready; wait", false,
		    WATCHDOG_SECONDS },
		{ "trap '' TERM; sleep 1000 & echo ready; wait", false, 0.2 },
		{ "sleep 1000 & echo ready; kill -STOP $$", false,
		    WATCHDOG_SECONDS },
		{ "trap '' HUP; sleep 1000 & echo ready; wait", true,
		    WATCHDOG_SECONDS },
	};
	struct run *r = *state;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r->config.pty = cases[i].pty;
		r->config.kill_seconds = cases[i].kill_seconds;
		kill_parent(r, cases[i].script);
	}
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		RUN(test_exit_statuses),
		RUN(test_signals_that_end),
		RUN(test_commands_that_cannot_run),
		RUN(test_two_pipes),
		RUN(test_no_output),
		RUN(test_much_output),
		RUN(test_descriptors),
		RUN(test_descriptor_limit),
		RUN(test_core_limit),
		RUN(test_signal_dispositions),
		RUN(test_process_group),
		RUN(test_directory),
		RUN(test_environment),
		RUN(test_path),
		RUN(test_input_is_ours),
		RUN(test_input_is_nothing),
		RUN(test_input_is_written),
		RUN(test_input_waits),
		RUN(test_input_ends_at_stop),
		RUN(test_input_of_a_terminal),
		RUN(test_input_that_nobody_reads),
		RUN(test_terminal),
		RUN(test_terminal_size),
		RUN(test_terminal_that_nobody_has_open),
		RUN(test_late_output),
		RUN(test_cut),
		RUN(test_cut_from_outside),
		RUN(test_cut_of_endless_output),
		RUN(test_pause),
		RUN(test_pause_from_start),
		RUN(test_pause_in_drain_time),
		RUN(test_many_pauses_in_drain_time),
		RUN(test_signal_reaches_group),
		RUN(test_signal_wakes_stopped),
		RUN(test_kill_after_term),
		RUN(test_other_signals),
		RUN(test_rest_of_group),
		RUN(test_group_that_cannot_end),
		RUN(test_group_that_ends_silently),
		RUN(test_close_output),
		RUN(test_free_while_running),
		RUN(test_guard_holds_nothing),
		RUN(test_guard_ends_group),
		RUN(test_guard_stops),
		RUN(test_loss_of_guard),
		RUN(test_no_guard_without_group),
		RUN(test_killed_parent),
	};

	is_in_valgrind = getenv("WSEXEC_VALGRIND") != NULL;
	if (argc == 2 && strcmp(argv[1], "leave-zombie") == 0)
		return leave_member(true);
	if (argc == 2 && strcmp(argv[1], "leave-member") == 0)
		return leave_member(false);
	/* A directory we may not enter would make "not found" uncertain. */
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
