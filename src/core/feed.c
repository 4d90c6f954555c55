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
	struct feed *feed;  /* borrowed: owns the block */
	uint64_t number;    /* of the journal's block */
	uint64_t first_seq; /* of its first record */
	uint32_t count;	    /* records encoded so far */
	uint32_t ends_capacity;
	uint32_t *ends;	     /* owned: where each record ends; NULL: lent */
	struct buffer bytes; /* owned: the records, if not lent */
	const uint8_t *data; /* borrowed: of bytes, or lent by the journal */
	size_t size;	     /* of data */
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
	uint64_t bytes;	     /* memory of all blocks */
	struct buffer spare; /* owned: memory of a block to use next */
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
	f->spare = (struct buffer)BUFFER_INIT;
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

/* Where record number index ends in the bytes of the block. */
static uint32_t
feed_block_end(const struct feed_block *b, uint32_t index)
{
	return b->ends != NULL ?
	    b->ends[index] :
	    journal_frame_end(b->feed->journal, b->number, index);
}

/* Where it begins. */
static uint32_t
feed_block_start(const struct feed_block *b, uint32_t index)
{
	return index == 0 ? 0 : feed_block_end(b, index - 1);
}

/* The record the cursor is in or in front of, as an index in its block. */
static uint32_t
cursor_index(const struct cursor *c)
{
	const struct feed_block *b = c->block;
	uint32_t low = 0, high = b->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (feed_block_end(b, middle) <= c->offset)
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

/* Frees what is encoded. */
static void
feed_block_clear(struct feed_block *b)
{
	buffer_clear(&b->bytes);
	free(b->ends);
	b->ends = NULL;
	b->ends_capacity = 0;
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
	/* Fresh memory costs more than what is written to it. */
	if (f->spare.data == NULL && b->bytes.capacity <= FEED_SPARE_MAX) {
		buffer_clear(&f->spare);
		f->spare = b->bytes;
		b->bytes = (struct buffer)BUFFER_INIT;
	}
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
	buffer_clear(&f->spare);
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
	b->feed = f;
	b->number = number;
	b->first_seq = journal_block_first(f->journal, number, &count);
	LIST_INIT(&b->readers);
	TAILQ_INSERT_TAIL(&f->used, b, used);
	ring_set(&f->blocks, number, b);
	f->bytes += feed_block_memory(b);
	return b;
}

/* The block is as the journal has it; false: it has to be encoded. */
static bool
feed_borrow(struct feed *f, struct feed_block *b, uint32_t count)
{
	if (f->format != FORMAT_TEXT || f->carrier != CARRIER_WEBSOCKET ||
	    b->ends != NULL ||
	    !journal_get_frames(f->journal, b->number, f->streams, &b->data,
		&b->size))
		return false;
	b->count = count;
	return true;
}

static bool
feed_encode_record(struct feed *f, struct feed_block *b, uint32_t index)
{
	struct record r;

	journal_get(f->journal, b->number, index, &r);
	if ((f->streams & (1U << r.stream)) != 0)
		encoder_append_line(f->encoder, &b->bytes, f->format,
		    f->carrier, &r);
	if (b->bytes.failed)
		return false;
	b->ends[index] = (uint32_t)b->bytes.size;
	return true;
}

static bool
feed_reserve_ends(struct feed_block *b, uint32_t count)
{
	uint32_t capacity = b->ends_capacity == 0 ? 64 : b->ends_capacity;
	uint32_t *ends;

	while (capacity < count)
		capacity *= 2;
	if (capacity == b->ends_capacity)
		return true;
	if ((ends = realloc(b->ends, capacity * sizeof(*ends))) == NULL)
		return false;
	b->ends = ends;
	b->ends_capacity = capacity;
	return true;
}

/*
 * Encodes records up to count.  One that the journal has lent so far, and does
 * not any more, is encoded from its start on; what it lent was the same.
 */
static bool
feed_encode(struct feed *f, struct feed_block *b, uint32_t count)
{
	uint32_t index = b->ends == NULL ? 0 : b->count;

	if (b->bytes.data == NULL) {
		b->bytes = f->spare;
		f->spare = (struct buffer)BUFFER_INIT;
	}
	b->bytes.size = b->ends == NULL ? 0 : b->size;
	if (!feed_reserve_ends(b, count))
		return false;
	while (index < count && feed_encode_record(f, b, index))
		index++;
	b->bytes.failed = false;
	if (index < b->count) { /* less than readers have been shown */
		feed_block_clear(b);
		return false;
	}
	b->count = index;
	b->size = feed_block_start(b, index);
	b->data = b->bytes.data;
	return index == count;
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

/* Brings the block up to what its counterpart in the journal has. */
static bool
feed_fill(struct feed *f, struct feed_block *b)
{
	uint64_t memory = feed_block_memory(b);
	uint32_t count;
	bool whole, is_new = b->count == 0;

	(void)journal_block_first(f->journal, b->number, &count);
	if (b->count == count || feed_borrow(f, b, count))
		return true;
	whole = feed_encode(f, b, count);
	if (is_new && b->number + 1 < journal_end_block(f->journal)) {
		buffer_shrink(&b->bytes); /* it will not grow any more */
		b->data = b->bytes.data;
	}
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
	cursor_attach(c, b, feed_block_start(b, index));
	return FEED_BYTES;
}

/* How far the cursor may read in its block. */
static size_t
cursor_limit(const struct cursor *c)
{
	const struct feed_block *b = c->block;

	if (c->stop >= b->first_seq + b->count)
		return b->size;
	return c->stop < b->first_seq ?
	    0 :
	    feed_block_end(b, (uint32_t)(c->stop - b->first_seq));
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
			*bytes = b->data + c->offset;
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

	if (b == NULL || c->offset == b->size)
		return 0;
	index = cursor_index(c);
	if (c->offset == feed_block_start(b, index))
		return 0;
	return feed_block_end(b, index) - c->offset;
}

size_t
feed_record_size(const struct cursor *c)
{
	return feed_block_end(c->block, cursor_index(c)) - c->offset;
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
