/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_CHECKER_H
#define WSEXEC_CHECKER_H

/*
 * Checks the passwords that clients show against hashes, in a thread of its
 * own, as the loop may not wait for so long.
 *
 *	checker_ask() --waiting--> thread --done--> loop: exchange_resume()
 *	      `--------------- remembered <-----------'
 *
 * Only the thread calculates, and only the loop knows connections.  What was
 * right is remembered, as a hash with a salt of this server, so that it costs
 * nothing from then on.
 */

#include <stddef.h>

struct basic;
struct check;
struct checker;
struct connection;
struct wsexec_server;

#define CHECKER_WHY_MAX 512 /* bytes of why there is none, and NUL */

enum checker_verdict {
	CHECKER_NONE, /* it was not asked */
	CHECKER_RIGHT,
	CHECKER_WRONG,
	CHECKER_WAITS, /* it is not known yet */
	CHECKER_FULL,  /* too many wait, or there is no memory */
};

/*
 * Takes the file of the settings, if there is one: s->checker.  An enum
 * wsexec_error; why is logged.
 */
int checker_open(struct wsexec_server *s);

/* All connections are gone.  Waits for the check that the thread is at. */
void checker_free(struct checker *k);

/*
 * What is shown by a connection.  CHECKER_RIGHT: *user is whose it is, and
 * lives as long as the checker.  CHECKER_WAITS: *check is to be cancelled when
 * the connection is closed; else exchange_resume() follows.
 */
enum checker_verdict checker_ask(struct connection *c,
    const struct basic *basic, const char **user, struct check **check);

/* Nobody waits for this any more; NULL is allowed. */
void checker_cancel(struct check *check);

#endif
