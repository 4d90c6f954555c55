/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_ACCOUNT_H
#define WSEXEC_ACCOUNT_H

/*
 * The account of a request: what was asked for, what was answered, and how
 * long that took, for on_access of wsexec_config.  It is kept from the head of
 * a request to the end of its answer, and only where somebody wants to know.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"

struct connection;
struct http_request;

struct account {
	struct buffer text; /* owned strings: the client and those below */
	uint32_t target;    /* where it is in text; 0: there is none */
	uint32_t referer;
	uint32_t user_agent;
	uint32_t user;
	int status;	  /* 0: not answered yet */
	uint64_t sent;	  /* bytes */
	size_t head_size; /* those of them that are not to count */
	int64_t began_us; /* monotonic */
	double time;	  /* the same, since 1970 */
	bool is_open;	  /* there is a request; else all is zero */
	bool is_head;	  /* its method is HEAD */
	uint8_t minor;	  /* of its version of HTTP */
};

/* Bytes that a connection needs beyond itself, for its account. */
size_t account_size(bool wanted);

/* A request is there; NULL: what came is none. */
void account_begin(struct connection *c, const struct http_request *request);

/* It may be answered, as it has shown that it is of this user; or NULL. */
void account_set_user(struct connection *c, const char *user);

/* It is answered so; the first head_size bytes that are sent do not count. */
void account_answer(struct connection *c, int status, size_t head_size);

/* n bytes of the answer are sent. */
void account_sent(struct connection *c, size_t n);

/* The answer is over: if there was one, it is told. */
void account_end(struct connection *c);

#endif
