/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_SANITIZE_H
#define WSEXEC_SANITIZE_H

/*
 * What a command prints may come from anybody, and terminals obey it: escape
 * sequences set titles, move the cursor over what was printed before, make
 * some terminals answer, and turn the direction of text.  Here all of that is
 * made visible instead, in the way of less(1):
 *
 *	ESC, other controls   ^[  ^G  ^?
 *	C1 controls           <U+009B>
 *	bidi controls         <U+202E>    U+202A to 202E, U+2066 to 2069
 *
 * Tabs stay, and so does a carriage return in front of a newline.  What is not
 * UTF-8 becomes U+FFFD, since some terminals find C1 controls in it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

enum sanitize {
	SANITIZE_NONE,	/* nothing of this is done */
	SANITIZE_COLOR, /* SGR stays: whole sequences ESC [ ... m */
	SANITIZE_ALL,
};

/* Longer than that no sequence is waited for; see sanitize_whole(). */
#define SANITIZE_SEQUENCE_MAX 64

/*
 * Appends n bytes of a line, without its newline; ends_line: that follows.
 * Takes time in proportion to n, and at most 4 bytes for each of them.
 */
void sanitize_append(struct buffer *out, enum sanitize level, const uint8_t *s,
    size_t n, bool ends_line);

/*
 * How many of the first n bytes of a line that is not finished mean the same
 * whatever follows: not the beginning of a character or of a sequence, nor a
 * carriage return, at their end.
 */
size_t sanitize_whole(const uint8_t *s, size_t n);

#endif
