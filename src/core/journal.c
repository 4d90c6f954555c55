/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "core/journal.h"
#include "core/ring.h"
#include "core/utf8.h"
#include "core/websocket.h"

struct entry {
	int64_t time_us;
	uint32_t end;	/* of the frame, from the start of the memory */
	uint8_t header; /* bytes of the frame before the text */
	uint8_t stream;
	uint8_t continued;
	uint8_t restart;
};

struct block {
	uint64_t first_seq;
	uint64_t start;	 /* bytes appended to the journal before this block */
	uint32_t count;	 /* records */
	uint32_t used;	 /* bytes of frames */
	uint8_t streams; /* 1 << enum stream, of its records */
	bool is_text;	 /* all of them are UTF-8, and lines */
	size_t capacity; /* bytes of memory, for frames and table */
	_Alignas(struct entry) uint8_t memory[];
};

struct journal {
	struct websocket_output *output; /* owned; makes headers */
	struct ring blocks;		 /* owned struct block */
	struct block *tail;  /* borrowed: the newest of blocks, or NULL */
	struct block *spare; /* owned: an ordinary block to use next */
	uint64_t bytes_max;
	uint64_t bytes; /* memory of all blocks */
	uint64_t last_seq;
	uint64_t appended; /* bytes of blocks used up, ever */
};

struct journal *
journal_new(uint64_t bytes_max)
{
	struct journal *j;

	if ((j = calloc(1, sizeof(*j))) == NULL)
		return NULL;
	if ((j->output = websocket_output_new()) == NULL) {
		free(j);
		return NULL;
	}
	ring_init(&j->blocks, 0);
	j->bytes_max =
	    bytes_max < JOURNAL_LIVE_BYTES ? JOURNAL_LIVE_BYTES : bytes_max;
	return j;
}

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	while (j->blocks.first != j->blocks.end)
		free(ring_shift(&j->blocks));
	ring_clear(&j->blocks);
	websocket_output_free(j->output);
	free(j->spare);
	free(j);
}

/* The table grows down from the end of the memory: entry 0 is the last. */
static struct entry *
block_entry(const struct block *b, uint32_t index)
{
	size_t offset = b->capacity - (index + 1) * sizeof(struct entry);

	return (struct entry *)(uintptr_t)(b->memory + offset);
}

static size_t
block_room(const struct block *b)
{
	return b->capacity - b->used - b->count * sizeof(struct entry);
}

/* Where the frame of record number index begins in the memory. */
static uint32_t
block_start(const struct block *b, uint32_t index)
{
	return index == 0 ? 0 : block_entry(b, index - 1)->end;
}

/* Bytes of the block before record number index. */
static uint64_t
block_offset(const struct block *b, uint32_t index)
{
	return block_start(b, index) + (uint64_t)index * sizeof(struct entry);
}

static struct block *
block_new(struct journal *j, size_t needed)
{
	size_t size = JOURNAL_BLOCK_BYTES;
	struct block *b;

	needed += sizeof(*b);
	if (needed > size) /* a record that is larger than a block */
		size = (needed + 15) / 16 * 16;
	if (size == JOURNAL_BLOCK_BYTES && j->spare != NULL) {
		b = j->spare;
		j->spare = NULL;
	} else if ((b = malloc(size)) == NULL) {
		return NULL;
	}
	if (!ring_push(&j->blocks, b)) {
		free(b);
		return NULL;
	}
	/* What stays empty counts, since it is memory that is gone. */
	if (j->tail != NULL)
		j->appended += block_room(j->tail) + sizeof(*b);
	*b = (struct block){ .first_seq = j->last_seq + 1,
		.start = j->appended,
		.is_text = true,
		.capacity = size - sizeof(*b) };
	j->bytes += size;
	return b;
}

static size_t
block_size(const struct block *b)
{
	return sizeof(*b) + b->capacity;
}

bool
journal_append(struct journal *j, const struct record *r)
{
	size_t needed = WEBSOCKET_HEADER_MAX + r->size + sizeof(struct entry);
	uint8_t header[WEBSOCKET_HEADER_MAX];
	size_t header_size = websocket_output_header(j->output, WEBSOCKET_TEXT,
	    0, r->size, header);
	struct block *b = j->tail;
	uint8_t *to;

	if (header_size == 0)
		return false;
	if (b == NULL || block_room(b) < needed) {
		if ((b = block_new(j, needed)) == NULL)
			return false;
		j->tail = b;
	}
	to = b->memory + b->used;
	memcpy(to, header, sizeof(header)); /* all, as that is faster */
	if (r->size > 0)
		memcpy(to + header_size, r->text, r->size);
	b->used += (uint32_t)(header_size + r->size);
	b->streams |= (uint8_t)(1U << r->stream);
	b->is_text =
	    b->is_text && !r->restart && utf8_is_valid(r->text, r->size);
	*block_entry(b, b->count++) = (struct entry){ .time_us = r->time_us,
		.end = b->used,
		.header = (uint8_t)header_size,
		.stream = (uint8_t)r->stream,
		.continued = r->continued,
		.restart = r->restart };
	j->last_seq++;
	j->appended += header_size + r->size + sizeof(struct entry);
	return true;
}

static const struct block *
journal_block(const struct journal *j, uint64_t number)
{
	return ring_get(&j->blocks, number);
}

uint64_t
journal_first(const struct journal *j)
{
	const struct block *b = journal_block(j, j->blocks.first);

	return b == NULL ? j->last_seq + 1 : b->first_seq;
}

uint64_t
journal_last(const struct journal *j)
{
	return j->last_seq;
}

uint64_t
journal_first_block(const struct journal *j)
{
	return j->blocks.first;
}

uint64_t
journal_end_block(const struct journal *j)
{
	return j->blocks.end;
}

uint64_t
journal_find_block(const struct journal *j, uint64_t seq)
{
	uint64_t low = j->blocks.first, high = j->blocks.end - 1, middle;

	while (low < high) {
		middle = low + (high - low + 1) / 2;
		if (journal_block(j, middle)->first_seq <= seq)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

uint64_t
journal_block_first(const struct journal *j, uint64_t block, uint32_t *count)
{
	const struct block *b = journal_block(j, block);

	*count = b->count;
	return b->first_seq;
}

void
journal_get(const struct journal *j, uint64_t block, uint32_t index,
    struct record *r)
{
	const struct block *b = journal_block(j, block);
	const struct entry *entry = block_entry(b, index);
	uint32_t start = block_start(b, index) + entry->header;

	*r = (struct record){ .seq = b->first_seq + index,
		.time_us = entry->time_us,
		.text = b->memory + start,
		.size = entry->end - start,
		.stream = (enum stream)entry->stream,
		.continued = entry->continued != 0,
		.restart = entry->restart != 0 };
}

bool
journal_get_frames(const struct journal *j, uint64_t block,
    unsigned int streams, const uint8_t **bytes, size_t *n)
{
	const struct block *b = journal_block(j, block);

	*bytes = b->memory;
	*n = b->used;
	return b->is_text && (b->streams & ~streams) == 0;
}

uint32_t
journal_frame_end(const struct journal *j, uint64_t block, uint32_t index)
{
	return block_entry(journal_block(j, block), index)->end;
}

void
journal_find(const struct journal *j, uint64_t seq, struct record *r)
{
	uint64_t block = journal_find_block(j, seq);

	journal_get(j, block,
	    (uint32_t)(seq - journal_block(j, block)->first_seq), r);
}

bool
journal_is_over(const struct journal *j)
{
	/* The block that is being filled stays. */
	return j->bytes > j->bytes_max && j->blocks.end - j->blocks.first > 1;
}

void
journal_drop_block(struct journal *j)
{
	struct block *b = ring_shift(&j->blocks);

	j->bytes -= block_size(b);
	if (j->blocks.first == j->blocks.end)
		j->tail = NULL;
	if (j->spare == NULL && block_size(b) == JOURNAL_BLOCK_BYTES)
		j->spare = b;
	else
		free(b);
}

uint64_t
journal_bytes(const struct journal *j)
{
	return j->bytes;
}

uint64_t
journal_appended(const struct journal *j)
{
	return j->appended;
}

uint64_t
journal_lag(const struct journal *j, uint64_t seq)
{
	const struct block *b;

	if (seq > j->last_seq)
		return 0;
	b = journal_block(j, journal_find_block(j, seq));
	return j->appended - b->start -
	    block_offset(b, (uint32_t)(seq - b->first_seq));
}

uint64_t
journal_within(const struct journal *j, uint64_t bytes)
{
	uint64_t low = journal_first(j), high = j->last_seq + 1, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (journal_lag(j, middle) <= bytes)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}
