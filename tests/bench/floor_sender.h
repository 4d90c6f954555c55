/* SPDX-License-Identifier: ISC */
#ifndef BENCH_FLOOR_SENDER_H
#define BENCH_FLOOR_SENDER_H

/*
 * A sender owns clients and sends them what is in the ring, with as few and
 * as large calls of send() as there can be.  With --threads there is one in
 * each thread; else there is one.
 *
 * A client enters through the sender's epoll instance: edge-triggered, it is
 * told of at once, and the sender takes it in.  So nothing is locked.
 */

#include <sys/types.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "floor_ring.h"

struct floor_sender;

struct floor_client {
	struct floor_sender *sender; /* borrowed: has taken it in; or NULL */
	int fd;
	bool is_blocked; /* the socket is full */
	uint64_t at;	 /* what is to be sent next; UINT64_MAX: it left */
	size_t index;	 /* in the sender's clients */
	char *request;	 /* owned: until it is whole, or NULL */
	size_t request_size;
};

struct floor_sender {
	const struct floor_ring *ring; /* borrowed: outlives it */
	int epoll;		       /* borrowed */
	struct floor_client **clients; /* owned, and so are they */
	size_t count, capacity;
	uint64_t at; /* head of the ring in the last round */
	uint64_t rounds, sends, short_sends, bytes;

	/* with a thread of its own */
	pthread_t thread;
	int wake_fd;	      /* eventfd: there are news */
	int room_fd;	      /* borrowed: eventfd of who waits for room */
	_Atomic uint64_t low; /* told to who waits for room */
	_Atomic bool room_is_wanted, is_stopped;
};

/* What happened to a client; frees it if it has left. */
void floor_sender_event(struct floor_sender *s, struct floor_client *c,
    uint32_t events);

/* Sends everybody what is there. */
void floor_sender_round(struct floor_sender *s);

/* The oldest byte that a client still needs, or the end of the last round. */
uint64_t floor_sender_low(const struct floor_sender *s);

/* Closes and frees all clients. */
void floor_sender_clear(struct floor_sender *s);

/* Runs it in a thread; room_fd is told as room_is_wanted asks. */
void floor_sender_start(struct floor_sender *s, int room_fd);
void floor_sender_wake(const struct floor_sender *s);
void floor_sender_stop(struct floor_sender *s);

#endif
