/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_TOKEN_H
#define WSEXEC_TOKEN_H

/*
 * The token that clients must show: one that was given, or a fresh one as
 * soon as others than this machine can reach the server.
 */

#include <stdbool.h>

#include "cli/options.h"

#define TOKEN_MAX 128 /* characters, with the NUL */

/*
 * Fills token; "": none is asked for.  False: it cannot be had, and why has
 * been told.  is_public: others can reach the server also where the options
 * do not say so.
 */
bool token_find(const struct options *o, bool is_public, char token[TOKEN_MAX]);

#endif
