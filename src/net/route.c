/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/buffer.h"
#include "core/extension.h"
#include "core/http.h"
#include "core/query.h"
#include "core/websocket.h"
#include "net/access.h"
#include "net/account.h"
#include "net/connection.h"
#include "net/exchange.h"
#include "net/route.h"
#include "net/server.h"
#include "page/page.h"

#define ROUTE_WHY_MAX 160 /* bytes of a line that says what was wrong */

/* What can be sent in two codings; caches are to keep them apart. */
static const char route_vary[] = "Vary: Accept-Encoding\r\n";

/* What the page may do: run its own files and talk to its own server. */
static const char route_policy[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; "
    "style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cache-Control: no-cache\r\n";

static const char route_extension[] =
    "Sec-WebSocket-Extensions: " EXTENSION_DEFLATE "\r\n";

/* Whether messages of a WebSocket may be compressed, in both directions. */
static bool
route_deflates(const struct wsexec_server *s,
    const struct http_request *request)
{
	return s->settings.compression != 0 &&
	    websocket_is_asked_for(request) &&
	    extension_deflate_is_offered(request);
}

static void
route_append_upgrade_head(struct buffer *out, struct wsexec_server *s,
    const struct http_request *request, uint64_t first)
{
	char key[WEBSOCKET_KEY_MAX];

	websocket_accept_key(request, key);
	buffer_append_format(out,
	    "HTTP/1.1 101 Switching Protocols\r\nDate: %s\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n%s"
	    "Wsexec-Run: %s\r\nWsexec-First: %" PRIu64 "\r\n\r\n",
	    server_date(s), key,
	    route_deflates(s, request) ? route_extension : "", s->run, first);
}

/* Appends the head that begins a stream; first: its first record. */
static void
route_append_stream_head(struct buffer *out, struct wsexec_server *s,
    const struct http_request *request, enum format format, bool gzip,
    uint64_t first)
{
	if (websocket_is_asked_for(request)) {
		route_append_upgrade_head(out, s, request, first);
		return;
	}
	exchange_append_status(out, s, 200);
	buffer_append_format(out,
	    "Content-Type: %s; charset=utf-8\r\n"
	    "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
	    "Wsexec-Run: %s\r\nWsexec-First: %" PRIu64 "\r\n",
	    format == FORMAT_JSON ? "application/x-ndjson" : "text/plain",
	    s->run, first);
	buffer_append_string(out, route_vary);
	if (gzip)
		buffer_append_string(out, "Content-Encoding: gzip\r\n");
	if (request->minor == 1)
		buffer_append_string(out, "Transfer-Encoding: chunked\r\n");
	buffer_append_string(out, "Connection: close\r\n\r\n");
}

/* The answer to HEAD is the head that a stream would begin with. */
static void
route_send_stream_head(struct connection *c, const struct http_request *request,
    const struct query *q, enum format format, bool gzip)
{
	struct buffer head = BUFFER_INIT;
	uint64_t wanted;

	route_append_stream_head(&head, c->server, request, format, gzip,
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
route_compresses(const struct wsexec_server *s,
    const struct http_request *request, const struct query *q)
{
	return s->settings.compression > 0 && !q->follow &&
	    !websocket_is_asked_for(request) &&
	    http_accepts_gzip(request) == HTTP_GZIP_WANTED &&
	    s->gzip_count < SERVER_GZIP_MAX;
}

/* Makes the connection a stream. */
static void
route_open_stream(struct connection *c, const struct http_request *request,
    const struct query *q, enum format format)
{
	struct exchange *x = c->exchange;
	struct subscriber *s = &c->subscriber;
	enum carrier carrier = CARRIER_PLAIN;
	bool gzip = route_compresses(c->server, request, q);
	struct buffer *head;
	const uint8_t *bytes;
	size_t n;

	if (request->method == HTTP_HEAD) {
		route_send_stream_head(c, request, q, format, gzip);
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
	s->deflates = route_deflates(c->server, request);
	head = subscriber_head(s);
	n = head->size;
	route_append_stream_head(head, c->server, request, format, gzip,
	    feed_next(&s->cursor));
	account_answer(c, carrier == CARRIER_WEBSOCKET ? 101 : 200,
	    head->size - n);
	/* A client may send frames right behind its request. */
	bytes = exchange_leftover(x, &n);
	if (n > 0)
		subscriber_read(s, bytes, n);
	exchange_free(x);
}

static const struct page_file *
route_find_file(struct slice path)
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
route_send_file(struct connection *c, const struct http_request *request,
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
	    gzip && !known ? "Content-Encoding: gzip\r\n" : "", route_vary,
	    route_policy);
	exchange_reply(c, request, known ? 304 : 200, fields,
	    gzip ? file->gzip : file->data,
	    gzip ? file->gzip_size : file->size);
}

/* The path below the base path; false: it is not below it. */
static bool
route_local_path(const struct wsexec_server *s, struct slice *path)
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
route_wants_page(const struct http_request *request, const struct query *q)
{
	return !websocket_is_asked_for(request) && !q->has_format &&
	    http_field_has_token(request, "accept", "text/html");
}

static void
route_redirect_to_base(struct connection *c, const struct http_request *request)
{
	char fields[HTTP_TARGET_MAX + 64];

	(void)snprintf(fields, sizeof(fields), "Location: %s/%s%.*s\r\n",
	    c->server->settings.base_path, request->query.size > 0 ? "?" : "",
	    (int)request->query.size, request->query.data);
	exchange_reply(c, request, 308, fields, "", 0);
}

/* "/" and "/raw": the output, as the request wants it. */
static void
route_stream(struct connection *c, const struct http_request *request,
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
	route_open_stream(c, request, q, format);
}

void
route_request(struct connection *c, const struct http_request *request)
{
	struct slice path = request->path;
	const struct page_file *file;
	struct query q;
	char bad_query[ROUTE_WHY_MAX];
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
	if (!route_local_path(c->server, &path)) {
		exchange_refuse(c, request, 404,
		    "there is nothing at this address");
		return;
	}
	if (path.size == 0) {
		route_redirect_to_base(c, request);
		return;
	}
	raw = slice_equals(path, "/raw");
	page = slice_equals(path, "/") && route_wants_page(request, &q);
	stream = (raw || slice_equals(path, "/")) && !page;
	if (page)
		path = (struct slice){ "/index.html", strlen("/index.html") };
	file = route_find_file(path);
	if (stream &&
	    (status = access_check(c->server, request, &q, true, &why)) != 0)
		exchange_refuse(c, request, status, why);
	else if (stream)
		route_stream(c, request, &q, raw);
	else if (slice_equals(path, "/healthz"))
		exchange_reply(c, request, 200,
		    "Content-Type: text/plain; charset=utf-8\r\n"
		    "Cache-Control: no-store\r\n",
		    "ok\n", 3);
	else if (file != NULL)
		route_send_file(c, request, file);
	else
		exchange_refuse(c, request, 404,
		    "there is nothing at this address; try / or /raw");
}
