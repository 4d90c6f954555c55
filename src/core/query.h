/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_QUERY_H
#define WSEXEC_QUERY_H

/*
 * The query part of an address: what a client wants to see.  Names that are
 * not known are ignored; known ones with bad values are errors.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/format.h"
#include "core/http.h"

#define QUERY_RUN_MAX 64    /* bytes of a run id */
#define QUERY_TOKEN_MAX 256 /* bytes of a token */

struct buffer;

struct query {
	bool has_after;
	uint64_t after; /* records strictly after this one */
	bool has_tail;
	uint64_t tail; /* only the last so many, then what is new */
	bool has_format;
	enum format format;
	bool has_stream;
	enum stream stream;
	bool has_limit;
	uint64_t limit; /* no more records than this, then end */
	bool follow;	/* false: what there is, then end */
	bool has_exit;	/* it has got the exit record of run */

	char run[QUERY_RUN_MAX + 1];	 /* "": not given */
	char token[QUERY_TOKEN_MAX + 1]; /* "": not given */
};

/*
 * Parses text (percent-encoded, '&' between pairs).  False: why is one line
 * that names the parameter, its limit and what to write, for the first that is
 * wrong; the others are there.
 */
bool query_parse(struct slice text, struct query *q, char *why, size_t size);

/* Whether the value of a parameter of this name, as sent, is a secret. */
bool query_name_is_secret(struct slice name);

/* Appends "?" and the same text without secrets, or nothing if none is left. */
void query_append_public(struct buffer *out, struct slice text);

/*
 * Takes the id of an event, which says where a client is instead of after and
 * run.  What is no id of ours changes nothing.
 */
void query_set_event_id(struct query *q, struct slice id);

#endif
