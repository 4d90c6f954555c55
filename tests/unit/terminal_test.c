/* SPDX-License-Identifier: ISC */

/*
 * The local copy, with its relay, on real pipes, pseudoterminals and devices.
 * Readers are threads.  Nothing waits for time to pass: what would hang ends
 * by SIGALRM.
 */

#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "cli/terminal.h"
#include "descriptors.h"

#define CHUNK 65536
#define MANY (50L * 1024 * 1024) /* bytes; much more than pipes hold */
#define FULL (4L * 1024 * 1024)	 /* bytes; more than pipes hold */
#define HANG_SECONDS 120

struct fixture {
	struct event_base *base;
	struct terminal *terminal;
	int rooms; /* calls of on_room */
	int ends;  /* calls of on_end */
	int error;
	long written;
};

static void
room(void *arg)
{
	struct fixture *f = arg;

	assert_int_equal(f->ends, 0);
	assert_false(terminal_is_full(f->terminal));
	f->rooms++;
}

static void
end(int error, void *arg)
{
	struct fixture *f = arg;

	assert_false(terminal_is_full(f->terminal));
	f->ends++;
	f->error = error;
}

static void
open_terminal(struct fixture *f, int fd, bool own)
{
	const struct terminal_handlers handlers = { room, end, f };

	memset(f, 0, sizeof(*f));
	assert_non_null(f->base = event_base_new());
	f->terminal = terminal_open(f->base, fd, own, &handlers);
	assert_non_null(f->terminal);
}

static void
close_terminal(struct fixture *f)
{
	terminal_free(f->terminal);
	event_base_free(f->base);
}

/* The byte at a place: no two neighbouring pages are alike. */
static uint8_t
pattern(long at)
{
	return (uint8_t)(at * 31 + at / 251 + at / 65521);
}

static void
fill(uint8_t *bytes, size_t n, long at)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = pattern(at + (long)i);
}

static void
write_next(struct fixture *f, size_t n)
{
	uint8_t bytes[CHUNK];

	fill(bytes, n, f->written);
	assert_true(terminal_write(f->terminal, bytes, n));
	f->written += (long)n;
}

static void
loop_until(struct fixture *f, const int *count, int value)
{
	while (*count < value)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
}

/* As the caller is to do it: nothing more while it is full. */
static void
write_politely(struct fixture *f, long total)
{
	size_t n;

	while (f->written < total) {
		n = (size_t)(random() % CHUNK) + 1;
		if ((long)n > total - f->written)
			n = (size_t)(total - f->written);
		write_next(f, n);
		if (terminal_is_full(f->terminal))
			loop_until(f, &f->rooms, f->rooms + 1);
	}
}

static void
finish(struct fixture *f)
{
	terminal_finish(f->terminal);
	loop_until(f, &f->ends, 1);
}

/* A thread that reads all there is and compares it with the pattern. */
struct reader {
	pthread_t thread;
	int fd;
	long count;
	long wrong; /* place of the first wrong byte, or -1 */
};

static void *
read_all(void *arg)
{
	struct reader *r = arg;
	uint8_t bytes[CHUNK];
	ssize_t n;

	/* The master of a pseudoterminal ends with EIO. */
	while ((n = read(r->fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n && r->wrong == -1; i++)
			if (bytes[i] != pattern(r->count + i))
				r->wrong = r->count + i;
		r->count += n;
	}
	return NULL;
}

static void
reader_start(struct reader *r, int fd)
{
	*r = (struct reader){ .fd = fd, .wrong = -1 };
	assert_int_equal(pthread_create(&r->thread, NULL, read_all, r), 0);
}

static void
reader_join(struct reader *r)
{
	pthread_join(r->thread, NULL);
	assert_int_equal(r->wrong, -1);
	close(r->fd);
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static void
open_raw_pty(int *master, int *slave)
{
	struct termios settings;

	assert_int_equal(openpty(master, slave, NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(*slave, &settings), 0);
	cfmakeraw(&settings);
	assert_int_equal(tcsetattr(*slave, TCSANOW, &settings), 0);
}

static void
test_pipe_gets_every_byte(void **state)
{
	struct fixture f;
	struct reader reader;
	unsigned seed = arc4random();
	int fds[2];

	(void)state;
	print_message("seed %u\n", seed);
	srandom(seed);
	assert_int_equal(pipe(fds), 0);
	open_terminal(&f, fds[1], true);
	reader_start(&reader, fds[0]);
	write_politely(&f, MANY);
	finish(&f);
	assert_int_equal(f.error, 0);
	assert_int_equal(f.ends, 1);
	assert_false(is_open(fds[1]));
	reader_join(&reader);
	assert_int_equal(reader.count, MANY);
	close_terminal(&f);
}

/* Not asking whether it is full costs memory, but no bytes. */
static void
test_bytes_wait_in_order(void **state)
{
	struct fixture f;
	struct reader reader;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	open_terminal(&f, fds[1], true);
	while (f.written < FULL)
		write_next(&f, 1 + (size_t)f.written % 5000);
	assert_true(terminal_is_full(f.terminal));
	terminal_finish(f.terminal);
	reader_start(&reader, fds[0]);
	loop_until(&f, &f.ends, 1);
	assert_int_equal(f.error, 0);
	assert_int_equal(f.rooms, 1);
	reader_join(&reader);
	assert_int_equal(reader.count, f.written);
	close_terminal(&f);
}

static void
test_stopped_pty_fills_up_and_goes_on(void **state)
{
	struct fixture f;
	struct reader reader;
	int master, slave;

	(void)state;
	open_raw_pty(&master, &slave);
	open_terminal(&f, slave, true);
	while (f.written < FULL) {
		write_next(&f, CHUNK);
		assert_int_equal(event_base_loop(f.base, EVLOOP_NONBLOCK), 0);
	}
	/* More than everything on the way can hold. */
	assert_true(terminal_is_full(f.terminal));
	assert_int_equal(f.ends, 0);
	f.rooms = 0;
	reader_start(&reader, master);
	loop_until(&f, &f.rooms, 1);
	/* Told once; it is not asked again whether there is room. */
	for (int i = 0; i < 10; i++)
		assert_int_equal(event_base_loop(f.base, EVLOOP_NONBLOCK), 0);
	assert_int_equal(f.rooms, 1);
	write_next(&f, 1000);
	finish(&f);
	assert_int_equal(f.error, 0);
	reader_join(&reader);
	assert_int_equal(reader.count, f.written);
	close_terminal(&f);
}

/* As when somebody types ^S. */
static void
test_suspended_pty_is_only_waited_for(void **state)
{
	struct fixture f;
	struct reader reader;
	int master, slave;

	(void)state;
	open_raw_pty(&master, &slave);
	assert_int_equal(tcflow(slave, TCOOFF), 0);
	reader_start(&reader, master);
	open_terminal(&f, slave, false);
	while (f.written < FULL) {
		write_next(&f, CHUNK);
		assert_int_equal(event_base_loop(f.base, EVLOOP_NONBLOCK), 0);
	}
	assert_true(terminal_is_full(f.terminal));
	assert_int_equal(tcflow(slave, TCOON), 0);
	finish(&f);
	assert_int_equal(f.error, 0);
	assert_true(is_open(slave));
	close(slave);
	reader_join(&reader);
	assert_int_equal(reader.count, FULL);
	close_terminal(&f);
}

static void
test_hung_up_terminal_ends_it(void **state)
{
	struct fixture f;
	int master, slave;

	(void)state;
	open_raw_pty(&master, &slave);
	open_terminal(&f, slave, true);
	write_next(&f, CHUNK);
	close(master);
	write_next(&f, CHUNK);
	loop_until(&f, &f.ends, 1);
	assert_int_equal(f.error, EIO);
	close_terminal(&f);
}

static void
assert_drops(struct fixture *f, int error)
{
	int rooms = f->rooms;

	assert_int_equal(f->ends, 1);
	assert_int_equal(f->error, error);
	for (int i = 0; i < 100; i++)
		write_next(f, CHUNK);
	assert_false(terminal_is_full(f->terminal));
	terminal_finish(f->terminal);
	assert_int_equal(event_base_loop(f->base, EVLOOP_NONBLOCK), 1);
	assert_int_equal(f->ends, 1);
	assert_int_equal(f->rooms, rooms);
}

static void
test_closed_pipe_ends_it_once(void **state)
{
	struct fixture f;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	open_terminal(&f, fds[1], false);
	write_next(&f, 1);
	while (f.ends == 0) {
		write_next(&f, CHUNK);
		event_base_loop(f.base, EVLOOP_NONBLOCK);
	}
	assert_drops(&f, EPIPE);
	assert_true(is_open(fds[1]));
	close(fds[1]);
	close_terminal(&f);
}

static void
test_pipe_closed_while_full_gives_room_then_the_end(void **state)
{
	struct fixture f;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	open_terminal(&f, fds[1], true);
	while (f.written < FULL)
		write_next(&f, CHUNK);
	assert_true(terminal_is_full(f.terminal));
	assert_int_equal(event_base_loop(f.base, EVLOOP_NONBLOCK), 0);
	assert_int_equal(f.rooms, 0);
	close(fds[0]);
	loop_until(&f, &f.ends, 1);
	assert_int_equal(f.rooms, 1);
	assert_drops(&f, EPIPE);
	close_terminal(&f);
}

static void
test_full_device_ends_it(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	assert_int_not_equal(fd = open("/dev/full", O_WRONLY), -1);
	open_terminal(&f, fd, true);
	write_next(&f, 1);
	loop_until(&f, &f.ends, 1);
	assert_drops(&f, ENOSPC);
	assert_false(is_open(fd));
	close_terminal(&f);
}

static void
test_unwritable_descriptor_ends_it(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	assert_int_not_equal(fd = open("/dev/null", O_RDONLY), -1);
	open_terminal(&f, fd, true);
	write_next(&f, 1);
	loop_until(&f, &f.ends, 1);
	assert_drops(&f, EBADF);
	close_terminal(&f);
}

static void
test_nothing_at_all_is_an_end_too(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	assert_int_not_equal(fd = open("/dev/null", O_WRONLY), -1);
	open_terminal(&f, fd, false);
	assert_true(terminal_write(f.terminal, "", 0));
	assert_false(terminal_is_full(f.terminal));
	finish(&f);
	assert_int_equal(f.error, 0);
	assert_int_equal(f.rooms, 0);
	assert_true(is_open(fd));
	close(fd);
	close_terminal(&f);
}

/* What we share with other programs keeps its mode. */
static void
test_flags_are_left_alone(void **state)
{
	struct fixture f;
	struct reader reader;
	int fds[2], flags;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	flags = fcntl(fds[1], F_GETFL);
	assert_int_equal(flags & O_NONBLOCK, 0);
	open_terminal(&f, fds[1], false);
	reader_start(&reader, fds[0]);
	write_politely(&f, FULL);
	assert_int_equal(fcntl(fds[1], F_GETFL), flags);
	finish(&f);
	assert_int_equal(fcntl(fds[1], F_GETFL), flags);
	close(fds[1]);
	reader_join(&reader);
	close_terminal(&f);
}

/* Another program may have set O_NONBLOCK on our stdout. */
static void
test_nonblocking_target_gets_every_byte(void **state)
{
	struct fixture f;
	struct reader reader;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	open_terminal(&f, fds[1], true);
	while (f.written < FULL)
		write_next(&f, CHUNK);
	reader_start(&reader, fds[0]);
	finish(&f);
	assert_int_equal(f.error, 0);
	reader_join(&reader);
	assert_int_equal(reader.count, FULL);
	close_terminal(&f);
}

static volatile sig_atomic_t signals_taken;

static void
take_signal(int signal)
{
	(void)signal;
	signals_taken++;
}

/* One that the loop's thread has blocked for now stays pending. */
static void
test_signals_are_for_the_loop(void **state)
{
	struct sigaction action = { .sa_handler = take_signal };
	struct fixture f;
	sigset_t usr1, pending;
	int fd;

	(void)state;
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	assert_int_not_equal(fd = open("/dev/null", O_WRONLY), -1);
	open_terminal(&f, fd, true);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &usr1, NULL), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	write_next(&f, CHUNK);
	finish(&f);
	assert_int_equal(signals_taken, 0);
	assert_int_equal(sigpending(&pending), 0);
	assert_true(sigismember(&pending, SIGUSR1));
	assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &usr1, NULL), 0);
	assert_int_equal(signals_taken, 1);
	signal(SIGUSR1, SIG_DFL);
	close_terminal(&f);
}

/*
 * Frees while the relay waits in write(2).  It then writes nothing but what
 * it had in hand, and closes what it owns: so the reader sees an end.
 */
static void
test_free_abandons_a_relay_that_waits(void **state)
{
	struct fixture f;
	struct reader reader;
	struct pollfd p = { .events = POLLIN };
	int fds[2];

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(pipe(fds), 0);
		open_terminal(&f, fds[1], true);
		while (f.written < FULL)
			write_next(&f, CHUNK);
		p.fd = fds[0];
		assert_int_equal(poll(&p, 1, -1), 1);
		close_terminal(&f);
		reader_start(&reader, fds[0]);
		reader_join(&reader);
		assert_in_range(reader.count, 1, 4 * CHUNK);
	}
}

static void
test_free_at_any_moment(void **state)
{
	struct fixture f;
	struct reader reader;
	unsigned seed = arc4random();
	int fds[2];

	(void)state;
	print_message("seed %u\n", seed);
	srandom(seed);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(pipe(fds), 0);
		open_terminal(&f, fds[1], true);
		reader_start(&reader, fds[0]);
		for (long n = random() % 4; n > 0; n--)
			write_next(&f, (size_t)(random() % CHUNK));
		if (random() % 2 == 0)
			terminal_finish(f.terminal);
		for (long n = random() % 3; n > 0; n--)
			event_base_loop(f.base, EVLOOP_NONBLOCK);
		close_terminal(&f);
		/* The end comes, and what came was right. */
		reader_join(&reader);
		assert_true(reader.count <= f.written);
	}
	terminal_free(NULL);
}

static void
test_no_descriptor_is_left(void **state)
{
	struct fixture f;
	size_t before = count_descriptors();
	int fd;

	(void)state;
	for (int i = 0; i < 10; i++) {
		fd = open(i % 2 == 0 ? "/dev/null" : "/dev/full", O_WRONLY);
		assert_int_not_equal(fd, -1);
		open_terminal(&f, fd, true);
		write_next(&f, CHUNK);
		finish(&f);
		close_terminal(&f);
	}
	assert_int_equal(count_descriptors(), before);
}

static void
test_failure_to_open_closes_nothing(void **state)
{
	const struct terminal_handlers handlers = { room, end, NULL };
	struct event_base *base = event_base_new();
	int kept[4096], n = 0, fd;

	(void)state;
	assert_non_null(base);
	assert_int_not_equal(fd = open("/dev/null", O_WRONLY), -1);
	/* Leaves room for 0 to 3 of the four descriptors that it needs. */
	while (n < 4096 && (kept[n] = dup(fd)) != -1)
		n++;
	assert_int_equal(errno, EMFILE);
	for (int room_for = 0; room_for < 4; room_for++) {
		assert_null(terminal_open(base, fd, true, &handlers));
		assert_int_equal(errno, EMFILE);
		assert_true(is_open(fd));
		close(kept[--n]);
	}
	while (n > 0)
		close(kept[--n]);
	close(fd);
	event_base_free(base);
}

static int
limit_descriptors(void **state)
{
	struct rlimit limit;

	(void)state;
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return -1;
	limit.rlim_cur = 1024;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipe_gets_every_byte),
		cmocka_unit_test(test_bytes_wait_in_order),
		cmocka_unit_test(test_stopped_pty_fills_up_and_goes_on),
		cmocka_unit_test(test_suspended_pty_is_only_waited_for),
		cmocka_unit_test(test_hung_up_terminal_ends_it),
		cmocka_unit_test(test_closed_pipe_ends_it_once),
		cmocka_unit_test(
		    test_pipe_closed_while_full_gives_room_then_the_end),
		cmocka_unit_test(test_full_device_ends_it),
		cmocka_unit_test(test_unwritable_descriptor_ends_it),
		cmocka_unit_test(test_nothing_at_all_is_an_end_too),
		cmocka_unit_test(test_flags_are_left_alone),
		cmocka_unit_test(test_nonblocking_target_gets_every_byte),
		cmocka_unit_test(test_signals_are_for_the_loop),
		cmocka_unit_test(test_free_abandons_a_relay_that_waits),
		cmocka_unit_test(test_free_at_any_moment),
		cmocka_unit_test(test_no_descriptor_is_left),
		cmocka_unit_test(test_failure_to_open_closes_nothing),
	};

	signal(SIGPIPE, SIG_IGN);
	alarm(HANG_SECONDS);
	return cmocka_run_group_tests_name("terminal", tests, limit_descriptors,
	    NULL);
}
