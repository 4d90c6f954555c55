/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_ACCESS_H
#define WSEXEC_ACCESS_H

/*
 * The one gate that every request passes before anything is looked at: first
 * the name that it asks for (against DNS rebinding), then the page that it
 * comes from (against pages of other sites), then what it has to show.
 */

#include <stdbool.h>

#include "net/keys.h"

struct buffer;
struct connection;
struct http_request;
struct query;
struct wsexec_server;

#define ACCESS_LATER (-1)

/*
 * Whether a request may be answered: 0, or the status to refuse it with (401,
 * 403, 421, 429, 503) and *why in one line, static; or ACCESS_LATER: it will be
 * routed again when it is known.  is_open: what is asked for is for everybody,
 * and what is shown is not looked at.  *shown is what the request may have, if
 * it is answered.
 */
int access_check(struct connection *c, const struct http_request *request,
    const struct query *q, bool is_open, struct shown *shown, const char **why);

/*
 * Appends the fields that let a page of another site read an answer, if it is
 * one of those that may connect (Fetch Standard, CORS protocol).
 */
void access_append_sharing(struct buffer *out, const struct connection *c,
    const struct http_request *request);

/* Whether who has shown that may write to the command. */
bool access_may_write(const struct wsexec_server *s, const struct shown *shown);

#endif
