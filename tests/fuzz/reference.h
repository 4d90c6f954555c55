/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_FUZZ_REFERENCE_H
#define WSEXEC_FUZZ_REFERENCE_H

/*
 * UTF-8 once more, slowly: characters are numbers that must lie where
 * RFC 3629 has them, and what begins one is found by completing it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

/* Length of the whole, valid character at s (n >= 1), or 0. */
size_t reference_character(const uint8_t *s, size_t n);

/* Whether the n bytes, which are no character, may become one. */
bool reference_is_beginning(const uint8_t *s, size_t n);

/* Appends s with U+FFFD for each maximal subpart that is ill-formed. */
void reference_repair(struct buffer *out, const uint8_t *s, size_t n);

#endif
