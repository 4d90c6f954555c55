/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/extension.h"
#include "core/http.h"
#include "core/journal.h"
#include "core/query.h"
#include "core/websocket.h"
#include "net/access.h"
#include "net/connection.h"
#include "net/exchange.h"
#include "net/server.h"
#include "net/subscriber.h"
#include "page/page.h"

#define EXCHANGE_WHY_MAX 160	/* bytes of a line that says what was wrong */
#define EXCHANGE_RETRY_S 5	/* Retry-After when there are too many */
#define EXCHANGE_REPLY_MS 60000 /* to take an answer */

struct exchange {
	struct buffer in;    /* a request head so far, and what follows */
	struct buffer out;   /* the head of an answer */
	const uint8_t *body; /* borrowed: static */
	size_t body_size;
	size_t sent;	       /* bytes of head and body that are gone */
	size_t used;	       /* bytes of in that are being answered */
	unsigned int requests; /* answered so far */
	bool keep_alive;
};

/* What is sent with every answer. */
static const char exchange_safety[] =
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

/* What can be sent in two codings; caches are to keep them apart. */
static const char exchange_vary[] = "Vary: Accept-Encoding\r\n";

/* What the page may do: run its own files and talk to its own server. */
static const char exchange_policy[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; "
    "style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cache-Control: no-cache\r\n";

static const char exchange_extension[] =
    "Sec-WebSocket-Extensions: " EXTENSION_DEFLATE "\r\n";

struct exchange *
exchange_new(void)
{
	return calloc(1, sizeof(struct exchange));
}

void
exchange_free(struct exchange *x)
{
	if (x == NULL)
		return;
	buffer_clear(&x->in);
	buffer_clear(&x->out);
	free(x);
}

/* An answer is sent: the next request may follow. */
static void
exchange_finish(struct connection *c)
{
	struct exchange *x = c->exchange;

	if (!x->keep_alive) {
		connection_linger(c);
		return;
	}
	buffer_reset(&x->out);
	buffer_shift(&x->in, x->used);
	x->body = NULL;
	x->body_size = x->sent = x->used = 0;
	connection_want_write(c, false);
	if (c->state != CONNECTION_DEAD)
		connection_enter(c, CONNECTION_HEAD, CONNECTION_IDLE_MS);
}

static void
exchange_send(struct connection *c)
{
	struct exchange *x = c->exchange;
	const uint8_t *bytes;
	ssize_t n;
	size_t left;

	while (x->sent < x->out.size + x->body_size) {
		if (x->sent < x->out.size) {
			bytes = x->out.data + x->sent;
			left = x->out.size - x->sent;
		} else {
			bytes = x->body + (x->sent - x->out.size);
			left = x->out.size + x->body_size - x->sent;
		}
		if ((n = connection_send(c, bytes, left)) == -1)
			return;
		if (n == 0) {
			connection_want_write(c, true);
			return;
		}
		x->sent += (size_t)n;
	}
	exchange_finish(c);
}

/*
 * Answers with a head and a static body; fields are more lines of the head.
 * Where the request is not known (NULL) it is not kept alive.
 */
static void
exchange_reply(struct connection *c, const struct http_request *request,
    int status, const char *fields, const void *body, size_t size)
{
	struct exchange *x = c->exchange;

	x->requests++;
	x->keep_alive = request != NULL && request->keep_alive &&
	    x->requests < CONNECTION_REQUESTS_MAX &&
	    !server_is_leaving(c->server);
	buffer_append_format(&x->out, "HTTP/1.1 %d %s\r\n", status,
	    http_status_text(status));
	if (status != 304)
		buffer_append_format(&x->out, "Content-Length: %zu\r\n", size);
	buffer_append_string(&x->out, exchange_safety);
	buffer_append_string(&x->out, fields);
	if (!x->keep_alive)
		buffer_append_string(&x->out, "Connection: close\r\n");
	else if (request->minor == 0)
		buffer_append_string(&x->out, "Connection: keep-alive\r\n");
	buffer_append_string(&x->out, "\r\n");
	if (x->out.failed) {
		connection_close(c, "out of memory");
		return;
	}
	if (status != 304 &&
	    (request == NULL || request->method != HTTP_HEAD)) {
		x->body = body;
		x->body_size = size;
	}
	connection_enter(c, CONNECTION_REPLY, EXCHANGE_REPLY_MS);
	exchange_send(c);
}

static void
exchange_refuse(struct connection *c, const struct http_request *request,
    int status, const char *why)
{
	struct exchange *x = c->exchange;
	char peer[CONNECTION_PEER_MAX];

	server_log(c->server, 1, "%s: refused with %d: %s",
	    connection_peer(c, peer), status, why);
	x->keep_alive = false;
	buffer_append_format(&x->out,
	    "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Cache-Control: no-store\r\nConnection: close\r\n%s",
	    status, http_status_text(status), strlen(why) + 1, exchange_safety);
	if (status == 426)
		buffer_append_string(&x->out,
		    "Upgrade: websocket\r\n"
		    "Sec-WebSocket-Version: 13\r\n");
	else if (status == 405 || status == 501)
		buffer_append_string(&x->out, "Allow: GET, HEAD\r\n");
	else if (status == 401)
		buffer_append_string(&x->out, "WWW-Authenticate: Bearer\r\n");
	else if (status == 503)
		buffer_append_format(&x->out, "Retry-After: %d\r\n",
		    EXCHANGE_RETRY_S);
	buffer_append_string(&x->out, "\r\n");
	if (request == NULL || request->method != HTTP_HEAD)
		buffer_append_format(&x->out, "%s\n", why);
	if (x->out.failed) {
		connection_close(c, "out of memory");
		return;
	}
	connection_enter(c, CONNECTION_REPLY, EXCHANGE_REPLY_MS);
	exchange_send(c);
}

void
exchange_time_out(struct connection *c)
{
	if (c->exchange->in.size == 0)
		connection_close(c, "no request came");
	else
		exchange_refuse(c, NULL, 408,
		    "the request was not complete in time");
}

/* Whether messages of a WebSocket may be compressed, in both directions. */
static bool
exchange_deflates(const struct wsexec_server *s,
    const struct http_request *request)
{
	return s->settings.compression != 0 &&
	    websocket_is_asked_for(request) &&
	    extension_deflate_is_offered(request);
}

static void
exchange_append_upgrade_head(struct buffer *out, const struct wsexec_server *s,
    const struct http_request *request, uint64_t first)
{
	char key[WEBSOCKET_KEY_MAX];

	websocket_accept_key(request, key);
	buffer_append_format(out,
	    "HTTP/1.1 101 Switching Protocols\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n%s"
	    "Wsexec-Run: %s\r\nWsexec-First: %" PRIu64 "\r\n\r\n",
	    key, exchange_deflates(s, request) ? exchange_extension : "",
	    s->run, first);
}

/* Appends the head that begins a stream; first: its first record. */
static void
exchange_append_stream_head(struct buffer *out, const struct wsexec_server *s,
    const struct http_request *request, enum format format, bool gzip,
    uint64_t first)
{
	if (websocket_is_asked_for(request)) {
		exchange_append_upgrade_head(out, s, request, first);
		return;
	}
	buffer_append_format(out,
	    "HTTP/1.1 200 OK\r\nContent-Type: %s; charset=utf-8\r\n"
	    "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
	    "Wsexec-Run: %s\r\nWsexec-First: %" PRIu64 "\r\n",
	    format == FORMAT_JSON ? "application/x-ndjson" : "text/plain",
	    s->run, first);
	buffer_append_string(out, exchange_vary);
	if (gzip)
		buffer_append_string(out, "Content-Encoding: gzip\r\n");
	if (request->minor == 1)
		buffer_append_string(out, "Transfer-Encoding: chunked\r\n");
	buffer_append_string(out, exchange_safety);
	buffer_append_string(out, "Connection: close\r\n\r\n");
}

/* The answer to HEAD is the head that a stream would begin with. */
static void
exchange_send_stream_head(struct connection *c,
    const struct http_request *request, const struct query *q,
    enum format format, bool gzip)
{
	struct exchange *x = c->exchange;
	uint64_t wanted;

	exchange_append_stream_head(&x->out, c->server, request, format, gzip,
	    subscriber_find_first(c->server, q, &wanted));
	if (x->out.failed) {
		connection_close(c, "out of memory");
		return;
	}
	x->keep_alive = false;
	connection_enter(c, CONNECTION_REPLY, EXCHANGE_REPLY_MS);
	exchange_send(c);
}

/*
 * Whether the output goes out compressed: only if it ends at once, as live
 * lines would have to wait for others, and only for who asks for that by name,
 * as others may keep the body as they get it.
 */
static bool
exchange_compresses(const struct wsexec_server *s,
    const struct http_request *request, const struct query *q)
{
	return s->settings.compression > 0 && !q->follow &&
	    !websocket_is_asked_for(request) &&
	    http_accepts_gzip(request) == HTTP_GZIP_WANTED &&
	    s->gzip_count < SERVER_GZIP_MAX;
}

/* Makes the connection a stream. */
static void
exchange_open_stream(struct connection *c, const struct http_request *request,
    const struct query *q, enum format format)
{
	struct exchange *x = c->exchange;
	struct subscriber *s = &c->subscriber;
	enum carrier carrier = CARRIER_PLAIN;
	bool gzip = exchange_compresses(c->server, request, q);

	if (request->method == HTTP_HEAD) {
		exchange_send_stream_head(c, request, q, format, gzip);
		return;
	}
	if (websocket_is_asked_for(request))
		carrier = CARRIER_WEBSOCKET;
	else if (request->minor == 1 && !gzip)
		carrier = CARRIER_CHUNKED;
	if ((gzip && !subscriber_compress(c, request->minor == 1)) ||
	    !subscriber_open(c, q, format, carrier)) {
		connection_close(c, "out of memory");
		return;
	}
	s->deflates = exchange_deflates(c->server, request);
	exchange_append_stream_head(subscriber_head(s), c->server, request,
	    format, gzip, feed_next(&s->cursor));
	/* A client may send frames right behind its request. */
	if (x->in.size > x->used)
		subscriber_read(s, x->in.data + x->used, x->in.size - x->used);
	exchange_free(x);
}

static const struct page_file *
exchange_find_file(struct slice path)
{
	size_t i;

	for (i = 0; i < page_file_count; i++) {
		if (path.size > 0 &&
		    slice_equals((struct slice){ path.data + 1, path.size - 1 },
			page_files[i].name))
			return &page_files[i];
	}
	return NULL;
}

static void
exchange_send_file(struct connection *c, const struct http_request *request,
    const struct page_file *file)
{
	bool gzip = file->gzip_size > 0 &&
	    c->server->settings.compression > 0 &&
	    http_accepts_gzip(request) != HTTP_GZIP_REFUSED;
	char fields[1024], etag[64];
	bool known;

	(void)snprintf(etag, sizeof(etag), "\"%s%s\"", file->etag,
	    gzip ? "-gzip" : "");
	known = http_has_copy(request, etag);
	(void)snprintf(fields, sizeof(fields),
	    "Content-Type: %s\r\nETag: %s\r\n%s%s%s", file->type, etag,
	    gzip && !known ? "Content-Encoding: gzip\r\n" : "", exchange_vary,
	    exchange_policy);
	exchange_reply(c, request, known ? 304 : 200, fields,
	    gzip ? file->gzip : file->data,
	    gzip ? file->gzip_size : file->size);
}

/* The path below the base path; false: it is not below it. */
static bool
exchange_local_path(const struct wsexec_server *s, struct slice *path)
{
	const char *base = s->settings.base_path;
	size_t skip = strlen(base);

	if (path->size < skip || memcmp(path->data, base, skip) != 0)
		return false;
	path->data += skip;
	path->size -= skip;
	return path->size == 0 || path->data[0] == '/';
}

static bool
exchange_wants_page(const struct http_request *request, const struct query *q)
{
	return !websocket_is_asked_for(request) && !q->has_format &&
	    http_field_has_token(request, "accept", "text/html");
}

static void
exchange_redirect_to_base(struct connection *c,
    const struct http_request *request)
{
	char fields[HTTP_TARGET_MAX + 64];

	(void)snprintf(fields, sizeof(fields), "Location: %s/%s%.*s\r\n",
	    c->server->settings.base_path, request->query.size > 0 ? "?" : "",
	    (int)request->query.size, request->query.data);
	exchange_reply(c, request, 308, fields, "", 0);
}

/* "/" and "/raw": the output, as the request wants it. */
static void
exchange_route_stream(struct connection *c, const struct http_request *request,
    const struct query *q, bool raw)
{
	struct wsexec_server *s = c->server;
	bool upgrade = websocket_is_asked_for(request);
	enum format format = FORMAT_RAW;
	const char *why;
	int status;

	if (upgrade &&
	    (status = websocket_check_handshake(request, &why)) != 0) {
		exchange_refuse(c, request, status, why);
		return;
	}
	if (s->subscriber_count >= s->settings.max_clients) {
		exchange_refuse(c, request, 503,
		    "too many clients are connected; try again later");
		return;
	}
	if (q->has_format)
		format = q->format;
	else if (upgrade && !raw)
		format = FORMAT_TEXT;
	exchange_open_stream(c, request, q, format);
}

static void
exchange_route(struct connection *c, const struct http_request *request)
{
	struct slice path = request->path;
	const struct page_file *file;
	struct query q;
	char bad_query[EXCHANGE_WHY_MAX];
	const char *why;
	bool known, stream, page, raw;
	int status;

	known = query_parse(request->query, &q, bad_query, sizeof(bad_query));
	if ((status = access_check(c->server, request, &q, false, &why)) != 0) {
		exchange_refuse(c, request, status, why);
		return;
	}
	if (!known) {
		exchange_refuse(c, request, 400, bad_query);
		return;
	}
	if (!exchange_local_path(c->server, &path)) {
		exchange_refuse(c, request, 404,
		    "there is nothing at this address");
		return;
	}
	if (path.size == 0) {
		exchange_redirect_to_base(c, request);
		return;
	}
	raw = slice_equals(path, "/raw");
	page = slice_equals(path, "/") && exchange_wants_page(request, &q);
	stream = (raw || slice_equals(path, "/")) && !page;
	if (page)
		path = (struct slice){ "/index.html", strlen("/index.html") };
	file = exchange_find_file(path);
	if (stream &&
	    (status = access_check(c->server, request, &q, true, &why)) != 0)
		exchange_refuse(c, request, status, why);
	else if (stream)
		exchange_route_stream(c, request, &q, raw);
	else if (slice_equals(path, "/healthz"))
		exchange_reply(c, request, 200,
		    "Content-Type: text/plain; charset=utf-8\r\n"
		    "Cache-Control: no-store\r\n",
		    "ok\n", 3);
	else if (file != NULL)
		exchange_send_file(c, request, file);
	else
		exchange_refuse(c, request, 404,
		    "there is nothing at this address; try / or /raw");
}

/* Answers the request at the start of what came.  False: it is not whole. */
static bool
exchange_parse(struct connection *c)
{
	struct exchange *x = c->exchange;
	struct http_request request;

	switch (http_parse_head((const char *)x->in.data, x->in.size, &request,
	    &x->used)) {
	case HTTP_MORE:
		return false;
	case HTTP_ERROR:
		exchange_refuse(c, NULL, request.status, request.why);
		return false;
	case HTTP_DONE:
		break;
	}
	exchange_route(c, &request);
	return true;
}

/* Answers what has come, one request after the other. */
static void
exchange_run(struct connection *c)
{
	while (c->state == CONNECTION_HEAD && c->exchange->in.size > 0 &&
	    exchange_parse(c))
		continue;
}

void
exchange_write(struct connection *c)
{
	exchange_send(c);
	exchange_run(c);
}

void
exchange_read(struct connection *c, const void *bytes, size_t n)
{
	struct exchange *x = c->exchange;

	/* While an answer goes out, at most one more head may wait. */
	if (c->state == CONNECTION_REPLY &&
	    x->in.size + n > x->used + HTTP_HEAD_MAX) {
		connection_close(c, "it does not wait for answers");
		return;
	}
	buffer_append(&x->in, bytes, n);
	if (x->in.failed)
		connection_close(c, "out of memory");
	else
		exchange_run(c);
}
