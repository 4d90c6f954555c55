/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "core/buffer.h"
#include "reference.h"

#define CHARACTER_MAX 4

/* What a first byte says, or 0. */
static size_t
announced_length(uint8_t byte)
{
	size_t ones = 0;

	while (ones < 8 && (byte & 0x80U >> ones) != 0)
		ones++;
	if (ones == 0)
		return 1;
	return ones >= 2 && ones <= CHARACTER_MAX ? ones : 0;
}

size_t
reference_character(const uint8_t *s, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = announced_length(s[0]), i;
	uint32_t code = s[0];

	if (length < 2 || length > n)
		return length <= n ? length : 0;
	code &= 0x7fU >> length;
	for (i = 1; i < length; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		code = code << 6 | (s[i] & 0x3fU);
	}
	if (code < least[length] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return length;
}

/*
 * The numbers that two or more bytes leave open are all valid or all not, so
 * that one of them is enough.
 */
bool
reference_is_beginning(const uint8_t *s, size_t n)
{
	uint8_t whole[CHARACTER_MAX];
	size_t length = announced_length(s[0]);

	if (n >= length)
		return false;
	if (n == 1)
		return s[0] >= 0xc2 && s[0] <= 0xf4;
	memset(whole, 0x80, sizeof(whole));
	memcpy(whole, s, n);
	return reference_character(whole, length) == length;
}

void
reference_repair(struct buffer *out, const uint8_t *s, size_t n)
{
	size_t length;

	for (; n > 0; s += length, n -= length) {
		length = reference_character(s, n);
		if (length > 0) {
			buffer_append(out, s, length);
			continue;
		}
		length = n < CHARACTER_MAX ? n : CHARACTER_MAX - 1;
		while (length > 1 && !reference_is_beginning(s, length))
			length--;
		buffer_append_string(out, "\xef\xbf\xbd");
	}
}
