/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_PARTIAL_H
#define WSEXEC_PARTIAL_H

/*
 * Unfinished lines, such as prompts and progress bars: when to tell of them.
 *
 * A line is told when it has been unfinished for PARTIAL_WAIT_US, and again so
 * long after it has grown or got another number.  So a line that is written in
 * pieces at once is not, in a flood of lines none is, and a progress bar is ten
 * times a second.  The timer runs only while there is a line to be told.
 */

#include <event2/util.h>

struct wsexec_server;

#define PARTIAL_WAIT_US 100000

/* Output has come. */
void partial_note(struct wsexec_server *s);

void partial_cb(evutil_socket_t fd, short what, void *server);

#endif
