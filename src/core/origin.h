/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_ORIGIN_H
#define WSEXEC_ORIGIN_H

/*
 * Who may speak to the server: names in Host (against DNS rebinding) and in
 * Origin (against pages of other sites that open sockets to this one).
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/http.h"

/*
 * Whether a Host field ("name", "name:port", "[::1]:port") is an IP literal,
 * "localhost", a name below ".localhost", or one of names (NULL-terminated
 * array or NULL; any case, port ignored).  A malformed one is not.
 */
bool origin_host_is_allowed(struct slice host, const char *const *names);

/*
 * Whether an Origin field is scheme "http" or "https" with the same host and
 * port as the Host field of the request (default ports filled in by the
 * scheme), or equals one of extra (NULL-terminated array or NULL) as parsed
 * origins.  "null", lists and malformed ones are not.  over_tls: the request
 * came by TLS, and so did the page; without it there may be a proxy in between
 * that speaks TLS, and either scheme will do.
 */
bool origin_is_allowed(struct slice origin, struct slice host,
    const char *const *extra, bool over_tls);

#endif
