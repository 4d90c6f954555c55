/* SPDX-License-Identifier: ISC */

#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/basic.h"
#include "core/buffer.h"
#include "core/http.h"
#include "core/query.h"
#include "net/keys.h"

#define KEYS_PROTOCOL_PREFIX "wsexec.token."
#define KEYS_PROTOCOL_MAX (sizeof(KEYS_PROTOCOL_PREFIX) + 2 * QUERY_TOKEN_MAX)

static struct slice
keys_slice(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/* RFC 4648 section 5, without padding: what may stand in a protocol's name. */
static void
keys_make_protocol(const char *token, char *name, size_t size)
{
	char *p = name + strlcpy(name, KEYS_PROTOCOL_PREFIX, size);

	(void)b64_ntop((const unsigned char *)token, strlen(token), p,
	    size - strlen(KEYS_PROTOCOL_PREFIX));
	for (; *p != '\0' && *p != '='; p++) {
		if (*p == '+')
			*p = '-';
		else if (*p == '/')
			*p = '_';
	}
	*p = '\0';
}

bool
keys_add(struct keys *keys, const char *token, unsigned int rights)
{
	char protocol[KEYS_PROTOCOL_MAX], cookie[SECRET_COOKIE_SIZE];
	struct key *key = &keys->all[keys->count];

	if (token == NULL)
		return true;
	if ((keys->tokens[keys->count] = strdup(token)) == NULL)
		return false;
	keys->count++;
	key->rights = rights;
	secret_set(&key->secret, keys_slice(token));
	keys_make_protocol(token, protocol, sizeof(protocol));
	secret_set(&key->protocol, keys_slice(protocol));
	secret_make_cookie(token, cookie);
	secret_set(&key->cookie, keys_slice(cookie));
	explicit_bzero(protocol, sizeof(protocol));
	return true;
}

bool
keys_set_credential(struct keys *keys, const char *credential)
{
	if (credential == NULL)
		return true;
	keys->user = strndup(credential, strcspn(credential, ":"));
	secret_set(&keys->credential, keys_slice(credential));
	return keys->user != NULL;
}

void
keys_clear(struct keys *keys)
{
	size_t i;

	for (i = 0; i < keys->count; i++)
		freezero(keys->tokens[i], strlen(keys->tokens[i]));
	keys->count = 0;
	free(keys->user);
	keys->user = NULL;
}

const char *
keys_token(const struct keys *keys, const struct key *key)
{
	return keys->tokens[key - keys->all];
}

/* All are looked at, whichever it is. */
static const struct key *
keys_match(const struct keys *keys, size_t member, struct slice given)
{
	const struct key *found = NULL;
	size_t i;

	for (i = 0; given.size > 0 && i < keys->count; i++) {
		const char *key = (const char *)&keys->all[i];

		if (secret_is((const void *)(key + member), given))
			found = &keys->all[i];
	}
	return found;
}

/* What follows "Bearer", or nothing. */
static struct slice
keys_bearer(const struct http_request *request)
{
	static const char scheme[] = "Bearer ";
	const size_t skip = sizeof(scheme) - 1;
	const struct slice *field = http_field(request, "authorization");

	if (field == NULL || field->size < skip ||
	    strncasecmp(field->data, scheme, skip) != 0)
		return (struct slice){ "", 0 };
	return slice_trim(
	    (struct slice){ field->data + skip, field->size - skip });
}

/* The protocol whose name shows a token, or nothing. */
static struct slice
keys_protocol(const struct http_request *request)
{
	static const char prefix[] = KEYS_PROTOCOL_PREFIX;
	const struct slice *field =
	    http_field(request, "sec-websocket-protocol");
	struct slice list = { "", 0 }, item;

	if (field != NULL)
		list = *field;
	while (list.size > 0) {
		item = slice_trim(http_take_item(&list, ','));
		if (item.size >= sizeof(prefix) &&
		    memcmp(item.data, prefix, sizeof(prefix) - 1) == 0)
			return item;
	}
	return (struct slice){ "", 0 };
}

void
keys_cookie_name(const struct http_request *request,
    char name[KEYS_COOKIE_NAME_MAX])
{
	const struct slice *host = http_field(request, "host");
	size_t digits = 0;

	while (host != NULL && digits < host->size && digits < 5 &&
	    host->data[host->size - 1 - digits] >= '0' &&
	    host->data[host->size - 1 - digits] <= '9')
		digits++;
	if (digits == 0 || digits == host->size ||
	    host->data[host->size - 1 - digits] != ':')
		(void)strlcpy(name, "wsexec", KEYS_COOKIE_NAME_MAX);
	else
		(void)snprintf(name, KEYS_COOKIE_NAME_MAX, "wsexec-%.*s",
		    (int)digits, host->data + host->size - digits);
}

/* RFC 6265 section 4.2: "a=b; c=d" */
static struct slice
keys_cookie(const struct http_request *request)
{
	const struct slice *field = http_field(request, "cookie");
	char name[KEYS_COOKIE_NAME_MAX];
	struct slice list = { "", 0 }, item;
	size_t size;

	keys_cookie_name(request, name);
	size = strlen(name);
	if (field != NULL)
		list = *field;
	while (list.size > 0) {
		item = slice_trim(http_take_item(&list, ';'));
		if (item.size > size && item.data[size] == '=' &&
		    memcmp(item.data, name, size) == 0)
			return (struct slice){ item.data + size + 1,
				item.size - size - 1 };
	}
	return (struct slice){ "", 0 };
}

/* Looks for a name and a password, where there is something to compare. */
static void
keys_find_user(const struct keys *keys, const struct http_request *request,
    struct shown *shown)
{
	const struct slice *field = http_field(request, "authorization");
	struct basic basic;

	if (!keys->takes_users || field == NULL || !basic_is_shown(*field))
		return;
	if (basic_parse(*field, &basic) && keys->user != NULL &&
	    secret_is(&keys->credential,
		(struct slice){ basic.text, basic.size }))
		shown->user = keys->user;
	else
		shown->is_wrong = true;
	explicit_bzero(&basic, sizeof(basic));
}

void
keys_append_challenge(struct buffer *out, const struct keys *keys)
{
	if (keys->takes_users)
		buffer_append_string(out,
		    "WWW-Authenticate: Basic realm=\"wsexec\", "
		    "charset=\"UTF-8\"\r\n");
	if (keys->count > 0)
		buffer_append_string(out, "WWW-Authenticate: Bearer\r\n");
}

static unsigned int
keys_rights(const struct key *key)
{
	return key != NULL ? key->rights : 0;
}

/* What is shown anew, by whoever knows a token. */
static void
keys_find_others(const struct keys *keys, const struct http_request *request,
    const struct query *q, struct shown *shown)
{
	const size_t secret = offsetof(struct key, secret);
	const struct slice bearer = keys_bearer(request),
			   protocol = keys_protocol(request),
			   query = keys_slice(q->token);

	shown->query = keys_match(keys, secret, query);
	shown->rights |= keys_rights(shown->query) |
	    keys_rights(keys_match(keys, secret, bearer)) |
	    keys_rights(
		keys_match(keys, offsetof(struct key, protocol), protocol));
	keys_find_user(keys, request, shown);
	if (shown->user != NULL)
		shown->rights = KEY_ALL;
	if (bearer.size + protocol.size + query.size > 0)
		shown->is_wrong = true;
	if (shown->rights != 0)
		shown->is_wrong = false;
}

struct shown
keys_find(const struct keys *keys, const struct http_request *request,
    const struct query *q, unsigned int ways)
{
	struct shown shown = { .rights = KEY_ALL };

	if (keys->count == 0 && !keys->takes_users)
		return shown;
	shown.rights = 0;
	if ((ways & KEY_BY_COOKIE) != 0)
		shown.rights = keys_rights(keys_match(keys,
		    offsetof(struct key, cookie), keys_cookie(request)));
	if ((ways & KEY_BY_OTHERS) != 0)
		keys_find_others(keys, request, q, &shown);
	return shown;
}
