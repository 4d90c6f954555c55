/* SPDX-License-Identifier: ISC */

#include <stdlib.h>

#include <event2/event.h>

#include "core/buffer.h"
#include "core/http.h"
#include "core/status.h"
#include "core/websocket.h"
#include "net/client.h"
#include "net/connection.h"
#include "net/exchange.h"
#include "net/server.h"
#include "net/status.h"
#include "net/subscriber.h"
#include "net/watcher.h"

#define WATCHER_LEAST_US 200000 /* between two documents */
#define WATCHER_BEAT_US 1000000 /* the same, where nothing has changed */
#define WATCHER_COST_FACTOR 20	/* the same, in times of what one costs */

/* A frame with a document, for all who hold it. */
struct document {
	size_t holders;
	struct buffer frame;
};

static void
document_release(struct document *d)
{
	if (d == NULL || --d->holders > 0)
		return;
	buffer_clear(&d->frame);
	free(d);
}

/* A document as of now; NULL: out of memory. */
static struct document *
document_new(struct wsexec_server *s)
{
	struct buffer text = BUFFER_INIT;
	struct document *d;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	d->holders = 1;
	status_append_document(s, &text);
	if (!text.failed)
		websocket_append_frame(&d->frame, WEBSOCKET_TEXT, text.data,
		    text.size);
	if (text.failed || d->frame.failed) {
		document_release(d);
		d = NULL;
	}
	buffer_clear(&text);
	return d;
}

/* Sees to it that the next document is made after so long. */
static void
watcher_set_timer(struct wsexec_server *s, int64_t delay_us)
{
	const struct timeval delay = { .tv_sec = delay_us / 1000000,
		.tv_usec = delay_us % 1000000 };

	(void)evtimer_add(&s->status_event, &delay);
}

/* The time from one document to the next: a small part of it is for them. */
static int64_t
watcher_interval_us(const struct wsexec_server *s)
{
	int64_t interval_us = s->document_cost_us * WATCHER_COST_FACTOR;

	return interval_us > WATCHER_LEAST_US ? interval_us : WATCHER_LEAST_US;
}

/* Makes the newest document anew; without memory the old one stays. */
static void
watcher_renew(struct wsexec_server *s)
{
	struct document *d;

	s->status_changed = false;
	(void)event_del(&s->status_event);
	if (s->start_us != 0 && !s->is_restarting && !s->ended)
		watcher_set_timer(s, WATCHER_BEAT_US);
	s->document_us = server_now(s);
	d = document_new(s);
	s->document_cost_us = server_now(s) - s->document_us;
	if (d == NULL)
		return;
	document_release(s->document);
	s->document = d;
}

void
watcher_cb(evutil_socket_t fd, short what, void *arg)
{
	struct wsexec_server *s = arg;
	struct connection *c;

	(void)fd;
	(void)what;
	watcher_renew(s);
	TAILQ_FOREACH(c, &s->streams, link)
		if (c->subscriber.watches && c->subscriber.blocked_us == 0)
			subscriber_make_ready(&c->subscriber);
}

void
watcher_note_change(struct wsexec_server *s)
{
	int64_t wait_us;

	if (s->watcher_count == 0 || s->status_changed)
		return;
	s->status_changed = true;
	wait_us = s->document_us + watcher_interval_us(s) - server_now(s);
	watcher_set_timer(s, wait_us > 0 ? wait_us : 0);
}

void
watcher_note_end(struct wsexec_server *s)
{
	if (s->watcher_count > 0)
		watcher_cb(-1, 0, s);
}

static void
watcher_append_head(struct connection *c, const struct http_request *request)
{
	struct buffer *out = &c->subscriber.out;

	exchange_append_upgrade(out, c->server, request, "");
	account_answer(c, 101, out->size);
}

static void
watcher_open(struct connection *c, const struct http_request *request)
{
	struct wsexec_server *server = c->server;
	struct exchange *x = c->exchange;
	struct subscriber *s = &c->subscriber;
	char peer[CLIENT_NAME_MAX];
	const uint8_t *bytes;
	size_t n;

	server->watcher_count++;
	if (server->document == NULL ||
	    server_now(server) - server->document_us >=
		watcher_interval_us(server))
		watcher_renew(server);
	else
		watcher_note_change(server);
	subscriber_open_watcher(c);
	server_log(server, 1, "%s: watches the status", client_name(c, peer));
	watcher_append_head(c, request);
	bytes = exchange_leftover(x, &n);
	if (n > 0)
		subscriber_read(s, bytes, n);
	exchange_free(x);
}

void
watcher_answer(struct connection *c, const struct http_request *request)
{
	const char *why;
	int status;

	if ((status = websocket_check_handshake(request, &why)) != 0)
		exchange_refuse(c, request, status, why);
	else if (!server_has_room(c->server, c->server->watcher_count))
		exchange_refuse(c, request, 503,
		    "too many watch the status; try again later");
	else if (!client_may_enter(c))
		exchange_refuse(c, request, 429,
		    "too many clients are connected from this address");
	else
		watcher_open(c, request);
}

void
watcher_leave(struct subscriber *s)
{
	struct wsexec_server *server = s->connection->server;

	document_release(s->watch.document);
	s->watch.document = NULL;
	if (--server->watcher_count == 0)
		watcher_clear(server);
	else
		watcher_note_change(server);
}

bool
watcher_is_inside(const struct subscriber *s)
{
	const struct watch *watch = &s->watch;

	return watch->document != NULL && watch->sent > 0 &&
	    watch->sent < watch->document->frame.size;
}

bool
watcher_peek(struct subscriber *s, const uint8_t **bytes, size_t *n)
{
	struct document *newest = s->connection->server->document;
	struct watch *watch = &s->watch;

	if (!watcher_is_inside(s) && newest != NULL &&
	    watch->document != newest) {
		document_release(watch->document);
		newest->holders++;
		watch->document = newest;
		watch->sent = 0;
	}
	if (watch->document == NULL)
		return false;
	*bytes = watch->document->frame.data + watch->sent;
	*n = watch->document->frame.size - watch->sent;
	return *n > 0;
}

void
watcher_clear(struct wsexec_server *s)
{
	if (event_initialized(&s->status_event))
		(void)event_del(&s->status_event);
	document_release(s->document);
	s->document = NULL;
	s->status_changed = false;
}
