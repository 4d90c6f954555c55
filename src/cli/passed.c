/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/log.h"
#include "cli/passed.h"

/* A parent that has them itself may leave the variables to its children. */
static bool
passed_is_for_us(void)
{
	const char *pid = getenv("LISTEN_PID"), *error;

	return pid != NULL &&
	    strtonum(pid, 1, INT_MAX, &error) == (long long)getpid() &&
	    error == NULL;
}

int
passed_take(void)
{
	const char *text = getenv("LISTEN_FDS"), *error;
	int count, fd;

	if (text == NULL || !passed_is_for_us())
		return 0;
	count = (int)strtonum(text, 0, PASSED_MAX, &error);
	if (error != NULL) {
		log_warn("LISTEN_FDS: '%s' is not in 0..%d", text, PASSED_MAX);
		return -1;
	}
	for (fd = PASSED_FIRST; fd < PASSED_FIRST + count; fd++) {
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
			log_warn("LISTEN_FDS: descriptor %d: %s", fd,
			    strerror(errno));
			return -1;
		}
	}
	return count;
}

static bool
passed_is_loopback4(const struct in_addr *address)
{
	return ntohl(address->s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool
passed_is_loopback6(const struct in6_addr *address)
{
	struct in_addr mapped;

	if (!IN6_IS_ADDR_V4MAPPED(address))
		return IN6_IS_ADDR_LOOPBACK(address);
	memcpy(&mapped, address->s6_addr + 12, sizeof(mapped));
	return passed_is_loopback4(&mapped);
}

static bool
passed_is_public(int fd)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	const struct sockaddr_in *in4 = (const void *)&address;
	const struct sockaddr_in6 *in6 = (const void *)&address;
	socklen_t size = sizeof(address);

	(void)getsockname(fd, (void *)&address, &size);
	if (address.ss_family == AF_INET)
		return !passed_is_loopback4(&in4->sin_addr);
	if (address.ss_family == AF_INET6)
		return !passed_is_loopback6(&in6->sin6_addr);
	return false;
}

bool
passed_are_public(int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (passed_is_public(PASSED_FIRST + i))
			return true;
	return false;
}

const char *
passed_name(int number, char name[PASSED_NAME_MAX])
{
	const char *names = getenv("LISTEN_FDNAMES");

	(void)strlcpy(name, "", PASSED_NAME_MAX);
	for (; names != NULL && number > 0; number--)
		if ((names = strchr(names, ':')) != NULL)
			names++;
	if (names != NULL)
		(void)strlcpy(name, names, PASSED_NAME_MAX);
	name[strcspn(name, ":")] = '\0';
	return name;
}
