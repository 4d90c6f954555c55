/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <zlib.h>

#include "swarm_inflater.h"
#include "swarm_lines.h"

#define PIECE_MAX 65536 /* bytes that are handed on at once */

struct inflater {
	z_stream stream;
	char piece[PIECE_MAX];
};

struct inflater *
inflater_new(void)
{
	struct inflater *i = calloc(1, sizeof(*i));

	/* Raw deflate, with the largest window: that takes them all. */
	if (i != NULL && inflateInit2(&i->stream, -MAX_WBITS) != Z_OK) {
		free(i);
		return NULL;
	}
	return i;
}

void
inflater_free(struct inflater *i)
{
	if (i == NULL)
		return;
	(void)inflateEnd(&i->stream);
	free(i);
}

/* What is left in the piece at the end is at *left. */
static bool
inflater_put(struct inflater *i, struct lines *lines, const char *bytes,
    size_t n)
{
	z_stream *z = &i->stream;
	int result;

	z->next_in = (z_const Bytef *)(z_const void *)bytes;
	z->avail_in = (uInt)n;
	for (;;) {
		result = inflate(z, Z_SYNC_FLUSH);
		if (result != Z_OK && result != Z_BUF_ERROR)
			return false;
		if (z->avail_out > 0)
			return z->avail_in == 0;
		lines_take(lines, i->piece, PIECE_MAX, false);
		z->next_out = (Bytef *)i->piece;
		z->avail_out = PIECE_MAX;
	}
}

bool
inflater_take(struct inflater *i, struct lines *lines, const char *bytes,
    size_t n, bool ends)
{
	static const char cut[] = { 0, 0, (char)0xff, (char)0xff };
	z_stream *z = &i->stream;

	z->next_out = (Bytef *)i->piece;
	z->avail_out = PIECE_MAX;
	if (!inflater_put(i, lines, bytes, n))
		return false;
	if (ends && !inflater_put(i, lines, cut, sizeof(cut)))
		return false;
	lines_take(lines, i->piece, PIECE_MAX - z->avail_out, ends);
	return true;
}
