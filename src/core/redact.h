/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_REDACT_H
#define WSEXEC_REDACT_H

/*
 * Addresses without their secrets, so that they can be written down.
 */

#include "core/http.h"

struct buffer;

/*
 * Appends an address, or a part of one, to out: with "-" in place of the value
 * of every parameter "token", however that is encoded and whatever the value,
 * and in place of each of tokens (NULL-terminated) wherever else it stands.
 */
void redact_append(struct buffer *out, struct slice address,
    const char *const *tokens);

#endif
