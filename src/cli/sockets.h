/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_SOCKETS_H
#define WSEXEC_SOCKETS_H

/*
 * The sockets that the server listens on: those of the options, and those
 * that were passed.
 */

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"

struct wsexec_server;

#define SOCKETS_URLS_MAX 65536 /* bytes of all addresses, with the NUL */

/*
 * Listens on each of them; passed is how many passed_take() has found.  urls
 * gets the addresses to show, each with a newline, cut to size.  False: one
 * cannot be had, and why has been told.
 */
bool sockets_open(struct wsexec_server *server, const struct options *o,
    int passed, char *urls, size_t size);

#endif
