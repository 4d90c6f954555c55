/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_WATCHER_H
#define WSEXEC_WATCHER_H

/*
 * A watcher: a WebSocket on /status, which gets the document as a message
 * when it comes, whenever something has changed, and each second while the
 * command runs.  It is a subscriber without a feed, and no client.
 *
 * Each document is made once for all watchers.  A watcher holds the one that
 * it is getting or has got, so that a socket that is full skips those between
 * that one and the newest.
 */

#include <event2/util.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;
struct document;
struct http_request;
struct subscriber;
struct wsexec_server;

/* What a watcher has of the documents. */
struct watch {
	struct document *document; /* held; NULL: none so far */
	size_t sent;		   /* bytes of it that are gone */
};

/* Answers a handshake, and makes the connection a watcher if it is one. */
void watcher_answer(struct connection *c, const struct http_request *request);

/* The connection is closed. */
void watcher_leave(struct subscriber *s);

/* Something has changed of what the document says. */
void watcher_note_change(struct wsexec_server *s);

/* The run has ended: watchers are told at once. */
void watcher_note_end(struct wsexec_server *s);

/* Makes a document and has it sent; the timer's callback. */
void watcher_cb(evutil_socket_t fd, short what, void *server);

/*
 * The next bytes for a watcher, *n of them.  False: it has got the newest
 * document, or there was no memory for one.
 */
bool watcher_peek(struct subscriber *s, const uint8_t **bytes, size_t *n);

/* Whether it is inside of a message. */
bool watcher_is_inside(const struct subscriber *s);

/* Frees what is held for watchers. */
void watcher_clear(struct wsexec_server *s);

#endif
