/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <event2/event.h>

#include "core/feed.h"
#include "core/journal.h"
#include "core/peers.h"
#include "core/splitter.h"
#include "core/websocket.h"
#include "net/checker.h"
#include "net/connection.h"
#include "net/listener.h"
#include "net/partial.h"
#include "net/server.h"
#include "net/subscriber.h"
#include "net/tls.h"
#include "net/turn.h"
#include "net/watcher.h"

static int64_t
server_clock_us(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
server_now(struct wsexec_server *s)
{
	s->now_us = server_clock_us(CLOCK_MONOTONIC);
	return s->now_us;
}

double
server_time(void)
{
	return (double)server_clock_us(CLOCK_REALTIME) / 1e6;
}

const char *
server_date(struct wsexec_server *s)
{
	int64_t now_s = server_clock_us(CLOCK_REALTIME) / 1000000;

	if (now_s != s->date_s || s->date[0] == '\0')
		http_date(now_s, s->date);
	s->date_s = now_s;
	return s->date;
}

void
server_log(struct wsexec_server *s, int level, const char *format, ...)
{
	char line[512];
	va_list ap;

	if (s->settings.on_log == NULL)
		return;
	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	s->settings.on_log(level, line, s->settings.arg);
}

void
server_tell(struct wsexec_server *s, enum wsexec_event event)
{
	if (s->settings.on_event != NULL)
		s->settings.on_event(event, s->settings.arg);
}

void
server_need_turn(struct wsexec_server *s)
{
	if (s->turn_is_due)
		return;
	s->turn_is_due = true;
	event_active(&s->turn_event, EV_TIMEOUT, 0);
}

struct feed *
server_feed(struct wsexec_server *s, enum format format, enum carrier carrier,
    unsigned int streams)
{
	struct feed **f = &s->feeds[format][carrier][streams];
	struct feed_config config = { .format = format,
		.carrier = carrier,
		.streams = streams,
		.bytes_max = s->settings.kept_bytes,
		.compression = s->settings.compression,
		.on_rest = subscriber_keep_rest };

	/* More is made again when somebody comes for it. */
	if (config.bytes_max > FEED_BYTES_MAX)
		config.bytes_max = FEED_BYTES_MAX;
	if (*f == NULL)
		*f = feed_new(s->journal, s->encoder, &config);
	return *f;
}

bool
server_may_deflate(struct wsexec_server *s)
{
	uint64_t deflated = encoder_take_deflated(s->encoder);

	s->counters.deflated_bytes += deflated;
	s->deflate_left -= (int64_t)deflated;
	return s->deflate_left > 0;
}

uint64_t
server_feed_bytes(const struct wsexec_server *s)
{
	struct feed *const *f = &s->feeds[0][0][0];
	struct feed *const *end = f + sizeof(s->feeds) / sizeof(*f);
	uint64_t bytes = 0;

	for (; f < end; f++)
		if (*f != NULL)
			bytes += feed_bytes(*f);
	return bytes;
}

bool
server_has_room(const struct wsexec_server *s, size_t count)
{
	return count < s->settings.max_clients &&
	    s->subscriber_count + s->watcher_count < s->settings.max_streams;
}

void
server_count_answer(struct wsexec_server *s, int status)
{
	size_t i = http_status_index(status);

	if (i < HTTP_STATUSES_MAX)
		s->counters.answers[i]++;
}

/* Calls do_feed for every feed, after which those without readers go. */
static void
server_each_feed(struct wsexec_server *s, void (*do_feed)(struct feed *f))
{
	struct feed **f = &s->feeds[0][0][0];
	struct feed **end = f + sizeof(s->feeds) / sizeof(*f);

	for (; f < end; f++) {
		if (*f != NULL && do_feed != NULL)
			do_feed(*f);
		if (*f != NULL && feed_readers(*f) == 0) {
			feed_free(*f);
			*f = NULL;
		}
	}
}

uint64_t
server_history_first(const struct wsexec_server *s)
{
	uint64_t kept = journal_first(s->journal), within;

	if (s->settings.history_bytes >= s->settings.kept_bytes)
		return kept;
	within = journal_within(s->journal, s->settings.history_bytes);
	return within > kept ? within : kept;
}

static void
server_trim(struct wsexec_server *s)
{
	while (journal_is_over(s->journal)) {
		server_each_feed(s, feed_drop_block);
		journal_drop_block(s->journal);
	}
}

void
server_reap(struct wsexec_server *s)
{
	struct connection *c;

	if (TAILQ_EMPTY(&s->dead))
		return;
	while ((c = TAILQ_FIRST(&s->dead)) != NULL) {
		TAILQ_REMOVE(&s->dead, c, link);
		connection_free(c);
	}
	server_each_feed(s, NULL);
}

static bool
server_append(struct wsexec_server *s, enum stream stream, const uint8_t *text,
    size_t n, bool continued)
{
	const struct record r = { .time_us = s->written_us,
		.text = text,
		.size = n,
		.stream = stream,
		.continued = continued };

	s->news = true;
	s->news_bytes += n + 1;
	s->partials[stream].lines++;
	s->unfinished[stream] = continued;
	return journal_append(s->journal, &r);
}

static bool
server_stdout_cb(void *arg, const uint8_t *text, size_t n, bool continued)
{
	return server_append(arg, STREAM_STDOUT, text, n, continued);
}

static bool
server_stderr_cb(void *arg, const uint8_t *text, size_t n, bool continued)
{
	return server_append(arg, STREAM_STDERR, text, n, continued);
}

static void
server_begin_run(struct wsexec_server *s, uint64_t first)
{
	uint64_t number;

	arc4random_buf(&number, sizeof(number));
	runs_begin(&s->runs, number, first);
}

/* An enum wsexec_error. */
static int
server_build(struct wsexec_server *s, const struct wsexec_config *config)
{
	const struct timeval tick = { .tv_usec = 1000000 / TICKS_A_SECOND };
	int error;

	if (!settings_copy(&s->settings, config))
		return WSEXEC_ERR_MEMORY;
	if ((error = tls_open(s)) != WSEXEC_OK ||
	    (error = checker_open(s)) != WSEXEC_OK)
		return error;
	s->journal = journal_new(s->settings.kept_bytes);
	if ((s->encoder = encoder_new()) != NULL) {
		encoder_set_runs(s->encoder, &s->runs);
		encoder_set_sanitize(s->encoder, s->settings.sanitize);
	}
	s->splitters[STREAM_STDOUT] =
	    splitter_new(s->settings.max_line_bytes, server_stdout_cb, s);
	s->splitters[STREAM_STDERR] =
	    splitter_new(s->settings.max_line_bytes, server_stderr_cb, s);
	s->peers = peers_new();
	if (s->journal == NULL || s->encoder == NULL || s->peers == NULL ||
	    s->splitters[STREAM_STDOUT] == NULL ||
	    s->splitters[STREAM_STDERR] == NULL)
		return WSEXEC_ERR_MEMORY;
	if (evtimer_assign(&s->turn_event, s->base, turn_cb, s) != 0 ||
	    evtimer_assign(&s->partial_event, s->base, partial_cb, s) != 0 ||
	    evtimer_assign(&s->status_event, s->base, watcher_cb, s) != 0 ||
	    event_assign(&s->tick_event, s->base, -1, EV_PERSIST, turn_tick_cb,
		s) != 0 ||
	    event_add(&s->tick_event, &tick) != 0)
		return WSEXEC_ERR_MEMORY;
	return WSEXEC_OK;
}

int
wsexec_server_new(struct wsexec_server **out, struct event_base *base,
    const struct wsexec_config *config)
{
	struct wsexec_config known = { .size = 0 };
	struct wsexec_server *s;
	int error;

	/* A program may be from when there were less fields, or more. */
	memcpy(&known, config,
	    config->size < sizeof(known) ? config->size : sizeof(known));
	if (!settings_check(&known))
		return WSEXEC_ERR_ADDRESS;
	if ((event_base_get_features(base) & EV_FEATURE_ET) == 0) {
		errno = EOPNOTSUPP;
		return WSEXEC_ERR_SYSTEM;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return WSEXEC_ERR_MEMORY;
	s->base = base;
	s->deflate_left = SERVER_DEFLATE_RATE / TICKS_A_SECOND;
	TAILQ_INIT(&s->listeners);
	TAILQ_INIT(&s->pending);
	TAILQ_INIT(&s->streams);
	TAILQ_INIT(&s->dead);
	TAILQ_INIT(&s->ready);
	TAILQ_INIT(&s->waiting);
	TAILQ_INIT(&s->holds);
	server_begin_run(s, 1);
	if ((error = server_build(s, &known)) != WSEXEC_OK) {
		wsexec_server_free(s);
		return error;
	}
	*out = s;
	return WSEXEC_OK;
}

void
wsexec_server_free(struct wsexec_server *s)
{
	struct connection *c;
	struct listener *l;
	size_t i;

	if (s == NULL)
		return;
	s->settings.on_event = NULL;
	while ((l = TAILQ_FIRST(&s->listeners)) != NULL)
		listener_close(l);
	while ((c = TAILQ_FIRST(&s->pending)) != NULL ||
	    (c = TAILQ_FIRST(&s->streams)) != NULL)
		connection_close(c, "wsexec has ended");
	server_reap(s);
	watcher_clear(s);
	if (event_initialized(&s->turn_event))
		(void)event_del(&s->turn_event);
	if (event_initialized(&s->partial_event))
		(void)event_del(&s->partial_event);
	if (event_initialized(&s->tick_event))
		(void)event_del(&s->tick_event);
	websocket_input_free(s->input);
	for (i = 0; i < STREAM_COUNT; i++)
		splitter_free(s->splitters[i]);
	peers_free(s->peers);
	encoder_free(s->encoder);
	journal_free(s->journal);
	tls_free(s->tls);
	checker_free(s->checker);
	settings_clear(&s->settings);
	free(s);
}

int
wsexec_server_listen(struct wsexec_server *s, const char *address,
    uint16_t port, char *url, size_t size)
{
	return listener_open(s, address, port, url, size);
}

int
wsexec_server_listen_unix(struct wsexec_server *s,
    const struct wsexec_unix_socket *config, char *url, size_t size)
{
	return listener_open_unix(s, config, url, size);
}

int
wsexec_server_listen_fd(struct wsexec_server *s, int fd, char *url, size_t size)
{
	return listener_take(s, fd, url, size);
}

void
wsexec_server_start(struct wsexec_server *s, long pid)
{
	s->pid = pid;
	s->start_us = s->written_us = server_clock_us(CLOCK_REALTIME);
	s->began_us = server_now(s);
	s->is_restarting = false;
	/* Whoever was here before the first run has a start record due. */
	turn_tell_all(s, s->runs.count > 1 ? SUBSCRIBER_DUE_RUN : 0);
	watcher_note_change(s);
	subscriber_resume_inputs(s);
}

void
wsexec_server_resume_input(struct wsexec_server *s)
{
	subscriber_resume_inputs(s);
}

int
wsexec_server_write(struct wsexec_server *s, enum wsexec_stream stream,
    const void *bytes, size_t size)
{
	bool written;

	if (s->ended)
		return WSEXEC_ERR_ENDED;
	s->written_us = server_clock_us(CLOCK_REALTIME);
	s->counters.output_bytes[stream == WSEXEC_STDERR ? STREAM_STDERR :
							   STREAM_STDOUT] +=
	    size;
	written = splitter_write(
	    s->splitters[stream == WSEXEC_STDERR ? STREAM_STDERR :
						   STREAM_STDOUT],
	    bytes, size);
	server_trim(s);
	partial_note(s);
	watcher_note_change(s);
	if (s->news)
		server_need_turn(s);
	return written ? WSEXEC_OK : WSEXEC_ERR_MEMORY;
}

/* Unfinished lines become records.  False: out of memory. */
static bool
server_end_lines(struct wsexec_server *s)
{
	bool written;

	s->written_us = server_clock_us(CLOCK_REALTIME);
	written = splitter_end(s->splitters[STREAM_STDOUT]);
	return splitter_end(s->splitters[STREAM_STDERR]) && written;
}

static bool
server_append_restart(struct wsexec_server *s, const struct wsexec_end *end,
    double delay)
{
	struct restart_info info = { .timed_out = end->timed_out,
		.unfinished = s->unfinished[STREAM_STDOUT] ||
		    s->unfinished[STREAM_STDERR],
		.code = end->code,
		.signal = end->signal,
		.seconds = end->seconds,
		.delay = delay,
		.count = s->runs.count - 1 };
	const struct record r = { .time_us = s->written_us,
		.text = (const uint8_t *)&info,
		.size = sizeof(info),
		.restart = true };

	(void)strlcpy(info.run, runs_current(&s->runs)->id, sizeof(info.run));
	s->unfinished[STREAM_STDOUT] = s->unfinished[STREAM_STDERR] = false;
	return journal_append(s->journal, &r);
}

int
wsexec_server_restart(struct wsexec_server *s, const struct wsexec_end *end,
    double delay)
{
	struct connection *c;
	bool written;

	if (s->ended)
		return WSEXEC_ERR_ENDED;
	TAILQ_FOREACH(c, &s->streams, link) {
		if (c->state == CONNECTION_STREAM)
			subscriber_forget_run(&c->subscriber);
	}
	written = server_end_lines(s);
	/* Its first record comes behind that of the restart. */
	server_begin_run(s, journal_last(s->journal) + 2);
	written = server_append_restart(s, end, delay) && written;
	s->start_us = s->written_us;
	s->pid = 0;
	s->is_restarting = true;
	server_trim(s);
	watcher_note_change(s);
	s->news = true;
	server_need_turn(s);
	return written ? WSEXEC_OK : WSEXEC_ERR_MEMORY;
}

int
wsexec_server_end(struct wsexec_server *s, const struct wsexec_end *end)
{
	bool written = true;

	if (!s->ended) {
		written = server_end_lines(s);
		server_trim(s);
	}
	s->ended = true;
	s->progress_us = server_now(s);
	s->end = *end;
	s->news = true; /* the exit record, if nothing else */
	watcher_note_end(s);
	subscriber_resume_inputs(s); /* nothing waits for the command now */
	server_need_turn(s);
	return written ? WSEXEC_OK : WSEXEC_ERR_MEMORY;
}

void
wsexec_server_stop(struct wsexec_server *s)
{
	struct connection *c, *next;
	struct listener *l;

	while ((l = TAILQ_FIRST(&s->listeners)) != NULL)
		listener_close(l);
	s->stopped = true;
	s->progress_us = server_now(s);
	TAILQ_FOREACH_SAFE(c, &s->streams, link, next) {
		if (c->state != CONNECTION_STREAM)
			continue;
		if (!s->ended)
			subscriber_end(&c->subscriber, WEBSOCKET_GOING_AWAY,
			    "wsexec is stopped");
		else if (c->subscriber.watches)
			subscriber_make_ready(&c->subscriber);
	}
	server_need_turn(s);
}

bool
server_is_leaving(const struct wsexec_server *s)
{
	return s->stopped || (s->ended && !s->end.linger);
}

size_t
wsexec_server_clients(const struct wsexec_server *s)
{
	return s->subscriber_count;
}

uint64_t
wsexec_server_last(const struct wsexec_server *s)
{
	return journal_last(s->journal);
}

const char *
wsexec_strerror(int error)
{
	switch (error) {
	case WSEXEC_OK:
		return "no error";
	case WSEXEC_ERR_MEMORY:
		return "out of memory";
	case WSEXEC_ERR_SYSTEM:
		return "a system call failed";
	case WSEXEC_ERR_ADDRESS:
		return "not a numeric address";
	case WSEXEC_ERR_ENDED:
		return "the run has ended";
	case WSEXEC_ERR_SOCKET:
		return "not a stream socket that listens";
	case WSEXEC_ERR_TLS:
		return "no TLS with these files";
	case WSEXEC_ERR_CREDENTIAL:
		return "no users in this file";
	default:
		return "unknown error";
	}
}
