/* SPDX-License-Identifier: ISC */

#include <arpa/inet.h>

#include <string.h>

#include "core/address.h"

#define PORT_DIGITS 5 /* of a port at most */
#define BITS_DIGITS 3 /* of a number of bits at most */
#define MAPPED_BITS 96

static const uint8_t
    mapped_prefix[MAPPED_BITS / 8] = { [10] = 0xff, [11] = 0xff };

static unsigned int
family_bits(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

void
address_normalize(struct address *a)
{
	if (a->family != AF_INET6 ||
	    memcmp(a->bytes, mapped_prefix, sizeof(mapped_prefix)) != 0)
		return;
	memmove(a->bytes, a->bytes + sizeof(mapped_prefix), 4);
	memset(a->bytes + 4, 0, sizeof(a->bytes) - 4);
	a->family = AF_INET;
}

/* An address without a port, as inet_pton(3) takes it. */
static bool
parse_host(struct slice text, uint8_t family, struct address *a)
{
	char string[INET6_ADDRSTRLEN];

	if (text.size == 0 || text.size >= sizeof(string) ||
	    memchr(text.data, '\0', text.size) != NULL)
		return false;
	memcpy(string, text.data, text.size);
	string[text.size] = '\0';
	a->family = family;
	return inet_pton(family, string, a->bytes) == 1;
}

/* A number of at most so many digits; more than most is none. */
static bool
parse_number(struct slice text, size_t digits, unsigned int most,
    unsigned int *number)
{
	size_t i;

	*number = 0;
	for (i = 0; i < text.size && i <= digits; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		*number = *number * 10 + (unsigned int)(text.data[i] - '0');
	}
	return i > 0 && i <= digits && *number <= most;
}

static struct slice
slice_from(struct slice text, const char *begin)
{
	return (struct slice){ begin, (size_t)(text.data + text.size - begin) };
}

static bool
parse_port(struct slice text, struct address *a)
{
	unsigned int port;

	if (text.size == 0 || text.data[0] != ':' ||
	    !parse_number(slice_from(text, text.data + 1), PORT_DIGITS,
		UINT16_MAX, &port))
		return false;
	a->port = (uint16_t)port;
	return true;
}

bool
address_parse(struct slice text, struct address *a)
{
	struct slice host = text, rest = { NULL, 0 };
	uint8_t family = AF_INET6;
	const char *end;

	memset(a, 0, sizeof(*a));
	if (text.size == 0)
		return false;
	if (text.data[0] == '[') {
		if ((end = memchr(text.data, ']', text.size)) == NULL)
			return false;
		host.data++;
		host.size = (size_t)(end - host.data);
		rest = slice_from(text, end + 1);
	} else if (memchr(text.data, '.', text.size) != NULL &&
	    text.data[0] != ':' &&
	    (end = memrchr(text.data, ':', text.size)) ==
		memchr(text.data, ':', text.size)) {
		/* Dots, and at most one colon: an IPv4 address. */
		family = AF_INET;
		if (end != NULL) {
			host.size = (size_t)(end - host.data);
			rest = slice_from(text, end);
		}
	}
	if (!parse_host(host, family, a) ||
	    (rest.size > 0 && !parse_port(rest, a)))
		return false;
	address_normalize(a);
	return true;
}

bool
network_parse(const char *text, struct network *n)
{
	const char *mark = strchr(text, '/');
	struct slice host = { text,
		mark != NULL ? (size_t)(mark - text) : strlen(text) };
	uint8_t family =
	    memchr(text, ':', host.size) != NULL ? AF_INET6 : AF_INET;

	memset(n, 0, sizeof(*n));
	if (strcmp(text, "unix") == 0) {
		n->address.family = AF_UNIX;
		return true;
	}
	if (!parse_host(host, family, &n->address))
		return false;
	n->bits = family_bits(family);
	if (mark != NULL &&
	    !parse_number((struct slice){ mark + 1, strlen(mark + 1) },
		BITS_DIGITS, n->bits, &n->bits))
		return false;
	if (family == AF_INET6 && n->bits >= MAPPED_BITS) {
		address_normalize(&n->address);
		if (n->address.family == AF_INET)
			n->bits -= MAPPED_BITS;
	}
	return true;
}

bool
network_has(const struct network *n, const struct address *a)
{
	const size_t whole = n->bits / 8;
	const unsigned int rest = n->bits % 8;

	if (a->family != n->address.family ||
	    memcmp(a->bytes, n->address.bytes, whole) != 0)
		return false;
	return rest == 0 ||
	    (a->bytes[whole] ^ n->address.bytes[whole]) >> (8 - rest) == 0;
}
