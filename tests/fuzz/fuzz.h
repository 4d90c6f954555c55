/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_FUZZ_H
#define WSEXEC_FUZZ_H

/*
 * What fuzzers share.  Each gives libFuzzer's bytes to one pure module and
 * checks what its header promises; sanitizers see the rest.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A check that fails ends the fuzzer, which then keeps the input. */
#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,       \
			    __LINE__, #condition);                             \
			abort();                                               \
		}                                                              \
	} while (0)

/* Sizes of portions that only the bytes of the input decide. */
struct portions {
	uint32_t state;
};

static inline struct portions
portions_of(const uint8_t *data, size_t size)
{
	struct portions p = { 2166136261U };

	for (size_t i = 0; i < size; i++)
		p.state = (p.state ^ data[i]) * 16777619U;
	return p;
}

/* 0 to below; the low bits of such a generator are poor. */
static inline size_t
portions_choose(struct portions *p, size_t below)
{
	p->state = p->state * 1664525U + 1013904223U;
	return (p->state >> 8) % below;
}

/* 1 to left, more often few than many. */
static inline size_t
portions_next(struct portions *p, size_t left)
{
	size_t n = 1 + portions_choose(p, 1U << portions_choose(p, 8));

	return n < left ? n : left;
}

/* A copy of its own (owned by the caller), with no byte behind it. */
static inline uint8_t *
copy_exactly(const void *bytes, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	CHECK(copy != NULL);
	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

static inline bool
buffers_are_equal(const struct buffer *a, const struct buffer *b)
{
	return !a->failed && !b->failed && a->size == b->size &&
	    (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

/* Takes what is before the next byte of that value; that goes as well. */
static inline struct slice
take_until(struct slice *rest, char byte)
{
	struct slice taken = *rest;
	const char *end =
	    rest->size > 0 ? memchr(rest->data, byte, rest->size) : NULL;

	if (end == NULL) {
		rest->size = 0;
		return taken;
	}
	taken.size = (size_t)(end - rest->data);
	rest->data += taken.size + 1;
	rest->size -= taken.size + 1;
	return taken;
}

#endif
