/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_UTF8_H
#define WSEXEC_UTF8_H

/*
 * UTF-8 as in RFC 3629: no surrogates, nothing above U+10FFFF, shortest form.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

/* How many bytes at the start of s are whole, valid characters (0..n). */
size_t utf8_valid_prefix(const uint8_t *s, size_t n);

bool utf8_is_valid(const uint8_t *s, size_t n);

/*
 * Appends s to out with U+FFFD for each maximal subpart of an ill-formed
 * sequence (Unicode 15, section 3.9, "substitution of maximal subparts").
 */
void utf8_append_repaired(struct buffer *out, const uint8_t *s, size_t n);

/* Length of the maximal subpart at s (n >= 1), for s not valid there: 1..3. */
size_t utf8_bad_length(const uint8_t *s, size_t n);

/*
 * Incremental check, for text that arrives in portions.  Start with 0; false
 * once the bytes can no longer become valid.  At the end of the text the
 * state must be 0 again: else a character is unfinished.
 */
bool utf8_check_next(uint32_t *state, const uint8_t *s, size_t n);

#endif
