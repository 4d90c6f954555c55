/* SPDX-License-Identifier: ISC */

/*
 * Asks a server for something and drops what it sends.  Only the head of the
 * answer is looked at, and whether the last bytes so far are a close frame.
 */

#include <sys/epoll.h>
#include <sys/socket.h>

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "clock.h"
#include "pour.h"
#include "process.h"
#include "target.h"
#include "upgrade.h"

#define READ_MAX 262144
#define EVENTS_MAX 64
#define CLOSE_FRAME 0x88 /* final, of opcode 8 */
#define CLOSE_FRAME_MAX 127
#define CODE_MIN 1000
#define CODE_MAX 4999
#define STATUS_UPGRADED 101

static uint64_t connections = 1, bytes_wanted;
static bool is_websocket;

static const struct argument rows[] = {
	{ 'n', "connections", "N", ARGUMENT_COUNT, &connections, 1, 1e6,
	    "so many at once" },
	{ 'b', "bytes", "SIZE", ARGUMENT_SIZE, &bytes_wanted, 0, 1e15,
	    "leave when there were so many; 0: stay to the end" },
	{ 'w', "websocket", NULL, ARGUMENT_FLAG, &is_websocket, 0, 0,
	    "ask for an upgrade to WebSocket" },
};

static const struct arguments arguments = {
	.synopsis = "drain [options] ADDRESS:PORT [PATH]",
	.about = "Asks for PATH and drops what comes, until the end or a close "
		 "frame, and prints\nas JSON how long that took.  The exit "
		 "status is 1 if it did not get what it\nwanted.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

enum drain_state {
	DRAIN_HEAD,
	DRAIN_BODY,
	DRAIN_OVER,
};

struct drain {
	int fd;
	enum drain_state state;
	int status;	/* of the answer; 0: none yet */
	uint64_t bytes; /* behind the head */
	size_t kept_size;
	char kept[UPGRADE_ANSWER_MAX]; /* the head; then the last bytes */
};

/* All of them together. */
struct drains {
	struct drain *drains; /* owned */
	size_t left;	      /* that are not over */
	int epoll;
	uint64_t begun_ns;
	uint64_t first_byte_ns; /* of the last that got one; 0: none did */
	uint64_t failed;
	const char *error; /* the first; static */
	char request[UPGRADE_REQUEST_MAX];
	size_t request_size;
	char bytes[READ_MAX];
};

/* Why: NULL if all is well. */
static void
drain_end(struct drains *all, struct drain *d, const char *why)
{
	d->state = DRAIN_OVER;
	all->left--;
	(void)epoll_ctl(all->epoll, EPOLL_CTL_DEL, d->fd, NULL);
	if (why == NULL)
		return;
	all->failed++;
	if (all->error == NULL)
		all->error = why;
}

static void
drain_open(struct drains *all, struct drain *d, const struct target *target)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = d };

	d->fd =
	    socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (d->fd == -1 ||
	    connect(d->fd, (const struct sockaddr *)&target->address,
		target->address_size) == -1 ||
	    send(d->fd, all->request, all->request_size, MSG_NOSIGNAL) !=
		(ssize_t)all->request_size)
		err(1, "%s", target->host);
	if (epoll_ctl(all->epoll, EPOLL_CTL_ADD, d->fd, &event) == -1)
		err(1, "epoll_ctl");
}

/*
 * Whether a close frame is the last there is.  It could as well be the end of
 * something else, but text has no such bytes where its code would be.
 */
static bool
drain_has_close_frame(const struct drain *d)
{
	const uint8_t *kept = (const uint8_t *)d->kept;
	size_t at, left;
	int code;

	for (at = 0; at + 2 <= d->kept_size; at++) {
		left = d->kept_size - at - 2;
		if (kept[at] != CLOSE_FRAME || kept[at + 1] != left)
			continue;
		if (left == 0)
			return true;
		code = left < 2 ? 0 : kept[at + 2] << 8 | kept[at + 3];
		if (code >= CODE_MIN && code <= CODE_MAX)
			return true;
	}
	return false;
}

/* Keeps the last bytes of all that have come. */
static void
drain_keep(struct drain *d, const char *bytes, size_t n)
{
	size_t old;

	if (n > CLOSE_FRAME_MAX) {
		bytes += n - CLOSE_FRAME_MAX;
		n = CLOSE_FRAME_MAX;
	}
	old = CLOSE_FRAME_MAX - n;
	if (old > d->kept_size)
		old = d->kept_size;
	memmove(d->kept, d->kept + d->kept_size - old, old);
	memcpy(d->kept + old, bytes, n);
	d->kept_size = old + n;
}

static void
drain_take(struct drains *all, struct drain *d, const char *bytes, size_t n)
{
	if (n == 0)
		return;
	if (d->bytes == 0)
		all->first_byte_ns = clock_ns();
	d->bytes += n;
	if (bytes_wanted != 0 && d->bytes >= bytes_wanted) {
		drain_end(all, d, NULL);
		return;
	}
	if (d->status != STATUS_UPGRADED)
		return;
	drain_keep(d, bytes, n);
	/* Nothing comes behind it, so there was room for more. */
	if (n < READ_MAX && drain_has_close_frame(d))
		drain_end(all, d, NULL);
}

static void
drain_take_head(struct drains *all, struct drain *d, size_t n)
{
	size_t had = d->kept_size, kept = n;
	const char *end;

	if (kept > sizeof(d->kept) - 1 - had)
		kept = sizeof(d->kept) - 1 - had;
	memcpy(d->kept + had, all->bytes, kept);
	d->kept_size += kept;
	end = upgrade_find_end(d->kept, d->kept_size);
	if (end == NULL) {
		if (d->kept_size == sizeof(d->kept) - 1)
			drain_end(all, d, "too long a head");
		return;
	}
	d->kept[d->kept_size] = '\0';
	(void)sscanf(d->kept, "HTTP/%*d.%*d %d", &d->status);
	if (d->status != STATUS_UPGRADED && d->status / 100 != 2) {
		drain_end(all, d, "refused");
		return;
	}
	d->state = DRAIN_BODY;
	d->kept_size = 0;
	kept = (size_t)(end - d->kept) - had;
	drain_take(all, d, all->bytes + kept, n - kept);
}

static void
drain_read(struct drains *all, struct drain *d)
{
	ssize_t n = recv(d->fd, all->bytes, READ_MAX, MSG_DONTWAIT);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == -1)
		drain_end(all, d, strerror(errno));
	else if (n == 0)
		drain_end(all, d,
		    d->state == DRAIN_BODY && bytes_wanted == 0 ?
			NULL :
			"end of file");
	else if (d->state == DRAIN_HEAD)
		drain_take_head(all, d, (size_t)n);
	else
		drain_take(all, d, all->bytes, (size_t)n);
}

static void
drains_run(struct drains *all, const sigset_t *signals)
{
	struct epoll_event events[EVENTS_MAX];
	int i, n;

	while (all->left > 0 && !process_is_stopped()) {
		n = epoll_pwait(all->epoll, events, EVENTS_MAX, -1, signals);
		if (n == -1 && errno != EINTR)
			err(1, "epoll_pwait");
		for (i = 0; i < n; i++)
			drain_read(all, events[i].data.ptr);
	}
}

static void
drains_print(const struct drains *all, double seconds)
{
	uint64_t bytes = 0, i;
	int status = 0;

	for (i = 0; i < connections; i++) {
		bytes += all->drains[i].bytes;
		if (all->drains[i].status > status)
			status = all->drains[i].status;
	}
	printf("{\"connections\":%" PRIu64 ",\"failed\":%" PRIu64
	       ",\"bytes\":%" PRIu64 ",\"seconds\":%.6f,"
	       "\"first_byte_seconds\":%.6f,\"status\":%d,\"error\":\"%s\"}\n",
	    connections, all->failed, bytes, seconds,
	    all->first_byte_ns == 0 ?
		0 :
		clock_to_seconds(all->first_byte_ns - all->begun_ns),
	    status, all->error == NULL ? "" : all->error);
	if (fflush(stdout) == EOF)
		err(1, "standard output");
}

static void
drains_write_request(struct drains *all, const struct target *target)
{
	int n;

	if (is_websocket) {
		all->request_size =
		    upgrade_write_request(all->request, target, false);
		return;
	}
	n = snprintf(all->request, sizeof(all->request),
	    "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
	    target->path, target->host);
	if (n >= (int)sizeof(all->request))
		errx(2, "the path is too long");
	all->request_size = (size_t)n;
}

static void
drains_open(struct drains *all, const struct target *target)
{
	uint64_t i;

	all->drains = calloc(connections, sizeof(*all->drains));
	if (all->drains == NULL)
		err(1, NULL);
	if ((all->epoll = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, "epoll_create1");
	drains_write_request(all, target);
	all->left = connections;
	all->begun_ns = clock_ns();
	for (i = 0; i < connections; i++)
		drain_open(all, &all->drains[i], target);
}

int
pour_drain(int argc, char *argv[])
{
	int used = arguments_parse(&arguments, argc, argv);
	static struct drains all;
	struct target target;
	sigset_t before;
	uint64_t i;

	if (argc - used < 1 || argc - used > 2)
		errx(2, "ADDRESS:PORT is wanted, and perhaps a PATH");
	target_parse(&target, argv[used]);
	if (argc - used == 2)
		target.path = argv[used + 1];
	process_raise_descriptors();
	process_catch_stop(&before);
	drains_open(&all, &target);
	drains_run(&all, &before);
	drains_print(&all, clock_to_seconds(clock_ns() - all.begun_ns));
	for (i = 0; i < connections; i++)
		(void)close(all.drains[i].fd);
	free(all.drains);
	(void)close(all.epoll);
	return all.failed > 0;
}
