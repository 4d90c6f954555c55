/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_IDENTITY_H
#define WSEXEC_IDENTITY_H

/*
 * Users and groups: who owns what we make, and who we become when all that
 * only root can open is open.
 */

#include <sys/types.h>

#include <stdbool.h>

#include "cli/options.h"

#define IDENTITY_NAME_MAX 256
#define IDENTITY_PATH_MAX 4096

/* Who to become; is_given: somebody else. */
struct identity {
	bool is_given;
	uid_t uid;
	gid_t gid;
	char name[IDENTITY_NAME_MAX]; /* "": uid has none */
	char home[IDENTITY_PATH_MAX]; /* with a name only, as the next */
	char shell[IDENTITY_PATH_MAX];
};

/* The user or group that name, or number, is of.  False: there is none. */
bool identity_find_id(const char *name, bool is_group, id_t *id);

/* What --user and --group ask for.  False: it cannot be, and why was told. */
bool identity_find(const struct options *o, struct identity *identity);

/*
 * Becomes that, for good: real, effective and saved ids, and the groups of the
 * user; and HOME, USER, LOGNAME and SHELL are theirs.  False: why was told, and
 * nothing may go on.
 */
bool identity_take(const struct identity *identity);

#endif
