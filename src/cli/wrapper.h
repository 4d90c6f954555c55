/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_WRAPPER_H
#define WSEXEC_WRAPPER_H

/*
 * The wrapper: wires the source of the output to the server and to the local
 * copies, passes signals on, holds the command back while somebody may make it
 * wait, and knows when everything is over.
 *
 *	source --bytes--> wrapper --> server --> clients
 *	                     |
 *	                     `------> terminals (stdout, stderr, --output)
 */

#include "cli/child.h"
#include "cli/options.h"

struct event_base;
struct identity;
struct tokens;
struct wrapper;

/* Everything that whoever started us has given. */
struct wrapper_config {
	const struct options *options;	 /* borrowed */
	const struct tokens *tokens;	 /* that clients must show; borrowed */
	int passed_sockets;		 /* see passed_take() */
	const struct identity *identity; /* to become; borrowed */
	rlim_t descriptor_limit;	 /* that the command shall find, too */
	rlim_t core_limit;		 /* the same */
	sigset_t ignored;		 /* signals that it shall ignore, too */
};

/*
 * Opens the local copies and a server that listens, and announces it once the
 * command runs.  0: *out is it, for wrapper_run().  Else the status to exit
 * with; why it failed has been told.  base is borrowed.
 */
int wrapper_open(struct wrapper **out, struct event_base *base,
    const struct wrapper_config *config);

/* Runs the loop until all is over; the status to exit with. */
int wrapper_run(struct wrapper *w);

void wrapper_free(struct wrapper *w);

#endif
