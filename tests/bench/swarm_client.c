/* SPDX-License-Identifier: ISC */

#include <sys/epoll.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "swarm_client.h"
#include "swarm_crowd.h"
#include "swarm_inflater.h"
#include "swarm_options.h"
#include "swarm_stats.h"
#include "target.h"
#include "upgrade.h"

#define OPCODE_TEXT 0x1
#define OPCODE_CLOSE 0x8
#define OPCODE_PONG 0xa
#define FINAL 0x80
#define MASKED 0x80
#define MASK_SIZE 4

/*
 * With more connections from one address to another the kernel takes long to
 * find a port that is free, and at some 28,000 there is none.
 */
#define SOURCE_CLIENTS 10000
#define SOURCES_MAX 200

static void
client_watch(struct client *c, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = c };

	if (epoll_ctl(c->crowd->epoll, operation, c->fd, &event) == -1)
		err(1, "epoll_ctl");
}

/* Stops reading; that the connection has ended is still told. */
static void
client_stall(struct client *c)
{
	c->is_deaf = true;
	client_watch(c, EPOLL_CTL_MOD, EPOLLRDHUP);
}

void
client_resume(struct client *c)
{
	c->is_deaf = false;
	client_watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLRDHUP);
}

/* It gets no more lines, or needs none. */
static void
client_note_done(struct client *c)
{
	if (c->is_done)
		return;
	c->is_done = true;
	if (c->stalls)
		c->crowd->stalled_left--;
	else
		c->crowd->readers_left--;
}

static void
client_fail(struct client *c, const char *why)
{
	stats_note_error(c->crowd->stats, why);
	c->crowd->stats->failed++;
	c->crowd->under_way--;
	c->state = CLIENT_FAILED;
	client_note_done(c);
	client_clear(c);
}

/* The connection has ended: *count counts how. */
static void
client_end(struct client *c, uint64_t *count)
{
	++*count;
	c->state = CLIENT_OVER;
	client_note_done(c);
	client_clear(c);
}

static void
client_end_reset(struct client *c)
{
	struct stats *stats = c->crowd->stats;

	client_end(c, c->stalls ? &stats->stalled_reset : &stats->reset);
}

static void
client_end_closed(struct client *c)
{
	struct stats *stats = c->crowd->stats;
	unsigned int code = frames_close_code(&c->frames);

	if (code < STATS_CODES_MAX)
		stats->codes[code]++;
	client_end(c,
	    c->stalls ? &stats->stalled_closed : &stats->close_frames);
}

/* Whatever does not go at once is not missed. */
static void
client_send(struct client *c, uint8_t opcode, const void *payload, size_t n)
{
	static const uint8_t mask[MASK_SIZE] = { 1, 2, 3, 4 };
	uint8_t frame[2 + MASK_SIZE + FRAMES_CONTROL_MAX];
	const uint8_t *from = payload;
	size_t i;

	frame[0] = FINAL | opcode;
	frame[1] = (uint8_t)(MASKED | n);
	memcpy(frame + 2, mask, MASK_SIZE);
	for (i = 0; i < n; i++)
		frame[2 + MASK_SIZE + i] = from[i] ^ mask[i % MASK_SIZE];
	(void)send(c->fd, frame, 2 + MASK_SIZE + n,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
client_talk(struct client *c)
{
	static const char text[] = "hello";

	client_send(c, OPCODE_TEXT, text, sizeof(text) - 1);
	c->crowd->stats->talked++;
}

/* Whether the kernel has to take this address of ours; false: it failed. */
static bool
client_bind(struct client *c)
{
	const int on = 1;
	const struct sockaddr_in source = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + c->crowd->source),
	};

	if (c->crowd->source == 0)
		return true;
	/* The port is chosen by connect(): so it can be used twice. */
	return setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		   sizeof(on)) == 0 &&
	    bind(c->fd, (const struct sockaddr *)&source, sizeof(source)) == 0;
}

static bool
client_try(struct client *c)
{
	const struct target *target = c->crowd->target;
	const int on = 1;

	c->fd = socket(target->address.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1)
		return false;
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return client_bind(c) &&
	    (connect(c->fd, (const struct sockaddr *)&target->address,
		 target->address_size) == 0 ||
		errno == EINPROGRESS);
}

void
client_connect(struct client *c)
{
	struct crowd *crowd = c->crowd;
	bool can_move = target_is_loopback(crowd->target);

	crowd->under_way++;
	c->state = CLIENT_CONNECTING;
	if (can_move && crowd->source_used++ == SOURCE_CLIENTS) {
		crowd->source++;
		crowd->source_used = 1;
	}
	while (!client_try(c)) {
		/* There are no ports left, so from the next address. */
		if (c->fd == -1 || errno != EADDRNOTAVAIL || !can_move ||
		    crowd->source == SOURCES_MAX) {
			client_fail(c, strerror(errno));
			return;
		}
		(void)close(c->fd);
		crowd->source++;
		crowd->source_used = 1;
	}
	client_watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void
client_open(struct client *c)
{
	struct crowd *crowd = c->crowd;

	free(c->answer);
	c->answer = NULL;
	c->state = CLIENT_OPEN;
	crowd->under_way--;
	crowd->stats->connected++;
	if (c->stalls && crowd->options->stall_after_bytes == 0)
		client_stall(c);
}

static void
client_ask(struct client *c)
{
	struct crowd *crowd = c->crowd;
	socklen_t size = sizeof(int);
	int error = 0;

	(void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error != 0) {
		client_fail(c, strerror(error));
		return;
	}
	client_watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLRDHUP);
	if (crowd->options->raw) {
		client_open(c);
		return;
	}
	c->state = CLIENT_ASKING;
	if (send(c->fd, crowd->request, crowd->request_size, MSG_NOSIGNAL) !=
	    (ssize_t)crowd->request_size)
		client_fail(c, "the request cannot be sent");
}

/* What the server answered to the offer of extensions. */
static void
client_agree(struct client *c, const char *extensions)
{
	struct crowd *crowd = c->crowd;

	if (*extensions == '\0')
		return;
	c->frames.takes_compressed = true;
	if (crowd->stats->extensions[0] == '\0')
		(void)strlcpy(crowd->stats->extensions, extensions,
		    STATS_TEXT_MAX);
	if (crowd->inflaters_left == 0)
		return;
	crowd->inflaters_left--;
	if ((c->frames.inflater = inflater_new()) == NULL)
		err(1, NULL);
}

/* The bytes behind the answer, of those read; NULL: it is not whole, or bad. */
static const uint8_t *
client_take_answer(struct client *c, const uint8_t *bytes, size_t n)
{
	size_t had = c->answer_size, kept = n;
	char extensions[UPGRADE_TEXT_MAX];
	const char *end, *wrong;

	if (c->answer == NULL &&
	    (c->answer = malloc(UPGRADE_ANSWER_MAX)) == NULL)
		err(1, NULL);
	if (kept > UPGRADE_ANSWER_MAX - 1 - had)
		kept = UPGRADE_ANSWER_MAX - 1 - had;
	memcpy(c->answer + had, bytes, kept);
	c->answer_size += kept;
	end = upgrade_find_end(c->answer, c->answer_size);
	if (end == NULL) {
		if (c->answer_size == UPGRADE_ANSWER_MAX - 1)
			client_fail(c, "too long an answer");
		return NULL;
	}
	n = (size_t)(end - c->answer) - had;
	c->answer[had + n] = '\0';
	wrong =
	    upgrade_judge(c->answer, c->crowd->options->deflate, extensions);
	if (wrong != NULL) {
		client_fail(c, wrong);
		return NULL;
	}
	client_agree(c, extensions);
	client_open(c);
	return bytes + n;
}

static void
client_take_frames(struct client *c, const uint8_t *at, const uint8_t *end)
{
	struct stats *stats = c->crowd->stats;
	enum frames_event event;

	while (c->state == CLIENT_OPEN && at < end) {
		at = frames_take(&c->frames, at, end, &event);
		switch (event) {
		case FRAMES_NONE:
			break;
		case FRAMES_PING:
			stats->pings++;
			client_send(c, OPCODE_PONG, c->frames.control,
			    c->frames.control_size);
			break;
		case FRAMES_CLOSE:
			client_send(c, OPCODE_CLOSE, c->frames.control,
			    c->frames.control_size < 2 ? 0 : 2);
			client_end_closed(c);
			break;
		case FRAMES_BAD:
			stats->protocol_errors++;
			stats_note_error(stats, "a frame that is none");
			client_end_reset(c);
			break;
		}
	}
}

/* Lines and what is around them. */
static void
client_take(struct client *c, const uint8_t *at, const uint8_t *end)
{
	struct crowd *crowd = c->crowd;
	uint64_t had = c->lines.count;

	c->received += (uint64_t)(end - at);
	crowd->stats->wire_bytes += (uint64_t)(end - at);
	if (crowd->options->raw)
		lines_take(&c->lines, (const char *)at, (size_t)(end - at),
		    false);
	else
		client_take_frames(c, at, end);
	if (c->lines.count != had && !c->stalls) {
		if (crowd->stats->first_line_ns == UINT64_MAX)
			crowd->stats->first_line_ns = crowd->check.now_ns;
		crowd->stats->last_line_ns = crowd->check.now_ns;
	}
	if (c->lines.done_ns != 0)
		client_note_done(c);
	if (c->state == CLIENT_OPEN && c->stalls &&
	    crowd->phase != CROWD_DRAINING &&
	    c->received >= crowd->options->stall_after_bytes)
		client_stall(c);
}

static void
client_lose(struct client *c, ssize_t n)
{
	struct stats *stats = c->crowd->stats;

	if (c->state == CLIENT_ASKING)
		client_fail(c, n == 0 ? "end of file" : strerror(errno));
	else if (n == 0)
		client_end(c, c->stalls ? &stats->stalled_eof : &stats->eof);
	else
		client_end_reset(c);
}

static void
client_read(struct client *c)
{
	struct crowd *crowd = c->crowd;
	ssize_t n = recv(c->fd, crowd->bytes, CROWD_READ_MAX, 0);
	const uint8_t *at = crowd->bytes;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_lose(c, n);
		return;
	}
	crowd->stats->reads++;
	crowd->check.now_ns = clock_ns();
	if (c->state == CLIENT_ASKING)
		at = client_take_answer(c, at, (size_t)n);
	if (at != NULL && at < crowd->bytes + n)
		client_take(c, at, crowd->bytes + n);
}

/* One that does not read notices only that it is cut off. */
static void
client_check(struct client *c, uint32_t events)
{
	if ((events & (EPOLLHUP | EPOLLERR)) != 0)
		client_end_reset(c);
	else
		client_watch(c, EPOLL_CTL_MOD, 0);
}

void
client_event(struct client *c, uint32_t events)
{
	if (c->state == CLIENT_CONNECTING)
		client_ask(c);
	else if (c->is_deaf)
		client_check(c, events);
	else
		client_read(c);
}

void
client_clear(struct client *c)
{
	if (c->fd != -1)
		(void)close(c->fd);
	c->fd = -1;
	inflater_free(c->frames.inflater);
	c->frames.inflater = NULL;
	free(c->answer);
	c->answer = NULL;
}
