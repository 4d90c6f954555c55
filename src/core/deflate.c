/* SPDX-License-Identifier: ISC */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "core/buffer.h"
#include "core/deflate.h"

/* Negative bits of a window are zlib's way to say: raw, without a header. */
#define INFLATE_WINDOW_BITS (-15) /* a client may use all there is */
#define DEFLATE_MEMORY_LEVEL 6	  /* more finds no more in so small a window */
#define DEFLATE_FLUSH_MAX 16	  /* bytes that a flush may add */
#define INFLATE_STEP ((size_t)16384) /* bytes, at most, in one go */
#define INFLATE_BETWEEN_BLOCKS 128   /* of data_type, see zlib.h */

/* The end of each message that is not sent. */
static const uint8_t deflate_tail[] = { 0x00, 0x00, 0xff, 0xff };

struct deflater {
	z_stream stream;
	size_t memory; /* bytes allocated, this struct with them */
};

static void *
deflater_alloc_cb(void *arg, unsigned int count, unsigned int size)
{
	struct deflater *d = arg;

	d->memory += (size_t)count * size;
	return calloc(count, size);
}

static void
deflater_free_cb(void *arg, void *memory)
{
	(void)arg;
	free(memory);
}

struct deflater *
deflater_new(int level)
{
	struct deflater *d;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	d->memory = sizeof(*d);
	d->stream.zalloc = deflater_alloc_cb;
	d->stream.zfree = deflater_free_cb;
	d->stream.opaque = d;
	if (deflateInit2(&d->stream, level, Z_DEFLATED, -DEFLATE_WINDOW_BITS,
		DEFLATE_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(d);
		return NULL;
	}
	return d;
}

void
deflater_free(struct deflater *d)
{
	if (d == NULL)
		return;
	deflateEnd(&d->stream);
	free(d);
}

void
deflater_reset(struct deflater *d)
{
	deflateReset(&d->stream);
}

size_t
deflater_memory(const struct deflater *d)
{
	return d->memory;
}

void
deflater_append(struct deflater *d, struct buffer *out, const void *payload,
    size_t size)
{
	z_stream *stream = &d->stream;
	size_t begin = out->size, space;

	/* zlib would write nothing where nothing is new. */
	if (size == 0) {
		buffer_append_byte(out, 0);
		return;
	}
	if (size > INT_MAX) {
		out->failed = true;
		return;
	}
	stream->next_in = payload;
	stream->avail_in = (unsigned int)size;
	do {
		space =
		    deflateBound(stream, stream->avail_in) + DEFLATE_FLUSH_MAX;
		stream->next_out = buffer_reserve(out, space);
		if (stream->next_out == NULL) {
			out->size = begin;
			return;
		}
		stream->avail_out = (unsigned int)space;
		deflate(stream, Z_SYNC_FLUSH);
		out->size += space - stream->avail_out;
	} while (stream->avail_out == 0);
	out->size -= sizeof(deflate_tail);
}

static enum inflate_result
inflate_payload(z_stream *stream, struct buffer *out, size_t max)
{
	size_t begin = out->size, left, space;
	int status;

	do {
		/* One byte more than may come, to see that it comes. */
		left = max - (out->size - begin);
		space = left < INFLATE_STEP ? left + 1 : INFLATE_STEP;
		stream->next_out = buffer_reserve(out, space);
		if (stream->next_out == NULL)
			return INFLATE_NO_MEMORY;
		stream->avail_out = (unsigned int)space;
		status = inflate(stream, Z_NO_FLUSH);
		out->size += space - stream->avail_out;
		if (out->size - begin > max)
			return INFLATE_TOO_BIG;
		/* A last block may be followed by others (section 7.2.3.4). */
		if (status == Z_STREAM_END)
			status = inflateReset(stream);
		if (status == Z_MEM_ERROR)
			return INFLATE_NO_MEMORY;
		if (status != Z_OK && status != Z_BUF_ERROR)
			return INFLATE_BAD_DATA;
	} while (stream->avail_in > 0 || stream->avail_out == 0);
	return INFLATE_DONE;
}

/*
 * Whether the tail is what is missing: the end of an empty block.  It may
 * write where the payload was written to, but then it is not.
 */
static bool
inflate_tail(z_stream *stream)
{
	unsigned int space = stream->avail_out;

	stream->next_in = deflate_tail;
	stream->avail_in = sizeof(deflate_tail);
	return inflate(stream, Z_BLOCK) == Z_OK && stream->avail_in == 0 &&
	    stream->avail_out == space &&
	    (stream->data_type & INFLATE_BETWEEN_BLOCKS) != 0;
}

enum inflate_result
inflate_message(struct buffer *out, const void *payload, size_t size,
    size_t max)
{
	z_stream stream = { .next_in = payload, .avail_in = (uInt)size };
	enum inflate_result result;

	if (size > UINT_MAX)
		return INFLATE_TOO_BIG;
	if (inflateInit2(&stream, INFLATE_WINDOW_BITS) != Z_OK)
		return INFLATE_NO_MEMORY;
	result = inflate_payload(&stream, out, max);
	if (result == INFLATE_DONE && !inflate_tail(&stream))
		result = INFLATE_BAD_DATA;
	inflateEnd(&stream);
	return result;
}
