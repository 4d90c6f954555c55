/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_OUTPUT_H
#define WSEXEC_OUTPUT_H

/*
 * Answers that are output: what their head says, and how the rest is carried
 * to who has asked, by HTTP, as an event stream or by WebSocket.
 */

#include <stdbool.h>

#include "core/format.h"

struct connection;
struct http_request;
struct query;

/* What is wanted of an answer, beyond which records. */
struct output {
	enum format format;
	bool events;
	bool writable; /* by WebSocket: who gets it may write, too */
	bool gzip;     /* set by output_answer() */
};

/* Makes the connection a stream, answers HEAD, or refuses. */
void output_answer(struct connection *c, const struct http_request *request,
    const struct query *q, struct output o);

#endif
