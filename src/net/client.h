/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_CLIENT_H
#define WSEXEC_CLIENT_H

/*
 * The client of a connection: whom it is made for.  That is whoever is at its
 * other end or, where that is a proxy that is trusted, whom the proxy names.
 */

#include <sys/socket.h>

#include <stdbool.h>

struct connection;
struct http_request;

#define CLIENT_NAME_MAX 56 /* see client_name(), and NUL */

/* Who is at the other end of its socket fd. */
void client_set(struct connection *c, int fd, const struct sockaddr *peer);

/*
 * A request is there (NULL: something else): from now on it is whom that is
 * made for, if the proxy is trusted to know that.
 */
void client_set_forwarded(struct connection *c,
    const struct http_request *request);

/* "::1"; "unix" of a local one */
const char *client_address(const struct connection *c,
    char text[CLIENT_NAME_MAX]);

/*
 * "[::1]:40000", without the port where that is not known, or
 * "unix:uid=1000,pid=4242" of who has connected
 */
const char *client_name(const struct connection *c, char text[CLIENT_NAME_MAX]);

/*
 * What its address may do, see core/peers.h: make another request, which
 * counts; have looked at what it shows, and has shown something wrong, which
 * counts; and get output or the status, which it enters and leaves.
 */
bool client_may_ask(struct connection *c);
bool client_may_show(const struct connection *c);
void client_note_failure(struct connection *c);
bool client_may_enter(const struct connection *c);
void client_enter(const struct connection *c);
void client_leave(const struct connection *c);

#endif
