/* SPDX-License-Identifier: ISC */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"

#define BUFFER_FIRST 64 /* bytes allocated at first */
#define DIGITS_MAX 20	/* of a uint64_t */

void
buffer_clear(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer)BUFFER_INIT;
}

void
buffer_reset(struct buffer *b)
{
	b->size = 0;
	b->failed = false;
}

static bool
buffer_reallocate(struct buffer *b, size_t needed)
{
	size_t capacity = b->capacity == 0 ? BUFFER_FIRST : b->capacity;
	uint8_t *data;

	while (capacity < needed) {
		if (capacity > SIZE_MAX / 2)
			return false;
		capacity *= 2;
	}
	if ((data = realloc(b->data, capacity)) == NULL)
		return false;
	b->data = data;
	b->capacity = capacity;
	return true;
}

uint8_t *
buffer_grow(struct buffer *b, size_t n)
{
	if (b->failed)
		return NULL;
	if (n > b->capacity - b->size &&
	    (n > SIZE_MAX - b->size || !buffer_reallocate(b, b->size + n))) {
		b->failed = true;
		return NULL;
	}
	return b->data + b->size;
}

void
buffer_append_string(struct buffer *b, const char *s)
{
	buffer_append(b, s, strlen(s));
}

void
buffer_append_byte(struct buffer *b, uint8_t byte)
{
	buffer_append(b, &byte, 1);
}

void
buffer_append_number(struct buffer *b, uint64_t number)
{
	char digits[DIGITS_MAX];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	buffer_append(b, digits + i, sizeof(digits) - i);
}

void
buffer_append_format(struct buffer *b, const char *format, ...)
{
	va_list ap;
	uint8_t *to;
	int n;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	/* vsnprintf() writes a NUL that does not count. */
	if (n < 0 || (to = buffer_reserve(b, (size_t)n + 1)) == NULL) {
		b->failed = true;
		return;
	}
	va_start(ap, format);
	vsnprintf((char *)to, (size_t)n + 1, format, ap);
	va_end(ap);
	b->size += (size_t)n;
}

void
buffer_prepend(struct buffer *b, const void *bytes, size_t n)
{
	if (n == 0 || buffer_reserve(b, n) == NULL)
		return;
	memmove(b->data + n, b->data, b->size);
	memcpy(b->data, bytes, n);
	b->size += n;
}

void
buffer_shift(struct buffer *b, size_t n)
{
	if (n == 0)
		return;
	b->size -= n;
	memmove(b->data, b->data + n, b->size);
}

void
buffer_shrink(struct buffer *b)
{
	uint8_t *data;

	if (b->capacity - b->size <= b->size / 8)
		return;
	if (b->size == 0) {
		buffer_clear(b);
		return;
	}
	if ((data = realloc(b->data, b->size)) == NULL)
		return;
	b->data = data;
	b->capacity = b->size;
}
