/* SPDX-License-Identifier: ISC */

/*
 * Hosts are compared as parsed, never as prefixes or parts of strings: what
 * does not parse matches nothing.
 */

#include <arpa/inet.h>

#include <stdint.h>
#include <string.h>

#include "core/origin.h"

#define HOST_MAX 253  /* bytes of a DNS name without its last dot */
#define PORT_DIGITS 5 /* of a port at most */

struct authority {
	struct slice host; /* borrowed; without brackets and last dot */
	bool is_literal;   /* an IP address, not a name */
	unsigned int port; /* 0: none given */
};

/* A parsed Origin field (RFC 6454 section 7). */
struct origin {
	struct slice scheme; /* borrowed */
	struct authority authority;
};

static bool
is_ip_address(struct slice s, int family)
{
	char string[INET6_ADDRSTRLEN];
	struct in6_addr address; /* room for either */

	if (s.size >= sizeof(string) || memchr(s.data, '\0', s.size) != NULL)
		return false;
	memcpy(string, s.data, s.size);
	string[s.size] = '\0';
	return inet_pton(family, string, &address) == 1;
}

static bool
is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Names of letters, digits, '-' and '_' with single dots between them. */
static bool
is_name(struct slice s)
{
	bool is_after_dot = true;
	size_t i;

	for (i = 0; i < s.size; i++) {
		if (s.data[i] == '.' ? is_after_dot : !is_name_byte(s.data[i]))
			return false;
		is_after_dot = s.data[i] == '.';
	}
	return s.size <= HOST_MAX && !is_after_dot;
}

static bool
parse_host(struct slice text, struct authority *a)
{
	a->host = text;
	a->is_literal = is_ip_address(text, AF_INET);
	if (a->is_literal)
		return true;
	if (text.size > 0 && text.data[text.size - 1] == '.')
		a->host.size--;
	return is_name(a->host);
}

/* The address in brackets at the start of text; *rest is behind it. */
static bool
parse_bracketed(struct slice text, struct authority *a, struct slice *rest)
{
	const char *close = memchr(text.data, ']', text.size);
	size_t used;

	if (close == NULL)
		return false;
	used = (size_t)(close - text.data) + 1;
	a->host.data = text.data + 1;
	a->host.size = used - 2;
	a->is_literal = true;
	rest->data = text.data + used;
	rest->size = text.size - used;
	return is_ip_address(a->host, AF_INET6);
}

/* Nothing, or a colon and a number from 1 to 65535. */
static bool
parse_port(struct slice text, unsigned int *port)
{
	size_t i;

	*port = 0;
	if (text.size == 0)
		return true;
	if (text.data[0] != ':' || text.size > 1 + PORT_DIGITS)
		return false;
	for (i = 1; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		*port = *port * 10 + (unsigned int)(text.data[i] - '0');
	}
	return *port >= 1 && *port <= UINT16_MAX;
}

static bool
parse_authority(struct slice text, struct authority *a)
{
	struct slice host = text, rest = { text.data + text.size, 0 };
	const char *colon;

	if (text.size == 0)
		return false;
	if (text.data[0] == '[')
		return parse_bracketed(text, a, &rest) &&
		    parse_port(rest, &a->port);
	if ((colon = memchr(text.data, ':', text.size)) != NULL) {
		host.size = (size_t)(colon - text.data);
		rest.data = colon;
		rest.size = text.size - host.size;
	}
	return parse_host(host, a) && parse_port(rest, &a->port);
}

static struct slice
slice_of(const char *string)
{
	struct slice s = { string, strlen(string) };

	return s;
}

static bool
is_same_host(const struct authority *a, const struct authority *b)
{
	return a->is_literal == b->is_literal &&
	    slice_equals_slice_nocase(a->host, b->host);
}

/* A name below ".localhost" never leaves the machine (RFC 6761 6.3). */
static bool
is_localhost(const struct authority *a)
{
	static const char top[] = "localhost";
	size_t top_size = sizeof(top) - 1;
	struct slice end = a->host;

	if (a->host.size > top_size) {
		end.data += a->host.size - top_size;
		end.size = top_size;
		if (end.data[-1] != '.')
			return false;
	}
	return slice_equals_nocase(end, top);
}

bool
origin_host_is_allowed(struct slice host, const char *const *names)
{
	struct authority asked, allowed;

	if (!parse_authority(host, &asked))
		return false;
	if (asked.is_literal || is_localhost(&asked))
		return true;
	for (; names != NULL && *names != NULL; names++)
		if (parse_authority(slice_of(*names), &allowed) &&
		    is_same_host(&asked, &allowed))
			return true;
	return false;
}

/* 0: not a scheme that pages come from. */
static unsigned int
default_port(struct slice scheme)
{
	if (slice_equals_nocase(scheme, "http"))
		return 80;
	return slice_equals_nocase(scheme, "https") ? 443 : 0;
}

static bool
parse_origin(struct slice text, struct origin *o)
{
	static const char separator[] = "://";
	size_t separator_size = sizeof(separator) - 1;
	struct slice rest;
	const char *found;

	if (text.size == 0)
		return false;
	found = memmem(text.data, text.size, separator, separator_size);
	if (found == NULL)
		return false;
	o->scheme.data = text.data;
	o->scheme.size = (size_t)(found - text.data);
	rest.data = found + separator_size;
	rest.size = text.size - o->scheme.size - separator_size;
	if (default_port(o->scheme) == 0 ||
	    !parse_authority(rest, &o->authority))
		return false;
	if (o->authority.port == 0)
		o->authority.port = default_port(o->scheme);
	return true;
}

static bool
is_same_authority(const struct authority *a, const struct authority *b)
{
	return is_same_host(a, b) && a->port == b->port;
}

bool
origin_is_allowed(struct slice origin, struct slice host,
    const char *const *extra, bool over_tls)
{
	struct origin asked, allowed;
	struct authority own;

	if (!parse_origin(origin, &asked))
		return false;
	if ((!over_tls || slice_equals_nocase(asked.scheme, "https")) &&
	    parse_authority(host, &own)) {
		if (own.port == 0)
			own.port = default_port(asked.scheme);
		if (is_same_authority(&asked.authority, &own))
			return true;
	}
	for (; extra != NULL && *extra != NULL; extra++)
		if (parse_origin(slice_of(*extra), &allowed) &&
		    slice_equals_slice_nocase(asked.scheme, allowed.scheme) &&
		    is_same_authority(&asked.authority, &allowed.authority))
			return true;
	return false;
}
