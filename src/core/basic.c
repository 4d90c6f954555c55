/* SPDX-License-Identifier: ISC */

#include <netinet/in.h>
#include <resolv.h>
#include <string.h>
#include <strings.h>

#include "core/basic.h"

#define BASIC_SCHEME "Basic "
#define BASIC_SCHEME_SIZE (sizeof(BASIC_SCHEME) - 1)
#define BASIC_ENCODED_MAX ((BASIC_MAX + 2) / 3 * 4)

static bool
basic_is_control(char c)
{
	return (unsigned char)c < ' ' || c == '\x7f';
}

bool
basic_is_credential(struct slice text)
{
	size_t i;

	if (text.size == 0 || text.size > BASIC_MAX || text.data[0] == ':' ||
	    memchr(text.data, ':', text.size) == NULL)
		return false;
	for (i = 0; i < text.size; i++)
		if (basic_is_control(text.data[i]))
			return false;
	return true;
}

bool
basic_is_shown(struct slice field)
{
	return field.size >= BASIC_SCHEME_SIZE &&
	    strncasecmp(field.data, BASIC_SCHEME, BASIC_SCHEME_SIZE) == 0;
}

/* What follows the name of the scheme, or nothing. */
static struct slice
basic_encoded(struct slice field)
{
	if (!basic_is_shown(field))
		return (struct slice){ "", 0 };
	return slice_trim((struct slice){ field.data + BASIC_SCHEME_SIZE,
	    field.size - BASIC_SCHEME_SIZE });
}

/* As much of text as it takes; -1: it is no base64 (RFC 4648 section 4). */
static int
basic_decode(struct slice encoded, struct basic *b)
{
	char copy[BASIC_ENCODED_MAX + 1];
	int size;

	if (encoded.size > BASIC_ENCODED_MAX)
		return -1;
	memcpy(copy, encoded.data, encoded.size);
	copy[encoded.size] = '\0';
	/* b64_pton(3) would skip it. */
	size = strpbrk(copy, " \t") != NULL ?
	    -1 :
	    b64_pton(copy, (unsigned char *)b->text, sizeof(b->text));
	explicit_bzero(copy, sizeof(copy));
	return size;
}

bool
basic_parse(struct slice field, struct basic *b)
{
	int size = basic_decode(basic_encoded(field), b);

	b->size = size > 0 ? (size_t)size : 0;
	if (!basic_is_credential((struct slice){ b->text, b->size })) {
		explicit_bzero(b, sizeof(*b));
		return false;
	}
	b->text[b->size] = '\0';
	b->name_size = strcspn(b->text, ":");
	return true;
}
