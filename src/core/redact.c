/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "core/buffer.h"
#include "core/query.h"
#include "core/redact.h"

static const char redacted[] = "-";

/* Bytes up to one that may stand before a parameter. */
static size_t
redact_part_size(struct slice rest)
{
	size_t n = 0;

	while (n < rest.size && strchr("?&#;", rest.data[n]) == NULL)
		n++;
	return n;
}

static void
redact_append_part(struct buffer *out, struct slice part)
{
	const char *mark =
	    part.size > 0 ? memchr(part.data, '=', part.size) : NULL;
	struct slice name = { part.data, 0 };

	if (mark != NULL)
		name.size = (size_t)(mark - part.data);
	if (name.size == 0 || !query_name_is_secret(name)) {
		buffer_append(out, part.data, part.size);
		return;
	}
	buffer_append(out, part.data, name.size + 1);
	buffer_append_string(out, redacted);
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
	struct slice part = address;

	while (address.size > 0) {
		part.data = address.data;
		part.size = redact_part_size(address);
		redact_append_part(out, part);
		address.data += part.size;
		address.size -= part.size;
		if (address.size == 0)
			break;
		buffer_append(out, address.data, 1);
		address.data++;
		address.size--;
	}
	for (; *tokens != NULL && !out->failed; tokens++)
		redact_word(out, begin, *tokens);
}
