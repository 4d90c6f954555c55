/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_PASSED_H
#define WSEXEC_PASSED_H

/*
 * Sockets that a service manager has opened and passed, as sd_listen_fds(3)
 * has it: LISTEN_FDS of them, from descriptor 3 on, if LISTEN_PID is this
 * process, and their names in LISTEN_FDNAMES.
 */

#include <stdbool.h>
#include <stddef.h>

#define PASSED_FIRST 3 /* the descriptor of the first one */
#define PASSED_MAX 64
#define PASSED_NAME_MAX 256 /* bytes of a name, with the NUL */

/*
 * How many there are, which from now on are closed on exec; -1: what the
 * environment says cannot be, and why has been told.  To be called before any
 * descriptor is opened that stays.
 */
int passed_take(void);

/* Whether others than this machine can reach one of the first count. */
bool passed_are_public(int count);

/* The name of one of them, "" if it has none. */
const char *passed_name(int number, char name[PASSED_NAME_MAX]);

#endif
