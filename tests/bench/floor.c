/* SPDX-License-Identifier: ISC */

/*
 * The least that sending the output of a command to many can cost: each line
 * is framed once, and each client gets what is new with one send().  There is
 * no history, no policy for slow clients (the command has to wait for them)
 * and no closing handshake.  It is a measure, not a server.
 */

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "arguments.h"
#include "clock.h"
#include "floor_door.h"
#include "floor_ring.h"
#include "floor_sender.h"
#include "process.h"

#define THREADS_MAX 16
#define EVENTS_MAX 512

static uint64_t port = 8080, ring_bytes = 1 << 20, chunk_bytes = 65536;
static uint64_t interval_us, pipe_bytes, threads;
static int frame, tx;
static bool tells_stats;

static const struct argument rows[] = {
	{ 'p', "port", "N", ARGUMENT_COUNT, &port, 0, 65535,
	    "listen on this port of 127.0.0.1; 0 picks one" },
	{ 'f', "frame", "line", ARGUMENT_WORD, &frame, 0, 0,
	    "what a message is: a line; there is nothing else" },
	{ 't', "tx", "send", ARGUMENT_WORD, &tx, 0, 0,
	    "what sends: send(); there is nothing else" },
	{ 'i', "interval-us", "N", ARGUMENT_COUNT, &interval_us, 0, 1e9,
	    "microseconds between two rounds; 0: none" },
	{ 'T', "threads", "N", ARGUMENT_COUNT, &threads, 0, THREADS_MAX,
	    "share the clients among threads; 0: none but the first" },
	{ 'c', "chunk", "SIZE", ARGUMENT_SIZE, &chunk_bytes, 1, 1 << 30,
	    "read at most so much in a round" },
	{ 'r', "ring", "SIZE", ARGUMENT_SIZE, &ring_bytes, 1, 1 << 30,
	    "keep so much for clients that are behind" },
	{ 'P', "pipe", "SIZE", ARGUMENT_SIZE, &pipe_bytes, 0, 1 << 30,
	    "what the pipe from the command holds; 0: as it is" },
	{ 'S', "stats", NULL, ARGUMENT_FLAG, &tells_stats, 0, 0,
	    "say on stderr what was done" },
};

static const struct arguments arguments = {
	.synopsis = "[options] [--] command [argument ...]",
	.about = "Says on stderr where it listens, runs a command, and sends "
		 "its lines to\nWebSocket clients at the least cost.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

struct floor {
	struct floor_ring ring;
	struct floor_sender senders[THREADS_MAX];
	size_t sender_count;
	size_t client_count; /* that ever were */
	pid_t command;
	int epoll;
	int listener;
	int input;
	int room;	   /* eventfd of senders that have threads */
	bool input_is_on;  /* the loop tells of input */
	bool has_ended;	   /* there is no more input */
	uint64_t round_ns; /* when the last round began */
};

/* Descriptors of the floor itself are told from clients by their addresses. */
static void
floor_watch(struct floor *f, int *fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = fd };

	if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, *fd, &event) == -1)
		err(1, "epoll_ctl");
}

/* Between rounds that are an interval apart, one event is enough. */
static void
floor_switch_input(struct floor *f, bool on)
{
	struct epoll_event event = { .data.ptr = &f->input };

	if (f->has_ended || f->input_is_on == on)
		return;
	if (on)
		event.events = EPOLLIN | (interval_us > 0 ? EPOLLONESHOT : 0);
	if (epoll_ctl(f->epoll, EPOLL_CTL_MOD, f->input, &event) == -1)
		err(1, "epoll_ctl");
	f->input_is_on = on;
}

static uint64_t
floor_low(struct floor *f)
{
	uint64_t low = UINT64_MAX, other;
	size_t i;

	if (threads == 0)
		return floor_sender_low(&f->senders[0]);
	for (i = 0; i < f->sender_count; i++) {
		other = atomic_load(&f->senders[i].low);
		if (other < low)
			low = other;
	}
	return low;
}

/* Asks threads to tell when there is more room than now. */
static void
floor_want_room(struct floor *f)
{
	size_t i;

	for (i = 0; i < f->sender_count && threads > 0; i++)
		atomic_store(&f->senders[i].room_is_wanted, true);
}

static bool
floor_has_room(struct floor *f)
{
	if (floor_ring_has_room(&f->ring, floor_low(f), chunk_bytes))
		return true;
	floor_want_room(f);
	return floor_ring_has_room(&f->ring, floor_low(f), chunk_bytes);
}

static void
floor_round(struct floor *f)
{
	size_t i;

	if (threads == 0)
		floor_sender_round(&f->senders[0]);
	for (i = 0; i < f->sender_count && threads > 0; i++)
		floor_sender_wake(&f->senders[i]);
}

static void
floor_take_input(struct floor *f)
{
	if (f->has_ended)
		return;
	if (interval_us > 0)
		f->round_ns = clock_ns();
	if (!floor_has_room(f)) {
		if (interval_us == 0)
			floor_switch_input(f, false);
		return;
	}
	if (interval_us == 0)
		floor_switch_input(f, true);
	if (!floor_ring_read(&f->ring, f->input, chunk_bytes)) {
		floor_switch_input(f, false);
		f->has_ended = true;
	}
	floor_round(f);
}

/* Hands a client over to a sender; see floor_sender.h. */
static void
floor_admit(struct floor *f, struct floor_client *c)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = c,
	};
	struct floor_sender *s =
	    &f->senders[f->client_count++ % f->sender_count];

	if (epoll_ctl(f->epoll, EPOLL_CTL_DEL, c->fd, NULL) == -1 ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, c->fd, &event) == -1)
		err(1, "epoll_ctl");
}

static void
floor_client_event(struct floor *f, struct floor_client *c, uint32_t events)
{
	if (c->request == NULL)
		floor_sender_event(&f->senders[0], c, events);
	else if (floor_door_read(c))
		floor_admit(f, c);
}

/* True: there is input to take, or there may be room now. */
static bool
floor_event(struct floor *f, const struct epoll_event *event)
{
	uint64_t times;

	if (event->data.ptr == &f->input) {
		if (interval_us > 0)
			f->input_is_on = false;
		return true;
	}
	if (event->data.ptr == &f->room)
		return read(f->room, &times, sizeof(times)) > 0;
	if (event->data.ptr == &f->listener) {
		floor_door_accept(f->listener, f->epoll);
		return false;
	}
	floor_client_event(f, event->data.ptr, event->events);
	return !f->input_is_on && interval_us == 0;
}

/* Switches input on again if it is time; NULL: nothing to wait for. */
static const struct timespec *
floor_interval_left(struct floor *f, struct timespec *left)
{
	uint64_t now, due = f->round_ns + interval_us * 1000;

	if (interval_us == 0 || f->input_is_on || f->has_ended)
		return NULL;
	now = clock_ns();
	if (now >= due) {
		floor_switch_input(f, true);
		return NULL;
	}
	left->tv_sec = (time_t)((due - now) / NS_A_SECOND);
	left->tv_nsec = (long)((due - now) % NS_A_SECOND);
	return left;
}

/* Everybody has everything. */
static bool
floor_is_done(struct floor *f)
{
	if (!f->has_ended)
		return false;
	floor_want_room(f);
	return floor_low(f) == atomic_load(&f->ring.head);
}

static void
floor_run(struct floor *f, const sigset_t *signals)
{
	struct epoll_event events[EVENTS_MAX];
	struct timespec left;
	bool has_news;
	int i, n;

	while (!process_is_stopped() && !floor_is_done(f)) {
		n = epoll_pwait2(f->epoll, events, EVENTS_MAX,
		    floor_interval_left(f, &left), signals);
		if (n == -1 && errno != EINTR)
			err(1, "epoll_pwait2");
		has_news = false;
		for (i = 0; i < n; i++)
			if (floor_event(f, &events[i]))
				has_news = true;
		if (has_news)
			floor_take_input(f);
	}
}

/* With the signals as they were before the floor began to catch them. */
static void
floor_spawn(struct floor *f, char *command[], const sigset_t *signals)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1 ||
	    fcntl(ends[0], F_SETFL, O_NONBLOCK) == -1)
		err(1, "pipe");
	if (pipe_bytes > 0 &&
	    fcntl(ends[0], F_SETPIPE_SZ, (int)pipe_bytes) == -1)
		err(1, "--pipe");
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, ends[1],
	    STDOUT_FILENO);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	(void)posix_spawnattr_setsigmask(&attributes, signals);
	errno = posix_spawnp(&f->command, command[0], &actions, &attributes,
	    command, environ);
	if (errno != 0)
		err(1, "%s", command[0]);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	(void)close(ends[1]);
	f->input = ends[0];
}

static void
floor_open(struct floor *f)
{
	size_t i;

	floor_ring_open(&f->ring, ring_bytes);
	if (8 * chunk_bytes > f->ring.size)
		errx(2, "--chunk: at most an eighth of --ring");
	f->listener = floor_door_open((uint16_t)port);
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	f->room = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->epoll == -1 || f->room == -1)
		err(1, "epoll");
	f->sender_count = threads == 0 ? 1 : (size_t)threads;
	for (i = 0; i < f->sender_count; i++) {
		f->senders[i].ring = &f->ring;
		f->senders[i].epoll = f->epoll;
		if (threads > 0)
			floor_sender_start(&f->senders[i], f->room);
	}
	floor_watch(f, &f->listener);
	floor_watch(f, &f->room);
}

static void
floor_close(struct floor *f)
{
	size_t i;

	(void)kill(f->command, SIGTERM);
	for (i = 0; i < f->sender_count; i++) {
		if (threads > 0)
			floor_sender_stop(&f->senders[i]);
		floor_sender_clear(&f->senders[i]);
	}
	floor_ring_close(&f->ring);
}

static void
floor_tell_stats(const struct floor *f)
{
	uint64_t rounds = 0, sends = 0, short_sends = 0, bytes = 0;
	size_t i;

	for (i = 0; i < f->sender_count; i++) {
		rounds += f->senders[i].rounds;
		sends += f->senders[i].sends;
		short_sends += f->senders[i].short_sends;
		bytes += f->senders[i].bytes;
	}
	fprintf(stderr,
	    "floor: rounds %" PRIu64 " reads %" PRIu64 " lines %" PRIu64
	    " sends %" PRIu64 " short %" PRIu64 " bytes %" PRIu64 "\n",
	    rounds, f->ring.reads, f->ring.lines, sends, short_sends, bytes);
}

int
main(int argc, char *argv[])
{
	static struct floor f;
	sigset_t before;
	int used = arguments_parse(&arguments, argc, argv);

	if (used == argc)
		errx(2, "no command given");
	process_raise_descriptors();
	process_catch_stop(&before);
	floor_open(&f);
	floor_spawn(&f, argv + used, &before);
	floor_watch(&f, &f.input);
	floor_switch_input(&f, true);
	floor_run(&f, &before);
	floor_close(&f);
	if (tells_stats)
		floor_tell_stats(&f);
	return 0;
}
