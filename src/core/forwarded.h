/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_FORWARDED_H
#define WSEXEC_FORWARDED_H

/*
 * Who is behind a proxy, as X-Forwarded-For says it or, without that,
 * Forwarded (RFC 7239).  Each proxy adds whom it was asked by at the end.
 */

#include <stdbool.h>
#include <stddef.h>

struct address;
struct http_request;
struct network;

/*
 * The last address in those fields that is not one of a proxy that is trusted;
 * if all are, the first.  What stands before something that is no address is
 * not believed.  False: there is none.
 */
bool forwarded_find_client(const struct http_request *request,
    const struct network *trusted, size_t count, struct address *client);

/* Whether an address is in one of count networks. */
bool forwarded_is_trusted(const struct network *trusted, size_t count,
    const struct address *a);

#endif
