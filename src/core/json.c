/* SPDX-License-Identifier: ISC */

/*
 * Numbers are written by hand: printf is slow, and its decimal point depends
 * on the locale of the program.
 */

#include <string.h>

#include "core/buffer.h"
#include "core/json.h"
#include "core/utf8.h"

#define DIGITS_MAX 20 /* of a uint64_t */
#define EACH_BYTE 0x0101010101010101U
#define MILLISECONDS_MAX 1e15 /* as far as a double counts every one */

/* A string literal, without the strlen(). */
#define APPEND(out, literal) buffer_append(out, literal, sizeof(literal) - 1)

void
json_append_decimal(struct buffer *out, int64_t value, unsigned int places)
{
	uint64_t rest = (uint64_t)value;
	char digits[DIGITS_MAX + 2];
	size_t i = sizeof(digits);

	if (value < 0)
		rest = 0 - rest;
	for (; places > 0; places--) {
		digits[--i] = (char)('0' + rest % 10);
		rest /= 10;
	}
	digits[--i] = '.';
	do {
		digits[--i] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		digits[--i] = '-';
	buffer_append(out, digits + i, sizeof(digits) - i);
}

void
json_append_bool(struct buffer *out, bool value)
{
	buffer_append_string(out, value ? "true" : "false");
}

static bool
json_is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte != '"' && byte != '\\';
}

/* How many bytes at the start of s need no escape. */
static size_t
json_plain_prefix(const uint8_t *s, size_t n)
{
	uint64_t word, control, quote, backslash;
	size_t i = 0;

	/*
	 * Subtracting k from each byte of a word sets the high bit of some
	 * byte that had none if, and only if, one of them is less than k.
	 */
	while (n - i >= sizeof(word)) {
		memcpy(&word, s + i, sizeof(word));
		control = word - EACH_BYTE * 0x20;
		quote = (word ^ EACH_BYTE * '"') - EACH_BYTE;
		backslash = (word ^ EACH_BYTE * '\\') - EACH_BYTE;
		if (((control | quote | backslash) & ~word &
			EACH_BYTE * 0x80) != 0)
			break;
		i += sizeof(word);
	}
	while (i < n && json_is_plain(s[i]))
		i++;
	return i;
}

static void
json_append_escape(struct buffer *out, uint8_t byte)
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[0x20] = {
		['\b'] = 'b',
		['\t'] = 't',
		['\n'] = 'n',
		['\f'] = 'f',
		['\r'] = 'r',
	};
	char escape[] = { '\\', 'u', '0', '0', hex[byte >> 4],
		hex[byte & 0xf] };

	if (byte < 0x20 && letters[byte] == '\0') {
		buffer_append(out, escape, sizeof(escape));
		return;
	}
	escape[1] = byte < 0x20 ? letters[byte] : (char)byte;
	buffer_append(out, escape, 2);
}

/* s is valid UTF-8. */
static void
json_append_escaped(struct buffer *out, const uint8_t *s, size_t n)
{
	size_t plain;

	for (;;) {
		plain = json_plain_prefix(s, n);
		buffer_append(out, s, plain);
		if (plain == n)
			return;
		json_append_escape(out, s[plain]);
		s += plain + 1;
		n -= plain + 1;
	}
}

void
json_append_string(struct buffer *out, const uint8_t *s, size_t n)
{
	size_t length;

	APPEND(out, "\"");
	for (;;) {
		length = utf8_valid_prefix(s, n);
		json_append_escaped(out, s, length);
		if (length == n)
			break;
		length += utf8_bad_length(s + length, n - length);
		APPEND(out, "\xef\xbf\xbd");
		s += length;
		n -= length;
	}
	APPEND(out, "\"");
}

void
json_append_c_string(struct buffer *out, const char *s)
{
	json_append_string(out, (const uint8_t *)s, strlen(s));
}

void
json_append_strings(struct buffer *out, const char *const *strings)
{
	size_t i;

	APPEND(out, "[");
	for (i = 0; strings[i] != NULL; i++) {
		if (i > 0)
			APPEND(out, ",");
		json_append_c_string(out, strings[i]);
	}
	APPEND(out, "]");
}

/* No time is negative; what is no number, or beyond all sense, is cut. */
static int64_t
json_milliseconds(double seconds)
{
	double ms = seconds * 1000 + 0.5;

	if (!(ms > 0))
		return 0;
	return (int64_t)(ms < MILLISECONDS_MAX ? ms : MILLISECONDS_MAX);
}

void
json_append_seconds(struct buffer *out, double seconds)
{
	json_append_decimal(out, json_milliseconds(seconds), 3);
}
