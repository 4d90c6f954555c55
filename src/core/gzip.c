/* SPDX-License-Identifier: ISC */

#include <stdint.h>
#include <stdlib.h>

#define ZLIB_CONST /* what goes in is not written to */
#include <zlib.h>

#include "core/buffer.h"
#include "core/gzip.h"

#define GZIP_WINDOW_BITS 15 /* 32 KiB, the most there is */
#define GZIP_WRAPPER 16	    /* added to that: gzip, neither zlib nor bare */
#define GZIP_MEMORY_LEVEL 8 /* zlib's default */
#define GZIP_PIECE 16384    /* bytes in and out of zlib at once */

struct gzip {
	z_stream stream;
	struct buffer out;
	bool chunked;
	bool finished;
};

struct gzip *
gzip_new(int level, bool chunked)
{
	struct gzip *g;

	if ((g = calloc(1, sizeof(*g))) == NULL)
		return NULL;
	if (deflateInit2(&g->stream, level, Z_DEFLATED,
		GZIP_WINDOW_BITS + GZIP_WRAPPER, GZIP_MEMORY_LEVEL,
		Z_DEFAULT_STRATEGY) != Z_OK) {
		free(g);
		return NULL;
	}
	g->chunked = chunked;
	return g;
}

void
gzip_free(struct gzip *g)
{
	if (g == NULL)
		return;
	(void)deflateEnd(&g->stream);
	buffer_clear(&g->out);
	free(g);
}

struct buffer *
gzip_output(struct gzip *g)
{
	return &g->out;
}

static void
gzip_put(struct gzip *g, const uint8_t *bytes, size_t n)
{
	/* A chunk of no bytes would end the answer. */
	if (n == 0)
		return;
	if (g->chunked)
		buffer_append_format(&g->out, "%zx\r\n", n);
	buffer_append(&g->out, bytes, n);
	if (g->chunked)
		buffer_append_string(&g->out, "\r\n");
}

/* Has zlib take all of its input. */
static void
gzip_run(struct gzip *g, int flush)
{
	uint8_t bytes[GZIP_PIECE];

	/* As long as it fills what it is given, there may be more. */
	do {
		g->stream.next_out = bytes;
		g->stream.avail_out = sizeof(bytes);
		(void)deflate(&g->stream, flush);
		gzip_put(g, bytes, sizeof(bytes) - g->stream.avail_out);
	} while (g->stream.avail_out == 0);
}

void
gzip_append(struct gzip *g, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;
	size_t piece;

	for (; n > 0; from += piece, n -= piece) {
		piece = n < GZIP_PIECE ? n : GZIP_PIECE;
		g->stream.next_in = from;
		g->stream.avail_in = (uInt)piece;
		gzip_run(g, Z_NO_FLUSH);
	}
}

bool
gzip_finish(struct gzip *g)
{
	if (g->finished)
		return false;
	g->finished = true;
	gzip_run(g, Z_FINISH);
	if (g->chunked)
		buffer_append_string(&g->out, "0\r\n\r\n");
	return true;
}
