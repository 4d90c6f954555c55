/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_TLS_H
#define WSEXEC_TLS_H

/*
 * The TLS of a server: the certificate that it shows to who connects from now
 * on, and the watch over the files it is from.  Sessions keep the one they
 * have begun with.
 */

struct tls;
struct tls_session;
struct wsexec_server;

/*
 * Takes the files of the settings, if there are any: s->tls.  An enum
 * wsexec_error; why is logged.
 */
int tls_open(struct wsexec_server *s);
void tls_free(struct tls *t);

/* Begins a session on a socket (borrowed).  NULL: out of memory. */
struct tls_session *tls_begin(const struct tls *t, int fd);

/*
 * Looks once a second whether the files have changed, and takes them when they
 * stay as they are until the next look.
 */
void tls_tick(struct wsexec_server *s);

#endif
