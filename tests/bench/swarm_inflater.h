/* SPDX-License-Identifier: ISC */
#ifndef BENCH_SWARM_INFLATER_H
#define BENCH_SWARM_INFLATER_H

/*
 * Compressed messages of a server that keeps its context from one message to
 * the next (RFC 7692 section 7.2.2), for one client.
 */

#include <stdbool.h>
#include <stddef.h>

struct inflater;
struct lines;

/* NULL: no memory. */
struct inflater *inflater_new(void);
void inflater_free(struct inflater *i);

/*
 * Hands on what a part of a message is inflated; ends: its last.  False: it
 * cannot be inflated.
 */
bool inflater_take(struct inflater *i, struct lines *lines, const char *bytes,
    size_t n, bool ends);

#endif
