/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_LISTENER_H
#define WSEXEC_LISTENER_H

/*
 * A listening socket.  When descriptors run out, a reserved one is given up
 * for as long as it takes to tell the client so with 503.
 */

#include <sys/queue.h>

#include <event2/event_struct.h>

#include <stddef.h>
#include <stdint.h>

struct wsexec_server;

struct listener {
	struct event event;	      /* of the socket */
	struct event pause_event;     /* ends a pause */
	TAILQ_ENTRY(listener) link;   /* in the server's listeners */
	struct wsexec_server *server; /* borrowed: owns it */
	int fd;
	int reserve_fd; /* given up when there are no others; or -1 */
};

/* An enum wsexec_error; see wsexec_server_listen(). */
int listener_open(struct wsexec_server *s, const char *address, uint16_t port,
    char *url, size_t size);
void listener_close(struct listener *l);

#endif
