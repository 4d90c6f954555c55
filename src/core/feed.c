/* SPDX-License-Identifier: ISC */

#include <sys/queue.h>

#include <stdlib.h>

#include "core/deflate.h"
#include "core/feed.h"
#include "core/feed_block.h"
#include "core/journal.h"
#include "core/ring.h"

#define FEED_BLOCKS_MAX 8 /* looked at for one answer */

TAILQ_HEAD(feed_block_list, feed_block);

struct feed {
	struct feed_source source;
	uint64_t bytes_max;
	uint64_t bytes; /* memory of all blocks */
	size_t readers;
	feed_rest_cb *on_rest;
	struct ring blocks; /* owned struct feed_block, NULL: not encoded;
			     * numbered as the journal's */
	struct feed_block_list used; /* longest unused first */
};

struct feed *
feed_new(struct journal *j, struct encoder *e, const struct feed_config *config)
{
	struct feed *f;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		return NULL;
	f->source = (struct feed_source){ .journal = j,
		.encoder = e,
		.format = config->format,
		.carrier = config->carrier,
		.streams = config->streams,
		.groups = config->format == FORMAT_JSON &&
		    (config->carrier == CARRIER_WEBSOCKET ||
			config->carrier == CARRIER_WEBSOCKET_DEFLATE),
		.spare = BUFFER_INIT,
		.deflated_block = UINT64_MAX };
	if (config->carrier == CARRIER_WEBSOCKET_DEFLATE &&
	    (f->source.deflater = deflater_new(config->compression)) == NULL) {
		free(f);
		return NULL;
	}
	f->bytes_max = config->bytes_max;
	f->on_rest = config->on_rest;
	ring_init(&f->blocks, journal_first_block(j));
	TAILQ_INIT(&f->used);
	return f;
}

/* The message the cursor is in or in front of, by the index of its record. */
static uint32_t
cursor_index(const struct cursor *c)
{
	return feed_block_find(c->block, c->offset);
}

static void
cursor_detach(struct cursor *c, uint64_t next)
{
	if (c->block != NULL)
		LIST_REMOVE(c, link);
	c->block = NULL;
	c->next = next;
}

static void
feed_release(struct feed *f, struct feed_block *b)
{
	struct cursor *c;
	size_t rest;

	while ((c = LIST_FIRST(&b->readers)) != NULL) {
		if ((rest = feed_rest(c)) > 0) {
			f->on_rest(c, b->data + c->offset, rest);
			c->offset += rest;
		}
		cursor_detach(c, feed_next(c));
	}
	f->bytes -= feed_block_memory(b);
	ring_set(&f->blocks, b->number, NULL);
	TAILQ_REMOVE(&f->used, b, used);
	feed_block_clear(b);
	free(b);
}

void
feed_free(struct feed *f)
{
	struct feed_block *b;

	if (f == NULL)
		return;
	while ((b = TAILQ_FIRST(&f->used)) != NULL)
		feed_release(f, b);
	ring_clear(&f->blocks);
	buffer_clear(&f->source.spare);
	deflater_free(f->source.deflater);
	free(f);
}

static struct feed_block *
feed_add_block(struct feed *f, uint64_t number)
{
	struct feed_block *b;
	uint32_t count;

	while (f->blocks.end <= number)
		if (!ring_push(&f->blocks, NULL))
			return NULL;
	if ((b = calloc(1, sizeof(*b))) == NULL)
		return NULL;
	b->source = &f->source;
	b->number = number;
	b->first_seq = journal_block_first(f->source.journal, number, &count);
	LIST_INIT(&b->readers);
	TAILQ_INSERT_TAIL(&f->used, b, used);
	ring_set(&f->blocks, number, b);
	f->bytes += feed_block_memory(b);
	return b;
}

/* Blocks other than keep go until the bound is kept. */
static void
feed_trim(struct feed *f, const struct feed_block *keep)
{
	struct feed_block *b;

	while (f->bytes > f->bytes_max) {
		if ((b = TAILQ_FIRST(&f->used)) == keep)
			b = TAILQ_NEXT(b, used);
		if (b == NULL)
			return;
		feed_release(f, b);
	}
}

static bool
feed_fill(struct feed *f, struct feed_block *b)
{
	uint64_t memory = feed_block_memory(b);
	bool ok = feed_block_fill(b);

	if (feed_block_memory(b) != memory) {
		f->bytes += feed_block_memory(b) - memory;
		feed_trim(f, b);
	}
	return ok;
}

static void
feed_touch(struct feed *f, struct feed_block *b)
{
	if (TAILQ_NEXT(b, used) == NULL)
		return;
	TAILQ_REMOVE(&f->used, b, used);
	TAILQ_INSERT_TAIL(&f->used, b, used);
}

static void
cursor_attach(struct cursor *c, struct feed_block *b, size_t offset)
{
	if (c->block != NULL)
		LIST_REMOVE(c, link);
	c->block = b;
	c->offset = offset;
	LIST_INSERT_HEAD(&b->readers, c, link);
}

/* Records from number index of a block on that are for this reader alone. */
static uint32_t
cursor_alone(const struct cursor *c, const struct feed_block *b, uint32_t index)
{
	uint32_t end = feed_block_find(b, feed_block_end(b, index));

	if (end - index > FEED_MESSAGE_RECORDS)
		end = index + FEED_MESSAGE_RECORDS;
	return c->stop < b->first_seq + end ?
	    (uint32_t)(c->stop + 1 - b->first_seq) - index :
	    end - index;
}

/* Moves the cursor to the block that has its next record. */
static enum feed_result
feed_enter(struct feed *f, struct cursor *c, uint64_t next, size_t *n)
{
	struct feed_block *b;
	uint64_t number;
	uint32_t index;

	cursor_detach(c, next);
	if (next > journal_last(f->source.journal))
		return FEED_END;
	if (next < journal_first(f->source.journal))
		return FEED_LOST;
	number = journal_find_block(f->source.journal, next);
	if ((b = ring_get(&f->blocks, number)) == NULL &&
	    (b = feed_add_block(f, number)) == NULL)
		return FEED_FAILED;
	feed_touch(f, b);
	index = (uint32_t)(next - b->first_seq);
	do {
		if (!feed_fill(f, b))
			return FEED_FAILED;
	} while (b->count <= index);
	if (feed_block_is_inside(b, index) || !feed_block_can_begin(b, index)) {
		*n = cursor_alone(c, b, index);
		return FEED_ALONE;
	}
	cursor_attach(c, b, feed_block_start(b, index));
	return FEED_BYTES;
}

/* How far the cursor may read in its block. */
static size_t
cursor_limit(const struct cursor *c)
{
	const struct feed_block *b = c->block;
	uint32_t stop, start, end;

	if (c->stop >= b->first_seq + b->count)
		return b->size;
	if (c->stop < b->first_seq)
		return 0;
	stop = (uint32_t)(c->stop - b->first_seq);
	end = feed_block_end(b, stop);
	if (!feed_block_is_inside(b, stop + 1))
		return end;
	/* It shall stop inside a message, unless it has begun that. */
	start = feed_block_start(b, feed_block_find(b, end - 1));
	return c->offset > start ? end : start;
}

enum feed_result
feed_peek(struct feed *f, struct cursor *c, const uint8_t **bytes, size_t *n)
{
	enum feed_result result;
	struct feed_block *b;
	int looked_at;

	/* Blocks without a line of the wanted stream cost time, too. */
	for (looked_at = 0; looked_at < FEED_BLOCKS_MAX; looked_at++) {
		if (c->block == NULL) {
			if (c->next > c->stop)
				return FEED_END;
			if ((result = feed_enter(f, c, c->next, n)) !=
			    FEED_BYTES)
				return result;
		}
		b = c->block;
		if (!feed_fill(f, b))
			return FEED_FAILED;
		if (c->offset < cursor_limit(c)) {
			feed_touch(f, b);
			*bytes = b->data + c->offset;
			*n = cursor_limit(c) - c->offset;
			return FEED_BYTES;
		}
		if (c->offset < b->size && feed_next(c) <= c->stop) {
			*n = cursor_alone(c, b, cursor_index(c));
			return FEED_ALONE;
		}
		if (!feed_block_is_filled(b) &&
		    c->stop >= b->first_seq + b->count)
			continue;
		/* At the end of the newest block there is nowhere to go. */
		if (b->number + 1 >= journal_end_block(f->source.journal) ||
		    c->stop < b->first_seq + b->count)
			return FEED_END;
		cursor_detach(c, b->first_seq + b->count);
	}
	return FEED_LATER;
}

void
feed_advance(struct cursor *c, size_t n)
{
	c->offset += n;
}

size_t
feed_rest(const struct cursor *c)
{
	const struct feed_block *b = c->block;
	uint32_t index;

	if (b == NULL || c->offset == b->size)
		return 0;
	index = cursor_index(c);
	if (c->offset == feed_block_start(b, index))
		return 0;
	return feed_block_end(b, index) - c->offset;
}

size_t
feed_message_size(const struct cursor *c)
{
	return feed_block_end(c->block, cursor_index(c)) - c->offset;
}

size_t
feed_to_epoch(const struct cursor *c)
{
	const struct feed_block *b = c->block;
	uint32_t index = cursor_index(c);
	size_t end, limit = cursor_limit(c);

	if (c->offset > feed_block_start(b, index))
		index++; /* inside a message */
	end = feed_block_start(b, feed_block_epoch(b, index));
	return (end < limit ? end : limit) - c->offset;
}

uint64_t
feed_next(const struct cursor *c)
{
	if (c->block == NULL)
		return c->next;
	return c->block->first_seq + cursor_index(c);
}

uint64_t
feed_begun(const struct cursor *c)
{
	const struct feed_block *b = c->block;
	size_t rest = feed_rest(c);

	if (rest == 0)
		return feed_next(c) - 1;
	return b->first_seq + feed_block_find(b, c->offset + rest) - 1;
}

void
feed_seek(struct feed *f, struct cursor *c, uint64_t seq)
{
	*c = (struct cursor){ .next = seq, .stop = CURSOR_NO_STOP };
	f->readers++;
}

void
feed_leave(struct feed *f, struct cursor *c)
{
	cursor_detach(c, feed_next(c));
	f->readers--;
}

void
feed_drop_block(struct feed *f)
{
	struct feed_block *b;

	if (f->blocks.first == f->blocks.end) {
		ring_clear(&f->blocks);
		ring_init(&f->blocks,
		    journal_first_block(f->source.journal) + 1);
		return;
	}
	if ((b = ring_get(&f->blocks, f->blocks.first)) != NULL)
		feed_release(f, b);
	(void)ring_shift(&f->blocks);
}

size_t
feed_readers(const struct feed *f)
{
	return f->readers;
}

uint64_t
feed_bytes(const struct feed *f)
{
	return f->bytes;
}
