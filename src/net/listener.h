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

#include "net/unix_socket.h"

struct wsexec_server;

struct listener {
	struct event event;	      /* of the socket */
	struct event pause_event;     /* ends a pause */
	TAILQ_ENTRY(listener) link;   /* in the server's listeners */
	struct wsexec_server *server; /* borrowed: owns it */
	int fd;
	int reserve_fd;		  /* given up when there are no others; or -1 */
	struct unix_socket place; /* in the file system, if it has made one */
};

/*
 * Each returns an enum wsexec_error; see wsexec_server_listen(), and those
 * for a Unix socket and for a descriptor.
 */
int listener_open(struct wsexec_server *s, const char *address, uint16_t port,
    char *url, size_t size);
int listener_open_unix(struct wsexec_server *s,
    const struct wsexec_unix_socket *config, char *url, size_t size);
int listener_take(struct wsexec_server *s, int fd, char *url, size_t size);
void listener_close(struct listener *l);

#endif
