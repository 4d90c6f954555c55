/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "line.h"

char *
line_letters_new(size_t count)
{
	char *letters;
	size_t i;

	count += LINE_LETTERS_MAX;
	if ((letters = malloc(count)) == NULL)
		return NULL;
	for (i = 0; i < count; i++)
		letters[i] = (char)('a' + i % LINE_LETTERS_MAX);
	return letters;
}

static void
put_digits(char *to, size_t digits, uint64_t value)
{
	while (digits-- > 0) {
		to[digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

char *
line_put(char *to, size_t size, uint64_t number, const char *letters)
{
	put_digits(to, LINE_NUMBER_DIGITS, number);
	to[LINE_NUMBER_DIGITS] = ' ';
	put_digits(to + LINE_TIME_AT, LINE_TIME_DIGITS, clock_ns());
	if (size > LINE_MIN)
		to[LINE_MIN] = ' ';
	if (size > LINE_LETTERS_AT)
		memcpy(to + LINE_LETTERS_AT, line_letters(letters, number, 0),
		    size - LINE_LETTERS_AT);
	return to + size;
}
