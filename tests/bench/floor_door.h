/* SPDX-License-Identifier: ISC */
#ifndef BENCH_FLOOR_DOOR_H
#define BENCH_FLOOR_DOOR_H

/*
 * Where clients come in: a listening socket, and the handshake of those who
 * have not asked yet.
 */

#include <stdbool.h>
#include <stdint.h>

struct floor_client;

/*
 * A listening socket on this port of 127.0.0.1 (0: any), of which stderr is
 * told; or ends the process.
 */
int floor_door_open(uint16_t port);

/* Accepts who waits, and watches for their requests. */
void floor_door_accept(int listener, int epoll);

/*
 * Takes bytes of a request.  True: it was one and is answered, the client is
 * to be sent lines from now on.  Frees a client whose request is none.
 */
bool floor_door_read(struct floor_client *c);

#endif
