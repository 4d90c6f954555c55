/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/http.h"
#include "core/websocket.h"
#include "net/access.h"
#include "net/account.h"
#include "net/client.h"
#include "net/connection.h"
#include "net/exchange.h"
#include "net/keys.h"
#include "net/route.h"
#include "net/server.h"

#define EXCHANGE_RETRY_S 5	/* Retry-After when there are too many */
#define EXCHANGE_CHECK_MS 60000 /* to have a password checked */
#define EXCHANGE_REPLY_MS 60000 /* to take an answer */
#define EXCHANGE_MADE_MAX (4 * 1024 * 1024) /* bytes of bodies not taken */

struct exchange {
	struct buffer in;    /* a request head so far, and what follows */
	struct buffer out;   /* the head of an answer */
	struct buffer made;  /* a body made for this answer */
	const uint8_t *body; /* borrowed: static, or made */
	size_t body_size;
	size_t sent;	       /* bytes of head and body that are gone */
	size_t used;	       /* bytes of in that are being answered */
	unsigned int requests; /* answered so far */
	bool keep_alive;
	enum checker_verdict verdict; /* of what it shows, if not NONE */
	const char *user;	      /* borrowed: whose that is */
	struct check *check;	      /* borrowed: it waits for; or NULL */
};

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
	buffer_clear(&x->made);
	free(x);
}

struct buffer *
exchange_body(struct connection *c)
{
	if (c->server->made_bytes >= EXCHANGE_MADE_MAX)
		return NULL;
	return &c->exchange->made;
}

static void
exchange_set_body(struct connection *c, const void *body, size_t size)
{
	struct exchange *x = c->exchange;

	x->body = body;
	x->body_size = size;
	if (body == x->made.data)
		c->server->made_bytes += size;
}

void
exchange_drop_body(struct connection *c)
{
	struct exchange *x = c->exchange;

	if (x->body != NULL && x->body == x->made.data)
		c->server->made_bytes -= x->body_size;
	buffer_clear(&x->made);
	x->body = NULL;
	x->body_size = 0;
}

void
exchange_wait(struct connection *c, struct check *check)
{
	c->exchange->check = check;
	connection_enter(c, CONNECTION_CHECK, EXCHANGE_CHECK_MS);
}

bool
exchange_has_verdict(const struct connection *c)
{
	return c->exchange->verdict != CHECKER_NONE;
}

enum checker_verdict
exchange_take_verdict(struct connection *c, const char **user)
{
	struct exchange *x = c->exchange;
	const enum checker_verdict verdict = x->verdict;

	*user = x->user;
	x->verdict = CHECKER_NONE;
	x->user = NULL;
	return verdict;
}

void
exchange_cancel(struct connection *c)
{
	checker_cancel(c->exchange->check);
	c->exchange->check = NULL;
}

/* Caches are to keep them apart. */
const char exchange_vary[] = "Vary: Accept, Accept-Encoding\r\n";

void
exchange_append_status(struct buffer *out, const struct connection *c,
    const struct http_request *request, int status)
{
	buffer_append_format(out,
	    "HTTP/1.1 %d %s\r\nDate: %s\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Referrer-Policy: no-referrer\r\n"
	    "Cross-Origin-Resource-Policy: same-origin\r\n",
	    status, http_status_text(status), server_date(c->server));
	if (request != NULL)
		access_append_sharing(out, c, request);
}

void
exchange_append_upgrade(struct buffer *out, struct wsexec_server *s,
    const struct http_request *request, const char *fields)
{
	const char *protocol = "";
	char key[WEBSOCKET_KEY_MAX];

	websocket_accept_key(request, key);
	/* Of the others that are offered one may be a token. */
	if (http_field_has_token(request, "sec-websocket-protocol",
		KEYS_PROTOCOL))
		protocol = "Sec-WebSocket-Protocol: " KEYS_PROTOCOL "\r\n";
	buffer_append_format(out,
	    "HTTP/1.1 101 Switching Protocols\r\nDate: %s\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n%s%s\r\n",
	    server_date(s), key, protocol, fields);
}

/* An answer is sent: the next request may follow. */
static void
exchange_finish(struct connection *c)
{
	struct exchange *x = c->exchange;

	exchange_drop_body(c);
	if (!x->keep_alive) {
		connection_linger(c);
		return;
	}
	account_end(c);
	buffer_reset(&x->out);
	buffer_shift(&x->in, x->used);
	x->sent = x->used = 0;
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
	if (connection_flush(c))
		exchange_finish(c);
	else
		connection_want_write(c, true);
}

void
exchange_reply(struct connection *c, const struct http_request *request,
    int status, const char *fields, const void *body, size_t size)
{
	struct exchange *x = c->exchange;

	x->requests++;
	x->keep_alive = request != NULL && request->keep_alive &&
	    x->requests < CONNECTION_REQUESTS_MAX &&
	    !server_is_leaving(c->server);
	exchange_append_status(&x->out, c, request, status);
	if (status != 304 && status != 204)
		buffer_append_format(&x->out, "Content-Length: %zu\r\n", size);
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
	if (status != 304 && (request == NULL || request->method != HTTP_HEAD))
		exchange_set_body(c, body, size);
	account_answer(c, status, x->out.size);
	connection_enter(c, CONNECTION_REPLY, EXCHANGE_REPLY_MS);
	exchange_send(c);
}

void
exchange_refuse(struct connection *c, const struct http_request *request,
    int status, const char *why)
{
	struct exchange *x = c->exchange;
	char peer[CLIENT_NAME_MAX];

	server_log(c->server, 1, "%s: refused with %d: %s",
	    client_name(c, peer), status, why);
	x->keep_alive = false;
	exchange_append_status(&x->out, c, request, status);
	buffer_append_format(&x->out,
	    "Content-Length: %zu\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Cache-Control: no-store\r\nConnection: close\r\n",
	    strlen(why) + 1);
	if (status == 426)
		buffer_append_string(&x->out,
		    "Upgrade: websocket\r\n"
		    "Sec-WebSocket-Version: 13\r\n");
	else if (status == 405 || status == 501)
		buffer_append_string(&x->out, "Allow: GET, HEAD\r\n");
	else if (status == 401)
		keys_append_challenge(&x->out, &c->server->settings.keys);
	else if (status == 503 || status == 429)
		buffer_append_format(&x->out, "Retry-After: %d\r\n",
		    EXCHANGE_RETRY_S);
	buffer_append_string(&x->out, "\r\n");
	account_answer(c, status, x->out.size);
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
exchange_reply_head(struct connection *c, const struct buffer *head)
{
	struct exchange *x = c->exchange;

	buffer_append(&x->out, head->data, head->size);
	if (head->failed || x->out.failed) {
		connection_close(c, "out of memory");
		return;
	}
	x->keep_alive = false;
	account_answer(c, 200, head->size);
	connection_enter(c, CONNECTION_REPLY, EXCHANGE_REPLY_MS);
	exchange_send(c);
}

const uint8_t *
exchange_leftover(const struct exchange *x, size_t *n)
{
	*n = x->in.size - x->used;
	return x->in.data + x->used;
}

/* Refuses what is no request, or is none that is served. */
static void
exchange_refuse_bytes(struct connection *c, int status, const char *why)
{
	client_set_forwarded(c, NULL);
	account_begin(c, NULL);
	exchange_refuse(c, NULL, status, why);
}

void
exchange_time_out(struct connection *c)
{
	if (c->exchange->in.size == 0)
		connection_close(c, "no request came");
	else
		exchange_refuse_bytes(c, 408,
		    "the request was not complete in time");
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
		exchange_refuse_bytes(c, request.status, request.why);
		return false;
	case HTTP_DONE:
		break;
	}
	if (x->verdict == CHECKER_NONE) {
		client_set_forwarded(c, &request);
		account_begin(c, &request);
	}
	route_request(c, &request);
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
exchange_resume(struct connection *c, enum checker_verdict verdict,
    const char *user)
{
	struct exchange *x = c->exchange;

	x->check = NULL;
	x->verdict = verdict;
	x->user = user;
	connection_enter(c, CONNECTION_HEAD, CONNECTION_HEAD_MS);
	exchange_run(c);
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
	if (c->state != CONNECTION_HEAD &&
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
