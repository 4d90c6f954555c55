/* SPDX-License-Identifier: ISC */
#ifndef BENCH_LINE_H
#define BENCH_LINE_H

/*
 * What a line of emit looks like, for who writes it and for who checks it:
 *
 *	0000000042 0000012345678901234 qrstuvwxyzabcdefgh...
 *	|          |                   |
 *	number     when it was made    letters that follow from the number
 *	from 0     (clock_ns)          and from where they stand
 *
 * Sizes are without the newline.  A line may end anywhere behind the time.
 */

#include <stddef.h>
#include <stdint.h>

#define LINE_NUMBER_DIGITS 10
#define LINE_TIME_AT 11
#define LINE_TIME_DIGITS 19
#define LINE_MIN 30	    /* bytes of number and time */
#define LINE_LETTERS_AT 31  /* offset of the first letter */
#define LINE_LETTERS_MAX 26 /* after so many they are the same again */

/* Letters for any line with up to so many of them; NULL: no memory. */
char *line_letters_new(size_t count);

/* Where in those the letters of a line begin, from a letter of it on. */
static inline const char *
line_letters(const char *letters, uint64_t number, uint64_t from)
{
	return letters + (number + from) % LINE_LETTERS_MAX;
}

/* Writes a line of size bytes and no newline, and returns its end. */
char *line_put(char *to, size_t size, uint64_t number, const char *letters);

#endif
