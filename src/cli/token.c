/* SPDX-License-Identifier: ISC */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/credential.h"
#include "cli/log.h"
#include "cli/token.h"

#define TOKEN_FRESH_BYTES 16 /* of randomness, shown as hexadecimal digits */
#define TOKEN_LEAST 8	     /* characters of one that is given */

static const char *const token_variables[] = {
	"WSEXEC_TOKEN",
	"WSEXEC_READ_TOKEN",
	"WSEXEC_WRITE_TOKEN",
	"WSEXEC_CREDENTIAL",
};

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
	/* Who must show a certificate or a password needs no other secret. */
	const bool is_open = !o->no_auth && o->tls_client_ca == NULL &&
	    !credential_is_asked_for(o);
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
token_read(const char *option, const char *path, char token[TOKEN_MAX])
{
	char line[2 * TOKEN_MAX] = "";
	FILE *file;
	bool is_good;

	if ((file = fopen(path, "re")) == NULL) {
		log_warn("%s: %s: %s", option, path, strerror(errno));
		return false;
	}
	/* No copy of it in a buffer of the library. */
	(void)setvbuf(file, NULL, _IONBF, 0);
	if (fgets(line, sizeof(line), file) != NULL)
		line[strcspn(line, "\r\n")] = '\0';
	fclose(file);
	if ((is_good = token_is_good(line, option)))
		(void)strlcpy(token, line, TOKEN_MAX);
	explicit_bzero(line, sizeof(line));
	return is_good;
}

/* One that was given, by a file or else by the environment, or "". */
static bool
token_take(const char *option, const char *path, const char *variable,
    char token[TOKEN_MAX])
{
	const char *given = getenv(variable);

	token[0] = '\0';
	if (path != NULL)
		return token_read(option, path, token);
	if (given == NULL)
		return true;
	if (!token_is_good(given, variable))
		return false;
	(void)strlcpy(token, given, TOKEN_MAX);
	return true;
}

/* Those for watching and for writing: both, or none. */
static bool
token_find_apart(const struct options *o, struct tokens *tokens)
{
	if (!token_take("--read-token-file", o->read_token_file,
		"WSEXEC_READ_TOKEN", tokens->read) ||
	    !token_take("--write-token-file", o->write_token_file,
		"WSEXEC_WRITE_TOKEN", tokens->write))
		return false;
	if (!o->read_token && !o->write_token && tokens->read[0] == '\0' &&
	    tokens->write[0] == '\0')
		return true;
	if (!o->writable) {
		log_warn("a token for watching or for writing needs "
			 "--writable; one for all is --token");
		return false;
	}
	if (tokens->read[0] == '\0')
		token_make(tokens->read);
	if (tokens->write[0] == '\0')
		token_make(tokens->write);
	if (strcmp(tokens->read, tokens->write) == 0) {
		log_warn("the token for watching is that for writing; take "
			 "another one");
		return false;
	}
	return true;
}

bool
token_find(const struct options *o, bool is_public, struct tokens *tokens)
{
	if (!token_take("--token-file", o->token_file, "WSEXEC_TOKEN",
		tokens->all) ||
	    !token_find_apart(o, tokens))
		return false;
	if (!token_is_asked_for(tokens) && token_is_needed(o, is_public))
		token_make(tokens->all);
	return true;
}

bool
token_is_asked_for(const struct tokens *tokens)
{
	return tokens->all[0] != '\0' || tokens->read[0] != '\0';
}

bool
token_hide_environment(void)
{
	char *value, *copy;
	size_t i;

	for (i = 0; i < sizeof(token_variables) / sizeof(token_variables[0]);
	     i++) {
		if ((value = getenv(token_variables[i])) == NULL)
			continue;
		if ((copy = strdup(value)) == NULL)
			return false;
		explicit_bzero(value, strlen(value));
		if (setenv(token_variables[i], copy, 1) == -1)
			return false;
		freezero(copy, strlen(copy));
	}
	return true;
}
