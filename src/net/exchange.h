/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_EXCHANGE_H
#define WSEXEC_EXCHANGE_H

/*
 * An exchange: the HTTP side of a connection, from the first byte of a
 * request to the last of its answer.  It decides what an address is: the
 * page, a file of the page, a stream of output, or nothing.
 */

#include <stddef.h>

struct connection;
struct exchange;

struct exchange *exchange_new(void);
void exchange_free(struct exchange *x);

/* Takes n bytes from the peer of a connection in the state HEAD. */
void exchange_read(struct connection *c, const void *bytes, size_t n);

/* Goes on sending the answer of a connection in the state REPLY. */
void exchange_write(struct connection *c);

/* The time for a request is over: says so and closes. */
void exchange_time_out(struct connection *c);

#endif
