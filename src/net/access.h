/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_ACCESS_H
#define WSEXEC_ACCESS_H

/*
 * The one gate that every request passes before anything is looked at.
 */

#include <stdbool.h>

struct connection;
struct http_request;
struct query;
struct wsexec_server;

/*
 * Whether a request may be answered: 0, or the status to refuse it with (401,
 * 403, 421) and *why in one line, static.  secret: what is asked for is not
 * for everybody, so that a token is needed where there is one.
 */
int access_check(const struct connection *c, const struct http_request *request,
    const struct query *q, bool secret, const char **why);

/* Whether who has passed it may write to the command. */
bool access_may_write(const struct wsexec_server *s);

#endif
