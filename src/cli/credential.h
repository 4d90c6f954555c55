/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_CREDENTIAL_H
#define WSEXEC_CREDENTIAL_H

/*
 * The names and passwords that clients may show in place of a token.
 */

#include <stdbool.h>

#include "cli/options.h"

/*
 * Takes that of the environment where --credential gives none.  False: it
 * cannot be had, and why has been told.
 */
bool credential_find(struct options *o);

/* Whether there is any. */
bool credential_is_asked_for(const struct options *o);

#endif
