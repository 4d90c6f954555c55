/* SPDX-License-Identifier: ISC */

#include <sha2.h>
#include <stdio.h>
#include <string.h>

#include "core/secret.h"

_Static_assert(SECRET_HASH_SIZE == SHA256_DIGEST_LENGTH, "SHA-256");

static void
secret_hash(const char *prefix, struct slice text,
    uint8_t hash[SECRET_HASH_SIZE])
{
	SHA2_CTX sha2;

	SHA256Init(&sha2);
	SHA256Update(&sha2, (const uint8_t *)prefix, strlen(prefix));
	if (text.size > 0)
		SHA256Update(&sha2, (const uint8_t *)text.data, text.size);
	SHA256Final(hash, &sha2);
	explicit_bzero(&sha2, sizeof(sha2));
}

void
secret_set(struct secret *secret, struct slice text)
{
	secret_hash("", text, secret->hash);
}

bool
secret_is(const struct secret *secret, struct slice given)
{
	uint8_t hash[SECRET_HASH_SIZE], different = 0;
	size_t i;

	secret_hash("", given, hash);
	/* All of it, wherever they differ. */
	for (i = 0; i < sizeof(hash); i++)
		different |= secret->hash[i] ^ hash[i];
	return different == 0;
}

void
secret_make_cookie(const char *token, char value[SECRET_COOKIE_SIZE])
{
	uint8_t hash[SECRET_HASH_SIZE];
	size_t i;

	secret_hash("wsexec cookie ", (struct slice){ token, strlen(token) },
	    hash);
	for (i = 0; i < sizeof(hash); i++)
		(void)snprintf(value + 2 * i, 3, "%02x", hash[i]);
}
