/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_ACCESS_LOG_H
#define WSEXEC_ACCESS_LOG_H

/*
 * The file of --access-log.  It is written as local copies are, so that the
 * loop never waits for it; but where those hold the command back, lines are
 * left out here while it takes none, and their number is told.
 */

#include "cli/access_line.h"

struct access_log;
struct event_base;

/*
 * Appends to path, or to stderr if it is "-".  NULL: it failed, and why has
 * been told.
 */
struct access_log *access_log_open(struct event_base *base, const char *path,
    enum access_format format);

void access_log_write(struct access_log *log,
    const struct wsexec_access *access);

/*
 * Waits a little until what was written is in the file, for which it runs the
 * loop: nothing else may have an event there any more.  NULL is allowed.
 */
void access_log_close(struct access_log *log);

#endif
