/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/unix_socket.h"
#include "wsexec.h"

#define UNIX_SOCKET_MODE 0600 /* unless another one is asked for */

static int
unix_socket_new(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Why nothing may be put where a socket is; ECONNREFUSED: nobody answers. */
static int
unix_socket_ask(const struct sockaddr_un *address)
{
	int fd, error = EADDRINUSE;

	if ((fd = unix_socket_new()) == -1)
		return errno;
	if (connect(fd, (const void *)address, sizeof(*address)) == -1)
		error = errno;
	close(fd);
	/* Somebody listens who has too many that wait already. */
	return error == EAGAIN ? EADDRINUSE : error;
}

/* Makes room where a process has ended without removing its socket. */
static int
unix_socket_drop_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int error;

	if (lstat(address->sun_path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	error = S_ISSOCK(st.st_mode) ? unix_socket_ask(address) : EEXIST;
	if (error != ECONNREFUSED) {
		errno = error;
		return -1;
	}
	return unlink(address->sun_path) == -1 && errno != ENOENT ? -1 : 0;
}

static int
unix_socket_bind(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
	    sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* An empty one would be bound to a name that the kernel makes up. */
	if (path[0] == '\0') {
		errno = ENOENT;
		return -1;
	}
	if (bind(fd, (const void *)&address, sizeof(address)) == 0)
		return 0;
	if (errno != EADDRINUSE || unix_socket_drop_stale(&address) == -1)
		return -1;
	return bind(fd, (const void *)&address, sizeof(address));
}

static bool
unix_socket_is_ours(const struct unix_socket *u)
{
	struct stat st;

	return lstat(u->path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    st.st_dev == u->device && st.st_ino == u->inode;
}

/*
 * Gives what is at the path its owner and mode.  It is opened first, so that
 * all of this, and what is later compared with, is about the same file.
 */
static int
unix_socket_guard(struct unix_socket *u,
    const struct wsexec_unix_socket *config)
{
	const mode_t mode = config->mode != 0 ? config->mode : UNIX_SOCKET_MODE;
	char name[32];
	struct stat st;
	int fd, result = -1;

	if ((fd = open(u->path, O_PATH | O_NOFOLLOW | O_CLOEXEC)) == -1)
		return -1;
	/* chmod(2) by descriptor does not know those of O_PATH. */
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode)) {
		u->device = st.st_dev;
		u->inode = st.st_ino;
		if (!config->has_owner ||
		    chown(name, config->uid, config->gid) == 0)
			result = chmod(name, mode);
	}
	close(fd);
	return result;
}

/*
 * Nobody can connect before listen(2), so that the mode is set in time; and
 * the umask, which is that of the whole process, is left alone.
 */
static int
unix_socket_listen(int fd, struct unix_socket *u,
    const struct wsexec_unix_socket *config, int backlog)
{
	if (unix_socket_guard(u, config) == -1 || listen(fd, backlog) == -1)
		return -1;
	/* Another one that starts just now may have taken it for stale. */
	if (!unix_socket_is_ours(u)) {
		errno = EADDRINUSE;
		return -1;
	}
	return 0;
}

int
unix_socket_open(struct unix_socket *u, const struct wsexec_unix_socket *config,
    int backlog)
{
	int fd, saved;

	*u = (struct unix_socket){ .path = NULL };
	if ((fd = unix_socket_new()) == -1)
		return -1;
	if (unix_socket_bind(fd, config->path) == 0) {
		u->path = strdup(config->path);
		if (u->path != NULL &&
		    unix_socket_listen(fd, u, config, backlog) == 0)
			return fd;
	}
	saved = errno;
	unix_socket_remove(u);
	close(fd);
	errno = saved;
	return -1;
}

void
unix_socket_remove(struct unix_socket *u)
{
	if (u->path != NULL && unix_socket_is_ours(u))
		(void)unlink(u->path);
	free(u->path);
	u->path = NULL;
}
