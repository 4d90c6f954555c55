/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <string.h>

#include "core/buffer.h"
#include "core/http.h"
#include "core/query.h"
#include "core/websocket.h"
#include "net/access.h"
#include "net/connection.h"
#include "net/exchange.h"
#include "net/output.h"
#include "net/route.h"
#include "net/server.h"
#include "net/status.h"
#include "page/page.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ROUTE_WHY_MAX 160   /* bytes of a line that says what was wrong */
#define ROUTE_PLAIN_MAX 512 /* the same, with a URL */

#define ROUTE_FILE_FIELDS_MAX 2048 /* bytes, with the policy */

/* What is at an address of the output. */
enum route_kind {
	ROUTE_PAGE,
	ROUTE_EVENTS,
	ROUTE_RECORDS,
	ROUTE_BYTES,
	ROUTE_MESSAGES, /* by WebSocket */
	ROUTE_STATUS,
	ROUTE_METRICS,
	ROUTE_NOTHING, /* that the client would accept */
	ROUTE_OTHER,   /* it is no such address */
};

/* What an HTTP request for "/" can have: by its name rather the first. */
static const struct {
	const char *type;
	enum route_kind kind;
} route_types[] = {
	{ "text/html", ROUTE_PAGE },
	{ "text/event-stream", ROUTE_EVENTS },
	{ "application/x-ndjson", ROUTE_RECORDS },
	{ "text/plain", ROUTE_BYTES },
};

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
	char fields[ROUTE_FILE_FIELDS_MAX], etag[64];
	bool known;

	(void)snprintf(etag, sizeof(etag), "\"%s%s\"", file->etag,
	    gzip ? "-gzip" : "");
	known = http_has_copy(request, etag);
	(void)snprintf(fields, sizeof(fields),
	    "Content-Type: %s\r\nETag: %s\r\n%s%s"
	    "Content-Security-Policy: %s\r\n"
	    "Cross-Origin-Opener-Policy: same-origin\r\n"
	    "Cache-Control: no-cache\r\n",
	    file->type, etag,
	    gzip && !known ? "Content-Encoding: gzip\r\n" : "", exchange_vary,
	    page_policy);
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

/* What is wanted most of what "/" has. */
static enum route_kind
route_negotiate(const struct http_request *request)
{
	enum route_kind best = ROUTE_NOTHING;
	int score, best_score = 0;
	bool is_named;
	size_t i;

	for (i = 0; i < COUNT(route_types); i++) {
		score = 4 *
		    http_media_weight(request, route_types[i].type, &is_named);
		if (score == 0)
			continue;
		/* A name says more than a range, which says: the bytes. */
		if (is_named)
			score += 2;
		else if (route_types[i].kind == ROUTE_BYTES)
			score += 1;
		if (score <= best_score)
			continue;
		best_score = score;
		best = route_types[i].kind;
	}
	return best;
}

static bool
route_names_events(const struct http_request *request)
{
	bool is_named;

	return http_media_weight(request, "text/event-stream", &is_named) > 0 &&
	    is_named;
}

static enum route_kind
route_find_kind(struct slice path, const struct http_request *request,
    const struct query *q)
{
	if (slice_equals(path, "/raw"))
		return ROUTE_BYTES;
	if (slice_equals(path, "/events"))
		return ROUTE_EVENTS;
	if (slice_equals(path, "/status"))
		return ROUTE_STATUS;
	if (slice_equals(path, "/metrics"))
		return ROUTE_METRICS;
	if (!slice_equals(path, "/"))
		return ROUTE_OTHER;
	if (websocket_is_asked_for(request))
		return ROUTE_MESSAGES;
	if (!q->has_format)
		return route_negotiate(request);
	return route_names_events(request) ? ROUTE_EVENTS : ROUTE_BYTES;
}

/* The format of the output, where the query has none. */
static enum format
route_format(enum route_kind kind)
{
	switch (kind) {
	case ROUTE_EVENTS:
	case ROUTE_MESSAGES:
		return FORMAT_TEXT;
	case ROUTE_RECORDS:
		return FORMAT_JSON;
	default:
		return FORMAT_RAW;
	}
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

/*
 * A page was asked for with a token: from now on a cookie shows it, and the
 * address that is left in the browser's history, or is passed on, has none.
 *
 * SameSite is Lax, as who follows a link with the token from another page is to
 * get in; only what is shown in the browser's own window has the cookie then.
 */
static void
route_redirect_without_token(struct connection *c,
    const struct http_request *request, const struct key *key)
{
	const char *base = c->server->settings.base_path;
	char name[KEYS_COOKIE_NAME_MAX], value[SECRET_COOKIE_SIZE];
	struct buffer fields = BUFFER_INIT;

	keys_cookie_name(request, name);
	secret_make_cookie(keys_token(&c->server->settings.keys, key), value);
	buffer_append_format(&fields, "Location: %s/", base);
	query_append_public(&fields, request->query);
	buffer_append_format(&fields,
	    "\r\nSet-Cookie: %s=%s; Path=%s/; HttpOnly; SameSite=Lax%s\r\n"
	    "Cache-Control: no-store\r\n",
	    name, value, base, c->tls != NULL ? "; Secure" : "");
	buffer_append_byte(&fields, '\0');
	if (fields.failed)
		connection_close(c, "out of memory");
	else
		exchange_reply(c, request, 303, (const char *)fields.data, "",
		    0);
	buffer_clear(&fields);
}

/* The output as the request wants it, or what is told of it. */
static void
route_output(struct connection *c, const struct http_request *request,
    struct query *q, enum route_kind kind, const struct shown *shown)
{
	const struct slice *id = http_field(request, "last-event-id");

	if (kind == ROUTE_STATUS) {
		status_answer(c, request);
		return;
	}
	if (kind == ROUTE_METRICS) {
		status_answer_metrics(c, request);
		return;
	}
	if (kind == ROUTE_EVENTS && id != NULL)
		query_set_event_id(q, *id);
	output_answer(c, request, q,
	    (struct output){ .format =
				 q->has_format ? q->format : route_format(kind),
		.events = kind == ROUTE_EVENTS,
		.writable = access_may_write(c->server, shown) });
}

/* The Host, which is one of ours, leads to the same port. */
static void
route_refuse_plain(struct connection *c, const struct http_request *request)
{
	const struct slice *host = http_field(request, "host");
	char why[ROUTE_PLAIN_MAX];

	if (host != NULL)
		(void)snprintf(why, sizeof(why),
		    "TLS is spoken here; open https://%.*s%s/", (int)host->size,
		    host->data, c->server->settings.base_path);
	else
		(void)snprintf(why, sizeof(why),
		    "TLS is spoken here; open https:// or wss://");
	exchange_refuse(c, request, 400, why);
}

/* What is not the output. */
static void
route_other(struct connection *c, const struct http_request *request,
    struct slice path)
{
	const struct page_file *file;

	if (slice_equals(path, "/healthz"))
		exchange_reply(c, request, 200,
		    "Content-Type: text/plain; charset=utf-8\r\n"
		    "Cache-Control: no-store\r\n",
		    "ok\n", 3);
	else if ((file = route_find_file(path)) != NULL)
		route_send_file(c, request, file);
	else
		exchange_refuse(c, request, 404,
		    "there is nothing at this address; try /, /raw, /events or "
		    "/status");
}

/* What is at a path below the base path, for who may have it. */
static void
route_answer(struct connection *c, const struct http_request *request,
    struct slice path, struct query *q, const struct shown *shown)
{
	const enum route_kind kind = route_find_kind(path, request, q);

	if (kind == ROUTE_PAGE && shown->query != NULL)
		route_redirect_without_token(c, request, shown->query);
	else if (kind == ROUTE_PAGE)
		route_other(c, request,
		    (struct slice){ "/index.html", strlen("/index.html") });
	else if (kind == ROUTE_OTHER)
		route_other(c, request, path);
	else if (kind == ROUTE_NOTHING)
		exchange_refuse(c, request, 406,
		    "nothing here is of a type that is accepted; take "
		    "text/html, text/plain, text/event-stream or "
		    "application/x-ndjson");
	else
		route_output(c, request, q, kind, shown);
}

void
route_request(struct connection *c, const struct http_request *request)
{
	struct slice path = request->path;
	struct query q;
	struct shown shown;
	char bad_query[ROUTE_WHY_MAX];
	bool is_ours, is_open, is_known;
	const char *why;
	int status;

	is_ours = route_local_path(c->server, &path);
	is_known =
	    query_parse(request->query, &q, bad_query, sizeof(bad_query));
	is_open = c->lacks_tls || (is_ours && slice_equals(path, "/healthz"));
	status = access_check(c, request, &q, is_open, &shown, &why);
	if (status == ACCESS_LATER)
		return;
	if (status == 0)
		account_set_user(c, shown.user);
	if (status != 0)
		exchange_refuse(c, request, status, why);
	else if (c->lacks_tls)
		route_refuse_plain(c, request);
	else if (!is_known)
		exchange_refuse(c, request, 400, bad_query);
	else if (!is_ours)
		exchange_refuse(c, request, 404,
		    "there is nothing at this address");
	else if (path.size == 0)
		route_redirect_to_base(c, request);
	else
		route_answer(c, request, path, &q, &shown);
}
