/* SPDX-License-Identifier: ISC */

#include <sys/epoll.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "process.h"
#include "swarm_crowd.h"
#include "swarm_options.h"
#include "swarm_stats.h"

#define EVENTS_MAX 512
#define TICK_MS 20 /* how often phases and files are looked at */

/* A worker's share of so many; the first ones get one more. */
static size_t
share(uint64_t all, uint64_t workers, uint64_t worker)
{
	return (size_t)(all / workers + (worker < all % workers));
}

static void
crowd_init_check(struct crowd *c)
{
	const struct swarm_options *o = c->options;

	if (o->verify &&
	    (c->letters = line_letters_new(CROWD_READ_MAX)) == NULL)
		err(1, NULL);
	c->check = (struct lines_check){
		.mode = (enum lines_mode)o->mode,
		.expect = o->expect_lines,
		.line_bytes = o->line_bytes,
		.letters = c->letters,
		.sample = o->sample,
		.sample_left = o->sample,
		.stats = c->stats,
	};
}

/* Those that stall are spread evenly among the others. */
static void
crowd_init_clients(struct crowd *c)
{
	struct client *client;
	size_t i;

	c->clients = calloc(c->count + 1, sizeof(*c->clients));
	c->bytes = malloc(CROWD_READ_MAX);
	if (c->clients == NULL || c->bytes == NULL)
		err(1, NULL);
	for (i = 0; i < c->count; i++) {
		client = &c->clients[i];
		client->crowd = c;
		client->fd = -1;
		client->frames.lines = &client->lines;
		lines_init(&client->lines, &c->check);
	}
	for (i = 0; i < c->stalled_count; i++)
		c->clients[i * c->count / c->stalled_count].stalls = true;
}

void
crowd_init(struct crowd *c, const struct swarm_options *options,
    const struct target *target, uint64_t worker)
{
	c->options = options;
	c->target = target;
	c->readers_left = share(options->clients, options->workers, worker);
	c->stalled_left = share(options->stalled, options->workers, worker);
	c->stalled_count = c->stalled_left;
	c->count = c->readers_left + c->stalled_left;
	c->inflaters_left = share(options->inflate, options->workers, worker);
	c->request_size =
	    upgrade_write_request(c->request, target, options->deflate);
	crowd_init_check(c);
	crowd_init_clients(c);
	if ((c->epoll = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, "epoll_create1");
}

static void
crowd_enter(struct crowd *c, enum crowd_phase phase, double seconds)
{
	c->phase = phase;
	c->phase_ends_ns = clock_ns() + clock_from_seconds(seconds);
}

static void
crowd_connect(struct crowd *c)
{
	while (c->asked_count < c->count && c->under_way < c->options->inflight)
		client_connect(&c->clients[c->asked_count++]);
}

/* The last worker that is ready tells. */
static void
crowd_tell_ready(struct crowd *c)
{
	int fd;

	if (++c->meeting->ready < c->options->workers ||
	    c->options->ready_file == NULL)
		return;
	fd = open(c->options->ready_file, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
	if (fd == -1)
		err(1, "%s", c->options->ready_file);
	(void)close(fd);
}

static void
crowd_drain(struct crowd *c)
{
	struct client *client;

	if (c->options->drain_s <= 0 || c->stalled_count == 0) {
		c->phase = CROWD_OVER;
		return;
	}
	crowd_enter(c, CROWD_DRAINING, c->options->drain_s);
	for (client = c->clients; client < c->clients + c->count; client++)
		if (client->is_deaf && client->state == CLIENT_OPEN)
			client_resume(client);
}

/* Whether this phase has been long enough. */
static bool
crowd_is_through(const struct crowd *c)
{
	switch (c->phase) {
	case CROWD_CONNECTING:
		return c->asked_count == c->count && c->under_way == 0;
	case CROWD_RUNNING:
		return c->readers_left == 0 && c->count > c->stalled_count &&
		    !c->options->idle;
	case CROWD_DRAINING:
		return c->stalled_left == 0;
	default:
		return false;
	}
}

static void
crowd_advance(struct crowd *c)
{
	if (c->phase == CROWD_CONNECTING)
		crowd_connect(c);
	if (!crowd_is_through(c) && clock_ns() < c->phase_ends_ns)
		return;
	switch (c->phase) {
	case CROWD_CONNECTING:
		c->stats->connected_ns = clock_ns();
		crowd_enter(c, CROWD_SETTLING, c->options->settle_s);
		break;
	case CROWD_SETTLING:
		crowd_tell_ready(c);
		crowd_enter(c, CROWD_RUNNING, c->options->duration_s);
		break;
	case CROWD_RUNNING:
		crowd_drain(c);
		break;
	default:
		c->phase = CROWD_OVER;
	}
}

/* Once, when all are connected and the file is there. */
static void
crowd_talk(struct crowd *c)
{
	const char *file = c->options->talk_file;
	struct client *client;

	if (file == NULL || c->has_talked || c->phase < CROWD_RUNNING ||
	    access(file, F_OK) == -1)
		return;
	c->has_talked = true;
	for (client = c->clients; client < c->clients + c->count; client++)
		if (client->state == CLIENT_OPEN)
			client_talk(client);
	if (++c->meeting->talked == c->options->workers)
		(void)unlink(file);
}

static void
crowd_count(struct crowd *c, const struct client *client)
{
	struct stats *s = c->stats;
	const struct lines *l = &client->lines;

	if (client->stalls) {
		s->stalled_messages += l->count;
		s->stalled_bytes += client->received;
		s->stalled_open += client->state == CLIENT_OPEN;
		return;
	}
	if (client->state < CLIENT_OPEN || client->state == CLIENT_FAILED)
		return;
	s->messages += l->count;
	s->open_at_end += client->state == CLIENT_OPEN;
	s->complete +=
	    l->count == c->options->expect_lines && l->next == l->count;
	if (l->count < s->min_count)
		s->min_count = l->count;
	if (l->count > s->max_count)
		s->max_count = l->count;
	if (l->done_ns == 0)
		return;
	if (l->done_ns < s->first_done_ns)
		s->first_done_ns = l->done_ns;
	if (l->done_ns > s->last_done_ns)
		s->last_done_ns = l->done_ns;
}

void
crowd_run(struct crowd *c, const sigset_t *signals)
{
	struct epoll_event events[EVENTS_MAX];
	int i, n;

	c->stats->begun_ns = clock_ns();
	crowd_enter(c, CROWD_CONNECTING, c->options->connect_timeout_s);
	for (;;) {
		crowd_advance(c);
		if (c->phase == CROWD_OVER || process_is_stopped())
			break;
		crowd_talk(c);
		n = epoll_pwait(c->epoll, events, EVENTS_MAX, TICK_MS, signals);
		if (n == -1 && errno != EINTR)
			err(1, "epoll_pwait");
		for (i = 0; i < n; i++)
			client_event(events[i].data.ptr, events[i].events);
	}
	for (i = 0; i < (int)c->count; i++)
		crowd_count(c, &c->clients[i]);
	stats_add_cpu(c->stats);
}

void
crowd_clear(struct crowd *c)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		client_clear(&c->clients[i]);
	free(c->clients);
	free(c->bytes);
	free(c->letters);
	(void)close(c->epoll);
}
