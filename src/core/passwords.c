/* SPDX-License-Identifier: ISC */

#include <crypt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/basic.h"
#include "core/passwords.h"

#define PASSWORDS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * How hashes begin, and how long what is behind their last $ is (crypt(5)).
 * What else crypt(3) knows is no match for who has got hold of the file, and
 * some passwords look like it.
 */
static const struct {
	const char *prefix;
	size_t size;
} passwords_kinds[] = {
	{ "$2a$", 53 },
	{ "$2b$", 53 },
	{ "$2y$", 53 },
	{ "$5$", 43 },
	{ "$6$", 86 },
	{ "$7$", 43 },
	{ "$y$", 43 },
	{ "$gy$", 43 },
};

static bool
passwords_is_hash(const char *hash)
{
	const char *last = strrchr(hash, '$');
	const int verdict = crypt_checksalt(hash);
	size_t i;

	if (verdict != CRYPT_SALT_OK && verdict != CRYPT_SALT_METHOD_LEGACY)
		return false;
	for (i = 0; last != NULL && i < PASSWORDS_COUNT(passwords_kinds); i++)
		if (strncmp(hash, passwords_kinds[i].prefix,
			strlen(passwords_kinds[i].prefix)) == 0)
			return strlen(last + 1) == passwords_kinds[i].size;
	return false;
}

/* What is wrong with a line, or NULL. */
static const char *
passwords_judge_line(const struct passwords *p, struct slice line,
    const char *hash)
{
	size_t i;

	if (!basic_is_credential(line))
		return "it is not USER:HASH";
	if (!passwords_is_hash(hash))
		return "the hash is none of bcrypt, yescrypt, scrypt, "
		       "SHA-256 or SHA-512 of crypt(5)";
	for (i = 0; i < p->count; i++)
		if (strlen(p->all[i].name) == (size_t)(hash - 1 - line.data) &&
		    memcmp(p->all[i].name, line.data, strlen(p->all[i].name)) ==
			0)
			return "this user was there already";
	return NULL;
}

/* A line, which has a NUL in its place of a newline. */
static const char *
passwords_add(struct passwords *p, struct slice line)
{
	const char *colon = strchr(line.data, ':'), *why;
	struct password *all, *added;

	if ((why = passwords_judge_line(p, line,
		 colon != NULL ? colon + 1 : line.data)) != NULL)
		return why;
	all = realloc(p->all, (p->count + 1) * sizeof(*all));
	if (all == NULL)
		return "out of memory";
	p->all = all;
	added = &all[p->count++];
	added->name = strndup(line.data, (size_t)(colon - line.data));
	added->hash = strdup(colon + 1);
	if (added->name == NULL || added->hash == NULL)
		return "out of memory";
	return NULL;
}

/* Of a copy, so that each line can end with a NUL. */
static bool
passwords_parse_copy(struct passwords *p, char *copy, char *why, size_t size)
{
	const char *mistake;
	struct slice line;
	size_t number = 0;
	char *next = copy;

	while ((line.data = strsep(&next, "\n")) != NULL) {
		number++;
		line.size = strlen(line.data);
		if (line.size > 0 && line.data[line.size - 1] == '\r')
			copy[line.data - copy + (ptrdiff_t)--line.size] = '\0';
		if (line.size == 0 || line.data[0] == '#')
			continue;
		if ((mistake = passwords_add(p, line)) != NULL) {
			(void)snprintf(why, size, "line %zu: %s", number,
			    mistake);
			return false;
		}
	}
	if (p->count == 0)
		(void)snprintf(why, size, "there is no user in it");
	return p->count > 0;
}

bool
passwords_parse(struct passwords *p, struct slice bytes, char *why, size_t size)
{
	char *copy;
	bool parsed;

	memset(p, 0, sizeof(*p));
	if (bytes.size > 0 && memchr(bytes.data, '\0', bytes.size) != NULL) {
		(void)snprintf(why, size, "it is not a text");
		return false;
	}
	if ((copy = calloc(1, bytes.size + 1)) == NULL) {
		(void)snprintf(why, size, "out of memory");
		return false;
	}
	if (bytes.size > 0)
		memcpy(copy, bytes.data, bytes.size);
	parsed = passwords_parse_copy(p, copy, why, size);
	freezero(copy, bytes.size + 1);
	if (!parsed)
		passwords_clear(p);
	return parsed;
}

void
passwords_clear(struct passwords *p)
{
	size_t i;

	for (i = 0; i < p->count; i++) {
		free(p->all[i].name);
		if (p->all[i].hash != NULL)
			freezero(p->all[i].hash, strlen(p->all[i].hash));
	}
	free(p->all);
	memset(p, 0, sizeof(*p));
}

/* By chance, but always the same one, as a user would be. */
static size_t
passwords_stand_in(const struct passwords *p, struct slice name,
    const struct secret *seed)
{
	char text[SECRET_HASH_SIZE + BASIC_MAX];
	struct secret chance;
	uint32_t number;

	if (name.size > BASIC_MAX)
		name.size = BASIC_MAX;
	memcpy(text, seed->hash, SECRET_HASH_SIZE);
	memcpy(text + SECRET_HASH_SIZE, name.data, name.size);
	secret_set(&chance,
	    (struct slice){ text, SECRET_HASH_SIZE + name.size });
	memcpy(&number, chance.hash, sizeof(number));
	return number % p->count;
}

const struct password *
passwords_find(const struct passwords *p, struct slice name,
    const struct secret *seed, bool *is_known)
{
	size_t found = passwords_stand_in(p, name, seed), i;

	*is_known = false;
	for (i = 0; i < p->count; i++) {
		if (!slice_equals(name, p->all[i].name))
			continue;
		found = i;
		*is_known = true;
	}
	return &p->all[found];
}

bool
password_is(const struct password *password, const char *text,
    struct crypt_data *data)
{
	const char *hash = crypt_r(text, password->hash, data);
	struct secret wanted;
	bool is_right;

	secret_set(&wanted,
	    (struct slice){ password->hash, strlen(password->hash) });
	/* What has failed begins with an asterisk, as no hash does. */
	is_right = hash != NULL &&
	    secret_is(&wanted, (struct slice){ hash, strlen(hash) });
	explicit_bzero(data, sizeof(*data));
	return is_right;
}
