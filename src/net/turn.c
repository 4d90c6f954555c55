/* SPDX-License-Identifier: ISC */

#include <event2/event.h>

#include "core/journal.h"
#include "core/websocket.h"
#include "core/peers.h"
#include "net/connection.h"
#include "net/server.h"
#include "net/subscriber.h"
#include "net/tls.h"
#include "net/turn.h"
#include "net/watcher.h"

#define TURN_NEWS_MAX 65536	  /* bytes that do not wait for the interval */
#define TURN_SLICE_US 2000	  /* of sending before others have their turn */
#define TURN_SLICE_CHECK 16	  /* subscribers between looks at the clock */
#define TURN_PAUSE_MAX_US 50000	  /* between two sweeps, if one takes long */
#define TURN_END_GRACE_US 1000000 /* for requests under way at the end */

/* As server_need_turn(), but lets the loop look at the sockets first. */
static void
turn_again(struct wsexec_server *s, int64_t delay_us)
{
	const struct timeval delay = { .tv_sec = delay_us / 1000000,
		.tv_usec = delay_us % 1000000 };

	(void)evtimer_add(&s->turn_event, &delay);
}

/*
 * From the beginning of a sweep to that of the next: a third of the time is
 * for sweeps, so that what they cost does not grow with the number of lines.
 */
static int64_t
turn_interval_us(const struct wsexec_server *s)
{
	const int64_t latency_us = s->settings.latency_us;
	int64_t cost = s->sweep_cost_us, pause = 2 * cost;

	if (pause > TURN_PAUSE_MAX_US)
		pause = TURN_PAUSE_MAX_US;
	if (latency_us == 0 || cost + pause < latency_us)
		return latency_us;
	return cost + pause;
}

/* Puts everybody who waits for news on the ready list, if it is time. */
static void
turn_begin_sweep(struct wsexec_server *s)
{
	struct subscriber *subscriber;
	int64_t wait_us;

	if (!s->news)
		return;
	wait_us = s->sweep_us + turn_interval_us(s) - s->now_us;
	if (wait_us > 0 && s->news_bytes < TURN_NEWS_MAX && !s->ended) {
		turn_again(s, wait_us);
		return;
	}
	TAILQ_FOREACH(subscriber, &s->waiting, queue) {
		subscriber->list = SUBSCRIBER_READY;
		s->ready_count++;
	}
	TAILQ_CONCAT(&s->ready, &s->waiting, queue);
	s->news = false;
	s->news_bytes = 0;
	s->sweep_us = s->now_us;
	s->sweep_cost_us = 0;
	s->sweep_left = s->ready_count;
}

/*
 * Serves the ready ones for a slice of time.  Whoever has more to get goes to
 * the end of the list, behind all whom the sweep is still to reach.
 */
static void
turn_serve(struct wsexec_server *s)
{
	const int64_t began_us = s->now_us;
	struct subscriber *subscriber;
	unsigned int served = 0;
	size_t left = s->sweep_left;

	while ((subscriber = TAILQ_FIRST(&s->ready)) != NULL) {
		subscriber_serve(subscriber);
		if (left > 0)
			left--;
		if (++served % TURN_SLICE_CHECK == 0 &&
		    server_now(s) - began_us >= TURN_SLICE_US)
			break;
	}
	if (s->sweep_left > 0)
		s->sweep_cost_us += server_now(s) - began_us;
	s->sweep_left = left;
}

/* The block policy: bytes that it may still fall behind; 0: it is behind. */
static uint64_t
turn_slack(const struct wsexec_server *s, struct subscriber *subscriber)
{
	uint64_t limit = s->settings.client_buffer_bytes;
	/* Nothing may be dropped that somebody still needs. */
	uint64_t kept = s->settings.kept_bytes - 2 * JOURNAL_BLOCK_BYTES;
	uint64_t lag = subscriber_lag(subscriber);

	if (limit > kept)
		limit = kept;
	if (s->paused)
		limit -= limit / 4; /* go on when there is some room again */
	if (lag > kept || !subscriber_is_within(subscriber, limit))
		return 0;
	return (subscriber->replaying ? kept : limit) - lag + 1;
}

/* Whether input must wait for it; not for longer than the stall timeout. */
static bool
turn_waits_for(struct wsexec_server *s, struct subscriber *subscriber)
{
	if (subscriber->behind_us == 0)
		subscriber->behind_us = s->now_us;
	if (s->now_us - subscriber->behind_us < s->settings.stall_ms * 1000)
		return true;
	subscriber_end(subscriber, WEBSOCKET_TRY_LATER,
	    "too slow: the command has waited long enough");
	return false;
}

/* Looks at everybody. */
static bool
turn_judge_all(struct wsexec_server *s)
{
	uint64_t slack, least = s->settings.client_buffer_bytes / 4;
	struct connection *c, *next;

	s->paused_for = NULL;
	TAILQ_FOREACH_SAFE(c, &s->streams, link, next) {
		if (c->state != CONNECTION_STREAM)
			continue;
		if ((slack = turn_slack(s, &c->subscriber)) > 0)
			c->subscriber.behind_us = 0;
		else if (turn_waits_for(s, &c->subscriber))
			s->paused_for = c;
		if (slack < least)
			least = slack;
	}
	s->judged_until = journal_appended(s->journal) + least;
	return s->paused_for != NULL;
}

/*
 * The block policy: whether somebody is so far behind that input must wait.
 * Nobody can be, before so much has been written as the last of all may fall
 * behind; and while one still is, others do not matter.
 */
static bool
turn_must_pause(struct wsexec_server *s)
{
	struct connection *c = s->paused_for;

	if (s->settings.slow != WSEXEC_SLOW_BLOCK)
		return false;
	if (!s->paused && journal_appended(s->journal) < s->judged_until)
		return false;
	if (s->paused && c != NULL && c->state == CONNECTION_STREAM &&
	    turn_slack(s, &c->subscriber) == 0)
		return true;
	return turn_judge_all(s);
}

static void
turn_judge_input(struct wsexec_server *s)
{
	bool must = turn_must_pause(s);

	if (must == s->paused)
		return;
	s->paused = must;
	watcher_note_change(s);
	server_tell(s, must ? WSEXEC_EVENT_PAUSE : WSEXEC_EVENT_RESUME);
}

void
turn_cb(evutil_socket_t fd, short what, void *arg)
{
	struct wsexec_server *s = arg;

	(void)fd;
	(void)what;
	/* As long as this lasts nothing needs to ask for another. */
	s->turn_is_due = true;
	(void)evtimer_del(&s->turn_event);
	(void)server_now(s);
	turn_begin_sweep(s);
	turn_serve(s);
	turn_judge_input(s);
	server_reap(s);
	s->turn_is_due = false;
	if (!TAILQ_EMPTY(&s->ready))
		turn_again(s, 0);
	if (server_is_leaving(s) && s->connection_count == 0 &&
	    !s->drained_is_told) {
		s->drained_is_told = true;
		server_tell(s, WSEXEC_EVENT_DRAINED);
	}
}

void
turn_tell_all(struct wsexec_server *s, unsigned int due)
{
	struct connection *c;

	TAILQ_FOREACH(c, &s->streams, link) {
		if (c->state == CONNECTION_STREAM)
			subscriber_tell(&c->subscriber, due);
	}
}

/* At the end, connections that ask for nothing are not waited for. */
static void
turn_hurry(struct wsexec_server *s, struct connection *c)
{
	if (server_is_leaving(s) && c->state == CONNECTION_HEAD &&
	    c->deadline_us > s->now_us + TURN_END_GRACE_US)
		c->deadline_us = s->now_us + TURN_END_GRACE_US;
}

void
turn_tick_cb(evutil_socket_t fd, short what, void *arg)
{
	struct wsexec_server *s = arg;
	struct connection *c, *next;

	(void)fd;
	(void)what;
	(void)server_now(s);
	(void)server_may_deflate(s); /* what has been is not of this tick */
	s->deflate_left = SERVER_DEFLATE_RATE / TICKS_A_SECOND;
	if (s->clients_changed)
		turn_tell_all(s, SUBSCRIBER_DUE_CLIENTS);
	s->clients_changed = false;
	TAILQ_FOREACH_SAFE(c, &s->pending, link, next) {
		turn_hurry(s, c);
		connection_check_deadline(c);
	}
	TAILQ_FOREACH_SAFE(c, &s->streams, link, next) {
		subscriber_tick(&c->subscriber);
		connection_check_deadline(c);
	}
	tls_tick(s);
	peers_expire(s->peers, s->now_us);
	if (s->paused) {
		s->paused_for = NULL; /* the clock may end the pause */
		server_need_turn(s);
	}
}
