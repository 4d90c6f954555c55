/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_PEM_FILE_H
#define WSEXEC_PEM_FILE_H

/*
 * The bytes of a file with certificates or a key, read whole, so that what was
 * looked at is what is used.
 */

#include <stdbool.h>
#include <stddef.h>

#define PEM_FILE_MAX (1024 * 1024) /* bytes of a file */

struct pem_file {
	char *bytes; /* owned */
	size_t size;
	const char *secret_why; /* NULL: nobody else may read it; static */
};

/*
 * Reads a regular file.  False: it cannot be had, and *why says so in a static
 * string.  file wants pem_file_clear() only after true.
 */
bool pem_file_read(struct pem_file *file, const char *path, const char **why);

/* Frees the bytes, of which nothing stays in memory. */
void pem_file_clear(struct pem_file *file);

#endif
