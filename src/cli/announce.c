/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/announce.h"
#include "cli/log.h"
#include "wsexec.h"

#define ANNOUNCE_STATE_MAX 512 /* bytes of a message, with the NUL */

bool
announce_check(int ready_fd)
{
	int flags;

	if (ready_fd == 0)
		return true;
	if ((flags = fcntl(ready_fd, F_GETFL)) != -1 &&
	    (flags & O_ACCMODE) == O_RDONLY) {
		flags = -1;
		errno = EBADF;
	}
	if (flags == -1 || fcntl(ready_fd, F_SETFD, FD_CLOEXEC) == -1) {
		log_warn("--ready-fd: %d: %s", ready_fd, strerror(errno));
		return false;
	}
	return true;
}

/* Of a length that a pipe takes whole, and without waiting if poll says so. */
static size_t
announce_length(const char *urls)
{
	size_t length = strlen(urls);

	if (length <= PIPE_BUF)
		return length;
	for (length = PIPE_BUF; length > 0 && urls[length - 1] != '\n';)
		length--;
	return length;
}

static void
announce_ready(const char *urls, int fd)
{
	const size_t length = announce_length(urls);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	ssize_t n = -1;

	errno = EAGAIN;
	if (poll(&p, 1, 0) == 1)
		n = write(fd, urls, length);
	if (n != (ssize_t)length)
		log_warn("--ready-fd: %d: %s", fd,
		    n == -1 ? strerror(errno) : "not all was taken");
	close(fd);
}

/* "/path", or "@name" in the abstract name space; 0: it is neither. */
static socklen_t
announce_address(const char *name, struct sockaddr_un *address)
{
	const size_t length = strlen(name);

	if ((name[0] != '/' && name[0] != '@') ||
	    length >= sizeof(address->sun_path))
		return 0;
	memcpy(address->sun_path, name, length);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static int
announce_send(const char *name, const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = announce_address(name, &address);
	ssize_t n;
	int fd;

	if (size == 0) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	n = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (void *)&address,
	    size);
	close(fd);
	return n == -1 ? -1 : 0;
}

static void __attribute__((format(printf, 1, 2)))
announce_state(const char *format, ...)
{
	const char *name = getenv("NOTIFY_SOCKET");
	char text[ANNOUNCE_STATE_MAX];
	va_list ap;

	if (name == NULL)
		return;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (announce_send(name, text) == -1)
		log_warn("NOTIFY_SOCKET: %s: %s", name, strerror(errno));
}

void
announce_urls(const char *urls, int ready_fd)
{
	const char *url = urls;
	int length;

	for (; *url != '\0'; url += length + (url[length] == '\n')) {
		length = (int)strcspn(url, "\n");
		log_info("%.*s", length, url);
	}
	if (ready_fd != 0)
		announce_ready(urls, ready_fd);
	announce_state("READY=1");
}

void
announce_wait(uint32_t clients)
{
	announce_state("STATUS=Waits for clients: %" PRIu32 ".", clients);
}

void
announce_run(long pid, uint64_t restarts)
{
	if (pid == 0)
		announce_state("STATUS=Reads its standard input.");
	else if (restarts == 0)
		announce_state("STATUS=The command runs.");
	else
		announce_state("STATUS=The command runs; restart %" PRIu64 ".",
		    restarts);
}

void
announce_restart(const struct wsexec_end *end, uint64_t number, double delay)
{
	announce_state("STATUS=The command has ended with %s %d; restart "
		       "%" PRIu64 " follows in %g s.",
	    end->signal != 0 ? "signal" : "status",
	    end->signal != 0 ? end->signal : end->code, number, delay);
}

void
announce_end(const struct wsexec_end *end)
{
	announce_state("%sSTATUS=The run has ended with %s %d.",
	    end->linger ? "" : "STOPPING=1\n",
	    end->signal != 0 ? "signal" : "status",
	    end->signal != 0 ? end->signal : end->code);
}

void
announce_stop(void)
{
	announce_state("STOPPING=1");
}
