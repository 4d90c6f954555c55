/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_TOKEN_H
#define WSEXEC_TOKEN_H

/*
 * The tokens that clients must show: those that were given, or fresh ones as
 * soon as others than this machine can reach the server.
 */

#include <stdbool.h>

#include "cli/options.h"

#define TOKEN_MAX 128 /* characters, with the NUL */

/* "": there is none.  Without any, nothing has to be shown. */
struct tokens {
	char all[TOKEN_MAX];   /* for everything */
	char read[TOKEN_MAX];  /* for watching; there is write as well then */
	char write[TOKEN_MAX]; /* for sending input, too */
};

/*
 * Takes secrets out of the memory in which the environment came, which others
 * can read in /proc; getenv(3) goes on finding them.  To be called before that
 * memory is used for anything else.  False: out of memory.
 */
bool token_hide_environment(void);

/*
 * False: they cannot be had, and why has been told.  is_public: others can
 * reach the server also where the options do not say so.
 */
bool token_find(const struct options *o, bool is_public, struct tokens *tokens);

/* Whether there is any. */
bool token_is_asked_for(const struct tokens *tokens);

#endif
