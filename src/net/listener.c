/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "net/connection.h"
#include "net/listener.h"
#include "net/server.h"

#define LISTENER_BACKLOG 4096
#define LISTENER_ACCEPT_MAX 64	 /* connections taken in one callback */
#define LISTENER_PAUSE_US 100000 /* when the kernel has nothing to give */

/* Without a length: it ends where the connection does. */
static const char listener_full[] =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
    "no descriptors are left here; try again later\n";

static int
listener_open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
listener_pause(struct listener *l)
{
	const struct timeval pause = { .tv_usec = LISTENER_PAUSE_US };

	(void)event_del(&l->event);
	if (evtimer_add(&l->pause_event, &pause) == -1)
		(void)event_add(&l->event, NULL);
}

static void
listener_resume_cb(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)what;
	if (event_add(&l->event, NULL) == -1)
		listener_pause(l);
}

/*
 * No descriptor is left: tells the next client so with the reserved one, or
 * closes at once where telling would take a handshake.
 */
static bool
listener_turn_away(struct listener *l)
{
	int fd;

	if (l->reserve_fd == -1)
		return false;
	close(l->reserve_fd);
	if ((fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC)) != -1) {
		if (l->server->tls == NULL)
			(void)send(fd, listener_full, sizeof(listener_full) - 1,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
		(void)shutdown(fd, SHUT_WR);
		close(fd);
		server_count_answer(l->server, 503);
		server_log(l->server, 1,
		    "refused with 503: no descriptors are left");
	}
	l->reserve_fd = listener_open_reserve();
	return fd != -1;
}

/* Takes one client.  False: there is none, or there is no way to take it. */
static bool
listener_accept(struct listener *l)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	int fd;

	fd = accept4(l->fd, (struct sockaddr *)(void *)&peer, &size,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd != -1) {
		connection_open(l->server, fd, (void *)&peer);
		return true;
	}
	switch (errno) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
		return true;
	case EMFILE:
	case ENFILE:
		if (listener_turn_away(l))
			return true;
		break;
	case ENOBUFS:
	case ENOMEM:
		break;
	default: /* EAGAIN: everybody is in */
		return false;
	}
	server_log(l->server, 0, "no new clients for now: %s", strerror(errno));
	listener_pause(l);
	return false;
}

static void
listener_accept_cb(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	int i;

	(void)fd;
	(void)what;
	(void)server_now(l->server);
	for (i = 0; i < LISTENER_ACCEPT_MAX; i++)
		if (!listener_accept(l))
			return;
}

/* A socket that listens on a numeric address, or an enum wsexec_error. */
static int
listener_bind(const struct addrinfo *ai, int *out)
{
	const int on = 1;
	int fd, saved;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd == -1)
		return WSEXEC_ERR_SYSTEM;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == -1 ||
	    listen(fd, LISTENER_BACKLOG) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return WSEXEC_ERR_SYSTEM;
	}
	*out = fd;
	return WSEXEC_OK;
}

static bool
listener_is_wildcard(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *in4 = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;

	return address->ss_family == AF_INET6 ?
	    IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) :
	    in4->sin_addr.s_addr == htonl(INADDR_ANY);
}

/* What clients ask for behind the prefix: a line for each token. */
static void
listener_add_paths(const struct wsexec_server *s, const char *prefix, char *url,
    size_t size)
{
	const struct keys *keys = &s->settings.keys;
	size_t i = 0;

	do {
		(void)strlcat(url, i > 0 ? "\n" : "", size);
		(void)strlcat(url, prefix, size);
		(void)strlcat(url, s->settings.base_path, size);
		(void)strlcat(url, "/", size);
		if (i == keys->count)
			return;
		(void)strlcat(url, "?token=", size);
		(void)strlcat(url, keys->tokens[i], size);
	} while (++i < keys->count);
}

/* A name in the abstract name space begins with a NUL, shown as "@". */
static void
listener_make_unix_url(const struct wsexec_server *s,
    const struct sockaddr_un *address, char *url, size_t size)
{
	const bool is_abstract = address->sun_path[0] == '\0';

	char prefix[sizeof(address->sun_path) +
	    sizeof("unix:@ http://localhost")];

	(void)snprintf(prefix, sizeof(prefix), "unix:%s%.*s",
	    is_abstract ? "@" : "", (int)sizeof(address->sun_path) - 1,
	    address->sun_path + (is_abstract ? 1 : 0));
	if (s->settings.keys.count == 0 && s->settings.base_path[0] == '\0') {
		(void)strlcpy(url, prefix, size);
		return;
	}
	(void)strlcat(prefix, " http://localhost", sizeof(prefix));
	listener_add_paths(s, prefix, url, size);
}

/* The address to show: what is bound, or our name if that is everything. */
static void
listener_make_url(const struct wsexec_server *s, int fd, char *url, size_t size)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(address);
	char host[256] = "", port[8] = "", prefix[sizeof(host) + 32];
	bool brackets;

	url[0] = '\0';
	(void)getsockname(fd, (struct sockaddr *)(void *)&address, &length);
	if (address.ss_family == AF_UNIX) {
		listener_make_unix_url(s, (void *)&address, url, size);
		return;
	}
	(void)getnameinfo((struct sockaddr *)(void *)&address, length, host,
	    sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	brackets = address.ss_family == AF_INET6;
	if (listener_is_wildcard(&address) &&
	    gethostname(host, sizeof(host) - 1) == 0)
		brackets = false;
	(void)snprintf(prefix, sizeof(prefix), "%s://%s%s%s:%s",
	    s->tls != NULL ? "https" : "http", brackets ? "[" : "", host,
	    brackets ? "]" : "", port);
	listener_add_paths(s, prefix, url, size);
}

static bool
listener_watch(struct listener *l)
{
	return event_assign(&l->event, l->server->base, l->fd,
		   EV_READ | EV_PERSIST, listener_accept_cb, l) == 0 &&
	    evtimer_assign(&l->pause_event, l->server->base, listener_resume_cb,
		l) == 0 &&
	    event_add(&l->event, NULL) == 0;
}

/* Begins to take clients; fd and place are the listener's, but on failure. */
static int
listener_start(struct wsexec_server *s, int fd, const struct unix_socket *place,
    char *url, size_t size)
{
	struct listener *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return WSEXEC_ERR_MEMORY;
	l->server = s;
	l->fd = fd;
	if (!listener_watch(l)) {
		free(l);
		return WSEXEC_ERR_MEMORY;
	}
	l->reserve_fd = listener_open_reserve();
	l->place = *place;
	TAILQ_INSERT_TAIL(&s->listeners, l, link);
	if (url != NULL)
		listener_make_url(s, fd, url, size);
	return WSEXEC_OK;
}

int
listener_open(struct wsexec_server *s, const char *address, uint16_t port,
    char *url, size_t size)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST |
		    AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	const struct unix_socket nowhere = { .path = NULL };
	const char *host =
	    strcmp(address, "localhost") == 0 ? "127.0.0.1" : address;
	struct addrinfo *ai;
	char service[8];
	int error, fd;

	(void)snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &ai) != 0)
		return WSEXEC_ERR_ADDRESS;
	error = listener_bind(ai, &fd);
	freeaddrinfo(ai);
	if (error != WSEXEC_OK)
		return error;
	if ((error = listener_start(s, fd, &nowhere, url, size)) != WSEXEC_OK)
		close(fd);
	return error;
}

int
listener_open_unix(struct wsexec_server *s,
    const struct wsexec_unix_socket *config, char *url, size_t size)
{
	struct unix_socket place;
	int error, fd;

	fd = unix_socket_open(&place, config, LISTENER_BACKLOG);
	if (fd == -1)
		return WSEXEC_ERR_SYSTEM;
	if ((error = listener_start(s, fd, &place, url, size)) != WSEXEC_OK) {
		unix_socket_remove(&place);
		close(fd);
	}
	return error;
}

static int
listener_option(int fd, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	(void)getsockopt(fd, SOL_SOCKET, name, &value, &size);
	return value;
}

int
listener_take(struct wsexec_server *s, int fd, char *url, size_t size)
{
	const struct unix_socket nowhere = { .path = NULL };
	const int domain = listener_option(fd, SO_DOMAIN);

	if ((domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX) ||
	    listener_option(fd, SO_TYPE) != SOCK_STREAM ||
	    listener_option(fd, SO_ACCEPTCONN) != 1)
		return WSEXEC_ERR_SOCKET;
	if (evutil_make_socket_nonblocking(fd) == -1 ||
	    evutil_make_socket_closeonexec(fd) == -1)
		return WSEXEC_ERR_SYSTEM;
	return listener_start(s, fd, &nowhere, url, size);
}

void
listener_close(struct listener *l)
{
	(void)event_del(&l->event);
	(void)event_del(&l->pause_event);
	unix_socket_remove(&l->place);
	close(l->fd);
	if (l->reserve_fd != -1)
		close(l->reserve_fd);
	TAILQ_REMOVE(&l->server->listeners, l, link);
	free(l);
}
