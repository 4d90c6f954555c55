/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "core/buffer.h"
#include "core/http.h"
#include "core/origin.h"
#include "core/query.h"
#include "core/websocket.h"
#include "net/access.h"
#include "net/client.h"
#include "net/connection.h"
#include "net/server.h"

/* A page of another site that asks for a stream says so by Sec-Fetch. */
static bool
access_is_cross_site(const struct http_request *request)
{
	const struct slice *site = http_field(request, "sec-fetch-site");
	const struct slice *mode = http_field(request, "sec-fetch-mode");

	return site != NULL && slice_equals(*site, "cross-site") &&
	    (mode == NULL || !slice_equals(*mode, "navigate"));
}

static bool
access_origin_is_allowed(const struct connection *c,
    const struct http_request *request)
{
	const struct settings *settings = &c->server->settings;
	const char *const *origins = (const char *const *)settings->origins;
	const struct slice *host = http_field(request, "host");
	const struct slice *origin = http_field(request, "origin");

	if (origin == NULL)
		return !access_is_cross_site(request);
	return host != NULL &&
	    origin_is_allowed(*origin, *host, origins, c->tls != NULL);
}

/*
 * Whether the cookie counts.  Browsers add it to whatever any page of theirs
 * asks for; that a WebSocket is none of another site's, only Origin tells.
 */
static bool
access_takes_cookie(const struct http_request *request)
{
	return http_field(request, "origin") != NULL ||
	    !websocket_is_asked_for(request);
}

/* What it has shown; counts what is wrong.  False: that was too often. */
static bool
access_look(struct connection *c, const struct http_request *request,
    const struct query *q, struct shown *shown)
{
	const bool may_show = client_may_show(c);
	unsigned int ways = may_show ? KEY_BY_OTHERS : 0;

	if (access_takes_cookie(request))
		ways |= KEY_BY_COOKIE;
	*shown = keys_find(&c->server->settings.keys, request, q, ways);
	if (shown->is_wrong)
		client_note_failure(c);
	return may_show || shown->rights != 0;
}

static const char *
access_needs(const struct keys *keys)
{
	if (keys->user == NULL)
		return "a token is needed: open the address that wsexec has "
		       "printed, with ?token=..., or send Authorization: "
		       "Bearer ...";
	return keys->count == 0 ?
	    "a user name and a password are needed" :
	    "a user name and a password, or a token, are needed";
}

int
access_check(struct connection *c, const struct http_request *request,
    const struct query *q, bool is_open, struct shown *shown, const char **why)
{
	const struct settings *settings = &c->server->settings;
	const char *const *hosts = (const char *const *)settings->hosts;
	const struct slice *host = http_field(request, "host");

	if (host != NULL && !origin_host_is_allowed(*host, hosts)) {
		*why = "this Host is not served here; allow a name with "
		       "--allowed-host";
		return 421;
	}
	if (!access_origin_is_allowed(c, request)) {
		*why = "pages of this Origin may not connect; allow one with "
		       "--origin";
		return 403;
	}
	if (!client_may_ask(c)) {
		*why = "too many requests come from this address; ask again "
		       "in a moment";
		return 429;
	}
	if (!access_look(c, request, q, shown) && !is_open) {
		*why = "too much that is wrong was shown from this address; "
		       "try again in a minute";
		return 429;
	}
	if (!is_open && shown->rights == 0) {
		*why = access_needs(&settings->keys);
		return 401;
	}
	return 0;
}

bool
access_may_write(const struct wsexec_server *s, const struct shown *shown)
{
	return s->settings.on_input != NULL && (shown->rights & KEY_WRITE) != 0;
}

void
access_append_sharing(struct buffer *out, const struct connection *c,
    const struct http_request *request)
{
	const struct settings *settings = &c->server->settings;
	const char *const *origins = (const char *const *)settings->origins;
	const struct slice *host = http_field(request, "host");
	const struct slice *origin = http_field(request, "origin");

	if (origins[0] == NULL)
		return;
	/* It is there, or not, by the field. */
	buffer_append_string(out, "Vary: Origin\r\n");
	if (origin == NULL || host == NULL ||
	    origin_is_allowed(*origin, *host, NULL, c->tls != NULL) ||
	    !origin_is_allowed(*origin, *host, origins, c->tls != NULL))
		return;
	buffer_append_format(out,
	    "Access-Control-Allow-Origin: %.*s\r\n"
	    "Access-Control-Expose-Headers: Wsexec-Run, Wsexec-First\r\n",
	    (int)origin->size, origin->data);
}
