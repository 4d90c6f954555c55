/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_SECRET_FILE_H
#define WSEXEC_SECRET_FILE_H

/*
 * Files with secrets, which only who starts us should be able to read.
 */

struct options;

/* Warns of those of the options that others may read, a line for each. */
void secret_file_look(const struct options *o);

#endif
