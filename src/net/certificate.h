/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_CERTIFICATE_H
#define WSEXEC_CERTIFICATE_H

/*
 * What the server shows of itself, and asks of clients: a certificate with its
 * chain, its key, and the authorities of clients' certificates, from files in
 * PEM.  All of it is good, or none is taken.
 */

#include <stddef.h>

#define CERTIFICATE_WHY_MAX 512 /* bytes of why one is not taken, and NUL */

struct settings;
struct ssl_ctx_st;

/*
 * Makes what sessions are made of (owned by the caller, SSL_CTX_free()) from
 * the files of the settings.  NULL: they are not good, and why has one line
 * that begins with the name of the file.
 */
struct ssl_ctx_st *certificate_load(const struct settings *settings,
    char why[CERTIFICATE_WHY_MAX]);

#endif
