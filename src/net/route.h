/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_ROUTE_H
#define WSEXEC_ROUTE_H

/*
 * What an address is: the page, a file of the page, a stream of output, or
 * nothing; and whether it is for this client.
 */

struct connection;
struct http_request;

/* Answers a request, or makes the connection a stream. */
void route_request(struct connection *c, const struct http_request *request);

#endif
