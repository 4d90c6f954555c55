/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/journal.h"
#include "core/splitter.h"
#include "core/websocket.h"
#include "net/connection.h"
#include "net/server.h"
#include "net/subscriber.h"

#define SUBSCRIBER_REASON_MAX 124    /* of a close frame, and NUL */
#define SUBSCRIBER_PONGS_MAX 1024    /* bytes waiting before pings go unheard */
#define SUBSCRIBER_PARTIAL_MAX 16384 /* bytes of an unfinished line shown */

enum step {
	STEP_ON,      /* something was done; go on */
	STEP_BLOCKED, /* the socket takes nothing */
	STEP_IDLE,    /* there is nothing to send */
	STEP_GONE,    /* the stream is over */
};

static void
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

static void
subscriber_wait(struct subscriber *s)
{
	s->list = SUBSCRIBER_WAITING;
	TAILQ_INSERT_TAIL(&s->connection->server->waiting, s, queue);
}

uint64_t
subscriber_lag(const struct subscriber *s)
{
	const struct journal *j = s->connection->server->journal;
	uint64_t next = feed_next(&s->cursor);

	/* What is gone counts as the most there can be. */
	return next < journal_first(j) ? UINT64_MAX : journal_lag(j, next);
}

void
subscriber_keep_rest(struct cursor *c, const uint8_t *rest, size_t n)
{
	struct subscriber *s = (struct subscriber *)(void *)c;

	/* In the middle of a record nothing of out has been sent. */
	buffer_prepend(&s->out, rest, n);
}

/* Records from first to last are not for this client; say so in time. */
static void
subscriber_note_gap(struct subscriber *s, uint64_t first, uint64_t last,
    enum gap_reason reason)
{
	if (first > last)
		return;
	if (s->gap_first == 0)
		s->gap_first = first;
	s->gap_last = last;
	s->gap_reason = (uint8_t)reason;
}

/* The first record for a new client, as its query asks. */
static uint64_t
subscriber_find_first(struct subscriber *s, const struct query *q)
{
	const struct wsexec_server *server = s->connection->server;
	const struct journal *j = server->journal;
	uint64_t last = journal_last(j), first = server_history_first(server);
	bool same_run = q->run[0] == '\0' || strcmp(q->run, server->run) == 0;

	if (q->has_after && same_run && q->after <= last) {
		/* Whoever was here before gets more than the history. */
		first = journal_first(j);
		s->resumed = q->after + 1 >= first;
		if (s->resumed)
			return q->after + 1;
		subscriber_note_gap(s, q->after + 1, first - 1, GAP_EVICTED);
		return first;
	}
	if (q->has_tail && !q->has_after) {
		if (q->tail < last + 1 - first)
			first = last + 1 - q->tail;
		return first;
	}
	subscriber_note_gap(s, 1, first - 1, GAP_EVICTED);
	return first;
}

static void
subscriber_count(struct wsexec_server *server, const struct subscriber *s,
    bool more)
{
	server->subscriber_count += more ? 1 : (size_t)-1;
	if (s->format == FORMAT_JSON)
		server->json_count += more ? 1 : (size_t)-1;
	server->clients_changed = true;
	if (server->settings.on_event != NULL)
		server->settings.on_event(WSEXEC_EVENT_CLIENTS,
		    server->settings.arg);
}

bool
subscriber_open(struct connection *c, const struct query *q, enum format format,
    enum carrier carrier, const void *head, size_t n)
{
	struct wsexec_server *server = c->server;
	char peer[CONNECTION_PEER_MAX];
	unsigned int streams = (1U << STREAM_COUNT) - 1;
	struct subscriber *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return false;
	if (q->has_stream)
		streams = 1U << q->stream;
	s->connection = c;
	s->format = (uint8_t)format;
	s->carrier = (uint8_t)carrier;
	s->streams = (uint8_t)streams;
	s->frames_left = SUBSCRIBER_FRAMES_BURST;
	s->heard_us = s->pinged_us = server->now_us;
	buffer_append(&s->out, head, n);
	s->feed = server_feed(server, format, carrier, streams);
	if (s->feed == NULL || s->out.failed) {
		buffer_clear(&s->out);
		free(s);
		return false;
	}
	feed_seek(s->feed, &s->cursor, subscriber_find_first(s, q));
	if (!q->follow)
		s->cursor.stop = journal_last(server->journal);
	if (format == FORMAT_JSON)
		s->due = SUBSCRIBER_DUE_START | SUBSCRIBER_DUE_CLIENTS |
		    SUBSCRIBER_DUE_STDOUT | SUBSCRIBER_DUE_STDERR;
	c->subscriber = s;
	connection_become_stream(c);
	server_log(server, 1, "%s: gets output", connection_peer(c, peer));
	subscriber_count(server, s, true);
	subscriber_make_ready(s);
	return true;
}

void
subscriber_leave(struct subscriber *s)
{
	subscriber_unlist(s);
	feed_leave(s->feed, &s->cursor);
	subscriber_count(s->connection->server, s, false);
}

void
subscriber_free(struct subscriber *s)
{
	if (s == NULL)
		return;
	websocket_input_free(s->input);
	buffer_clear(&s->out);
	free(s);
}

static void
subscriber_append_start(struct subscriber *s)
{
	const struct wsexec_server *server = s->connection->server;
	const struct start_info info = {
		.run = server->run,
		.command = (const char *const *)server->settings.command,
		.title = server->settings.title,
		.time_us = server->start_us,
		.pid = server->pid,
		.first = feed_next(&s->cursor),
		.last = journal_last(server->journal),
		.resumed = s->resumed,
	};

	encoder_append_start(server->encoder, &s->out, s->format, s->carrier,
	    &info);
}

/* The unfinished line of a stream, for who has got all before it. */
static void
subscriber_append_partial(struct subscriber *s, enum stream stream)
{
	const struct wsexec_server *server = s->connection->server;
	uint64_t last = journal_last(server->journal);
	struct record r = { .seq = last + 1,
		.time_us = server->written_us,
		.stream = stream };

	r.text = splitter_pending(server->splitters[stream], &r.size);
	if (r.size == 0 || r.size > SUBSCRIBER_PARTIAL_MAX ||
	    s->cursor.stop <= last || (s->streams & (1U << stream)) == 0)
		return;
	encoder_append_partial(server->encoder, &s->out, s->format, s->carrier,
	    &r);
}

/* Puts what is due into out; false: nothing was. */
static bool
subscriber_fill(struct subscriber *s)
{
	struct wsexec_server *server = s->connection->server;
	unsigned int due = s->due;

	if (server->start_us == 0)
		due &= ~(unsigned int)SUBSCRIBER_DUE_START;
	if ((due & SUBSCRIBER_DUE_PARTIAL) != 0 &&
	    feed_next(&s->cursor) <= journal_last(server->journal))
		due &= ~(unsigned int)SUBSCRIBER_DUE_PARTIAL;
	s->due &= (uint8_t)~due;
	if ((due & SUBSCRIBER_DUE_START) != 0)
		subscriber_append_start(s);
	if (s->gap_first != 0)
		encoder_append_gap(server->encoder, &s->out, s->format,
		    s->carrier, s->gap_first, s->gap_last, s->gap_reason);
	s->gap_first = 0;
	if ((due & SUBSCRIBER_DUE_CLIENTS) != 0)
		encoder_append_clients(server->encoder, &s->out, s->format,
		    s->carrier, server->subscriber_count);
	if ((due & SUBSCRIBER_DUE_STDOUT) != 0)
		subscriber_append_partial(s, STREAM_STDOUT);
	if ((due & SUBSCRIBER_DUE_STDERR) != 0)
		subscriber_append_partial(s, STREAM_STDERR);
	if ((due & SUBSCRIBER_DUE_PING) != 0)
		websocket_append_frame(&s->out, WEBSOCKET_PING, NULL, 0);
	return s->out.size > 0;
}

void
subscriber_end(struct subscriber *s, unsigned int code, const char *reason)
{
	struct connection *c = s->connection;

	if (s->closing)
		return;
	s->closing = true;
	s->due = 0;
	(void)subscriber_fill(s); /* a gap, if there is one to tell of */
	if (s->carrier == CARRIER_WEBSOCKET) {
		websocket_append_close(&s->out, code, reason);
	} else if (code != WEBSOCKET_NORMAL && code != WEBSOCKET_GOING_AWAY) {
		/* No last chunk: the client can tell that it was cut. */
		connection_close(c, reason);
		return;
	} else if (s->carrier == CARRIER_CHUNKED) {
		buffer_append_string(&s->out, "0\r\n\r\n");
	}
	/* Who was too slow for the output gets a little time for this. */
	connection_enter(c, CONNECTION_CLOSING,
	    code == WEBSOCKET_TRY_LATER ? CONNECTION_CLOSE_MS :
					  c->server->settings.stall_ms);
	subscriber_make_ready(s);
}

/* The client has got all there will be. */
static void
subscriber_end_run(struct subscriber *s)
{
	struct wsexec_server *server = s->connection->server;
	const struct wsexec_end *end = &server->end;
	const struct exit_info info = { .code = end->code,
		.signal = end->signal,
		.seconds = end->seconds,
		.last = journal_last(server->journal) };
	char reason[SUBSCRIBER_REASON_MAX];

	if (!server->ended) {
		subscriber_end(s, WEBSOCKET_NORMAL, "this is all so far");
		return;
	}
	encoder_append_exit(server->encoder, &s->out, s->format, s->carrier,
	    &info);
	(void)snprintf(reason, sizeof(reason), "%s %d",
	    end->signal != 0 ? "signal" : "exit",
	    end->signal != 0 ? end->signal : end->code);
	subscriber_end(s,
	    end->stopped ? WEBSOCKET_GOING_AWAY : WEBSOCKET_NORMAL, reason);
}

/* The client is further behind than it may be. */
static enum step
subscriber_fall_behind(struct subscriber *s)
{
	struct wsexec_server *server = s->connection->server;
	const struct settings *settings = &server->settings;
	uint64_t next = feed_next(&s->cursor), stop = s->cursor.stop, to;
	char reason[SUBSCRIBER_REASON_MAX];

	if (settings->slow == WSEXEC_SLOW_DISCONNECT ||
	    s->format == FORMAT_RAW) {
		(void)snprintf(reason, sizeof(reason),
		    "too slow: the last line sent was %" PRIu64, next - 1);
		subscriber_end(s, WEBSOCKET_TRY_LATER, reason);
		return STEP_ON;
	}
	/* Half of what it may be behind, lest it falls behind again at once. */
	to = journal_within(server->journal, settings->client_buffer_bytes / 2);
	if (to > stop)
		to = stop + 1;
	subscriber_note_gap(s, next, to - 1, GAP_SLOW);
	feed_leave(s->feed, &s->cursor);
	feed_seek(s->feed, &s->cursor, to);
	s->cursor.stop = stop;
	return STEP_ON;
}

static void
subscriber_note_progress(struct subscriber *s)
{
	struct wsexec_server *server = s->connection->server;

	s->blocked_us = 0;
	server->progress_us = server->now_us;
}

static enum step
subscriber_send_out(struct subscriber *s)
{
	ssize_t n;

	if (s->out.failed) {
		connection_close(s->connection, "out of memory");
		return STEP_GONE;
	}
	n = connection_send(s->connection, s->out.data + s->out_sent,
	    s->out.size - s->out_sent);
	if (n == -1)
		return STEP_GONE;
	if (n == 0)
		return STEP_BLOCKED;
	subscriber_note_progress(s);
	s->out_sent += (uint32_t)n;
	if (s->out_sent == s->out.size) {
		buffer_clear(&s->out);
		s->out_sent = 0;
	}
	return STEP_ON;
}

/* Everything is sent: leave, or wait for the peer's close frame. */
static enum step
subscriber_finish(struct subscriber *s)
{
	struct connection *c = s->connection;

	if (s->carrier == CARRIER_WEBSOCKET && !s->close_received) {
		connection_enter(c, CONNECTION_CLOSING, CONNECTION_CLOSE_MS);
		connection_want_write(c, false);
		return STEP_GONE;
	}
	connection_linger(c);
	return STEP_GONE;
}

/* Sends from the feed; with something in out, only to the next boundary. */
static enum step
subscriber_send_feed(struct subscriber *s, size_t *budget)
{
	const uint8_t *bytes;
	size_t n, rest;
	ssize_t sent;

	switch (feed_peek(s->feed, &s->cursor, &bytes, &n)) {
	case FEED_BYTES:
		break;
	case FEED_END:
		if (subscriber_fill(s)) /* what waited for this */
			return STEP_ON;
		if (!s->connection->server->ended &&
		    s->cursor.stop >
			journal_last(s->connection->server->journal))
			return STEP_IDLE;
		subscriber_end_run(s);
		return STEP_ON;
	case FEED_LOST:
		return subscriber_fall_behind(s);
	case FEED_FAILED:
		connection_close(s->connection, "out of memory");
		return STEP_GONE;
	}
	if (s->out.size > 0 && (rest = feed_rest(&s->cursor)) < n)
		n = rest;
	if (n > *budget)
		n = *budget;
	if ((sent = connection_send(s->connection, bytes, n)) == -1)
		return STEP_GONE;
	feed_advance(&s->cursor, (size_t)sent);
	*budget -= (size_t)sent;
	if (sent > 0)
		subscriber_note_progress(s);
	return (size_t)sent < n ? STEP_BLOCKED : STEP_ON;
}

static bool
subscriber_may_lag(const struct subscriber *s)
{
	const struct settings *settings = &s->connection->server->settings;

	return settings->slow == WSEXEC_SLOW_BLOCK ||
	    settings->client_buffer_bytes >= settings->kept_bytes ||
	    subscriber_lag(s) <= settings->client_buffer_bytes;
}

static enum step
subscriber_step(struct subscriber *s, size_t *budget)
{
	bool between = s->out_sent > 0;

	if (s->out.size > 0 || s->due != 0 || s->gap_first != 0 || s->closing)
		between = between || feed_rest(&s->cursor) == 0;
	if (between && (s->out.size > 0 || subscriber_fill(s)))
		return subscriber_send_out(s);
	if (between && s->closing)
		return subscriber_finish(s);
	if (!subscriber_may_lag(s) && feed_rest(&s->cursor) == 0)
		return subscriber_fall_behind(s);
	return subscriber_send_feed(s, budget);
}

void
subscriber_serve(struct subscriber *s)
{
	struct connection *c = s->connection;
	size_t budget = SUBSCRIBER_SEND_MAX;
	enum step step = STEP_ON;

	while (budget > 0 && step == STEP_ON && c->state != CONNECTION_DEAD)
		step = subscriber_step(s, &budget);
	if (c->state == CONNECTION_DEAD)
		return;
	subscriber_unlist(s);
	switch (step) {
	case STEP_ON:
		subscriber_make_ready(s);
		break;
	case STEP_BLOCKED:
		if (s->blocked_us == 0)
			s->blocked_us = c->server->now_us;
		connection_want_write(c, true);
		break;
	case STEP_IDLE:
		connection_want_write(c, false);
		if (c->state != CONNECTION_DEAD)
			subscriber_wait(s);
		break;
	case STEP_GONE:
		break;
	}
}

static bool
subscriber_message_cb(void *arg, const struct websocket_message *message)
{
	struct subscriber *s = arg;

	s->heard_us = s->connection->server->now_us;
	switch (message->event) {
	case WEBSOCKET_EVENT_MESSAGE: /* clients only watch */
	case WEBSOCKET_EVENT_PONG:
		return true;
	case WEBSOCKET_EVENT_PING:
		if (s->closing || s->out.size > SUBSCRIBER_PONGS_MAX)
			return true; /* RFC 6455 5.5.3: the last one counts */
		websocket_append_frame(&s->out, WEBSOCKET_PONG,
		    message->payload, message->size);
		subscriber_make_ready(s);
		return true;
	case WEBSOCKET_EVENT_CLOSE:
		s->close_received = true;
		subscriber_end(s, message->code, "");
		break;
	case WEBSOCKET_EVENT_ERROR:
		s->close_received = true;
		subscriber_end(s, message->code, message->reason);
		break;
	}
	subscriber_make_ready(s);
	return false;
}

static void
subscriber_count_frames(struct subscriber *s, unsigned int frames)
{
	if (frames <= s->frames_left) {
		s->frames_left -= (uint8_t)frames;
		return;
	}
	s->frames_left = 0;
	s->close_received = true; /* nothing more is read */
	subscriber_end(s, WEBSOCKET_POLICY, "too many frames");
	subscriber_make_ready(s);
}

void
subscriber_read(struct subscriber *s, const void *bytes, size_t n)
{
	struct wsexec_server *server = s->connection->server;
	struct websocket_input *in = s->input;
	bool alive;

	if (s->carrier != CARRIER_WEBSOCKET || s->close_received)
		return; /* there is nothing to say any more */
	if (in == NULL) {
		in = server->input;
		server->input = NULL;
	}
	if (in == NULL &&
	    (in = websocket_input_new(SUBSCRIBER_MESSAGE_MAX)) == NULL) {
		connection_close(s->connection, "out of memory");
		return;
	}
	alive = websocket_input_write(in, bytes, n, subscriber_message_cb, s);
	subscriber_count_frames(s, websocket_input_take_frames(in));
	s->input = NULL;
	if (!alive || (server->input != NULL && websocket_input_is_idle(in)))
		websocket_input_free(in);
	else if (websocket_input_is_idle(in))
		server->input = in;
	else
		s->input = in;
}

static void
subscriber_ping(struct subscriber *s)
{
	const struct wsexec_server *server = s->connection->server;
	int64_t ping_us = server->settings.ping_ms * 1000;

	if (s->carrier != CARRIER_WEBSOCKET || s->blocked_us != 0 ||
	    server->now_us - s->pinged_us < ping_us)
		return;
	if (server->now_us - s->heard_us > ping_us * 5 / 2) {
		connection_close(s->connection, "no answer to two pings");
		return;
	}
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
		connection_close(s->connection,
		    "too slow: it took no byte for the stall timeout");
		return;
	}
	/* At the end who takes nothing is waited for while others take. */
	if (s->blocked_us != 0 && server_is_leaving(server) &&
	    server->now_us - server->progress_us >= settings->drain_ms * 1000) {
		connection_close(s->connection,
		    "too slow: nobody took a byte for the drain time");
		return;
	}
	if (s->closing)
		return;
	if (settings->slow == WSEXEC_SLOW_DISCONNECT && s->blocked_us != 0 &&
	    subscriber_lag(s) > settings->client_buffer_bytes) {
		(void)subscriber_fall_behind(s);
		return;
	}
	subscriber_ping(s);
}
