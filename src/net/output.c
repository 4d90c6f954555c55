/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>

#include "core/buffer.h"
#include "core/extension.h"
#include "core/http.h"
#include "core/query.h"
#include "core/websocket.h"
#include "net/account.h"
#include "net/client.h"
#include "net/connection.h"
#include "net/exchange.h"
#include "net/output.h"
#include "net/server.h"

static const char output_extension[] =
    "Sec-WebSocket-Extensions: " EXTENSION_DEFLATE "\r\n";

/* Whether messages of a WebSocket may be compressed, in both directions. */
static bool
output_deflates(const struct wsexec_server *s,
    const struct http_request *request)
{
	return s->settings.compression != 0 &&
	    websocket_is_asked_for(request) &&
	    extension_deflate_is_offered(request);
}

static void
output_append_upgrade_head(struct buffer *out, struct wsexec_server *s,
    const struct http_request *request, uint64_t first)
{
	char fields[256];

	(void)snprintf(fields, sizeof(fields),
	    "%sWsexec-Run: %s\r\nWsexec-First: %" PRIu64 "\r\n",
	    output_deflates(s, request) ? output_extension : "",
	    runs_current(&s->runs)->id, first);
	exchange_append_upgrade(out, s, request, fields);
}

static const char *
output_media_type(const struct output *o)
{
	if (o->events)
		return "text/event-stream";
	return o->format == FORMAT_JSON ?
	    "application/x-ndjson; charset=utf-8" :
	    "text/plain; charset=utf-8";
}

/* Appends the head that begins a stream; first: its first record. */
static void
output_append_head(struct buffer *out, const struct connection *c,
    const struct http_request *request, const struct output *o, uint64_t first)
{
	struct wsexec_server *s = c->server;

	if (websocket_is_asked_for(request)) {
		output_append_upgrade_head(out, s, request, first);
		return;
	}
	exchange_append_status(out, c, request, 200);
	buffer_append_format(out,
	    "Content-Type: %s\r\n"
	    "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
	    "Wsexec-Run: %s\r\nWsexec-First: %" PRIu64 "\r\n",
	    output_media_type(o), runs_current(&s->runs)->id, first);
	buffer_append_string(out, exchange_vary);
	if (o->gzip)
		buffer_append_string(out, "Content-Encoding: gzip\r\n");
	if (request->minor == 1)
		buffer_append_string(out, "Transfer-Encoding: chunked\r\n");
	buffer_append_string(out, "Connection: close\r\n\r\n");
}

/* The answer to HEAD is the head that a stream would begin with. */
static void
output_send_head(struct connection *c, const struct http_request *request,
    const struct query *q, const struct output *o)
{
	struct buffer head = BUFFER_INIT;
	uint64_t wanted;

	output_append_head(&head, c, request, o,
	    subscriber_find_first(c->server, q, &wanted));
	exchange_reply_head(c, &head);
	buffer_clear(&head);
}

/*
 * Whether the output goes out compressed: only if it ends at once, as live
 * lines would have to wait for others, and only for who asks for that by name,
 * as others may keep the body as they get it.
 */
static bool
output_compresses(const struct wsexec_server *s,
    const struct http_request *request, const struct query *q)
{
	return s->settings.compression > 0 && !q->follow &&
	    !websocket_is_asked_for(request) &&
	    http_accepts_gzip(request) == HTTP_GZIP_WANTED &&
	    s->gzip_count < SERVER_GZIP_MAX;
}

static enum carrier
output_carrier(const struct http_request *request, const struct output *o)
{
	/* What is compressed goes into chunks after that. */
	bool chunked = request->minor == 1 && !o->gzip;

	if (websocket_is_asked_for(request))
		return CARRIER_WEBSOCKET;
	if (o->events)
		return chunked ? CARRIER_EVENTS_CHUNKED : CARRIER_EVENTS_PLAIN;
	return chunked ? CARRIER_CHUNKED : CARRIER_PLAIN;
}

/* Makes the connection a stream. */
static void
output_open(struct connection *c, const struct http_request *request,
    const struct query *q, const struct output *o)
{
	struct exchange *x = c->exchange;
	struct subscriber *s = &c->subscriber;
	struct buffer *head;
	const uint8_t *bytes;
	size_t n;

	if ((o->gzip && !subscriber_compress(c, request->minor == 1)) ||
	    !subscriber_open(c, q, o->format, output_carrier(request, o))) {
		connection_close(c, "out of memory");
		return;
	}
	s->deflates = output_deflates(c->server, request);
	s->writable = s->carrier == CARRIER_WEBSOCKET && o->writable;
	head = subscriber_head(s);
	n = head->size;
	output_append_head(head, c, request, o, feed_next(&s->cursor));
	account_answer(c, s->carrier == CARRIER_WEBSOCKET ? 101 : 200,
	    head->size - n);
	subscriber_greet(s);
	/* A client may send frames right behind its request. */
	bytes = exchange_leftover(x, &n);
	if (n > 0)
		subscriber_read(s, bytes, n);
	exchange_free(x);
}

/* The status to refuse a request with, and why; 0: it may have its output. */
static int
output_check(const struct connection *c, const struct http_request *request,
    const struct output *o, const char **why)
{
	const struct wsexec_server *s = c->server;
	bool upgrade = websocket_is_asked_for(request);
	int status;

	if (upgrade && (status = websocket_check_handshake(request, why)) != 0)
		return status;
	if (upgrade && o->events) {
		*why = "there are no events by WebSocket; connect it to /";
		return 400;
	}
	if (o->events && o->format == FORMAT_RAW) {
		*why = "format: not of events, use text or json, or / for raw";
		return 400;
	}
	if (!server_has_room(s, s->subscriber_count)) {
		*why = "too many clients are connected; try again later";
		return 503;
	}
	if (!client_may_enter(c)) {
		*why = "too many clients are connected from this address";
		return 429;
	}
	return 0;
}

void
output_answer(struct connection *c, const struct http_request *request,
    const struct query *q, struct output o)
{
	const char *why;
	int status;

	o.gzip = output_compresses(c->server, request, q);
	if (o.events && subscriber_has_all(c->server, q))
		/* HTML: what makes an EventSource not come again. */
		exchange_reply(c, request, 204, "Cache-Control: no-store\r\n",
		    "", 0);
	else if ((status = output_check(c, request, &o, &why)) != 0)
		exchange_refuse(c, request, status, why);
	else if (request->method == HTTP_HEAD)
		output_send_head(c, request, q, &o);
	else
		output_open(c, request, q, &o);
}
