/* SPDX-License-Identifier: ISC */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

/*
 * The server: where it listens, and what is asked of it.
 */

#include <sys/socket.h>

#include <stdbool.h>

#define TARGET_HOST_MAX 300

struct target {
	struct sockaddr_storage address;
	socklen_t address_size;
	char host[TARGET_HOST_MAX]; /* "name:port", for the field Host */
	const char *path;	    /* borrowed: from the URL; or "/" */
};

/*
 * From "ws://HOST:PORT/PATH" or a part of it: "http:" is as good, and without
 * a scheme or a path it is the same.  Ends the process with 2 if it is no
 * such thing, with 1 if there is no such host.
 */
void target_parse(struct target *t, const char *url);

/* Whether it is this machine by an IPv4 address 127.x.y.z. */
bool target_is_loopback(const struct target *t);

#endif
