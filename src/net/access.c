/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "core/basic.h"
#include "core/buffer.h"
#include "core/http.h"
#include "core/origin.h"
#include "core/query.h"
#include "core/websocket.h"
#include "net/access.h"
#include "net/client.h"
#include "net/checker.h"
#include "net/connection.h"
#include "net/exchange.h"
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

static const char *
access_needs(const struct keys *keys)
{
	if (!keys->takes_users)
		return "a token is needed: open the address that wsexec has "
		       "printed, with ?token=..., or send Authorization: "
		       "Bearer ...";
	return keys->count == 0 ?
	    "a user name and a password are needed" :
	    "a user name and a password, or a token, are needed";
}

/* What a file has to say of a name and a password; waits if it has to. */
static enum checker_verdict
access_ask_checker(struct connection *c, const struct http_request *request,
    const char **user)
{
	const struct slice *field = http_field(request, "authorization");
	enum checker_verdict verdict;
	struct check *check;
	struct basic basic;

	if (c->server->checker == NULL || field == NULL ||
	    !basic_parse(*field, &basic))
		return CHECKER_NONE;
	verdict = checker_ask(c, &basic, user, &check);
	explicit_bzero(&basic, sizeof(basic));
	if (verdict == CHECKER_WAITS)
		exchange_wait(c, check);
	return verdict;
}

/*
 * What it has shown: 0, ACCESS_LATER, or the status to refuse it with.  What is
 * wrong is counted here, and nowhere else.
 */
static int
access_look(struct connection *c, const struct http_request *request,
    const struct query *q, struct shown *shown, const char **why)
{
	const bool may_show = client_may_show(c);
	unsigned int ways = may_show ? KEY_BY_OTHERS : 0;
	enum checker_verdict verdict;
	const char *user;

	verdict = exchange_take_verdict(c, &user);
	if (access_takes_cookie(request))
		ways |= KEY_BY_COOKIE;
	*shown = keys_find(&c->server->settings.keys, request, q, ways);
	if (shown->rights == 0 && may_show && verdict == CHECKER_NONE)
		verdict = access_ask_checker(c, request, &user);
	if (verdict == CHECKER_WAITS)
		return ACCESS_LATER;
	if (verdict == CHECKER_FULL) {
		*why = "too many passwords are being checked; try again in a "
		       "moment";
		return 503;
	}
	if (verdict == CHECKER_RIGHT && may_show) {
		shown->rights = KEY_ALL;
		shown->user = user;
	} else if (shown->is_wrong) {
		client_note_failure(c);
	}
	if (shown->rights != 0)
		return 0;
	*why = may_show ? access_needs(&c->server->settings.keys) :
			  "too much that is wrong was shown from this address; "
			  "try again in a minute";
	return may_show ? 401 : 429;
}

int
access_check(struct connection *c, const struct http_request *request,
    const struct query *q, bool is_open, struct shown *shown, const char **why)
{
	const char *const *hosts =
	    (const char *const *)c->server->settings.hosts;
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
	if (!exchange_has_verdict(c) && !client_may_ask(c)) {
		*why = "too many requests come from this address; ask again "
		       "in a moment";
		return 429;
	}
	if (is_open) {
		*shown = (struct shown){ .rights = KEY_READ };
		return 0;
	}
	return access_look(c, request, q, shown, why);
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
