/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_USAGE_H
#define WSEXEC_USAGE_H

/* Writes what --help shows to stdout: the table of options, in groups. */
void usage_print(void);

#endif
