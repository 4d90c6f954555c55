/* SPDX-License-Identifier: ISC */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "cli/input.h"
#include "descriptors.h"

#define WATCHDOG_SECONDS 60

struct run {
	struct event_base *base;
	struct input *input;
	char text[256]; /* the first bytes */
	size_t bytes;
	int outputs;
	int ends;
	int error;
	bool paused;
	bool stray; /* after the end, while paused, or of a bad size */
	bool pauses;
	size_t descriptors;
};

static int
setup(void **state)
{
	struct run *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	*state = r;
	alarm(WATCHDOG_SECONDS);
	r->descriptors = count_descriptors();
	r->base = event_base_new();
	assert_non_null(r->base);
	return 0;
}

static int
teardown(void **state)
{
	struct run *r = *state;

	input_close(r->input);
	event_base_free(r->base);
	/* A relay that was left alone closes its pipe when it notices. */
	while (count_descriptors() != r->descriptors)
		sched_yield();
	alarm(0);
	free(r);
	return 0;
}

static void
resume_cb(evutil_socket_t fd, short what, void *arg)
{
	struct run *r = arg;

	(void)fd;
	(void)what;
	r->paused = false;
	input_resume(r->input);
	input_resume(r->input);
}

static void
input_cb(const void *bytes, size_t n, void *arg)
{
	const struct timeval pause = { 0, 1000 };
	struct run *r = arg;
	size_t room = sizeof(r->text) - 1;

	if (n == 0 || n > 65536 || r->ends != 0 || r->paused)
		r->stray = true;
	if (r->bytes < room)
		memcpy(r->text + r->bytes, bytes,
		    n < room - r->bytes ? n : room - r->bytes);
	r->bytes += n;
	if (!r->pauses)
		return;
	r->paused = true;
	input_pause(r->input);
	event_base_once(r->base, -1, EV_TIMEOUT, resume_cb, r, &pause);
}

static void
end_cb(int error, void *arg)
{
	struct run *r = arg;

	r->ends++;
	r->error = error;
	input_close(r->input);
	r->input = NULL;
}

static void
start(struct run *r, int fd)
{
	const struct input_handlers handlers = { input_cb, end_cb, r };

	r->input = input_open(r->base, fd, &handlers);
	assert_non_null(r->input);
}

/* The loop ends by itself when nothing is waited for any more. */
static void
run_to_end(struct run *r, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	start(r, fd);
	event_base_dispatch(r->base);
	assert_int_equal(r->ends, 1);
	assert_false(r->stray);
	assert_int_equal(fcntl(fd, F_GETFL), flags);
	close(fd);
}

static void
write_all(int fd, const char *text)
{
	ssize_t n = (ssize_t)strlen(text);

	assert_int_equal(write(fd, text, (size_t)n), n);
}

static void
test_pipe(void **state)
{
	struct run *r = *state;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	write_all(fds[1], "text");
	close(fds[1]);
	run_to_end(r, fds[0]);
	assert_int_equal(r->error, 0);
	assert_string_equal(r->text, "text");
}

/* Its writer has come and gone before we look. */
static void
test_fifo(void **state)
{
	struct run *r = *state;
	char directory[] = "/tmp/input_test.XXXXXX", path[64];
	int from, to;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/fifo", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	from = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	to = open(path, O_WRONLY | O_CLOEXEC);
	write_all(to, "text");
	close(to);
	unlink(path);
	rmdir(directory);
	assert_int_equal(fcntl(from, F_SETFL, 0), 0);
	run_to_end(r, from);
	assert_string_equal(r->text, "text");
}

/* Another reader was faster: nothing is lost and nobody waits. */
static void
test_shared_pipe(void **state)
{
	struct run *r = *state;
	int fds[2];
	char taken[8];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	start(r, fds[0]);
	write_all(fds[1], "theirs");
	assert_int_equal(read(fds[0], taken, 6), 6);
	event_base_loop(r->base, EVLOOP_NONBLOCK);
	assert_int_equal(r->bytes, 0);
	write_all(fds[1], "ours");
	event_base_loop(r->base, EVLOOP_ONCE);
	assert_string_equal(r->text, "ours");
	assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	close(fds[1]);
	event_base_dispatch(r->base);
	assert_int_equal(r->ends, 1);
	close(fds[0]);
}

static void
test_socket(void **state)
{
	struct run *r = *state;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	write_all(fds[1], "text");
	close(fds[1]);
	run_to_end(r, fds[0]);
	assert_string_equal(r->text, "text");
	assert_int_equal(r->error, 0);
}

static int
make_file(size_t size)
{
	char path[] = "/tmp/input_test.XXXXXX";
	int fd = mkstemp(path);

	assert_int_not_equal(fd, -1);
	unlink(path);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void
test_files(void **state)
{
	static const size_t sizes[] = { 0, 1, 65536, 3000001 };
	struct run *r = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (int pauses = 0; pauses < 2; pauses++) {
			r->pauses = pauses != 0;
			r->bytes = 0;
			r->ends = 0;
			run_to_end(r, make_file(sizes[i]));
			assert_int_equal(r->bytes, sizes[i]);
			assert_int_equal(r->error, 0);
		}
	}
}

static void
test_null(void **state)
{
	struct run *r = *state;

	run_to_end(r, open("/dev/null", O_RDONLY | O_CLOEXEC));
	assert_int_equal(r->bytes, 0);
	assert_int_equal(r->error, 0);
}

static void
test_errors(void **state)
{
	struct run *r = *state;

	run_to_end(r, open("/tmp", O_RDONLY | O_CLOEXEC));
	assert_int_equal(r->error, EISDIR);
	r->ends = 0;
	run_to_end(r, open("/dev/null", O_WRONLY | O_CLOEXEC));
	assert_int_equal(r->error, EBADF);
}

/* Without end: closed while it waits, and while a relay has more to give. */
static void
test_close(void **state)
{
	struct run *r = *state;
	int fds[2], zero;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	start(r, fds[0]);
	event_base_loop(r->base, EVLOOP_NONBLOCK);
	input_close(r->input);
	close(fds[0]);
	close(fds[1]);
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	start(r, zero);
	event_base_loop(r->base, EVLOOP_ONCE);
	assert_true(r->bytes > 0);
	input_close(r->input);
	r->input = NULL;
	assert_int_equal(r->ends, 0);
	close(zero);
	input_close(NULL);
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		RUN(test_pipe),
		RUN(test_fifo),
		RUN(test_shared_pipe),
		RUN(test_socket),
		RUN(test_files),
		RUN(test_null),
		RUN(test_errors),
		RUN(test_close),
	};

	return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
