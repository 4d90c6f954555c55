/* SPDX-License-Identifier: ISC */

#include <sys/epoll.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/http.h"
#include "core/websocket.h"
#include "floor_door.h"
#include "floor_sender.h"

#define BACKLOG 4096
#define ACCEPT_MAX 64 /* at once */

int
floor_door_open(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&address, size) == -1 ||
	    listen(fd, BACKLOG) == -1 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) == -1)
		err(1, "port %u", port);
	fprintf(stderr, "floor: 127.0.0.1:%u\n", ntohs(address.sin_port));
	return fd;
}

void
floor_door_accept(int listener, int epoll)
{
	struct epoll_event event = { .events = EPOLLIN };
	const int on = 1;
	struct floor_client *c;
	int fd, i;

	for (i = 0; i < ACCEPT_MAX; i++) {
		fd =
		    accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1 && errno != EAGAIN && errno != ECONNABORTED)
			err(1, "accept");
		if (fd == -1)
			return;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if ((c = calloc(1, sizeof(*c))) == NULL ||
		    (c->request = malloc(HTTP_HEAD_MAX)) == NULL)
			err(1, NULL);
		c->fd = fd;
		event.data.ptr = c;
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1)
			err(1, "epoll_ctl");
	}
}

static bool
door_answer(struct floor_client *c, const struct http_request *request)
{
	char key[WEBSOCKET_KEY_MAX], answer[256];
	const char *why;
	int n;

	if (websocket_check_handshake(request, &why) != 0)
		return false;
	websocket_accept_key(request, key);
	n = snprintf(answer, sizeof(answer),
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
	    key);
	return send(c->fd, answer, (size_t)n, MSG_NOSIGNAL) == n;
}

static void
door_refuse(struct floor_client *c)
{
	(void)close(c->fd);
	free(c->request);
	free(c);
}

bool
floor_door_read(struct floor_client *c)
{
	ssize_t n = recv(c->fd, c->request + c->request_size,
	    HTTP_HEAD_MAX - c->request_size, 0);
	struct http_request request;
	enum http_result result;
	size_t used;

	if (n == -1 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		door_refuse(c);
		return false;
	}
	c->request_size += (size_t)n;
	result = http_parse_head(c->request, c->request_size, &request, &used);
	if (result == HTTP_MORE && c->request_size < HTTP_HEAD_MAX)
		return false;
	if (result != HTTP_DONE || !door_answer(c, &request)) {
		door_refuse(c);
		return false;
	}
	free(c->request);
	c->request = NULL;
	return true;
}
