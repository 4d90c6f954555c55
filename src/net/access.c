/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "core/http.h"
#include "core/origin.h"
#include "core/query.h"
#include "net/access.h"
#include "net/connection.h"
#include "net/server.h"

static bool
access_token_equals(const char *token, const char *given, size_t size)
{
	unsigned char different = 0;
	size_t i;

	/* The length of a token is no secret; where it differs is. */
	if (strlen(token) != size)
		return false;
	for (i = 0; i < size; i++)
		different |= (unsigned char)(token[i] ^ given[i]);
	return different == 0;
}

static bool
access_has_token(const char *token, const struct http_request *request,
    const struct query *q)
{
	static const char scheme[] = "Bearer ";
	const size_t skip = sizeof(scheme) - 1;
	const struct slice *field;

	if (access_token_equals(token, q->token, strlen(q->token)))
		return true;
	field = http_field(request, "authorization");
	return field != NULL && field->size > skip &&
	    strncasecmp(field->data, scheme, skip) == 0 &&
	    access_token_equals(token, field->data + skip, field->size - skip);
}

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

int
access_check(const struct connection *c, const struct http_request *request,
    const struct query *q, bool secret, const char **why)
{
	const struct wsexec_server *s = c->server;
	const char *const *hosts = (const char *const *)s->settings.hosts;
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
	if (secret && s->settings.token != NULL &&
	    !access_has_token(s->settings.token, request, q)) {
		*why = "a token is needed: add ?token=... or "
		       "Authorization: Bearer ...";
		return 401;
	}
	return 0;
}

bool
access_may_write(const struct wsexec_server *s)
{
	return s->settings.on_input != NULL;
}
