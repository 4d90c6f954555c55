/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_FEED_BLOCK_H
#define WSEXEC_FEED_BLOCK_H

/*
 * A block of a feed: what a block of the journal is in one format.  Private to
 * feed.c and feed_block.c; to others feeds are core/feed.h.
 *
 * The bytes are the journal's own where it keeps records in that very form.
 * Else they are encoded here, as far as they are asked for.  The same records
 * always give the same bytes, whenever and in however many steps that is.
 *
 * Compressed records refer to those before them, but never beyond an epoch,
 * which begins with each block and with the first record behind each
 * FEED_EPOCH_BYTES of it in the journal: who begins to read there needs
 * nothing else.
 */

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/feed.h"

LIST_HEAD(cursor_list, cursor);

/* What all blocks of a feed are made from, and with. */
struct feed_source {
	struct journal *journal; /* borrowed: outlives the feed */
	struct encoder *encoder; /* borrowed: outlives the feed */
	enum format format;
	enum carrier carrier;
	unsigned int streams;
	struct buffer spare; /* owned: memory of a block to use next */

	struct deflater *deflater; /* owned; NULL: not compressed */
	uint64_t deflated_block;   /* it goes on with this record there */
	uint32_t deflated_count;
};

struct feed_block {
	struct feed_source *source; /* borrowed: of the feed */
	uint64_t number;	    /* of the journal's block */
	uint64_t first_seq;	    /* of its first record */
	uint32_t count;		    /* records encoded so far */
	uint32_t ends_capacity;
	uint32_t *ends;	     /* owned: where each record ends; NULL: lent */
	struct buffer bytes; /* owned: the records, if not lent */
	const uint8_t *data; /* borrowed: of bytes, or lent by the journal */
	size_t size;	     /* of data */
	struct cursor_list readers;
	TAILQ_ENTRY(feed_block) used; /* in the order of last use */
};

/* Where record number index begins and ends in the bytes of the block. */
uint32_t feed_block_start(const struct feed_block *b, uint32_t index);
uint32_t feed_block_end(const struct feed_block *b, uint32_t index);

/*
 * The first record from number index (of count) on that begins an epoch, or is
 * the first of its epoch that this feed has; count: none is.
 */
uint32_t feed_block_epoch(const struct feed_block *b, uint32_t index);

/*
 * Encodes what the block has not yet: all, or to the end of an epoch if it is
 * compressed, as that takes its time.  False: out of memory; what was there
 * still is.
 */
bool feed_block_fill(struct feed_block *b);

/* Whether all that the journal has of it is there. */
bool feed_block_is_filled(const struct feed_block *b);

/* Bytes of memory. */
uint64_t feed_block_memory(const struct feed_block *b);

/* Frees what is encoded; its memory may be kept for the next block. */
void feed_block_clear(struct feed_block *b);

#endif
