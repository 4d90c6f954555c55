/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_SECRET_H
#define WSEXEC_SECRET_H

/*
 * What somebody has to know.  Only its hash (SHA-256) is kept, and that is
 * compared, so that the time of a comparison tells nothing of the secret, not
 * even its length.
 *
 * A browser shows a token it has been given by a cookie.  Its value is made
 * from the token so that it opens this server, but does not tell the token.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/http.h"

#define SECRET_HASH_SIZE 32
#define SECRET_COOKIE_SIZE (2 * SECRET_HASH_SIZE + 1) /* digits, and NUL */

struct secret {
	uint8_t hash[SECRET_HASH_SIZE];
};

void secret_set(struct secret *secret, struct slice text);

/* Whether this is the text that it was set to. */
bool secret_is(const struct secret *secret, struct slice given);

/* The value of the cookie that stands for a token. */
void secret_make_cookie(const char *token, char value[SECRET_COOKIE_SIZE]);

#endif
