/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_CONNECTION_H
#define WSEXEC_CONNECTION_H

/*
 * A connection: one accepted socket.  It first speaks HTTP: reads a request
 * head against an absolute deadline, answers, perhaps several times; or it
 * becomes a stream and gets a subscriber.
 *
 *	HEAD -> REPLY -> HEAD ...          pages
 *	HEAD -> CHECK -> HEAD              while a password is checked
 *	          `----> LINGER -> DEAD    refusals
 *	HEAD -> STREAM -> CLOSING -> DEAD  output
 *
 * connection_close() may be called at any time from any callback: it closes
 * the socket now and leaves the memory to the end of the turn.
 */

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <event2/event_struct.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/account.h"
#include "net/subscriber.h"

struct exchange;
struct http_request;
struct tls_session;
struct wsexec_server;

#define CONNECTION_HEAD_MS 10000    /* from accept to the end of the head */
#define CONNECTION_IDLE_MS 30000    /* between two requests */
#define CONNECTION_CLOSE_MS 5000    /* for the answer to a close frame */
#define CONNECTION_LINGER_MS 2000   /* for the end of what is still coming */
#define CONNECTION_PENDING_MAX 1024 /* that have not become streams */
#define CONNECTION_REQUESTS_MAX 100 /* answers on one connection */

enum connection_state {
	CONNECTION_HEAD,    /* waits for a request */
	CONNECTION_CHECK,   /* the request at its start waits for a verdict */
	CONNECTION_REPLY,   /* sends an answer of known length */
	CONNECTION_STREAM,  /* gets output */
	CONNECTION_CLOSING, /* gets the end of it, or waits for its answer */
	CONNECTION_LINGER,  /* all is sent; takes what still comes */
	CONNECTION_DEAD,    /* closed, to be freed */
};

struct connection {
	struct event event;	      /* of the socket, has the descriptor */
	TAILQ_ENTRY(connection) link; /* in pending, streams or dead */
	struct wsexec_server *server; /* borrowed: outlives it */
	struct exchange *exchange;    /* owned; NULL once it is a stream */
	struct tls_session *tls; /* owned; NULL: the socket has the bytes */
	int64_t deadline_us;	 /* INT64_MAX: none */
	uint16_t port;		 /* of the peer, 0: not known */
	uint8_t family;		 /* of the peer's address */
	uint8_t state;		 /* enum connection_state */
	bool reads;		 /* what comes is taken */
	bool readable;		 /* there may be something to take */
	bool writes;		 /* waits until bytes can go */
	bool is_trusted : 1;	 /* the peer tells whom it asks for */
	bool lacks_tls : 1;	 /* it speaks none, where it had to */
	uint8_t address[16];	 /* of the peer, network byte order; if it
				       * is local, the struct ucred */
	struct subscriber subscriber; /* once it is a stream */
	struct account account[];     /* one, if somebody wants to know */
};

/*
 * Makes a connection of an accepted socket (owned from here on, also on
 * failure: it is closed then).
 */
void connection_open(struct wsexec_server *s, int fd,
    const struct sockaddr *peer);

/* Closes the socket; reason is one line, for the log. */
void connection_close(struct connection *c, const char *reason);

/* Frees a connection that was closed. */
void connection_free(struct connection *c);

/* Its subscriber is open: from now on it is a stream, without an exchange. */
void connection_become_stream(struct connection *c);
bool connection_is_stream(const struct connection *c);

/* Enters a state, with a deadline from now on (0: none). */
void connection_enter(struct connection *c, enum connection_state state,
    int64_t timeout_ms);

/*
 * Whether bytes that come shall be taken, and whether something waits until
 * bytes can go.  The loop tells of changes only (EV_ET), so that thousands of
 * full sockets take none of its time: to wait is right only after a send that
 * did not take everything.
 */
void connection_want_read(struct connection *c, bool wanted);
void connection_want_write(struct connection *c, bool wanted);

/*
 * Sends n bytes.  Returns how many were taken, 0 if none are now, -1 if the
 * connection had to be closed.
 */
ssize_t connection_send(struct connection *c, const void *bytes, size_t n);

/*
 * Whether all that was taken is with the kernel.  If not, to wait until bytes
 * can go is right; or the connection had to be closed.
 */
bool connection_flush(struct connection *c);

/*
 * Whether, since this was last asked, the kernel has taken bytes that
 * connection_send() had taken before.
 */
bool connection_has_moved(const struct connection *c);

/* Ends our side and takes what still comes, so that nothing gets lost. */
void connection_linger(struct connection *c);

/* Closes a connection whose deadline is over. */
void connection_check_deadline(struct connection *c);

#endif
