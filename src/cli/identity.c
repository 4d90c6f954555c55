/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/identity.h"
#include "cli/log.h"
#include "cli/value.h"

/* A number; (id_t)-1, which calls take for none, is not one. */
static bool
identity_scan_id(const char *name, id_t *id)
{
	double number;

	if (!value_scan_integer(name, &number) || number < 0 ||
	    number >= UINT32_MAX)
		return false;
	*id = (id_t)number;
	return true;
}

bool
identity_find_id(const char *name, bool is_group, id_t *id)
{
	const struct passwd *user = NULL;
	const struct group *group = NULL;

	if (is_group && (group = getgrnam(name)) != NULL)
		*id = group->gr_gid;
	else if (!is_group && (user = getpwnam(name)) != NULL)
		*id = user->pw_uid;
	else
		return identity_scan_id(name, id);
	return true;
}

static bool
identity_copy_user(struct identity *identity, const struct passwd *user)
{
	identity->gid = user->pw_gid;
	return strlcpy(identity->name, user->pw_name, sizeof(identity->name)) <
	    sizeof(identity->name) &&
	    strlcpy(identity->home, user->pw_dir, sizeof(identity->home)) <
	    sizeof(identity->home) &&
	    strlcpy(identity->shell, user->pw_shell, sizeof(identity->shell)) <
	    sizeof(identity->shell);
}

static bool
identity_find_user(const char *name, struct identity *identity)
{
	const struct passwd *user;

	if (!identity_find_id(name, false, &identity->uid)) {
		log_warn("--user: there is no user '%s'", name);
		return false;
	}
	if (identity->uid == 0) {
		log_warn("--user: '%s' has all the rights that are to go",
		    name);
		return false;
	}
	if ((user = getpwuid(identity->uid)) == NULL) {
		/* A number that nobody has, as in containers. */
		identity->gid = (gid_t)identity->uid;
		return true;
	}
	if (!identity_copy_user(identity, user)) {
		log_warn("--user: the entry of '%s' is too long", name);
		return false;
	}
	return true;
}

bool
identity_find(const struct options *o, struct identity *identity)
{
	id_t gid;

	*identity = (struct identity){ .is_given = o->user != NULL };
	if (o->user == NULL) {
		if (o->group != NULL)
			log_warn("--group: needs --user");
		return o->group == NULL;
	}
	if (geteuid() != 0) {
		log_warn("--user: only root can become somebody else");
		return false;
	}
	if (!identity_find_user(o->user, identity))
		return false;
	if (o->group == NULL)
		return true;
	if (!identity_find_id(o->group, true, &gid)) {
		log_warn("--group: there is no group '%s'", o->group);
		return false;
	}
	identity->gid = gid;
	return true;
}

static bool
identity_set_groups(const struct identity *identity)
{
	if (identity->name[0] != '\0')
		return initgroups(identity->name, identity->gid) == 0;
	return setgroups(1, &identity->gid) == 0;
}

/* Whether the ids are these and there is no way back to those of root. */
static bool
identity_is_final(const struct identity *identity)
{
	uid_t real, effective, saved;
	gid_t group, effective_group, saved_group;

	if (getresuid(&real, &effective, &saved) == -1 ||
	    getresgid(&group, &effective_group, &saved_group) == -1)
		return false;
	return real == identity->uid && effective == identity->uid &&
	    saved == identity->uid && group == identity->gid &&
	    effective_group == identity->gid && saved_group == identity->gid &&
	    setuid(0) == -1 && seteuid(0) == -1;
}

/* What the command would find had its user logged in. */
static bool
identity_set_environment(const struct identity *identity)
{
	if (identity->name[0] == '\0')
		return true;
	return setenv("HOME", identity->home, 1) == 0 &&
	    setenv("USER", identity->name, 1) == 0 &&
	    setenv("LOGNAME", identity->name, 1) == 0 &&
	    setenv("SHELL", identity->shell, 1) == 0;
}

bool
identity_take(const struct identity *identity)
{
	if (!identity->is_given)
		return true;
	if (!identity_set_groups(identity) ||
	    setresgid(identity->gid, identity->gid, identity->gid) == -1 ||
	    setresuid(identity->uid, identity->uid, identity->uid) == -1 ||
	    !identity_set_environment(identity)) {
		log_warn("--user: cannot become user %u, group %u: %s",
		    identity->uid, identity->gid, strerror(errno));
		return false;
	}
	if (!identity_is_final(identity)) {
		log_warn("--user: user %u still has rights of root",
		    identity->uid);
		return false;
	}
	return true;
}
