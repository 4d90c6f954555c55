/* SPDX-License-Identifier: ISC */

/*
 * To each connection, whatever it asks for, a loop of send() from memory: the
 * speed that a server can be held against.
 */

#include <sys/socket.h>

#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "pour.h"

#define REQUEST_MAX 8192
#define BACKLOG 1024

static uint64_t total_bytes = 1000000000, block_bytes = 65536, port;

static const struct argument rows[] = {
	{ 'p', "port", "N", ARGUMENT_COUNT, &port, 0, 65535,
	    "listen on this port of 127.0.0.1; 0 picks one" },
	{ 'b', "bytes", "SIZE", ARGUMENT_SIZE, &total_bytes, 0, 1e12,
	    "send so much, all of which is kept in memory" },
	{ 'k', "block", "SIZE", ARGUMENT_SIZE, &block_bytes, 1, 1e12,
	    "by calls of so much" },
};

static const struct arguments arguments = {
	.synopsis = "serve [options]",
	.about = "Prints ADDRESS:PORT, and sends bytes from memory to each who "
		 "connects and\nasks for anything, until it is killed.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

static char *memory; /* total_bytes of them; written before there are threads */

static bool
send_all(int fd, const char *bytes, uint64_t n)
{
	ssize_t sent;

	for (; n > 0; bytes += sent, n -= (uint64_t)sent) {
		sent = send(fd, bytes, n < block_bytes ? n : block_bytes,
		    MSG_NOSIGNAL);
		if (sent == -1)
			return false;
	}
	return true;
}

static bool
read_request(int fd)
{
	char request[REQUEST_MAX];
	size_t size = 0;
	ssize_t n;

	while (size < sizeof(request)) {
		n = recv(fd, request + size, sizeof(request) - size, 0);
		if (n <= 0)
			return false;
		size += (size_t)n;
		if (memmem(request, size, "\r\n\r\n", 4) != NULL)
			return true;
	}
	return false;
}

static void *
serve_one(void *connection)
{
	int fd = (int)(intptr_t)connection;
	char head[128];
	int n = snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\nContent-Length: %" PRIu64 "\r\n"
	    "Connection: close\r\n\r\n",
	    total_bytes);

	if (read_request(fd) && send_all(fd, head, (uint64_t)n))
		(void)send_all(fd, memory, total_bytes);
	(void)close(fd);
	return NULL;
}

static int
serve_open(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&address, size) == -1 ||
	    listen(fd, BACKLOG) == -1 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) == -1)
		err(1, "port %" PRIu64, port);
	printf("127.0.0.1:%u\n", ntohs(address.sin_port));
	if (fflush(stdout) == EOF)
		err(1, "standard output");
	return fd;
}

int
pour_serve(int argc, char *argv[])
{
	int used = arguments_parse(&arguments, argc, argv), listener, fd;
	pthread_attr_t detached;
	pthread_t thread;

	if (used != argc)
		errx(2, "'%s': there are only options", argv[used]);
	if ((memory = malloc(total_bytes + 1)) == NULL)
		err(1, NULL);
	/* All of it is to be there before the first connection. */
	memset(memory, '.', total_bytes);
	(void)pthread_attr_init(&detached);
	(void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	listener = serve_open();
	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd == -1 && errno != ECONNABORTED && errno != EINTR)
			err(1, "accept");
		if (fd == -1)
			continue;
		errno = pthread_create(&thread, &detached, serve_one,
		    (void *)(intptr_t)fd);
		if (errno != 0)
			err(1, "thread");
	}
}
