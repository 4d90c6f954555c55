/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_PAGE_H
#define WSEXEC_PAGE_H

/*
 * The files of the viewer page, compiled in.  scripts/embed writes the
 * definitions from what is in src/page: index.html has all style sheets and
 * start.js in it, as the policy names those by their hashes.
 */

#include <stddef.h>

struct page_file {
	const char *name; /* "viewer.js": its path below the base path */
	const char *type; /* the value of Content-Type */
	const unsigned char *data;
	size_t size;		   /* of data, in bytes */
	const unsigned char *gzip; /* the same, compressed; NULL: no smaller */
	size_t gzip_size;
	const char *etag; /* 16 hex digits, without the quotes of a field */
};

extern const struct page_file page_files[];
extern const size_t page_file_count;

/* What the page may do: the value of Content-Security-Policy. */
extern const char page_policy[];

#endif
