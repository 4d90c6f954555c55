/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <string.h>

#include "cli/identity.h"
#include "cli/log.h"
#include "cli/passed.h"
#include "cli/sockets.h"
#include "wsexec.h"

/* Where the next address goes, and how much room it has. */
static char *
sockets_next(char *urls, size_t size, size_t *left)
{
	size_t used = strlen(urls);

	*left = size - used;
	return urls + used;
}

static const char *
sockets_why(int error)
{
	return error == WSEXEC_ERR_SYSTEM ? strerror(errno) :
					    wsexec_strerror(error);
}

static bool
sockets_open_address(struct wsexec_server *server, const char *address,
    uint16_t port, char *url, size_t size)
{
	const char *hint = "";
	int error;

	error = wsexec_server_listen(server, address, port, url, size);
	if (error == WSEXEC_OK)
		return true;
	if (error == WSEXEC_ERR_SYSTEM && errno == EADDRINUSE)
		hint = "; choose another --port, or 0 for any";
	log_warn("cannot listen on %s port %u: %s%s", address, port,
	    sockets_why(error), hint);
	return false;
}

static bool
sockets_open_unix(struct wsexec_server *server,
    const struct wsexec_unix_socket *config, char *url, size_t size)
{
	const char *hint = "";
	int error;

	error = wsexec_server_listen_unix(server, config, url, size);
	if (error == WSEXEC_OK)
		return true;
	if (error == WSEXEC_ERR_SYSTEM && errno == EADDRINUSE)
		hint = "; another program answers there";
	else if (error == WSEXEC_ERR_SYSTEM && errno == EEXIST)
		hint = ", and is no socket";
	log_warn("cannot listen on unix:%s: %s%s", config->path,
	    sockets_why(error), hint);
	return false;
}

/* USER, USER:GROUP or :GROUP */
static bool
sockets_find_owner(const char *owner, struct wsexec_unix_socket *config)
{
	const char *group = strchr(owner, ':');
	char user[IDENTITY_NAME_MAX];
	id_t uid = (id_t)-1, gid = (id_t)-1;

	(void)strlcpy(user, owner, sizeof(user));
	user[strcspn(user, ":")] = '\0';
	if ((group == NULL || group > owner) &&
	    !identity_find_id(user, false, &uid)) {
		log_warn("--unix-socket-owner: there is no user '%s'", user);
		return false;
	}
	if (group != NULL && !identity_find_id(group + 1, true, &gid)) {
		log_warn("--unix-socket-owner: there is no group '%s'",
		    group + 1);
		return false;
	}
	config->has_owner = true;
	config->uid = uid;
	config->gid = gid;
	return true;
}

static bool
sockets_take(struct wsexec_server *server, int number, char *url, size_t size)
{
	const int fd = PASSED_FIRST + number;
	char name[PASSED_NAME_MAX];
	int error;

	if ((error = wsexec_server_listen_fd(server, fd, url, size)) ==
	    WSEXEC_OK)
		return true;
	log_warn("cannot listen on descriptor %d (%s) of LISTEN_FDS: %s", fd,
	    passed_name(number, name), sockets_why(error));
	return false;
}

static bool
sockets_open_all_unix(struct wsexec_server *server, const struct options *o,
    char *urls, size_t size)
{
	struct wsexec_unix_socket config = { .mode = o->unix_socket_mode };
	char *url;
	size_t i, left;

	if (o->unix_socket_owner != NULL &&
	    !sockets_find_owner(o->unix_socket_owner, &config))
		return false;
	for (i = 0; o->unix_sockets[i] != NULL; i++) {
		url = sockets_next(urls, size, &left);
		config.path = o->unix_sockets[i];
		if (!sockets_open_unix(server, &config, url, left))
			return false;
		(void)strlcat(urls, "\n", size);
	}
	return true;
}

bool
sockets_open(struct wsexec_server *server, const struct options *o, int passed,
    char *urls, size_t size)
{
	char *url;
	size_t left;
	int i;

	urls[0] = '\0';
	for (i = 0; i < passed; i++) {
		url = sockets_next(urls, size, &left);
		if (!sockets_take(server, i, url, left))
			return false;
		(void)strlcat(urls, "\n", size);
	}
	for (i = 0; o->addresses[i] != NULL; i++) {
		url = sockets_next(urls, size, &left);
		if (!sockets_open_address(server, o->addresses[i], o->port, url,
			left))
			return false;
		(void)strlcat(urls, "\n", size);
	}
	return sockets_open_all_unix(server, o, urls, size);
}
