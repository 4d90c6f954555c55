/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "core/gzip.h"
#include "core/journal.h"
#include "core/websocket.h"
#include "net/client.h"
#include "net/connection.h"
#include "net/server.h"
#include "net/subscriber.h"

void
subscriber_unlist(struct subscriber *s)
{
	struct wsexec_server *server = s->connection->server;

	if (s->list == SUBSCRIBER_READY) {
		TAILQ_REMOVE(&server->ready, s, queue);
		server->ready_count--;
	} else if (s->list == SUBSCRIBER_WAITING) {
		TAILQ_REMOVE(&server->waiting, s, queue);
	}
	s->list = SUBSCRIBER_BLOCKED;
}

void
subscriber_make_ready(struct subscriber *s)
{
	struct wsexec_server *server = s->connection->server;

	if (s->list == SUBSCRIBER_READY ||
	    s->connection->state == CONNECTION_DEAD)
		return;
	subscriber_unlist(s);
	s->list = SUBSCRIBER_READY;
	TAILQ_INSERT_TAIL(&server->ready, s, queue);
	server->ready_count++;
	server_need_turn(server);
}

void
subscriber_wait(struct subscriber *s)
{
	if (s->watches)
		return; /* news are none of the status */
	s->list = SUBSCRIBER_WAITING;
	TAILQ_INSERT_TAIL(&s->connection->server->waiting, s, queue);
}

uint64_t
subscriber_lag(const struct subscriber *s)
{
	const struct journal *j = s->connection->server->journal;
	uint64_t next;

	if (s->watches)
		return 0;
	next = feed_next(&s->cursor);
	return next < journal_first(j) ? UINT64_MAX : journal_lag(j, next);
}

bool
subscriber_is_within(struct subscriber *s, uint64_t limit)
{
	uint64_t lag = subscriber_lag(s);

	if (lag <= limit)
		s->replaying = false;
	return lag <= limit || (s->replaying && lag != UINT64_MAX);
}

/*
 * Another run has begun, which is told at its place: reading stops there until
 * that was done.  Not to who does not read so far, or has not heard of any.
 */
static bool
subscriber_may_tell_run(struct subscriber *s)
{
	const struct wsexec_server *server = s->connection->server;

	if ((s->due & SUBSCRIBER_DUE_START) != 0 ||
	    s->cursor.stop != CURSOR_NO_STOP)
		return false;
	s->cursor.stop = runs_current(&server->runs)->first - 1;
	return true;
}

void
subscriber_forget_run(struct subscriber *s)
{
	if ((s->due & SUBSCRIBER_DUE_RUN) == 0)
		return;
	s->due &= (uint8_t)~SUBSCRIBER_DUE_RUN;
	s->cursor.stop = CURSOR_NO_STOP;
}

void
subscriber_tell(struct subscriber *s, unsigned int due)
{
	if (s->format == FORMAT_RAW)
		due &= SUBSCRIBER_DUE_PARTIAL;
	else if (!format_tells_all(s->format, s->carrier))
		return;
	if ((due & SUBSCRIBER_DUE_RUN) != 0 && !subscriber_may_tell_run(s))
		due &= ~(unsigned int)SUBSCRIBER_DUE_RUN;
	if (s->due + due == 0)
		return;
	s->due |= (uint8_t)due;
	if (s->blocked_us == 0)
		subscriber_make_ready(s);
}

void
subscriber_note_gap(struct subscriber *s, uint64_t first, uint64_t last,
    enum gap_reason reason)
{
	if (first > last)
		return;
	if (s->gap_first == 0)
		s->gap_first = first;
	s->gap_last = last;
	s->gap_reason = reason == GAP_SLOW ? GAP_SLOW : GAP_EVICTED;
}

void
subscriber_count_gap(struct subscriber *s)
{
	struct status_counters *counters = &s->connection->server->counters;

	s->gaps++;
	counters->gaps[s->gap_reason]++;
	counters->skipped[s->gap_reason] += s->gap_last + 1 - s->gap_first;
}

void
subscriber_close(struct subscriber *s, enum status_ending ending,
    const char *reason)
{
	if (!s->closing)
		s->ending = (unsigned int)ending & 7;
	connection_close(s->connection, reason);
}

/* Whether it goes on where it was in this run, or in one before it. */
static bool
subscriber_goes_on(const struct wsexec_server *server, const struct query *q)
{
	/* Without a run id, more than there is must be from another run. */
	return q->has_after &&
	    (runs_have(&server->runs, q->run) ||
		(q->run[0] == '\0' &&
		    q->after <= journal_last(server->journal)));
}

uint64_t
subscriber_find_first(const struct wsexec_server *server, const struct query *q,
    uint64_t *wanted)
{
	const struct journal *j = server->journal;
	uint64_t last = journal_last(j), first = server_history_first(server);

	*wanted = 1;
	if (subscriber_goes_on(server, q)) {
		/* Whoever was here before gets more than the history. */
		first = journal_first(j);
		*wanted = q->after + 1;
		return *wanted > first ? *wanted : first;
	}
	if (q->has_tail && !q->has_after) {
		if (q->tail < last + 1 - first)
			first = last + 1 - q->tail;
		*wanted = first;
	}
	return first;
}

/* The last record for a client that asks this way and begins with first. */
static uint64_t
subscriber_find_stop(const struct wsexec_server *server, const struct query *q,
    uint64_t first)
{
	uint64_t last = journal_last(server->journal);

	if (q->has_limit && first + q->limit <= last)
		return first + q->limit - 1;
	return q->follow ? CURSOR_NO_STOP : last;
}

/* Puts it in front of its first record.  False: out of memory. */
static bool
subscriber_begin(struct subscriber *s, const struct query *q)
{
	const struct wsexec_server *server = s->connection->server;
	uint64_t wanted, first = subscriber_find_first(server, q, &wanted);

	s->resumed = first == wanted && subscriber_goes_on(server, q);
	subscriber_note_gap(s, wanted, first - 1, GAP_EVICTED);
	s->cursor.stop = subscriber_find_stop(server, q, first);
	return subscriber_enter(s, first);
}

static void
subscriber_count(struct wsexec_server *server, bool more)
{
	server->subscriber_count += more ? 1 : (size_t)-1;
	server->clients_changed = true;
	watcher_note_change(server);
	if (server->settings.on_event != NULL)
		server->settings.on_event(WSEXEC_EVENT_CLIENTS,
		    server->settings.arg);
}

bool
subscriber_compress(struct connection *c, bool chunked)
{
	struct wsexec_server *server = c->server;
	struct subscriber *s = &c->subscriber;

	if ((s->gzip = gzip_new(server->settings.compression, chunked)) == NULL)
		return false;
	server->gzip_count++;
	return true;
}

static void
subscriber_init(struct connection *c, enum format format, enum carrier carrier)
{
	struct subscriber *s = &c->subscriber;

	s->connection = c;
	s->format = (uint8_t)format;
	s->carrier = (uint8_t)carrier;
	s->frames_left = SUBSCRIBER_FRAMES_BURST;
	s->pinged_us = c->server->now_us;
	s->since_s = (uint32_t)server_time();
	s->sent_bytes = 0; /* pages may have been */
}

void
subscriber_open_watcher(struct connection *c)
{
	subscriber_init(c, FORMAT_TEXT, CARRIER_WEBSOCKET);
	c->subscriber.watches = true;
	connection_become_stream(c);
	subscriber_make_ready(&c->subscriber);
}

bool
subscriber_open(struct connection *c, const struct query *q, enum format format,
    enum carrier carrier)
{
	struct wsexec_server *server = c->server;
	char peer[CLIENT_NAME_MAX];
	unsigned int streams = (1U << STREAM_COUNT) - 1;
	struct subscriber *s = &c->subscriber;

	if (q->has_stream)
		streams = 1U << q->stream;
	subscriber_init(c, format, carrier);
	s->streams = (uint8_t)streams;
	s->replaying = true;
	if (!subscriber_begin(s, q))
		return false;
	if (format_tells_all(format, carrier))
		s->due = SUBSCRIBER_DUE_START | SUBSCRIBER_DUE_CLIENTS;
	if (s->due != 0 || format == FORMAT_RAW)
		s->due |= SUBSCRIBER_DUE_PARTIAL;
	s->id = (uint32_t)++server->counters.opened;
	connection_become_stream(c);
	server->judged_until = 0;
	server_log(server, 1, "%s: gets output", client_name(c, peer));
	subscriber_count(server, true);
	subscriber_make_ready(s);
	return true;
}

bool
subscriber_has_all(const struct wsexec_server *server, const struct query *q)
{
	return server->ended && q->has_exit && subscriber_goes_on(server, q);
}

struct buffer *
subscriber_head(struct subscriber *s)
{
	return s->gzip != NULL ? gzip_output(s->gzip) : &s->out;
}

void
subscriber_greet(struct subscriber *s)
{
	if (carrier_has_events(s->carrier))
		encoder_append_hint(&s->out, s->carrier, FORMAT_RETRY);
}

void
subscriber_leave(struct subscriber *s)
{
	struct wsexec_server *server = s->connection->server;

	subscriber_unlist(s);
	subscriber_forget_held(s);
	if (s->watches) {
		watcher_leave(s);
		return;
	}
	feed_leave(subscriber_feed(s), &s->cursor);
	server->counters.endings[s->ending]++;
	subscriber_count(server, false);
}

void
subscriber_clear(struct subscriber *s)
{
	websocket_input_free(s->input);
	if (s->gzip != NULL)
		s->connection->server->gzip_count--;
	gzip_free(s->gzip);
	buffer_clear(&s->out);
}

static void
subscriber_ping(struct subscriber *s)
{
	const struct wsexec_server *server = s->connection->server;
	int64_t ping_us = server->settings.ping_ms * 1000;

	/* An answer is due a tick later at the soonest. */
	if (ping_us < 1000000 / TICKS_A_SECOND)
		ping_us = 1000000 / TICKS_A_SECOND;
	if (!(s->carrier == CARRIER_WEBSOCKET ||
		carrier_has_events(s->carrier)) ||
	    s->blocked_us != 0 || server->now_us - s->pinged_us < ping_us)
		return;
	if (s->pings >= SUBSCRIBER_PINGS_MAX) {
		subscriber_close(s, ENDING_SILENT, "no answer to two pings");
		return;
	}
	/* Of whom a message is held no answer is read. */
	if (s->carrier == CARRIER_WEBSOCKET && !s->held)
		s->pings++;
	s->pinged_us = server->now_us;
	s->due |= SUBSCRIBER_DUE_PING;
	subscriber_make_ready(s);
}

void
subscriber_tick(struct subscriber *s)
{
	const struct wsexec_server *server = s->connection->server;
	const struct settings *settings = &server->settings;

	if (s->frames_left < SUBSCRIBER_FRAMES_BURST)
		s->frames_left += SUBSCRIBER_FRAMES_RATE / TICKS_A_SECOND;
	if (s->blocked_us != 0 &&
	    server->now_us - s->blocked_us >= settings->stall_ms * 1000) {
		subscriber_close(s, ENDING_STALLED,
		    "too slow: it took no byte for the stall timeout");
		return;
	}
	/* At the end who takes nothing is waited for while others take. */
	if (s->blocked_us != 0 && server_is_leaving(server) &&
	    server->now_us - server->progress_us >= settings->drain_ms * 1000) {
		subscriber_close(s, ENDING_STALLED,
		    "too slow: nobody took a byte for the drain time");
		return;
	}
	if (s->closing)
		return;
	if (settings->slow == WSEXEC_SLOW_DISCONNECT && s->blocked_us != 0 &&
	    !subscriber_is_within(s, settings->client_buffer_bytes)) {
		subscriber_fall_behind(s);
		return;
	}
	subscriber_ping(s);
}
