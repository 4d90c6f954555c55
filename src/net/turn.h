/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_TURN_H
#define WSEXEC_TURN_H

/*
 * The turn: one flat function that does all work which touches several
 * clients, after the callbacks of an iteration of the loop have noted what
 * happened.  And the tick: what is due by the clock.
 *
 * A sweep is one send to everybody who waits for news.  A send costs
 * microseconds and the line in it nanoseconds, so after a quiet spell a sweep
 * begins at once, and while lines keep coming only after an interval, which
 * grows with what a sweep costs, or when there is a full send for everybody.
 */

#include <event2/util.h>

struct wsexec_server;

void turn_cb(evutil_socket_t fd, short what, void *server);
void turn_tick_cb(evutil_socket_t fd, short what, void *server);

/* Sees to it that all are told (SUBSCRIBER_DUE_...), if their format can. */
void turn_tell_all(struct wsexec_server *s, unsigned int due);

#endif
