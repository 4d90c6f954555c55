/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_FEED_BLOCK_H
#define WSEXEC_FEED_BLOCK_H

/*
 * A block of a feed: what a block of the journal is in one format.  Private to
 * feed.c and feed_block.c; to others feeds are core/feed.h.
 *
 * The bytes are the journal's own where it keeps records in that very form.
 * Else they are encoded here, as far as they are asked for.  The same records
 * always give the same bytes, whenever and in however many steps that is,
 * unless they are put together in messages.
 *
 * A message of several records is that of the first of them.  The others are
 * like records of a stream that is not wanted: they end where they begin.
 *
 *	records    0   1   2   3   4        2 is of another stream
 *	bytes      [   0,1,3   ][  4  ]
 *	ends                  ^ ^ of 4
 *	              of 0 to 3
 *
 * Compressed messages refer to those before them, but never beyond an epoch,
 * which begins with each block and with the first record behind each
 * FEED_EPOCH_BYTES of it in the journal: who begins to read there needs
 * nothing else.  No message goes beyond an epoch either.
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
	bool groups;	     /* several records may be one message */
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
	uint32_t *ends;	     /* owned: where messages end; NULL: lent */
	struct buffer bytes; /* owned: the records, if not lent */
	const uint8_t *data; /* borrowed: of bytes, or lent by the journal */
	size_t size;	     /* of data */
	struct cursor_list readers;
	TAILQ_ENTRY(feed_block) used; /* in the order of last use */
};

/*
 * Where the message of record number index begins and ends in the bytes of the
 * block; both are its end where the record is not the first one in it.
 */
uint32_t feed_block_start(const struct feed_block *b, uint32_t index);
uint32_t feed_block_end(const struct feed_block *b, uint32_t index);

/* The first record whose message ends behind offset; count: none does. */
uint32_t feed_block_find(const struct feed_block *b, size_t offset);

/*
 * Whether the record from number index (or count) on that is next for this feed
 * is in a message that begins before index.
 */
bool feed_block_is_inside(const struct feed_block *b, uint32_t index);

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

/*
 * Whether compressed messages can be read from record number index on by who
 * has read nothing, or others than those that are here now.
 */
bool feed_block_can_begin(const struct feed_block *b, uint32_t index);

/* Whether all that the journal has of it is there. */
bool feed_block_is_filled(const struct feed_block *b);

/* Bytes of memory. */
uint64_t feed_block_memory(const struct feed_block *b);

/* Frees what is encoded; its memory may be kept for the next block. */
void feed_block_clear(struct feed_block *b);

#endif
