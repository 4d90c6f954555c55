/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_TLS_SESSION_H
#define WSEXEC_TLS_SESSION_H

/*
 * The TLS of one connection, between its bytes and its socket.  The handshake
 * is part of the first reads.
 *
 *	tls_session_write()  bytes --> a record --> socket
 *	                                  `--> rest: what it did not take
 *
 * A record that was begun must go out whole, whatever is to be sent next.  So
 * OpenSSL never hears that a socket is full: what is left of a record is kept
 * here, and goes first.  It is no more than one record of output.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TLS_SESSION_TEXT_MAX 256 /* bytes of what is told of one, and NUL */

struct bio_method_st;
struct ssl_ctx_st;
struct tls_session;

/* How sessions reach their sockets, for tls_session_new(); BIO_meth_free(). */
struct bio_method_st *tls_session_new_method(void);

/*
 * Begins a session on a socket (borrowed, as is the method).  NULL: out of
 * memory.
 */
struct tls_session *tls_session_new(struct ssl_ctx_st *context,
    const struct bio_method_st *method, int fd);
void tls_session_free(struct tls_session *t);

/*
 * As recv(2) and send(2), without waiting: -1 and EAGAIN is for later, 0 from
 * reading is the end; EPROTO: tls_session_why().
 */
ssize_t tls_session_read(struct tls_session *t, void *bytes, size_t n);
ssize_t tls_session_write(struct tls_session *t, const void *bytes, size_t n);

/* Whether anything was read, and whether the handshake is over. */
bool tls_session_is_begun(const struct tls_session *t);
bool tls_session_is_open(const struct tls_session *t);

/* Sends what is left of what was written: 1: nothing is; 0, -1 as send(2). */
int tls_session_flush(struct tls_session *t);

/* Whether the socket has taken some of that since this was last asked. */
bool tls_session_has_moved(struct tls_session *t);

/* Tells the peer that no more comes: close_notify. */
void tls_session_end(struct tls_session *t);

/*
 * The socket can be read or written again (EV_READ, EV_WRITE): what bytes can
 * be, as either may have been waiting for the other.
 */
short tls_session_note(struct tls_session *t, short what);

/* What the last EPROTO was; valid until the next call. */
const char *tls_session_why(struct tls_session *t);

/* "TLSv1.3", and whose certificate the client has shown, if one. */
const char *tls_session_describe(const struct tls_session *t,
    char text[TLS_SESSION_TEXT_MAX]);

#endif
