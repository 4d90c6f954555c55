/* SPDX-License-Identifier: ISC */

#include "core/buffer.h"
#include "core/sanitize.h"
#include "core/utf8.h"

#define ESC 0x1b
#define DEL 0x7f

/* Bytes with which something begins that may have to be made visible. */
static bool
sanitize_is_suspect(uint8_t byte)
{
	return (byte < 0x20 && byte != '\t') || byte == DEL || byte == 0xc2 ||
	    byte == 0xe2;
}

static size_t
sanitize_plain_prefix(const uint8_t *s, size_t n)
{
	size_t i = 0;

	while (i < n && !sanitize_is_suspect(s[i]))
		i++;
	return i;
}

static bool
sanitize_is_parameter(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || byte == ';' || byte == ':';
}

/*
 * ESC [ and the parameters of SGR (ECMA-48 section 8.3.117, ISO 8613-6), as far
 * as they go; 0: something else begins here.
 */
static size_t
sanitize_sgr_prefix(const uint8_t *s, size_t n)
{
	size_t i = 2;

	if (s[0] != ESC || (n > 1 && s[1] != '['))
		return 0;
	if (n < 2)
		return n;
	while (i < n && sanitize_is_parameter(s[i]))
		i++;
	return i;
}

/* Length of the SGR sequence at s, or 0. */
static size_t
sanitize_sgr_length(const uint8_t *s, size_t n)
{
	size_t i = sanitize_sgr_prefix(s, n);

	return i >= 2 && i < n && s[i] == 'm' ? i + 1 : 0;
}

/* The C1 or bidi control at s, which is valid UTF-8; 0: it is none. */
static unsigned int
sanitize_control(const uint8_t *s)
{
	unsigned int code;

	if (s[0] == 0xc2)
		return s[1] < 0xa0 ? s[1] : 0;
	if (s[0] != 0xe2)
		return 0;
	code = 0x2000U | (s[1] & 0x3fU) << 6 | (s[2] & 0x3fU);
	return (code >= 0x202a && code <= 0x202e) ||
		(code >= 0x2066 && code <= 0x2069) ?
	    code :
	    0;
}

/* Appends what begins at s with a suspect byte; returns its length. */
static size_t
sanitize_append_suspect(struct buffer *out, enum sanitize level,
    const uint8_t *s, size_t n)
{
	unsigned int code;
	size_t length = 0;

	if (level == SANITIZE_COLOR)
		length = sanitize_sgr_length(s, n);
	if (length > 0) {
		buffer_append(out, s, length);
		return length;
	}
	if (s[0] < 0x80) {
		buffer_append_byte(out, '^');
		buffer_append_byte(out, s[0] ^ 0x40);
		return 1;
	}
	length = s[0] == 0xc2 ? 2 : 3;
	if ((code = sanitize_control(s)) != 0)
		buffer_append_format(out, "<U+%04X>", code);
	else
		buffer_append(out, s, length);
	return length;
}

/* s is valid UTF-8. */
static void
sanitize_append_valid(struct buffer *out, enum sanitize level, const uint8_t *s,
    size_t n)
{
	size_t length;

	for (;;) {
		length = sanitize_plain_prefix(s, n);
		buffer_append(out, s, length);
		s += length;
		n -= length;
		if (n == 0)
			return;
		length = sanitize_append_suspect(out, level, s, n);
		s += length;
		n -= length;
	}
}

void
sanitize_append(struct buffer *out, enum sanitize level, const uint8_t *s,
    size_t n, bool ends_line)
{
	const bool has_return = ends_line && n > 0 && s[n - 1] == '\r';
	size_t length;

	n -= has_return;
	while (n > 0) {
		length = utf8_valid_prefix(s, n);
		sanitize_append_valid(out, level, s, length);
		if (length < n) {
			buffer_append_string(out, "\xef\xbf\xbd");
			length += utf8_bad_length(s + length, n - length);
		}
		s += length;
		n -= length;
	}
	if (has_return)
		buffer_append_byte(out, '\r');
}

/* n without the beginning of a character at the end. */
static size_t
sanitize_whole_characters(const uint8_t *s, size_t n)
{
	size_t i = n;
	uint32_t state = 0;

	while (i > 0 && n - i < 3 && (s[i - 1] & 0xc0) == 0x80)
		i--;
	if (i == 0 || s[i - 1] < 0xc0)
		return n;
	i--;
	return utf8_check_next(&state, s + i, n - i) && state != 0 ? i : n;
}

size_t
sanitize_whole(const uint8_t *s, size_t n)
{
	size_t i, first;

	if (n > 0 && s[n - 1] == '\r')
		return n - 1;
	first = n > SANITIZE_SEQUENCE_MAX ? n - SANITIZE_SEQUENCE_MAX : 0;
	for (i = n; i > first && s[i - 1] != ESC; i--)
		;
	if (i > first && sanitize_sgr_prefix(s + i - 1, n - i + 1) == n - i + 1)
		return i - 1;
	return sanitize_whole_characters(s, n);
}
