/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_BASIC_H
#define WSEXEC_BASIC_H

/*
 * What a field Authorization shows of the scheme Basic (RFC 7617): a user's
 * name and password.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/http.h"

#define BASIC_MAX 512 /* bytes of NAME:PASSWORD */

struct basic {
	char text[BASIC_MAX + 1]; /* NAME:PASSWORD, and NUL */
	size_t size;		  /* of that */
	size_t name_size;	  /* of the part before the colon */
};

/*
 * Whether text may be NAME:PASSWORD: a name, and neither control characters
 * nor more than BASIC_MAX bytes.
 */
bool basic_is_credential(struct slice text);

/* Whether the value of the field is of this scheme. */
bool basic_is_shown(struct slice field);

/*
 * Takes the value of the field.  False: it is of another scheme, or malformed,
 * and nothing is left in *b.  Else *b wants explicit_bzero(3) when it is done
 * with.
 */
bool basic_parse(struct slice field, struct basic *b);

#endif
