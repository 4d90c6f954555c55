/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_KEYS_H
#define WSEXEC_KEYS_H

/*
 * The tokens that open a server, what each of them opens, and the ways by
 * which a request can show one; and a user's name and password that open it:
 *
 *	Authorization: Bearer TOKEN                programs
 *	Authorization: Basic BASE64                the name and the password:
 *	                                           browsers, which ask for them
 *	/?token=TOKEN                              one paste; a page is given a
 *	                                           cookie for it
 *	Cookie: wsexec-PORT=VALUE                  the page, after that
 *	Sec-WebSocket-Protocol: wsexec.v1, wsexec.token.BASE64URL
 *	                                           scripts of browsers, which can
 *	                                           set no other field
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/secret.h"

struct http_request;
struct query;

struct buffer;

#define KEYS_MAX 3		  /* for all, for reading, for writing */
#define KEYS_PROTOCOL "wsexec.v1" /* what is answered to the last way */
#define KEYS_COOKIE_NAME_MAX 16	  /* with NUL */

enum key_right {
	KEY_READ = 1 << 0,  /* to get output */
	KEY_WRITE = 1 << 1, /* to send input, where anybody may */
	KEY_ALL = KEY_READ | KEY_WRITE,
};

struct key {
	struct secret secret;	/* the token */
	struct secret cookie;	/* the value of its cookie */
	struct secret protocol; /* the name of the subprotocol that shows it */
	unsigned int rights;	/* of enum key_right */
};

enum key_way {
	KEY_BY_COOKIE = 1 << 0,
	KEY_BY_OTHERS = 1 << 1,
};

struct keys {
	struct key all[KEYS_MAX];
	/* Owned, NULL-terminated: themselves, to show and to redact them. */
	char *tokens[KEYS_MAX + 1];
	size_t count;
	struct secret credential; /* a name, a colon and a password */
	char *user;		  /* owned: that name; NULL: there is none */
	bool takes_users;	  /* that one, or some of a file */
};

/* What a request has shown. */
struct shown {
	unsigned int rights;
	bool is_wrong; /* something was shown, and nothing that is right */
	const struct key *query; /* the key of its parameter, or NULL */
	const char *user;	 /* whose password it was; NULL: no such */
};

/* Adds a token (copied; NULL: none).  False: out of memory. */
bool keys_add(struct keys *keys, const char *token, unsigned int rights);

/* The same for a name and a password, for everything. */
bool keys_set_credential(struct keys *keys, const char *credential);

void keys_clear(struct keys *keys);

/* The token of a key that is one of them. */
const char *keys_token(const struct keys *keys, const struct key *key);

/*
 * What a request opens by what it shows.  ways: whether its cookie counts, and
 * what is shown in all other ways.  Where there is nothing to show, everything
 * is open.
 */
struct shown keys_find(const struct keys *keys,
    const struct http_request *request, const struct query *q,
    unsigned int ways);

/* Appends the fields WWW-Authenticate that belong to 401. */
void keys_append_challenge(struct buffer *out, const struct keys *keys);

/*
 * The name of the cookie.  Browsers do not tell ports of a host apart, so the
 * one that this request was sent to is in it.
 */
void keys_cookie_name(const struct http_request *request,
    char name[KEYS_COOKIE_NAME_MAX]);

#endif
