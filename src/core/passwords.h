/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_PASSWORDS_H
#define WSEXEC_PASSWORDS_H

/*
 * The users of a file and the hashes of their passwords, a line for each:
 *
 *	anna:$2y$10$...
 *	# Comments and empty lines count for nothing.
 *
 * A check takes as long as whoever has made the hash has wanted, for a user
 * that is not there as well.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/http.h"
#include "core/secret.h"

struct crypt_data;

struct password {
	char *name; /* owned */
	char *hash; /* owned: for crypt(3) */
};

struct passwords {
	struct password *all; /* owned */
	size_t count;
};

/*
 * Takes the bytes of a file.  False: one of its lines is not right, there is
 * none, or there is no memory; why is one line, which shows no hash, and
 * nothing is left in *p.
 */
bool passwords_parse(struct passwords *p, struct slice bytes, char *why,
    size_t size);
void passwords_clear(struct passwords *p);

/*
 * The user of that name.  *is_known is false where there is none: then it is
 * one whose check takes as long, always the same for a name and a seed.
 */
const struct password *passwords_find(const struct passwords *p,
    struct slice name, const struct secret *seed, bool *is_known);

/* Whether this is the password; data is all zero before the first time. */
bool password_is(const struct password *password, const char *text,
    struct crypt_data *data);

#endif
