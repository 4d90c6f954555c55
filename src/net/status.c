/* SPDX-License-Identifier: ISC */

#include <stdlib.h>

#include "core/buffer.h"
#include "core/feed.h"
#include "core/http.h"
#include "core/journal.h"
#include "core/status.h"
#include "core/websocket.h"
#include "net/connection.h"
#include "net/exchange.h"
#include "net/process.h"
#include "net/server.h"
#include "net/status.h"
#include "net/watcher.h"

static const char status_json_fields[] =
    "Content-Type: application/json; charset=utf-8\r\n"
    "Cache-Control: no-store\r\n";

static const char status_prometheus_fields[] =
    "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
    "Cache-Control: no-store\r\nVary: Accept\r\n";

static const char status_openmetrics_fields[] =
    "Content-Type: application/openmetrics-text; version=1.0.0; "
    "charset=utf-8\r\n"
    "Cache-Control: no-store\r\nVary: Accept\r\n";

static enum status_state
status_state_of(const struct wsexec_server *s)
{
	if (s->ended)
		return STATUS_ENDED;
	if (s->is_restarting)
		return STATUS_RESTARTING;
	return s->start_us == 0 ? STATUS_WAITING : STATUS_RUNNING;
}

static double
status_seconds(struct wsexec_server *s)
{
	if (s->ended)
		return s->end.seconds;
	if (s->start_us == 0 || s->is_restarting)
		return 0;
	return (double)(server_now(s) - s->began_us) / 1e6;
}

static void
status_fill_run(struct wsexec_server *s, struct status *status)
{
	const struct settings *settings = &s->settings;
	size_t i;

	status->version = WSEXEC_VERSION;
	status->run = runs_current(&s->runs)->id;
	status->restarts = s->runs.count - 1;
	status->title = settings->title;
	status->command = (const char *const *)settings->command;
	status->state = status_state_of(s);
	status->paused = s->paused;
	status->pid = s->pid;
	status->start_us = s->is_restarting ? 0 : s->start_us;
	status->seconds = status_seconds(s);
	status->end = (struct exit_info){ .code = s->end.code,
		.signal = s->end.signal,
		.seconds = s->end.seconds,
		.timed_out = s->end.timed_out };
	for (i = 0; i < STREAM_COUNT; i++)
		status->lines[i] = s->partials[i].lines;
	status->first = journal_first(s->journal);
	status->last = journal_last(s->journal);
	status->journal_bytes = journal_bytes(s->journal);
	status->journal_bytes_max = settings->kept_bytes;
	status->feed_bytes = server_feed_bytes(s);
	status->compression = settings->compression;
	status->connections = s->connection_count;
	status->watchers = s->watcher_count;
	status->clients = s->subscriber_count;
	status->clients_max = settings->max_clients;
	status->counters = &s->counters;
}

/* A lag of which the beginning is gone is all that is kept. */
static struct status_lag
status_lag_of(const struct subscriber *subscriber)
{
	const struct journal *j = subscriber->connection->server->journal;
	uint64_t bytes = subscriber_lag(subscriber);

	if (bytes == UINT64_MAX)
		bytes = journal_lag(j, journal_first(j));
	return (struct status_lag){ .bytes = bytes,
		.records =
		    journal_last(j) + 1 - feed_next(&subscriber->cursor) };
}

static struct status_client
status_client_of(const struct subscriber *subscriber)
{
	return (struct status_client){ .id = subscriber->id,
		.since_s = subscriber->since_s,
		.gaps = subscriber->gaps,
		.format = subscriber->format,
		.carrier = (uint8_t)status_carrier_of(subscriber->carrier),
		.blocked = subscriber->blocked_us != 0,
		.compressed = subscriber->deflated || subscriber->gzip != NULL,
		.sent_bytes = subscriber->sent_bytes,
		.lag = status_lag_of(subscriber) };
}

static void
status_add_client(struct status *status, const struct status_client *client)
{
	status->clients_by[client->format][client->carrier]++;
	status->blocked += client->blocked;
	status->compressed += client->compressed;
	if (client->lag.bytes > status->lag_max.bytes)
		status->lag_max.bytes = client->lag.bytes;
	if (client->lag.records > status->lag_max.records)
		status->lag_max.records = client->lag.records;
}

/*
 * Looks at all clients, of which list (NULL: none) gets the first.  Streams
 * are in the order in which they came, and so are ids.
 */
static void
status_fill_clients(const struct wsexec_server *s, struct status *status,
    struct status_client *list)
{
	struct status_client client;
	const struct connection *c;

	status->listed = list;
	TAILQ_FOREACH(c, &s->streams, link) {
		if (c->subscriber.watches)
			continue;
		client = status_client_of(&c->subscriber);
		status_add_client(status, &client);
		if (list != NULL && status->listed_count < STATUS_LISTED_MAX)
			list[status->listed_count++] = client;
	}
}

void
status_append_document(struct wsexec_server *s, struct buffer *out)
{
	struct status_client *list;
	struct status status = { 0 };

	if ((list = calloc(STATUS_LISTED_MAX, sizeof(*list))) == NULL) {
		out->failed = true;
		return;
	}
	status_fill_run(s, &status);
	status_fill_clients(s, &status, list);
	status_append_json(out, &status);
	free(list);
}

/* Where the body of the answer goes; NULL: it is refused. */
static struct buffer *
status_begin(struct connection *c, const struct http_request *request)
{
	struct buffer *body = exchange_body(c);

	if (body == NULL)
		exchange_refuse(c, request, 503,
		    "too many are being told the status; try again later");
	return body;
}

static void
status_reply(struct connection *c, const struct http_request *request,
    const char *fields, struct buffer *body)
{
	buffer_shrink(body);
	if (body->failed)
		connection_close(c, "out of memory");
	else
		exchange_reply(c, request, 200, fields, body->data, body->size);
}

void
status_answer(struct connection *c, const struct http_request *request)
{
	struct buffer *body;

	if (request->method == HTTP_GET && websocket_is_asked_for(request)) {
		watcher_answer(c, request);
		return;
	}
	if ((body = status_begin(c, request)) == NULL)
		return;
	status_append_document(c->server, body);
	buffer_append_byte(body, '\n');
	status_reply(c, request, status_json_fields, body);
}

/* Whether Accept names the type of OpenMetrics, and wants it as much. */
static bool
status_wants_openmetrics(const struct http_request *request)
{
	bool is_named, ignored;
	int weight = http_media_weight(request, "application/openmetrics-text",
	    &is_named);

	return is_named && weight > 0 &&
	    weight >= http_media_weight(request, "text/plain", &ignored);
}

void
status_answer_metrics(struct connection *c, const struct http_request *request)
{
	const bool open = status_wants_openmetrics(request);
	struct status_process process;
	struct status status = { 0 };
	struct buffer *body;

	if ((body = status_begin(c, request)) == NULL)
		return;
	status_fill_run(c->server, &status);
	status_fill_clients(c->server, &status, NULL);
	process_read(&process);
	status_append_metrics(body, &status, &process, open);
	status_reply(c, request,
	    open ? status_openmetrics_fields : status_prometheus_fields, body);
}
