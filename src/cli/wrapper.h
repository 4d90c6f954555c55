/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_WRAPPER_H
#define WSEXEC_WRAPPER_H

/*
 * The wrapper: wires the command (or standard input) to the server and to the
 * local copies, passes signals on, holds the command back while somebody may
 * make it wait, and knows when everything is over.
 *
 *	child --bytes--> wrapper --> server --> clients
 *	                    |
 *	                    `------> terminals (stdout, stderr, --output)
 */

#include "cli/child.h"
#include "cli/options.h"

struct event_base;
struct wrapper;

/*
 * Opens the local copies and a server that listens, and announces it once the
 * command runs.  0: *out is it, for wrapper_run().  Else the status to exit
 * with; why it failed has been told.  base and options are borrowed.  Clients
 * must show token unless it is NULL.  found has what the
 * command shall find as we did: the limit of descriptors, ignored signals.
 */
int wrapper_open(struct wrapper **out, struct event_base *base,
    const struct options *options, const char *token,
    const struct child_config *found);

/* Runs the loop until all is over; the status to exit with. */
int wrapper_run(struct wrapper *w);

void wrapper_free(struct wrapper *w);

#endif
