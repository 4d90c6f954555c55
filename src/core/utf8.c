/* SPDX-License-Identifier: ISC */

/*
 * Only the second byte of a character has limits that depend on the first
 * (RFC 3629 section 4); that one rule serves all that is asked here.  Plain
 * ASCII, nearly all of what commands print, is passed over by the word.
 */

#include <string.h>

#include "core/buffer.h"
#include "core/utf8.h"

#define HIGH_BITS 0x8080808080808080U

static const char utf8_replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* What a lead byte announces. */
struct utf8_lead {
	unsigned int length; /* of the character, in bytes; 0: no lead byte */
	uint8_t low;	     /* limits of the second byte */
	uint8_t high;
};

static inline struct utf8_lead
utf8_lead(uint8_t byte)
{
	if (byte < 0x80)
		return (struct utf8_lead){ 1, 0, 0 };
	if (byte < 0xc2)
		return (struct utf8_lead){ 0, 0, 0 };
	if (byte < 0xe0)
		return (struct utf8_lead){ 2, 0x80, 0xbf };
	if (byte < 0xf0)
		return (struct utf8_lead){ 3, byte == 0xe0 ? 0xa0 : 0x80,
			byte == 0xed ? 0x9f : 0xbf };
	if (byte < 0xf5)
		return (struct utf8_lead){ 4, byte == 0xf0 ? 0x90 : 0x80,
			byte == 0xf4 ? 0x8f : 0xbf };
	return (struct utf8_lead){ 0, 0, 0 };
}

/*
 * How many bytes at s (n >= 1) are the beginning of a character; *whole is
 * whether they are all of it.
 */
static inline size_t
utf8_match(const uint8_t *s, size_t n, bool *whole)
{
	struct utf8_lead lead = utf8_lead(s[0]);
	size_t i;

	*whole = lead.length == 1;
	if (lead.length < 2)
		return lead.length;
	if (n < 2 || s[1] < lead.low || s[1] > lead.high)
		return 1;
	for (i = 2; i < lead.length; i++) {
		if (i == n || (s[i] & 0xc0) != 0x80)
			return i;
	}
	*whole = true;
	return i;
}

static inline size_t
utf8_ascii_prefix(const uint8_t *s, size_t n)
{
	uint64_t words[4];
	size_t i = 0;

	while (n - i >= sizeof(words)) {
		memcpy(words, s + i, sizeof(words));
		if (((words[0] | words[1] | words[2] | words[3]) & HIGH_BITS) !=
		    0)
			break;
		i += sizeof(words);
	}
	while (n - i >= sizeof(words[0])) {
		memcpy(words, s + i, sizeof(words[0]));
		if ((words[0] & HIGH_BITS) != 0)
			break;
		i += sizeof(words[0]);
	}
	/* The rest is looked at together with what is before it, if it can. */
	if (i < n && n - i < sizeof(words[0]) && n >= sizeof(words[0])) {
		memcpy(words, s + n - sizeof(words[0]), sizeof(words[0]));
		if ((words[0] & HIGH_BITS) == 0)
			return n;
	}
	while (i < n && s[i] < 0x80)
		i++;
	return i;
}

size_t
utf8_valid_prefix(const uint8_t *s, size_t n)
{
	size_t i = 0, length;
	bool whole = true;

	while (whole && i < n) {
		if (s[i] < 0x80) {
			i += utf8_ascii_prefix(s + i, n - i);
			continue;
		}
		length = utf8_match(s + i, n - i, &whole);
		if (whole)
			i += length;
	}
	return i;
}

bool
utf8_is_valid(const uint8_t *s, size_t n)
{
	return utf8_valid_prefix(s, n) == n;
}

size_t
utf8_bad_length(const uint8_t *s, size_t n)
{
	bool whole;
	size_t length = utf8_match(s, n, &whole);

	return length == 0 ? 1 : length;
}

void
utf8_append_repaired(struct buffer *out, const uint8_t *s, size_t n)
{
	size_t length;

	for (;;) {
		length = utf8_valid_prefix(s, n);
		buffer_append(out, s, length);
		if (length == n)
			return;
		length += utf8_bad_length(s + length, n - length);
		buffer_append_string(out, utf8_replacement);
		s += length;
		n -= length;
	}
}

/*
 * The state of an unfinished character: how many bytes are missing, and the
 * limits of the next one.
 */
static uint32_t
utf8_pack_state(unsigned int missing, uint8_t low, uint8_t high)
{
	return (uint32_t)missing << 16 | (uint32_t)low << 8 | high;
}

static bool
utf8_check_byte(uint32_t *state, uint8_t byte)
{
	struct utf8_lead lead;
	unsigned int missing = *state >> 16;

	if (missing == 0) {
		lead = utf8_lead(byte);
		if (lead.length > 1)
			*state = utf8_pack_state(lead.length - 1, lead.low,
			    lead.high);
		return lead.length != 0;
	}
	if (byte < (*state >> 8 & 0xff) || byte > (*state & 0xff))
		return false;
	*state = missing == 1 ? 0 : utf8_pack_state(missing - 1, 0x80, 0xbf);
	return true;
}

bool
utf8_check_next(uint32_t *state, const uint8_t *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		if (*state == 0)
			i += utf8_valid_prefix(s + i, n - i);
		if (i < n && !utf8_check_byte(state, s[i++]))
			return false;
	}
	return true;
}
