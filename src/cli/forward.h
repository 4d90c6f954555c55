/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_FORWARD_H
#define WSEXEC_FORWARD_H

/*
 * Our own standard input, copied to that of the command: where the command
 * cannot have it itself, since one of the two is a terminal.  It is read no
 * faster than the command takes it.
 */

struct child;
struct event_base;
struct forward;

/*
 * Copies fd (borrowed, left as it is) to its end, which the command sees, too.
 * c is borrowed: it outlives this, and its on_room is for forward_resume().  NULL:
 * errno says why.
 */
struct forward *forward_open(struct event_base *base, int fd, struct child *c);
void forward_resume(struct forward *f);
/* NULL is allowed. */
void forward_close(struct forward *f);

#endif
