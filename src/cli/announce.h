/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_ANNOUNCE_H
#define WSEXEC_ANNOUNCE_H

/*
 * What programs that have started us are told: that we serve, and where, on
 * stderr and on the descriptor of --ready-fd; and how things are to a service
 * manager at NOTIFY_SOCKET, as sd_notify(3) has it.  Never waits.
 */

#include <stdbool.h>

/*
 * Whether ready_fd (0: none) can be written to; if not, why has been told.
 * From now on it is closed on exec.  To be called before any descriptor is
 * opened that stays.
 */
bool announce_check(int ready_fd);

/*
 * We serve.  urls are the addresses, each with a newline; ready_fd gets them
 * and is closed.
 */
void announce_urls(const char *urls, int ready_fd);

/* One "NAME=VALUE" or several with newlines between them, for the manager. */
void announce_state(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
