/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_VALUE_H
#define WSEXEC_VALUE_H

/*
 * What the values of options look like: pure functions from text to a number
 * or to whether it will do.  Numbers are double, which holds every size there
 * can be exactly; one that is too big for it comes out as HUGE_VAL.
 */

#include <stdbool.h>

#define VALUE_CREDENTIAL_MAX 512 /* bytes of NAME:PASSWORD */

/* False: malformed, and *number is undefined. */

/* "-12", without blanks or a plus sign */
bool value_scan_integer(const char *text, double *number);
/* "65536", "64K"; K, M and G are powers of 1024, in either case */
bool value_scan_size(const char *text, double *number);
/* "660", octal, with or without a zero before it */
bool value_scan_mode(const char *text, double *number);
/* "2.5", without an exponent */
bool value_scan_decimal(const char *text, double *number);
/* "TERM", "sigterm" or "15" */
bool value_scan_signal(const char *text, double *number);
/* One of words, which have bars between them, counted from 0 */
bool value_scan_choice(const char *words, const char *text, double *number);

/* "/" or "/logs", perhaps with a slash at the end */
bool value_is_base_path(const char *value);
/* "NAME=VALUE" */
bool value_is_assignment(const char *value);
/* A host name or address, perhaps with a port */
bool value_is_host(const char *value);
/* "192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "unix" */
bool value_is_network(const char *value);
/* "NAME:PASSWORD" of so many bytes, without control characters */
bool value_is_credential(const char *value);
/* "https://name:port" as browsers send it; RFC 6454 section 6.2 */
bool value_is_origin(const char *value);

#endif
