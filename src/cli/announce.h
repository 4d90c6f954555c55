/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_ANNOUNCE_H
#define WSEXEC_ANNOUNCE_H

/*
 * What programs that have started us are told: that we serve, and where, on
 * stderr and on the descriptor of --ready-fd; and how things are to a service
 * manager at NOTIFY_SOCKET, as sd_notify(3) has it.  Never waits.
 */

#include <stdbool.h>
#include <stdint.h>

struct wsexec_end;

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

/*
 * How things are, for the manager, which shows it to everybody: it has no
 * argument of the command and no token.
 */
void announce_wait(uint32_t clients);
/* pid 0: standard input is read. */
void announce_run(long pid, uint64_t restarts);
/* A run has ended so, and that restart follows in so many seconds. */
void announce_restart(const struct wsexec_end *end, uint64_t number,
    double delay);
void announce_end(const struct wsexec_end *end);
/* No more clients are waited for. */
void announce_stop(void);

#endif
