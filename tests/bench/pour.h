/* SPDX-License-Identifier: ISC */
#ifndef BENCH_POUR_H
#define BENCH_POUR_H

/*
 * Bytes as fast as they go, to see how fast that is: from memory, and into
 * nothing.
 */

/* Both take the words behind their names, and return an exit status. */
int pour_serve(int argc, char *argv[]);
int pour_drain(int argc, char *argv[]);

#endif
