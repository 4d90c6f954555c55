/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_FEED_H
#define WSEXEC_FEED_H

/*
 * A feed: the journal in one format, encoded once and shared by all its
 * readers.  Each block of the journal that somebody reads is encoded when it
 * is first needed; what is appended to the newest one is encoded when the
 * first reader asks for it.  Encoded blocks are kept within a bound of their
 * own: as they can be made again, the one unused for longest goes first.  What
 * the journal has in this format already is read there, and takes no memory.
 *
 * What is encoded is messages: a record each or, in the json format by
 * WebSocket, the records that are encoded at the same time.  Such a block has
 * other messages when it is made again.  Who comes to a record inside of one,
 * or shall stop there, cannot read the record here: FEED_ALONE.
 *
 *	journal   [ 7 ][ 8 ][ 9 ][10 ]
 *	feed      [   ][ 8'][   ][10']      10' grows with 10
 *	                 ^          ^ ^
 *	cursors          a          b c     a: (8', offset)
 *
 * A feed may be compressed: then reading it must begin at an epoch, and go on
 * without a gap, since messages refer to those before them in their epoch.
 *
 * A cursor pins nothing.  When the block below it goes, the rest of a message
 * it has begun is handed to its owner and the cursor becomes a sequence
 * number, from which it finds its way back.
 */

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/format.h"

struct feed;
struct feed_block;
struct journal;

#define FEED_BYTES_MAX (32 * 1024 * 1024) /* a bound that serves well */
#define FEED_SPARE_MAX (1024 * 1024)	  /* memory that may wait for its use */
#define FEED_EPOCH_BYTES (64 * 1024)	  /* of output, between two epochs */

/* None is added to a message of several records that has as many. */
#define FEED_MESSAGE_BYTES (16 * 1024)
#define FEED_MESSAGE_RECORDS 256 /* with those of other streams in between */

#define CURSOR_NO_STOP UINT64_MAX

/* A position in a feed; belongs to a reader, who never looks inside. */
struct cursor {
	struct feed_block *block; /* borrowed: of the feed; NULL: see next */
	LIST_ENTRY(cursor) link;  /* in the block's list of readers */
	uint64_t stop;		  /* the last wanted; not of what is begun */
	union {
		size_t offset; /* in the block's bytes */
		uint64_t next; /* without a block: next sequence number */
	};
};

enum feed_result {
	FEED_BYTES,  /* there are bytes */
	FEED_END,    /* all there is has been read, or stop is reached */
	FEED_LATER,  /* none so far, but there is more to look at */
	FEED_ALONE,  /* what comes next is no message here, see feed_peek() */
	FEED_LOST,   /* what comes next is no longer in the journal */
	FEED_FAILED, /* out of memory */
};

/*
 * A block goes while a reader is inside a message: rest (valid during the
 * call) are the bytes of that message which it has not read.
 */
typedef void feed_rest_cb(struct cursor *c, const uint8_t *rest, size_t n);

struct feed_config {
	enum format format;
	enum carrier carrier;
	unsigned int streams; /* 1 << stream for each one wanted */
	uint64_t bytes_max;   /* of all encoded blocks */
	int compression;      /* level of zlib, for CARRIER_WEBSOCKET_DEFLATE */
	feed_rest_cb *on_rest;
};

/* Journal and encoder are borrowed and outlive the feed.  NULL: no memory. */
struct feed *feed_new(struct journal *j, struct encoder *e,
    const struct feed_config *config);
/* No cursor may be in it. */
void feed_free(struct feed *f);

/* Puts a new cursor, or one that has left, in front of record seq. */
void feed_seek(struct feed *f, struct cursor *c, uint64_t seq);
/* Takes a cursor out; it may be put again. */
void feed_leave(struct feed *f, struct cursor *c);

/*
 * FEED_BYTES: *bytes are the next *n, in one piece, valid until the feed or
 * the journal is next called.
 *
 * FEED_ALONE: the next *n sequence numbers, at most FEED_MESSAGE_RECORDS, have
 * to be encoded for this reader alone: some or all of them are inside a message
 * that it cannot have as a whole; or it was between two epochs when a block of
 * compressed messages went.  The cursor is to be put behind them, or the first
 * of them; or into another feed.
 */
enum feed_result feed_peek(struct feed *f, struct cursor *c,
    const uint8_t **bytes, size_t *n);

/* n of the bytes peeked at have been read. */
void feed_advance(struct cursor *c, size_t n);

/* Bytes to the end of a message that was begun; 0: between two messages. */
size_t feed_rest(const struct cursor *c);

/* Bytes of the message a cursor stands in front of, after FEED_BYTES. */
size_t feed_message_size(const struct cursor *c);

/*
 * After FEED_BYTES: bytes up to the next place where a compressed feed can be
 * begun to be read, or to the end of what was peeked at; 0: that is here.
 */
size_t feed_to_epoch(const struct cursor *c);

/* The first sequence number whose message is not yet read to its end. */
uint64_t feed_next(const struct cursor *c);

/* The last one that is read when the message that was begun has been. */
uint64_t feed_begun(const struct cursor *c);

/* To be called before the journal drops its oldest block. */
void feed_drop_block(struct feed *f);

/* Cursors in it, and bytes of encoded blocks. */
size_t feed_readers(const struct feed *f);
uint64_t feed_bytes(const struct feed *f);

#endif
