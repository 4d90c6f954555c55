/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_UNIX_SOCKET_H
#define WSEXEC_UNIX_SOCKET_H

/*
 * The place of a listening Unix socket in the file system.  It takes that of
 * a stale socket at most, lets nobody in before it is as it is to be, and is
 * removed only as long as it is ours.
 */

#include <sys/types.h>

struct wsexec_unix_socket;

struct unix_socket {
	char *path;   /* owned; NULL: there is none */
	dev_t device; /* with inode: what we have put at path */
	ino_t inode;
};

/*
 * A socket that listens where config says, not blocking and closed on exec,
 * or -1 with errno: EEXIST if something that is no socket is there,
 * EADDRINUSE if somebody answers there, ENAMETOOLONG or another one.
 */
int unix_socket_open(struct unix_socket *u,
    const struct wsexec_unix_socket *config, int backlog);

/*
 * Removes it from the file system, if it is still what we have put there, and
 * frees what u owns.  To be called before the socket is closed: until then the
 * kernel gives its inode number to nothing else.
 */
void unix_socket_remove(struct unix_socket *u);

#endif
