/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_NET_STATUS_H
#define WSEXEC_NET_STATUS_H

/*
 * What is at /status and /metrics, for who may have it: the state of the
 * server when it is asked.
 */

struct buffer;
struct connection;
struct http_request;
struct wsexec_server;

/* Appends the document; see core/status.h. */
void status_append_document(struct wsexec_server *s, struct buffer *out);

/* Answers a request for the document; a WebSocket becomes a watcher. */
void status_answer(struct connection *c, const struct http_request *request);

/* Answers a request for the metrics, in the format that Accept wants most. */
void status_answer_metrics(struct connection *c,
    const struct http_request *request);

#endif
