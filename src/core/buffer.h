/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_BUFFER_H
#define WSEXEC_BUFFER_H

/*
 * A byte buffer that grows.  An allocation that fails is remembered instead
 * of returned: appending goes on doing nothing, and whoever filled the buffer
 * asks once, at the end, whether it is whole.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buffer {
	uint8_t *data; /* owned */
	size_t size;
	size_t capacity;
	bool failed;
};

/* clang-format off */
#define BUFFER_INIT { NULL, 0, 0, false }
/* clang-format on */

/* Frees the bytes; the buffer is as after BUFFER_INIT. */
void buffer_clear(struct buffer *b);

/* Forgets the bytes and a failure, keeps the memory. */
void buffer_reset(struct buffer *b);

/* Makes room for n more bytes; returns where they go, or NULL. */
uint8_t *buffer_grow(struct buffer *b, size_t n);

/*
 * The same.  The caller adds what it wrote to b->size.  Valid until the next
 * call on b.  Inline, as lines are made of little else.
 */
static inline uint8_t *
buffer_reserve(struct buffer *b, size_t n)
{
	if (b->failed || n > b->capacity - b->size)
		return buffer_grow(b, n);
	return b->data + b->size;
}

static inline void
buffer_append(struct buffer *b, const void *bytes, size_t n)
{
	uint8_t *to;

	if (n == 0 || (to = buffer_reserve(b, n)) == NULL)
		return;
	memcpy(to, bytes, n);
	b->size += n;
}

void buffer_append_string(struct buffer *b, const char *s);
void buffer_append_byte(struct buffer *b, uint8_t byte);
void buffer_append_number(struct buffer *b, uint64_t number); /* decimal */
void buffer_append_format(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts n bytes before the others. */
void buffer_prepend(struct buffer *b, const void *bytes, size_t n);

/* Takes n bytes, at most all there are, away from the front. */
void buffer_shift(struct buffer *b, size_t n);

/* Gives memory beyond the size back, if that is worth it. */
void buffer_shrink(struct buffer *b);

#endif
