/* SPDX-License-Identifier: ISC */

#include <netinet/in.h>

#include <err.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

#define LOOPBACK_NET 127

static void
target_resolve(struct target *t, const char *name, const char *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	int error = getaddrinfo(name, port, &hints, &found);

	if (error != 0)
		errx(1, "%s: %s", t->host, gai_strerror(error));
	memcpy(&t->address, found->ai_addr, found->ai_addrlen);
	t->address_size = found->ai_addrlen;
	freeaddrinfo(found);
}

void
target_parse(struct target *t, const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *host = scheme == NULL ? url : scheme + 3;
	size_t size = strcspn(host, "/");
	char name[TARGET_HOST_MAX];
	char *port, *begin = name;

	if (size >= sizeof(name))
		errx(2, "'%s': too long a name", url);
	t->path = host[size] == '\0' ? "/" : host + size;
	memcpy(t->host, host, size);
	t->host[size] = '\0';
	memcpy(name, t->host, size + 1);
	port = strrchr(name, ':');
	if (port == NULL || port[1] == '\0' || strchr(port, ']') != NULL)
		errx(2, "'%s' is not ADDRESS:PORT or ws://ADDRESS:PORT/PATH",
		    url);
	*port++ = '\0';
	if (*begin == '[') {
		begin++;
		begin[strcspn(begin, "]")] = '\0';
	}
	target_resolve(t, begin, port);
}

bool
target_is_loopback(const struct target *t)
{
	const struct sockaddr_in *in = (const void *)&t->address;

	return t->address.ss_family == AF_INET &&
	    ntohl(in->sin_addr.s_addr) >> 24 == LOOPBACK_NET;
}
