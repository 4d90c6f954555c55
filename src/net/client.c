/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "core/address.h"
#include "core/forwarded.h"
#include "core/peers.h"
#include "net/client.h"
#include "net/connection.h"
#include "net/server.h"

/* Who is at the other end of a Unix socket, which has no address. */
static void
client_set_local(struct connection *c, int fd)
{
	struct ucred who = { .pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	socklen_t size = sizeof(who);

	_Static_assert(sizeof(who) <= sizeof(c->address), "it has no room");
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size);
	memcpy(c->address, &who, sizeof(who));
}

static void
client_set_peer(struct connection *c, int fd, const struct sockaddr *peer)
{
	const struct sockaddr_in *in4;
	const struct sockaddr_in6 *in6;

	c->family = (uint8_t)peer->sa_family;
	if (peer->sa_family == AF_INET) {
		in4 = (const struct sockaddr_in *)(const void *)peer;
		memcpy(c->address, &in4->sin_addr, sizeof(in4->sin_addr));
		c->port = ntohs(in4->sin_port);
	} else if (peer->sa_family == AF_INET6) {
		in6 = (const struct sockaddr_in6 *)(const void *)peer;
		memcpy(c->address, &in6->sin6_addr, sizeof(in6->sin6_addr));
		c->port = ntohs(in6->sin6_port);
	} else if (peer->sa_family == AF_UNIX) {
		client_set_local(c, fd);
	}
}

const char *
client_address(const struct connection *c, char text[CLIENT_NAME_MAX])
{
	if ((c->family != AF_INET && c->family != AF_INET6) ||
	    inet_ntop(c->family, c->address, text, CLIENT_NAME_MAX) == NULL)
		(void)strlcpy(text, c->family == AF_UNIX ? "unix" : "?",
		    CLIENT_NAME_MAX);
	return text;
}

const char *
client_name(const struct connection *c, char text[CLIENT_NAME_MAX])
{
	char address[CLIENT_NAME_MAX];
	struct ucred who;

	if (c->family == AF_UNIX) {
		memcpy(&who, c->address, sizeof(who));
		(void)snprintf(text, CLIENT_NAME_MAX, "unix:uid=%u,pid=%d",
		    who.uid, who.pid);
		return text;
	}
	(void)client_address(c, address);
	if (c->port == 0)
		(void)strlcpy(text, address, CLIENT_NAME_MAX);
	else
		(void)snprintf(text, CLIENT_NAME_MAX,
		    c->family == AF_INET6 ? "[%s]:%u" : "%s:%u", address,
		    c->port);
	return text;
}

/* Whom it is made for, as far as that is known. */
static struct address
client_find(const struct connection *c)
{
	struct address client = { .family = c->family };

	if (c->family != AF_UNIX)
		memcpy(client.bytes, c->address, sizeof(client.bytes));
	address_normalize(&client);
	return client;
}

static bool
client_is_trusted(const struct connection *c)
{
	const struct settings *settings = &c->server->settings;
	const struct address peer = client_find(c);

	return forwarded_is_trusted(settings->proxies, settings->proxy_count,
	    &peer);
}

void
client_set(struct connection *c, int fd, const struct sockaddr *peer)
{
	client_set_peer(c, fd, peer);
	c->is_trusted = client_is_trusted(c);
}

void
client_set_forwarded(struct connection *c, const struct http_request *request)
{
	const struct settings *settings = &c->server->settings;
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	struct address client;

	if (!c->is_trusted)
		return;
	if (getpeername(event_get_fd(&c->event), (void *)&peer, &size) == 0)
		client_set_peer(c, event_get_fd(&c->event), (void *)&peer);
	if (request == NULL ||
	    !forwarded_find_client(request, settings->proxies,
		settings->proxy_count, &client))
		return;
	c->family = client.family;
	c->port = client.port;
	memcpy(c->address, client.bytes, sizeof(c->address));
}

bool
client_may_ask(struct connection *c)
{
	const struct address client = client_find(c);

	return peers_take_request(c->server->peers, &client, c->server->now_us);
}

bool
client_may_show(const struct connection *c)
{
	const struct address client = client_find(c);

	return peers_may_show(c->server->peers, &client, c->server->now_us);
}

void
client_note_failure(struct connection *c)
{
	const struct address client = client_find(c);

	peers_note_failure(c->server->peers, &client, c->server->now_us);
}

bool
client_may_enter(const struct connection *c)
{
	const struct address client = client_find(c);

	return peers_have_room(c->server->peers, &client,
	    c->server->settings.max_clients_per_address);
}

void
client_enter(const struct connection *c)
{
	const struct address client = client_find(c);

	peers_add_client(c->server->peers, &client);
}

void
client_leave(const struct connection *c)
{
	const struct address client = client_find(c);

	peers_remove_client(c->server->peers, &client);
}
