/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_ADDRESS_H
#define WSEXEC_ADDRESS_H

/*
 * Addresses of hosts, and networks of them.  An IPv4 address that is written
 * as an IPv6 one ("::ffff:192.0.2.1") is an IPv4 address here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/http.h"

struct address {
	uint8_t bytes[16]; /* network byte order; of IPv4 the first four */
	uint16_t port;	   /* host byte order; 0: none */
	uint8_t family;	   /* AF_INET, AF_INET6; AF_UNIX: no other bytes */
};

struct network {
	struct address address;
	unsigned int bits; /* of it that count */
};

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80" */
bool address_parse(struct slice text, struct address *a);

/* Makes an IPv4 address of one that is written as an IPv6 one. */
void address_normalize(struct address *a);

/*
 * "192.0.2.0/24", "2001:db8::/32", an address, which is a network of one, or
 * "unix" for all of that family
 */
bool network_parse(const char *text, struct network *n);
bool network_has(const struct network *n, const struct address *a);

#endif
