/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_EXCHANGE_H
#define WSEXEC_EXCHANGE_H

/*
 * An exchange: the HTTP side of a connection, from the first byte of a
 * request to the last of its answer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/checker.h"

struct buffer;
struct connection;
struct exchange;
struct http_request;
struct wsexec_server;

/* A field of what is sent in several types and codings. */
extern const char exchange_vary[];

/*
 * Appends the line that begins an answer, and the fields that are sent with
 * every answer but 101.
 */
void exchange_append_status(struct buffer *out, const struct connection *c,
    const struct http_request *request, int status);

/* Appends the whole head of 101 for a checked handshake; fields as below. */
void exchange_append_upgrade(struct buffer *out, struct wsexec_server *s,
    const struct http_request *request, const char *fields);

struct exchange *exchange_new(void);
void exchange_free(struct exchange *x);

/* Takes n bytes from the peer of a connection in the state HEAD. */
void exchange_read(struct connection *c, const void *bytes, size_t n);

/* Goes on sending the answer of a connection in the state REPLY. */
void exchange_write(struct connection *c);

/* The time for a request is over: says so and closes. */
void exchange_time_out(struct connection *c);

/*
 * An empty buffer for the body of an answer, which is cleared after that.
 * NULL: too many such bodies wait to be taken.
 */
struct buffer *exchange_body(struct connection *c);

/*
 * The request waits for a check, and is routed again when that is over: then
 * exchange_take_verdict() says once how, and *user is who has shown it.
 */
void exchange_wait(struct connection *c, struct check *check);
void exchange_resume(struct connection *c, enum checker_verdict verdict,
    const char *user);
bool exchange_has_verdict(const struct connection *c);
enum checker_verdict exchange_take_verdict(struct connection *c,
    const char **user);

/* The connection is closed: what it waits for is of no use any more. */
void exchange_cancel(struct connection *c);

/* The body of the answer is sent, or need not be any more. */
void exchange_drop_body(struct connection *c);

/*
 * Answers with a head and a body that is static or in that buffer; fields are more lines of the head.
 * Where the request is not known (NULL) it is not kept alive.
 */
void exchange_reply(struct connection *c, const struct http_request *request,
    int status, const char *fields, const void *body, size_t size);

/* The same with a line that says what was wrong, and ends the connection. */
void exchange_refuse(struct connection *c, const struct http_request *request,
    int status, const char *why);

/* Answers with a whole head, of 200, and no body, and ends the connection. */
void exchange_reply_head(struct connection *c, const struct buffer *head);

/* What came behind the request that is being answered; valid as long as x. */
const uint8_t *exchange_leftover(const struct exchange *x, size_t *n);

#endif
