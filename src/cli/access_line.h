/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_ACCESS_LINE_H
#define WSEXEC_ACCESS_LINE_H

/*
 * A line of the access log, pure: in one of the formats that web servers have,
 * with the time it took, in seconds, behind it.
 */

#include <stddef.h>

#include "wsexec.h"

/* Every byte of a request can become four. */
#define ACCESS_LINE_MAX 40960

enum access_format {
	ACCESS_COMMON,	 /* client - - [time] "request" status bytes */
	ACCESS_COMBINED, /* and "referer" "user agent" */
};

/*
 * Fills line with a newline at its end; returns its size.  What clients have
 * written has no quotes, backslashes or bytes that are not visible in it but
 * behind a backslash.  What is beyond ACCESS_LINE_MAX is left out.
 */
size_t access_line_format(char line[ACCESS_LINE_MAX],
    const struct wsexec_access *access, enum access_format format);

#endif
