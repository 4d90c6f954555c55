/* SPDX-License-Identifier: ISC */

/*
 * Nothing that a terminal obeys is left, but for colours where those may stay;
 * and a line that comes in two parts, cut where that may be, is the same line.
 */

#include "core/sanitize.h"
#include "core/utf8.h"
#include "fuzz.h"

#define GROWTH 4 /* bytes of output for each of input, at most */

static size_t
count_parameters(const uint8_t *s, size_t n)
{
	size_t i = 0;

	while (i < n && memchr("0123456789:;", s[i], 12) != NULL)
		i++;
	return i;
}

/* Length of the SGR sequence at s, or 0. */
static size_t
sgr_length(const uint8_t *s, size_t n)
{
	size_t parameters;

	if (n < 3 || s[0] != 0x1b || s[1] != '[')
		return 0;
	parameters = count_parameters(s + 2, n - 2);
	return parameters < n - 2 && s[2 + parameters] == 'm' ? parameters + 3 :
								0;
}

static bool
is_harmless(const uint8_t *s, size_t n)
{
	uint32_t code;

	if (s[0] < 0x80)
		return s[0] == '\t' || (s[0] >= 0x20 && s[0] != 0x7f);
	if (n >= 2 && s[0] == 0xc2)
		return s[1] >= 0xa0;
	if (n < 3 || s[0] != 0xe2)
		return true;
	code = 0x2000U + (s[1] & 0x3fU) * 64 + (s[2] & 0x3fU);
	return (code < 0x202a || code > 0x202e) &&
	    (code < 0x2066 || code > 0x2069);
}

static void
check_is_safe(const struct buffer *out, enum sanitize level, bool may_return)
{
	const uint8_t *s = out->data;
	size_t n = out->size, skip;

	CHECK(utf8_is_valid(s, n));
	if (may_return && n > 0 && s[n - 1] == '\r')
		n--;
	while (n > 0) {
		skip = level == SANITIZE_COLOR ? sgr_length(s, n) : 0;
		if (skip == 0) {
			CHECK(is_harmless(s, n));
			skip = 1;
		}
		s += skip;
		n -= skip;
	}
}

static bool
has_long_sequence(const uint8_t *s, size_t n)
{
	size_t i = 0, run;

	for (; i < n; i += run + 1) {
		run = count_parameters(s + i, n - i);
		if (run + 3 > SANITIZE_SEQUENCE_MAX)
			return true;
	}
	return false;
}

/* The same in two parts; sequences that are not waited for are cut. */
static void
check_parts(const struct buffer *wanted, enum sanitize level, const uint8_t *s,
    size_t n, bool ends_line)
{
	struct portions p = portions_of(s, n);
	struct buffer out = BUFFER_INIT;
	size_t known = portions_choose(&p, n + 1);
	size_t whole = sanitize_whole(s, known);

	CHECK(whole <= known);
	if (has_long_sequence(s, n))
		return;
	sanitize_append(&out, level, s, whole, false);
	sanitize_append(&out, level, s + whole, n - whole, ends_line);
	CHECK(buffers_are_equal(&out, wanted));
	buffer_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer out = BUFFER_INIT;
	enum sanitize level;
	bool ends_line;

	if (size == 0)
		return 0;
	level = (data[0] & 1) != 0 ? SANITIZE_COLOR : SANITIZE_ALL;
	ends_line = (data[0] & 2) != 0;
	data++;
	size--;
	sanitize_append(&out, level, data, size, ends_line);
	CHECK(!out.failed && out.size <= GROWTH * size);
	check_is_safe(&out, level, ends_line);
	check_parts(&out, level, data, size, ends_line);
	buffer_clear(&out);
	return 0;
}
