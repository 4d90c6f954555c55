/* SPDX-License-Identifier: ISC */

/*
 * What a subscriber gets, and in which order: what concerns only it between
 * two messages of the feed.
 */

#include <inttypes.h>
#include <stdio.h>

#include "core/gzip.h"
#include "core/journal.h"
#include "core/splitter.h"
#include "core/websocket.h"
#include "net/client.h"
#include "net/connection.h"
#include "net/server.h"
#include "net/subscriber.h"

#define SUBSCRIBER_REASON_MAX 124    /* of a close frame, and NUL */
#define SUBSCRIBER_PARTIAL_MAX 16384 /* bytes of an unfinished line in json */

enum step {
	STEP_ON,      /* something was done; go on */
	STEP_BLOCKED, /* the socket takes nothing */
	STEP_IDLE,    /* there is nothing to send */
	STEP_GONE,    /* the stream is over */
};

void
subscriber_keep_rest(struct cursor *c, const uint8_t *rest, size_t n)
{
	struct subscriber *s = (struct subscriber *)(void *)c;

	/* In the middle of a message nothing of out has been sent. */
	buffer_prepend(&s->out, rest, n);
}

static void
subscriber_append_start(struct subscriber *s)
{
	const struct wsexec_server *server = s->connection->server;
	const struct start_info info = {
		.run = runs_current(&server->runs)->id,
		.command = (const char *const *)server->settings.command,
		.title = server->settings.title,
		.time_us = server->start_us,
		.pid = server->pid,
		.first = feed_next(&s->cursor),
		.last = journal_last(server->journal),
		.resumed = s->resumed,
		.writable = s->writable,
	};

	encoder_append_start(server->encoder, &s->out, s->format, s->carrier,
	    &info);
}

/*
 * The unfinished line of a stream, for who has got all before it: in json all
 * of it, to be replaced by the record it becomes; in raw what is new of it, as
 * the bytes will not come again.
 */
static void
subscriber_append_partial(struct subscriber *s, enum stream stream)
{
	const struct wsexec_server *server = s->connection->server;
	uint64_t last = journal_last(server->journal);
	struct record r = { .seq = last + 1,
		.time_us = server->written_us,
		.stream = stream,
		.continued = true };

	r.text = splitter_pending(server->splitters[stream], &r.size);
	if (r.size == 0 || s->cursor.stop <= last ||
	    feed_next(&s->cursor) != last + 1 ||
	    (s->streams & (1U << stream)) == 0)
		return;
	if (s->format == FORMAT_RAW) {
		r.text += s->ahead[stream];
		r.size -= s->ahead[stream];
		if (!encoder_keeps_lines(server->encoder))
			r.size = sanitize_whole(r.text, r.size);
		s->ahead[stream] += (uint32_t)r.size;
		encoder_append_line(server->encoder, &s->out, s->format,
		    s->carrier, &r);
	} else if (r.size <= SUBSCRIBER_PARTIAL_MAX) {
		encoder_append_partial(server->encoder, &s->out, s->format,
		    s->carrier, &r);
	}
}

/* Whether it has got bytes of a line that was not finished then. */
static bool
subscriber_is_ahead(const struct subscriber *s)
{
	return (s->ahead[STREAM_STDOUT] | s->ahead[STREAM_STDERR]) != 0;
}

/* Puts what a raw client has not yet got of the next record into out. */
static void
subscriber_append_remainder(struct subscriber *s)
{
	const struct wsexec_server *server = s->connection->server;
	struct record r;
	size_t skip;

	journal_find(server->journal, feed_next(&s->cursor), &r);
	skip = s->ahead[r.stream] < r.size ? s->ahead[r.stream] : r.size;
	s->ahead[r.stream] -= (uint32_t)skip;
	r.text += skip;
	r.size -= skip;
	encoder_append_line(server->encoder, &s->out, s->format, s->carrier,
	    &r);
	/* What follows must not refer to what was not read. */
	if (!subscriber_seek(s, r.seq + 1))
		s->out.failed = true;
}

/*
 * Puts some of the next n records, which it cannot read in the feed, into out
 * as one message; a few of them, as that is memory of this client alone.
 */
static void
subscriber_append_alone(struct subscriber *s, size_t n)
{
	const struct wsexec_server *server = s->connection->server;
	uint64_t seq = feed_next(&s->cursor), end = seq + n;
	struct record r;
	size_t size = 0;

	for (; seq < end && size < SUBSCRIBER_ALONE_BYTES; seq++) {
		journal_find(server->journal, seq, &r);
		if (record_is_for(&r, s->streams))
			size = encoder_add_line(server->encoder, &r);
	}
	encoder_append_added(server->encoder, NULL, &s->out);
	if (!subscriber_seek(s, seq))
		s->out.failed = true;
}

/* So that whoever is in between sees that it is alive. */
static void
subscriber_append_ping(struct subscriber *s)
{
	if (s->carrier == CARRIER_WEBSOCKET)
		websocket_append_frame(&s->out, WEBSOCKET_PING, NULL, 0);
	else
		encoder_append_hint(&s->out, s->carrier, FORMAT_COMMENT);
}

/* What is due and can be told here. */
static unsigned int
subscriber_take_due(struct subscriber *s)
{
	const struct wsexec_server *server = s->connection->server;
	unsigned int due = s->due;

	if (server->start_us == 0)
		due &= ~(unsigned int)SUBSCRIBER_DUE_START;
	if ((due & SUBSCRIBER_DUE_PARTIAL) != 0 &&
	    feed_next(&s->cursor) <= journal_last(server->journal))
		due &= ~(unsigned int)SUBSCRIBER_DUE_PARTIAL;
	if ((due & SUBSCRIBER_DUE_RUN) != 0 &&
	    feed_next(&s->cursor) <= s->cursor.stop)
		due &= ~(unsigned int)SUBSCRIBER_DUE_RUN;
	s->due &= (uint8_t)~due;
	return due;
}

/* All before this run it has got, or was told to miss. */
static void
subscriber_begin_run(struct subscriber *s)
{
	s->resumed = true;
	s->cursor.stop = CURSOR_NO_STOP;
	subscriber_append_start(s);
}

/* Puts what is due into out; false: nothing was. */
static bool
subscriber_fill(struct subscriber *s)
{
	struct wsexec_server *server = s->connection->server;
	unsigned int due = subscriber_take_due(s);

	if ((due & SUBSCRIBER_DUE_START) != 0)
		subscriber_append_start(s);
	if (s->gap_first != 0) {
		subscriber_count_gap(s);
		encoder_append_gap(server->encoder, &s->out, s->format,
		    s->carrier, s->gap_first, s->gap_last, s->gap_reason);
	}
	s->gap_first = 0;
	if ((due & SUBSCRIBER_DUE_RUN) != 0)
		subscriber_begin_run(s);
	if ((due & SUBSCRIBER_DUE_CLIENTS) != 0)
		encoder_append_clients(server->encoder, &s->out, s->format,
		    s->carrier, server->subscriber_count);
	if ((due & SUBSCRIBER_DUE_STDOUT) != 0)
		subscriber_append_partial(s, STREAM_STDOUT);
	if ((due & SUBSCRIBER_DUE_STDERR) != 0)
		subscriber_append_partial(s, STREAM_STDERR);
	if ((due & SUBSCRIBER_DUE_PING) != 0)
		subscriber_append_ping(s);
	return s->out.size > 0;
}

void
subscriber_end(struct subscriber *s, unsigned int code, const char *reason)
{
	struct connection *c = s->connection;
	char peer[CLIENT_NAME_MAX];

	if (s->closing)
		return;
	s->closing = true;
	s->ending =
	    (s->close_received ? ENDING_LEFT : status_ending_of(code)) & 7;
	server_log(c->server, 1, "%s: ends with %u: %s", client_name(c, peer),
	    code, reason);
	s->due = 0;
	subscriber_forget_held(s);
	(void)subscriber_fill(s); /* a gap, if there is one to tell of */
	if (s->carrier == CARRIER_WEBSOCKET) {
		websocket_append_close(&s->out, code, reason);
	} else if (code != WEBSOCKET_NORMAL && code != WEBSOCKET_GOING_AWAY) {
		/* No last chunk: the client can tell that it was cut. */
		connection_close(c, reason);
		return;
	} else if (carrier_is_chunked(s->carrier)) {
		buffer_append_string(&s->out, "0\r\n\r\n");
	}
	/* Who was too slow for the output gets a little time for this. */
	connection_enter(c, CONNECTION_CLOSING,
	    code == WEBSOCKET_TRY_LATER ? CONNECTION_CLOSE_MS :
					  c->server->settings.stall_ms);
	subscriber_make_ready(s);
}

/* It is told no more than how all has ended. */
static void
subscriber_end_with_exit(struct subscriber *s)
{
	const struct wsexec_end *end = &s->connection->server->end;
	char reason[SUBSCRIBER_REASON_MAX];

	(void)snprintf(reason, sizeof(reason), "%s %d",
	    end->signal != 0 ? "signal" : "exit",
	    end->signal != 0 ? end->signal : end->code);
	subscriber_end(s,
	    end->stopped ? WEBSOCKET_GOING_AWAY : WEBSOCKET_NORMAL, reason);
}

/* The client has got all there will be for it. */
static void
subscriber_end_run(struct subscriber *s)
{
	struct wsexec_server *server = s->connection->server;
	const struct wsexec_end *end = &server->end;
	const struct exit_info info = { .code = end->code,
		.signal = end->signal,
		.seconds = end->seconds,
		.timed_out = end->timed_out,
		.last = journal_last(server->journal) };

	/* Who has asked for less than all has not come to the end. */
	if (!server->ended || s->cursor.stop < info.last) {
		subscriber_end(s, WEBSOCKET_NORMAL, "this is all so far");
		return;
	}
	encoder_append_exit(server->encoder, &s->out, s->format, s->carrier,
	    &info);
	subscriber_end_with_exit(s);
}

/* The client is further behind than it may be. */
void
subscriber_fall_behind(struct subscriber *s)
{
	struct wsexec_server *server = s->connection->server;
	const struct settings *settings = &server->settings;
	uint64_t to;
	char reason[SUBSCRIBER_REASON_MAX];

	if (settings->slow == WSEXEC_SLOW_DISCONNECT ||
	    s->format == FORMAT_RAW) {
		/* What was begun is sent to its end first. */
		(void)snprintf(reason, sizeof(reason),
		    "too slow: the last line sent was %" PRIu64,
		    feed_begun(&s->cursor));
		subscriber_end(s, WEBSOCKET_TRY_LATER, reason);
		return;
	}
	/* Half of what it may be behind, lest it falls behind again at once. */
	to = journal_within(server->journal,
	    settings->client_buffer_bytes / (server->ended ? 1 : 2));
	if (to > s->cursor.stop)
		to = s->cursor.stop + 1;
	subscriber_note_gap(s, feed_next(&s->cursor), to - 1, GAP_SLOW);
	if (!subscriber_seek(s, to))
		subscriber_close(s, ENDING_MEMORY, "out of memory");
}

static void
subscriber_note_progress(struct subscriber *s)
{
	struct wsexec_server *server = s->connection->server;

	/* Who takes bytes again is alive, even if its answers are late. */
	if (s->blocked_us != 0)
		s->pings = 0;
	s->blocked_us = 0;
	if (carrier_has_events(s->carrier))
		s->pinged_us = server->now_us;
	server->progress_us = server->now_us;
}

/* As connection_send(), but compressed is as good as sent. */
static ssize_t
subscriber_put(struct subscriber *s, const uint8_t *bytes, size_t n)
{
	if (s->gzip == NULL)
		return connection_send(s->connection, bytes, n);
	gzip_append(s->gzip, bytes, n);
	return (ssize_t)n;
}

/* Whether bytes are compressed that have not gone, or could not be. */
static bool
subscriber_has_compressed(struct subscriber *s)
{
	const struct buffer *out;

	if (s->gzip == NULL)
		return false;
	out = gzip_output(s->gzip);
	return out->size > 0 || out->failed;
}

/* Nothing more is compressed until all of this has gone. */
static enum step
subscriber_send_compressed(struct subscriber *s)
{
	struct buffer *out = gzip_output(s->gzip);
	ssize_t n;

	if (out->failed) {
		subscriber_close(s, ENDING_MEMORY, "out of memory");
		return STEP_GONE;
	}
	n = connection_send(s->connection, out->data, out->size);
	if (n == -1)
		return STEP_GONE;
	if (n == 0)
		return STEP_BLOCKED;
	subscriber_note_progress(s);
	buffer_shift(out, (size_t)n);
	return STEP_ON;
}

static enum step
subscriber_send_out(struct subscriber *s, size_t *budget)
{
	size_t left = s->out.size - s->out_sent;
	ssize_t n;

	if (s->out.failed) {
		subscriber_close(s, ENDING_MEMORY, "out of memory");
		return STEP_GONE;
	}
	if (left > *budget)
		left = *budget;
	n = subscriber_put(s, s->out.data + s->out_sent, left);
	if (n == -1)
		return STEP_GONE;
	if (n == 0)
		return STEP_BLOCKED;
	subscriber_note_progress(s);
	*budget -= (size_t)n;
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

	if (s->gzip != NULL && gzip_finish(s->gzip))
		return STEP_ON;
	if (!connection_flush(c))
		return STEP_BLOCKED;
	if (s->carrier != CARRIER_WEBSOCKET || s->deaf) {
		connection_linger(c);
	} else if (s->close_received) {
		/* RFC 6455 section 7.1.1: the server closes first. */
		connection_close(c, "the closing handshake is done");
	} else {
		connection_enter(c, CONNECTION_CLOSING, CONNECTION_CLOSE_MS);
		connection_want_write(c, false);
	}
	return STEP_GONE;
}

/* Sends from the feed; with something in out, only to the next boundary. */
static enum step
subscriber_send_feed(struct subscriber *s, size_t *budget)
{
	const uint8_t *bytes;
	size_t n, rest;
	ssize_t sent;

	switch (subscriber_peek(s, &bytes, &n)) {
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
	case FEED_LATER:
		*budget = 0; /* others have their turn first */
		return STEP_ON;
	case FEED_ALONE:
		subscriber_append_alone(s, n);
		return STEP_ON;
	case FEED_LOST:
		subscriber_fall_behind(s);
		return STEP_ON;
	case FEED_FAILED:
		subscriber_close(s, ENDING_MEMORY, "out of memory");
		return STEP_GONE;
	}
	if (subscriber_is_ahead(s) && feed_rest(&s->cursor) == 0) {
		subscriber_append_remainder(s);
		return STEP_ON;
	}
	if (s->out.size > 0 && (rest = feed_rest(&s->cursor)) < n)
		n = rest;
	if (n > *budget)
		n = *budget;
	if ((sent = subscriber_put(s, bytes, n)) == -1)
		return STEP_GONE;
	feed_advance(&s->cursor, (size_t)sent);
	*budget -= (size_t)sent;
	if (sent > 0)
		subscriber_note_progress(s);
	return (size_t)sent < n ? STEP_BLOCKED : STEP_ON;
}

static bool
subscriber_may_lag(struct subscriber *s)
{
	const struct settings *settings = &s->connection->server->settings;

	return settings->slow == WSEXEC_SLOW_BLOCK ||
	    settings->client_buffer_bytes >= settings->kept_bytes ||
	    subscriber_is_within(s, settings->client_buffer_bytes);
}

/* Sends the newest document, or the rest of the one it has begun. */
static enum step
subscriber_step_watcher(struct subscriber *s, size_t *budget)
{
	const struct wsexec_server *server = s->connection->server;
	const bool between = !watcher_is_inside(s);
	const uint8_t *bytes;
	ssize_t sent;
	size_t n;

	if (between && (s->out.size > 0 || subscriber_fill(s)))
		return subscriber_send_out(s, budget);
	if (between && s->closing)
		return subscriber_finish(s);
	if (!watcher_peek(s, &bytes, &n)) {
		if (!server_is_leaving(server))
			return STEP_IDLE;
		if (server->ended)
			subscriber_end_with_exit(s);
		else
			subscriber_end(s, WEBSOCKET_GOING_AWAY,
			    "wsexec is stopped");
		return STEP_ON;
	}
	if (n > *budget)
		n = *budget;
	if ((sent = connection_send(s->connection, bytes, n)) == -1)
		return STEP_GONE;
	s->watch.sent += (size_t)sent;
	*budget -= (size_t)sent;
	/* Else each byte taken could keep an old document for long. */
	if (!watcher_is_inside(s))
		subscriber_note_progress(s);
	return (size_t)sent < n ? STEP_BLOCKED : STEP_ON;
}

static enum step
subscriber_step(struct subscriber *s, size_t *budget)
{
	bool between = s->out_sent > 0;

	if (s->watches)
		return subscriber_step_watcher(s, budget);
	if (subscriber_has_compressed(s))
		return subscriber_send_compressed(s);
	if (s->out.size > 0 || s->due != 0 || s->gap_first != 0 || s->closing)
		between = between || feed_rest(&s->cursor) == 0;
	if (between && (s->out.size > 0 || subscriber_fill(s)))
		return subscriber_send_out(s, budget);
	if (between && s->closing)
		return subscriber_finish(s);
	if (!subscriber_may_lag(s) && feed_rest(&s->cursor) == 0) {
		subscriber_fall_behind(s);
		return STEP_ON;
	}
	return subscriber_send_feed(s, budget);
}

void
subscriber_serve(struct subscriber *s)
{
	struct connection *c = s->connection;
	size_t budget =
	    s->gzip != NULL ? SUBSCRIBER_GZIP_MAX : SUBSCRIBER_SEND_MAX;
	enum step step = STEP_ON;

	while (budget > 0 && step == STEP_ON && c->state != CONNECTION_DEAD)
		step = subscriber_step(s, &budget);
	if (step == STEP_IDLE && !connection_flush(c))
		step = STEP_BLOCKED;
	if (c->state == CONNECTION_DEAD)
		return;
	subscriber_unlist(s);
	subscriber_judge_reading(s);
	switch (step) {
	case STEP_ON:
		subscriber_make_ready(s);
		break;
	case STEP_BLOCKED:
		if (connection_has_moved(c))
			subscriber_note_progress(s);
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
