/* SPDX-License-Identifier: ISC */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/log.h"
#include "cli/token.h"

#define TOKEN_FRESH_BYTES 16 /* of randomness, shown as hexadecimal digits */
#define TOKEN_LEAST 8	     /* characters of one that is given */

static bool
token_is_loopback(const char *address)
{
	return strcmp(address, "localhost") == 0 ||
	    strcmp(address, "::1") == 0 || strncmp(address, "127.", 4) == 0;
}

/* Whether others than this machine can reach one of our addresses. */
static bool
token_is_needed(const struct options *o, bool is_public)
{
	/* Who must show a certificate needs no other secret. */
	const bool is_open = !o->no_auth && o->tls_client_ca == NULL;
	size_t i;

	if (o->token || (is_public && is_open))
		return true;
	for (i = 0; is_open && o->addresses[i] != NULL; i++)
		if (!token_is_loopback(o->addresses[i]))
			return true;
	return false;
}

static void
token_make(char token[TOKEN_MAX])
{
	unsigned char bytes[TOKEN_FRESH_BYTES];
	size_t i;

	arc4random_buf(bytes, sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++)
		(void)snprintf(token + 2 * i, 3, "%02x", bytes[i]);
}

/* It goes into URLs as it is. */
static bool
token_is_good(const char *token, const char *where)
{
	size_t i;

	for (i = 0; token[i] != '\0'; i++) {
		if (!isalnum((unsigned char)token[i]) &&
		    strchr("-._~", token[i]) == NULL) {
			log_warn("%s: a token may have only letters, digits "
				 "and -._~",
			    where);
			return false;
		}
	}
	if (i < TOKEN_LEAST || i >= TOKEN_MAX) {
		log_warn("%s: a token of %zu characters is not in %d..%d",
		    where, i, TOKEN_LEAST, TOKEN_MAX - 1);
		return false;
	}
	return true;
}

/* The first line of a file. */
static bool
token_read(const char *path, char token[TOKEN_MAX])
{
	char line[2 * TOKEN_MAX] = "";
	FILE *file;

	if ((file = fopen(path, "re")) == NULL) {
		log_warn("--token-file: %s: %s", path, strerror(errno));
		return false;
	}
	if (fgets(line, sizeof(line), file) != NULL)
		line[strcspn(line, "\r\n")] = '\0';
	fclose(file);
	if (!token_is_good(line, "--token-file"))
		return false;
	(void)strlcpy(token, line, TOKEN_MAX);
	return true;
}

bool
token_find(const struct options *o, bool is_public, char token[TOKEN_MAX])
{
	const char *given = getenv("WSEXEC_TOKEN");

	token[0] = '\0';
	if (o->token_file != NULL)
		return token_read(o->token_file, token);
	if (given != NULL) {
		if (!token_is_good(given, "WSEXEC_TOKEN"))
			return false;
		(void)strlcpy(token, given, TOKEN_MAX);
		return true;
	}
	if (token_is_needed(o, is_public))
		token_make(token);
	return true;
}
