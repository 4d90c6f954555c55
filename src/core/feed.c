/* SPDX-License-Identifier: ISC */

#include <sys/queue.h>

#include <stdlib.h>

#include "core/buffer.h"
#include "core/feed.h"
#include "core/journal.h"
#include "core/ring.h"

#define FEED_BLOCKS_MAX 8 /* looked at for one answer */

LIST_HEAD(cursor_list, cursor);
TAILQ_HEAD(feed_block_list, feed_block);

struct feed_block {
	uint64_t number;    /* of the journal's block */
	uint64_t first_seq; /* of its first record */
	uint32_t count;	    /* records encoded so far */
	uint32_t ends_capacity;
	uint32_t *ends; /* owned: where each record ends in bytes */
	struct buffer bytes;
	struct cursor_list readers;
	TAILQ_ENTRY(feed_block) used; /* in the order of last use */
};

struct feed {
	struct journal *journal; /* borrowed: outlives the feed */
	struct encoder *encoder; /* borrowed: outlives the feed */
	enum format format;
	enum carrier carrier;
	unsigned int streams;
	uint64_t bytes_max;
	uint64_t bytes; /* memory of all blocks */
	size_t readers;
	feed_rest_cb *on_rest;
	struct ring blocks; /* owned struct feed_block, NULL: not encoded;
			     * numbered as the journal's */
	struct feed_block_list used; /* longest unused first */
};

struct feed *
feed_new(struct journal *j, struct encoder *e, enum format format,
    enum carrier carrier, unsigned int streams, uint64_t bytes_max,
    feed_rest_cb *on_rest)
{
	struct feed *f;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		return NULL;
	f->journal = j;
	f->encoder = e;
	f->format = format;
	f->carrier = carrier;
	f->streams = streams;
	f->bytes_max = bytes_max;
	f->on_rest = on_rest;
	ring_init(&f->blocks, journal_first_block(j));
	TAILQ_INIT(&f->used);
	return f;
}

static uint64_t
feed_block_memory(const struct feed_block *b)
{
	return sizeof(*b) + b->bytes.capacity +
	    b->ends_capacity * sizeof(*b->ends);
}

/* The record the cursor is in or in front of, as an index in its block. */
static uint32_t
cursor_index(const struct cursor *c)
{
	const struct feed_block *b = c->block;
	uint32_t low = 0, high = b->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (b->ends[middle] <= c->offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
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
			f->on_rest(c, b->bytes.data + c->offset, rest);
			c->offset += rest;
		}
		cursor_detach(c, feed_next(c));
	}
	f->bytes -= feed_block_memory(b);
	ring_set(&f->blocks, b->number, NULL);
	TAILQ_REMOVE(&f->used, b, used);
	buffer_clear(&b->bytes);
	free(b->ends);
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
	b->number = number;
	b->first_seq = journal_block_first(f->journal, number, &count);
	LIST_INIT(&b->readers);
	TAILQ_INSERT_TAIL(&f->used, b, used);
	ring_set(&f->blocks, number, b);
	f->bytes += feed_block_memory(b);
	return b;
}

static bool
feed_encode_record(struct feed *f, struct feed_block *b, uint32_t index)
{
	struct record r;
	uint32_t *ends;
	uint32_t capacity;

	if (index == b->ends_capacity) {
		capacity = index == 0 ? 64 : index * 2;
		if ((ends = realloc(b->ends, capacity * sizeof(*ends))) == NULL)
			return false;
		b->ends = ends;
		b->ends_capacity = capacity;
	}
	journal_get(f->journal, b->number, index, &r);
	if ((f->streams & (1U << r.stream)) != 0)
		encoder_append_line(f->encoder, &b->bytes, f->format,
		    f->carrier, &r);
	if (b->bytes.failed)
		return false;
	b->ends[index] = (uint32_t)b->bytes.size;
	return true;
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

/* Encodes what the block's counterpart in the journal has got since. */
static bool
feed_fill(struct feed *f, struct feed_block *b)
{
	uint64_t memory = feed_block_memory(b);
	uint32_t count, size = (uint32_t)b->bytes.size;
	bool whole = true;

	(void)journal_block_first(f->journal, b->number, &count);
	if (b->count == count)
		return true;
	for (; b->count < count; b->count++) {
		if (!(whole = feed_encode_record(f, b, b->count))) {
			/* Leave it as after the last whole record. */
			b->bytes.size =
			    b->count == 0 ? 0 : b->ends[b->count - 1];
			b->bytes.failed = false;
			break;
		}
	}
	if (size == 0 && b->number + 1 < journal_end_block(f->journal))
		buffer_shrink(&b->bytes); /* it will not grow any more */
	f->bytes += feed_block_memory(b) - memory;
	feed_trim(f, b);
	return whole;
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

/* Moves the cursor to the block that has its next record. */
static enum feed_result
feed_enter(struct feed *f, struct cursor *c, uint64_t next)
{
	struct feed_block *b;
	uint64_t number;
	uint32_t index;

	cursor_detach(c, next);
	if (next > journal_last(f->journal))
		return FEED_END;
	if (next < journal_first(f->journal))
		return FEED_LOST;
	number = journal_find_block(f->journal, next);
	if ((b = ring_get(&f->blocks, number)) == NULL &&
	    (b = feed_add_block(f, number)) == NULL)
		return FEED_FAILED;
	feed_touch(f, b);
	if (!feed_fill(f, b))
		return FEED_FAILED;
	index = (uint32_t)(next - b->first_seq);
	cursor_attach(c, b, index == 0 ? 0 : b->ends[index - 1]);
	return FEED_BYTES;
}

/* How far the cursor may read in its block. */
static size_t
cursor_limit(const struct cursor *c)
{
	const struct feed_block *b = c->block;

	if (c->stop >= b->first_seq + b->count)
		return b->bytes.size;
	return c->stop < b->first_seq ? 0 : b->ends[c->stop - b->first_seq];
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
			if ((result = feed_enter(f, c, c->next)) != FEED_BYTES)
				return result;
		}
		b = c->block;
		if (!feed_fill(f, b))
			return FEED_FAILED;
		if (c->offset < cursor_limit(c)) {
			feed_touch(f, b);
			*bytes = b->bytes.data + c->offset;
			*n = cursor_limit(c) - c->offset;
			return FEED_BYTES;
		}
		/* At the end of the newest block there is nowhere to go. */
		if (b->number + 1 >= journal_end_block(f->journal) ||
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

	if (b == NULL || c->offset == b->bytes.size)
		return 0;
	index = cursor_index(c);
	if (c->offset == (index == 0 ? 0 : b->ends[index - 1]))
		return 0;
	return b->ends[index] - c->offset;
}

size_t
feed_record_size(const struct cursor *c)
{
	return c->block->ends[cursor_index(c)] - c->offset;
}

uint64_t
feed_next(const struct cursor *c)
{
	if (c->block == NULL)
		return c->next;
	return c->block->first_seq + cursor_index(c);
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
		ring_init(&f->blocks, journal_first_block(f->journal) + 1);
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
