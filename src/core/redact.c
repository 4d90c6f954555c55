/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "core/buffer.h"
#include "core/query.h"
#include "core/redact.h"

static const char redacted[] = "-";

/* Bytes up to one of those. */
static size_t
redact_prefix(struct slice s, const char *ends)
{
	const size_t count = strlen(ends);
	size_t n = 0;

	while (n < s.size && memchr(ends, s.data[n], count) == NULL)
		n++;
	return n;
}

/*
 * Appends what is before the next byte that may stand before a parameter, or
 * a parameter that is secret, up to the end of its value: that may have such
 * bytes itself (RFC 3986 section 3.4).  Returns how many bytes that took.
 */
static size_t
redact_append_part(struct buffer *out, struct slice rest)
{
	const size_t size = redact_prefix(rest, "?&#;");
	const char *mark = size > 0 ? memchr(rest.data, '=', size) : NULL;
	struct slice name = { rest.data, 0 };

	if (mark != NULL)
		name.size = (size_t)(mark - rest.data);
	if (name.size == 0 || !query_name_is_secret(name)) {
		buffer_append(out, rest.data, size);
		return size;
	}
	buffer_append(out, rest.data, name.size + 1);
	buffer_append_string(out, redacted);
	return redact_prefix(rest, "&");
}

/* Behind begin, which is longer than what comes in its place. */
static void
redact_word(struct buffer *out, size_t begin, const char *word)
{
	const size_t size = strlen(word), left = strlen(redacted);
	uint8_t *found;
	size_t at;

	while (size > left && out->size > begin &&
	    (found = memmem(out->data + begin, out->size - begin, word,
		 size)) != NULL) {
		at = (size_t)(found - out->data);
		memcpy(found, redacted, left);
		memmove(found + left, found + size, out->size - at - size);
		out->size -= size - left;
		begin = at + left;
	}
}

void
redact_append(struct buffer *out, struct slice address,
    const char *const *tokens)
{
	const size_t begin = out->size;
	size_t n;

	while (address.size > 0) {
		n = redact_append_part(out, address);
		if (n < address.size)
			buffer_append(out, address.data + n++, 1);
		address.data += n;
		address.size -= n;
	}
	for (; *tokens != NULL && !out->failed; tokens++)
		redact_word(out, begin, *tokens);
}
