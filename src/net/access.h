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

struct connection;
struct http_request;
struct query;
struct wsexec_server;

/*
 * Whether a request may be answered: 0, or the status to refuse it with (401,
 * 403, 421) and *why in one line, static.  is_open: what is asked for is for
 * everybody.  *shown is what the request may have, if it is answered.
 */
int access_check(const struct connection *c, const struct http_request *request,
    const struct query *q, bool is_open, struct shown *shown, const char **why);

/* Whether who has shown that may write to the command. */
bool access_may_write(const struct wsexec_server *s, const struct shown *shown);

#endif
