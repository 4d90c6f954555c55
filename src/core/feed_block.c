/* SPDX-License-Identifier: ISC */

#include <stdlib.h>

#include "core/deflate.h"
#include "core/feed_block.h"
#include "core/journal.h"

/* Where record number index begins among the frames of the journal. */
static uint32_t
journal_frame_start(const struct feed_block *b, uint32_t index)
{
	return index == 0 ?
	    0 :
	    journal_frame_end(b->source->journal, b->number, index - 1);
}

uint32_t
feed_block_end(const struct feed_block *b, uint32_t index)
{
	return b->ends != NULL ?
	    b->ends[index] :
	    journal_frame_end(b->source->journal, b->number, index);
}

uint32_t
feed_block_start(const struct feed_block *b, uint32_t index)
{
	return index == 0 ? 0 : feed_block_end(b, index - 1);
}

/* The first of count records whose message ends behind offset, or count. */
static uint32_t
find_end(const struct feed_block *b, size_t offset, uint32_t count)
{
	uint32_t low = 0, high = count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (feed_block_end(b, middle) <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t
feed_block_find(const struct feed_block *b, size_t offset)
{
	return find_end(b, offset, b->count);
}

static uint32_t
feed_block_journal_count(const struct feed_block *b)
{
	uint32_t count;

	(void)journal_block_first(b->source->journal, b->number, &count);
	return count;
}

/* The first record of the block that begins at offset or behind, or count. */
static uint32_t
find_start(const struct feed_block *b, uint32_t offset, uint32_t count)
{
	uint32_t low = 0, high = count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (journal_frame_start(b, middle) < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Which of the epochs of its block a record is in; some may have none. */
static uint32_t
epoch_of(const struct feed_block *b, uint32_t index)
{
	return journal_frame_start(b, index) / FEED_EPOCH_BYTES;
}

static bool
begins_epoch(const struct feed_block *b, uint32_t index)
{
	return index == 0 || epoch_of(b, index) != epoch_of(b, index - 1);
}

uint32_t
feed_block_epoch(const struct feed_block *b, uint32_t index)
{
	uint32_t epoch = epoch_of(b, index);
	uint32_t first = find_start(b, epoch * FEED_EPOCH_BYTES, index);

	/* What is before it in its epoch may be nothing here. */
	if (feed_block_start(b, first) == feed_block_start(b, index))
		return index;
	return find_start(b, (epoch + 1) * FEED_EPOCH_BYTES, b->count);
}

/* Reads a record; false: it is not wanted. */
static bool
get_record(const struct feed_block *b, uint32_t index, struct record *r)
{
	journal_get(b->source->journal, b->number, index, r);
	return record_is_for(r, b->source->streams);
}

bool
feed_block_is_inside(const struct feed_block *b, uint32_t index)
{
	uint32_t begin = feed_block_start(b, index), at = index;
	struct record r;

	/* What is encoded is something, unless it is in another message. */
	if (!b->source->groups)
		return false;
	for (; at < b->count && at - index < FEED_MESSAGE_RECORDS; at++) {
		if (feed_block_end(b, at) > begin)
			return false;
		if (get_record(b, at, &r))
			return true;
	}
	return false;
}

bool
feed_block_can_begin(const struct feed_block *b, uint32_t index)
{
	return b->source->deflater == NULL || !b->source->groups ||
	    feed_block_epoch(b, index) == index;
}

uint64_t
feed_block_memory(const struct feed_block *b)
{
	return sizeof(*b) + b->bytes.capacity +
	    b->ends_capacity * sizeof(*b->ends);
}

void
feed_block_clear(struct feed_block *b)
{
	struct buffer *spare = &b->source->spare;

	/* Fresh memory costs more than what is written to it. */
	if (spare->data == NULL && b->bytes.capacity <= FEED_SPARE_MAX) {
		*spare = b->bytes;
		b->bytes = (struct buffer)BUFFER_INIT;
	}
	buffer_clear(&b->bytes);
	free(b->ends);
	b->ends = NULL;
	b->ends_capacity = 0;
}

/* The block is as the journal has it; false: it has to be encoded. */
static bool
feed_block_borrow(struct feed_block *b, uint32_t count)
{
	const struct feed_source *source = b->source;

	if (source->format != FORMAT_TEXT ||
	    source->carrier != CARRIER_WEBSOCKET || b->ends != NULL ||
	    !encoder_keeps_lines(source->encoder) ||
	    !journal_get_frames(source->journal, b->number, source->streams,
		&b->data, &b->size))
		return false;
	b->count = count;
	return true;
}

static bool
feed_block_reserve(struct feed_block *b, uint32_t count)
{
	uint32_t capacity = b->ends_capacity == 0 ? 64 : b->ends_capacity;
	uint32_t *ends;

	if (b->bytes.data == NULL) {
		b->bytes = b->source->spare;
		b->source->spare = (struct buffer)BUFFER_INIT;
	}
	b->bytes.size = b->ends == NULL ? 0 : b->size;
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

static void
encode_record(const struct feed_block *b, struct buffer *out, uint32_t index)
{
	struct feed_source *source = b->source;
	struct record r;

	if (!get_record(b, index, &r))
		return;
	if (source->deflater != NULL)
		encoder_append_deflated(source->encoder, source->deflater, out,
		    source->format, &r);
	else
		encoder_append_line(source->encoder, out, source->format,
		    source->carrier, &r);
}

/* The record behind the last that can be in a message with this one. */
static uint32_t
message_limit(const struct feed_block *b, uint32_t index, uint32_t count)
{
	if (count - index > FEED_MESSAGE_RECORDS)
		count = index + FEED_MESSAGE_RECORDS;
	return find_start(b, (epoch_of(b, index) + 1) * FEED_EPOCH_BYTES,
	    count);
}

/*
 * Appends the message that begins with record number index, with none from
 * number end on; returns the first one that is not in it.  One that is not
 * wanted begins none, lest it be taken for the first of the message.
 */
static uint32_t
encode_message(const struct feed_block *b, struct buffer *out, uint32_t index,
    uint32_t end)
{
	struct feed_source *source = b->source;
	struct record r;
	size_t size = 0;

	if (!source->groups || !get_record(b, index, &r)) {
		encode_record(b, out, index);
		return index + 1;
	}
	for (; index < end && size < FEED_MESSAGE_BYTES; index++) {
		if (get_record(b, index, &r))
			size = encoder_add_line(source->encoder, &r);
	}
	encoder_append_added(source->encoder, source->deflater, out);
	return index;
}

/* Brings the deflater to where it was, or would be, before this record. */
static bool
deflater_seek(struct feed_block *b, uint32_t index)
{
	struct feed_source *source = b->source;
	struct buffer known = BUFFER_INIT;
	uint32_t at, end;
	bool ok = true;

	if (!begins_epoch(b, index) && source->deflated_block == b->number &&
	    source->deflated_count == index)
		return true;
	deflater_reset(source->deflater);
	at = find_start(b, epoch_of(b, index) * FEED_EPOCH_BYTES, index);
	while (ok && at < index) {
		/* The same records in one message as the first time. */
		end = find_end(b, feed_block_end(b, at), index);
		at = encode_message(b, &known, at, end);
		ok = !known.failed;
		buffer_reset(&known);
	}
	buffer_clear(&known);
	return ok;
}

/* Encodes a message of some of the records from number index on to count. */
static bool
feed_block_append(struct feed_block *b, uint32_t *index, uint32_t count)
{
	struct feed_source *source = b->source;
	bool ok = source->deflater == NULL || deflater_seek(b, *index);
	uint32_t end = *index;

	if (ok) {
		end = encode_message(b, &b->bytes, *index,
		    message_limit(b, *index, count));
		ok = !b->bytes.failed;
	}
	source->deflated_block = ok ? b->number : UINT64_MAX;
	source->deflated_count = end;
	b->bytes.failed = false;
	while (ok && *index < end)
		b->ends[(*index)++] = (uint32_t)b->bytes.size;
	return ok;
}

/*
 * Encodes records up to count.  One that the journal has lent so far, and does
 * not any more, is encoded from its start on; what it lent was the same.
 */
static bool
feed_block_encode(struct feed_block *b, uint32_t count)
{
	uint32_t index = b->ends == NULL ? 0 : b->count;

	if (!feed_block_reserve(b, count))
		return false;
	while (index < count && feed_block_append(b, &index, count))
		;
	if (index < b->count) { /* less than readers have been shown */
		feed_block_clear(b);
		return false;
	}
	b->count = index;
	b->size = feed_block_start(b, index);
	b->data = b->bytes.data;
	return index == count;
}

bool
feed_block_fill(struct feed_block *b)
{
	uint32_t count = feed_block_journal_count(b), end = count;
	bool is_new = b->count == 0, whole;

	if (b->count == count || feed_block_borrow(b, count))
		return true;
	if (b->source->deflater != NULL)
		end = find_start(b,
		    (epoch_of(b, b->count) + 1) * FEED_EPOCH_BYTES, count);
	whole = feed_block_encode(b, end);
	if (is_new && end == count &&
	    b->number + 1 < journal_end_block(b->source->journal)) {
		buffer_shrink(&b->bytes); /* it will not grow any more */
		b->data = b->bytes.data;
	}
	return whole;
}

bool
feed_block_is_filled(const struct feed_block *b)
{
	return b->count == feed_block_journal_count(b);
}
