/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "core/http.h"
#include "core/redact.h"
#include "net/account.h"
#include "net/client.h"
#include "net/connection.h"
#include "net/server.h"

size_t
account_size(bool wanted)
{
	return wanted ? sizeof(struct account) : 0;
}

/* NULL: nobody wants to know. */
static struct account *
account_find(struct connection *c)
{
	return c->server->settings.on_access != NULL ? c->account : NULL;
}

/* Appends a string to the text; returns where it is. */
static uint32_t
account_add(struct account *a, struct slice text, const char *const *tokens)
{
	size_t at = a->text.size;

	redact_append(&a->text, text, tokens);
	buffer_append_byte(&a->text, '\0');
	return (uint32_t)at;
}

static uint32_t
account_add_field(struct account *a, const struct http_request *request,
    const char *name, const char *const *tokens)
{
	const struct slice *field = http_field(request, name);

	return field != NULL ? account_add(a, *field, tokens) : 0;
}

static void
account_add_request(struct account *a, const struct http_request *request,
    const char *const *tokens)
{
	a->target = account_add(a, request->target, tokens);
	a->referer = account_add_field(a, request, "referer", tokens);
	a->user_agent = account_add_field(a, request, "user-agent", tokens);
	a->is_head = request->method == HTTP_HEAD;
	a->minor = (uint8_t)request->minor;
}

void
account_begin(struct connection *c, const struct http_request *request)
{
	struct wsexec_server *s = c->server;
	struct account *a = account_find(c);
	char client[CLIENT_NAME_MAX];

	if (a == NULL)
		return;
	a->is_open = true;
	a->began_us = s->now_us;
	a->time = server_time();
	buffer_append_string(&a->text, client_address(c, client));
	buffer_append_byte(&a->text, '\0');
	if (request != NULL)
		account_add_request(a, request,
		    (const char *const *)s->settings.keys.tokens);
	buffer_shrink(&a->text);
}

void
account_set_user(struct connection *c, const char *user)
{
	struct account *a = account_find(c);

	if (a == NULL || user == NULL)
		return;
	a->user = (uint32_t)a->text.size;
	buffer_append(&a->text, user, strlen(user) + 1);
	buffer_shrink(&a->text);
}

void
account_answer(struct connection *c, int status, size_t head_size)
{
	struct account *a = account_find(c);

	server_count_answer(c->server, status);
	if (a == NULL)
		return;
	a->status = status;
	a->head_size = head_size;
}

void
account_sent(struct connection *c, size_t n)
{
	struct account *a = account_find(c);

	if (a != NULL)
		a->sent += n;
}

static const char *
account_string(const struct account *a, uint32_t at)
{
	return at == 0 ? NULL : (const char *)a->text.data + at;
}

static void
account_tell(const struct account *a, struct wsexec_server *s)
{
	const struct wsexec_access access = {
		.client = (const char *)a->text.data,
		.method = a->target == 0 ? NULL :
		    a->is_head		 ? "HEAD" :
					   "GET",
		.target = account_string(a, a->target),
		.protocol = a->minor == 0 ? "HTTP/1.0" : "HTTP/1.1",
		.referer = account_string(a, a->referer),
		.user_agent = account_string(a, a->user_agent),
		.user = account_string(a, a->user),
		.status = a->status,
		.bytes = a->sent > a->head_size ? a->sent - a->head_size : 0,
		.time = a->time,
		.seconds = (double)(server_now(s) - a->began_us) / 1e6,
	};

	s->settings.on_access(&access, s->settings.arg);
}

void
account_end(struct connection *c)
{
	struct account *a = account_find(c);

	if (a == NULL || !a->is_open)
		return;
	if (a->text.failed)
		server_log(c->server, 0,
		    "out of memory: a request is not "
		    "logged");
	else if (a->status != 0)
		account_tell(a, c->server);
	buffer_clear(&a->text);
	memset(a, 0, sizeof(*a));
}
