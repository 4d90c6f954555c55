/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_JOURNAL_H
#define WSEXEC_JOURNAL_H

/*
 * The journal: the append-only, byte-bounded history of records, and the
 * middle of the program.  It is the only place where lines are kept; feeds
 * are made from it and clients only hold positions in those.
 *
 *	blocks    [ 7 ][ 8 ][ 9 ][10 ]        oldest first, about 256 KiB each
 *	             |
 *	             v
 *	block     | frame frame frame ->  free  <- entry entry entry |
 *
 * A block holds its records from its front on and a table with an entry for
 * each from its back, so that any record is found by its number.  Blocks never
 * move and are dropped whole, oldest first.
 *
 * What most clients want costs nothing more: each line is kept behind the
 * header of a text message (RFC 6455 section 5.2), 2 bytes for most, so that a
 * block of UTF-8 is at the same time what goes to WebSocket clients.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/record.h"

#define JOURNAL_BLOCK_BYTES (256 * 1024) /* memory of an ordinary block */

/* Kept however small the history, so that clients may lag a little. */
#define JOURNAL_LIVE_BYTES (4 * 1024 * 1024)

struct journal;

/* Keeps at most bytes_max of memory in blocks, but JOURNAL_LIVE_BYTES. */
struct journal *journal_new(uint64_t bytes_max);
void journal_free(struct journal *j);

/* Appends a record; text is copied, seq is given.  False: out of memory. */
bool journal_append(struct journal *j, const struct record *r);

/* Sequence numbers kept: first..last; first is last + 1 if there are none. */
uint64_t journal_first(const struct journal *j);
uint64_t journal_last(const struct journal *j);

/* Blocks kept: first..end-1, by number. */
uint64_t journal_first_block(const struct journal *j);
uint64_t journal_end_block(const struct journal *j);

/* The number of the block that has record seq, which must be kept. */
uint64_t journal_find_block(const struct journal *j, uint64_t seq);

/* The first sequence number of a block, and how many records it has. */
uint64_t journal_block_first(const struct journal *j, uint64_t block,
    uint32_t *count);

/* Record number index of a block; text is valid while the block is kept. */
void journal_get(const struct journal *j, uint64_t block, uint32_t index,
    struct record *r);

/*
 * The records of a block as text messages, one after the other: *n bytes, which
 * stay where they are, and to which those of later records are appended.
 * False: as messages they are not all right, since some are not UTF-8, no
 * lines, or of none of the streams (1 << enum stream).
 */
bool journal_get_frames(const struct journal *j, uint64_t block,
    unsigned int streams, const uint8_t **bytes, size_t *n);

/* Where in those bytes the message of record number index of the block ends. */
uint32_t journal_frame_end(const struct journal *j, uint64_t block,
    uint32_t index);

/* Record seq, which must be kept; as journal_get(). */
void journal_find(const struct journal *j, uint64_t seq, struct record *r);

/* Whether the oldest block must go to stay within the bound. */
bool journal_is_over(const struct journal *j);
void journal_drop_block(struct journal *j);

/* Bytes of memory used up by records, ever; see journal_lag(). */
uint64_t journal_appended(const struct journal *j);

/* Bytes of memory in blocks. */
uint64_t journal_bytes(const struct journal *j);

/*
 * Bytes of memory from the start of record seq to the end: the lag of who
 * wants seq next.  Seq must be kept, or last + 1, whose lag is 0.
 */
uint64_t journal_lag(const struct journal *j, uint64_t seq);

/* The oldest kept record whose lag is at most bytes; last + 1: none is. */
uint64_t journal_within(const struct journal *j, uint64_t bytes);

#endif
