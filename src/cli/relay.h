/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_RELAY_H
#define WSEXEC_RELAY_H

/*
 * A thread that copies bytes from one descriptor to another and may wait for
 * either, so that the loop need not: for terminals, files and whatever else
 * is shared with other programs and must not be set to O_NONBLOCK.
 */

struct relay;

/*
 * Starts copying from one descriptor to another until the end of input or an
 * error.  The relay closes those of them it is told to own when it is done,
 * and then writes the errno (0: all copied) as an int into done_fd (borrowed:
 * open until relay_join() has returned), a pipe the loop reads.  Signals are
 * blocked in the thread.  NULL: errno says why, nothing was closed.
 */
struct relay *relay_start(int from, int own_from, int to, int own_to,
    int done_fd);

/* Waits for a relay that has reported its end, and frees it. */
void relay_join(struct relay *r);

/* Frees a relay that may be waiting for ever; its thread ends with exit(). */
void relay_abandon(struct relay *r);

#endif
