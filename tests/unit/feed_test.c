/* SPDX-License-Identifier: ISC */

/*
 * Feeds whose messages are a record each against a model.  The model knows each record ever appended and what
 * it looks like in each lane (a feed, however often it is made anew); a
 * reader knows in which record it is and how far.  Whatever a cursor gives
 * must be what the encoder makes of the next records.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/feed.h"
#include "core/journal.h"
#include "failing_memory.h"
#include "seed.h"

#define PATTERN_BYTES (1024 * 1024)
#define ASCII_BYTES (PATTERN_BYTES / 2) /* at the start of the pattern */
#define RECORDS_MAX 100000
#define READERS 14
#define LANES 6
#define BOTH (1U << STREAM_STDOUT | 1U << STREAM_STDERR)
#define NO_BOUND UINT64_MAX
#define STEPS 1500

struct lane {
	enum format format;
	enum carrier carrier;
	unsigned int streams;
	struct feed *feed; /* owned, or NULL */
	size_t readers;
	uint32_t *sizes; /* owned; of each record, encoded */
};

struct reader {
	struct cursor cursor; /* first: a cursor is taken for its reader */
	struct world *world;  /* borrowed: outlives the reader */
	struct lane *lane;    /* borrowed: of the world; NULL: is not in one */
	uint64_t seq;	      /* the record it is in, or in front of */
	size_t at;	      /* bytes of that record it has had */
	size_t rests;	      /* handed over so far */
};

struct world {
	struct journal *journal;  /* owned */
	struct encoder *encoder;  /* owned; the feeds' */
	struct encoder *expected; /* owned; the model's */
	struct buffer scratch;	  /* owned */
	struct record *records;	  /* owned; by sequence number */
	uint64_t last;
	uint64_t bytes_max; /* of each feed */
	bool is_ascii;	    /* what is appended now */
	struct lane lanes[LANES];
	struct reader readers[READERS];
};

static const struct lane lanes[LANES] = {
	{ FORMAT_TEXT, CARRIER_WEBSOCKET, BOTH, NULL, 0, NULL },
	{ FORMAT_JSON, CARRIER_CHUNKED, BOTH, NULL, 0, NULL },
	{ FORMAT_RAW, CARRIER_CHUNKED, BOTH, NULL, 0, NULL },
	{ FORMAT_RAW, CARRIER_PLAIN, 1U << STREAM_STDOUT, NULL, 0, NULL },
	{ FORMAT_JSON, CARRIER_PLAIN, 1U << STREAM_STDERR, NULL, 0, NULL },
	{ FORMAT_TEXT, CARRIER_PLAIN, 1U << STREAM_STDERR, NULL, 0, NULL },
};

/* What lines are pieces of: ASCII, then text with a few bytes of any kind. */
static uint8_t pattern[PATTERN_BYTES];

static uint64_t
random_below(uint64_t bound)
{
	return ((uint64_t)random() << 31 | (uint64_t)random()) % bound;
}

static void
make_pattern(void)
{
	size_t i;

	for (i = 0; i < PATTERN_BYTES; i++)
		pattern[i] = (uint8_t)(i >= ASCII_BYTES && random() % 64 == 0 ?
			random() :
			' ' + random() % 95);
}

/* What a record is in a lane, in scratch. */
static void
world_encode(struct world *w, const struct lane *lane, uint64_t seq)
{
	const struct record *r = &w->records[seq];

	buffer_reset(&w->scratch);
	if (r->restart || (lane->streams & 1U << r->stream) != 0)
		encoder_append_line(w->expected, &w->scratch, lane->format,
		    lane->carrier, r);
	assert_false(w->scratch.failed);
}

static struct world *
world_new(uint64_t bytes_max)
{
	struct world *w = calloc(1, sizeof(*w));
	size_t i;

	assert_non_null(w);
	memory.left = 0;
	assert_non_null(w->journal = journal_new(0));
	assert_non_null(w->encoder = encoder_new());
	assert_non_null(w->expected = encoder_new());
	w->records = calloc(RECORDS_MAX + 1, sizeof(*w->records));
	assert_non_null(w->records);
	w->is_ascii = true;
	w->bytes_max = bytes_max;
	memcpy(w->lanes, lanes, sizeof(lanes));
	for (i = 0; i < LANES; i++) {
		w->lanes[i].sizes = calloc(RECORDS_MAX + 1, sizeof(uint32_t));
		assert_non_null(w->lanes[i].sizes);
	}
	for (i = 0; i < READERS; i++)
		w->readers[i].world = w;
	return w;
}

static void
world_note(struct world *w, const struct record *r)
{
	size_t i;

	w->records[++w->last] = *r;
	w->records[w->last].seq = w->last;
	for (i = 0; i < LANES; i++) {
		world_encode(w, &w->lanes[i], w->last);
		w->lanes[i].sizes[w->last] = (uint32_t)w->scratch.size;
	}
}

/* A record that memory runs out for is lost, and that must be said. */
static void
world_append_record(struct world *w, const struct record *r)
{
	size_t failures = memory.failures;
	bool ok;

	assert_true(w->last < RECORDS_MAX);
	memory.armed = true;
	ok = journal_append(w->journal, r);
	memory.armed = false;
	assert_int_equal(ok, memory.failures == failures);
	if (ok)
		world_note(w, r);
	assert_int_equal(journal_last(w->journal), w->last);
}

static void
world_append(struct world *w, enum stream stream, size_t size, bool continued)
{
	int64_t time_us = (int64_t)random_below(UINT64_C(1) << 50);
	size_t pattern_bytes = w->is_ascii ? ASCII_BYTES : PATTERN_BYTES;
	const struct record r = { .time_us = time_us,
		.text = pattern + random_below(pattern_bytes - size),
		.size = size,
		.stream = stream,
		.continued = continued };

	world_append_record(w, &r);
}

/* Which is nothing in raw, and in the other formats of all streams. */
static void
world_append_restart(struct world *w)
{
	static const struct restart_info info = { .run = "0123456789abcdef",
		.code = 3,
		.count = 1 };
	const struct record r = { .text = (const uint8_t *)&info,
		.size = sizeof(info),
		.restart = true };

	world_append_record(w, &r);
}

/* Goes on in the model by n bytes, which must be what is expected there. */
static void
reader_take(struct reader *r, const uint8_t *bytes, size_t n)
{
	struct world *w = r->world;
	size_t part;

	while (n > 0) {
		while (r->at == 0 && r->lane->sizes[r->seq] == 0) {
			assert_true(r->seq < w->last);
			r->seq++;
		}
		assert_true(r->seq >= journal_first(w->journal));
		assert_true(r->seq <= r->cursor.stop && r->seq <= w->last);
		world_encode(w, r->lane, r->seq);
		part = w->scratch.size - r->at;
		if (part > n)
			part = n;
		assert_memory_equal(bytes, w->scratch.data + r->at, part);
		bytes += part;
		n -= part;
		if ((r->at += part) < w->scratch.size)
			continue;
		r->at = 0;
		r->seq++;
	}
}

static void
reader_rest_cb(struct cursor *c, const uint8_t *rest, size_t n)
{
	struct reader *r = (struct reader *)(void *)c;
	bool armed = memory.armed;

	memory.armed = false;
	assert_non_null(r->lane);
	assert_true(r->at > 0);
	assert_int_equal(n, r->lane->sizes[r->seq] - r->at);
	reader_take(r, rest, n);
	assert_int_equal(r->at, 0);
	r->rests++;
	memory.armed = armed;
}

/* Where the cursor says it is, and that nothing was left out for that. */
static void
reader_check(struct reader *r)
{
	uint64_t next = feed_next(&r->cursor);

	if (r->at > 0) {
		assert_int_equal(next, r->seq);
		assert_int_equal(feed_rest(&r->cursor),
		    r->lane->sizes[r->seq] - r->at);
		return;
	}
	assert_int_equal(feed_rest(&r->cursor), 0);
	assert_true(next >= r->seq);
	for (; r->seq < next; r->seq++) {
		assert_true(r->seq <= r->world->last);
		assert_int_equal(r->lane->sizes[r->seq], 0);
	}
}

static bool
lane_open(struct world *w, struct lane *lane)
{
	const struct feed_config config = { .format = lane->format,
		.carrier = lane->carrier,
		.streams = lane->streams,
		.bytes_max = w->bytes_max,
		.on_rest = reader_rest_cb };
	size_t failures = memory.failures;

	if (lane->feed != NULL)
		return true;
	memory.armed = true;
	lane->feed = feed_new(w->journal, w->encoder, &config);
	memory.armed = false;
	assert_int_equal(lane->feed != NULL, memory.failures == failures);
	return lane->feed != NULL;
}

static void
reader_join(struct reader *r, struct lane *lane, uint64_t seq, uint64_t stop)
{
	if (!lane_open(r->world, lane))
		return;
	r->lane = lane;
	r->seq = seq;
	r->at = 0;
	feed_seek(lane->feed, &r->cursor, seq);
	assert_true(r->cursor.stop == CURSOR_NO_STOP);
	r->cursor.stop = stop;
	assert_int_equal(feed_readers(lane->feed), ++lane->readers);
	assert_int_equal(feed_next(&r->cursor), seq);
	reader_check(r);
}

static void
reader_leave(struct reader *r)
{
	feed_leave(r->lane->feed, &r->cursor);
	assert_int_equal(feed_readers(r->lane->feed), --r->lane->readers);
	r->lane = NULL;
}

/* The most that the block of a record takes in a lane. */
static uint64_t
lane_block_max(const struct world *w, const struct lane *lane, uint64_t seq)
{
	uint64_t block = journal_find_block(w->journal, seq), bytes = 0, first;
	uint32_t count, i;

	first = journal_block_first(w->journal, block, &count);
	for (i = 0; i < count; i++)
		bytes += lane->sizes[first + i];
	/* Arrays that grow are at most twice as large as needed. */
	if ((bytes *= 2) < FEED_SPARE_MAX)
		bytes = FEED_SPARE_MAX; /* or what was left from another */
	return bytes + (64 + 2 * (uint64_t)count) * sizeof(uint32_t) + 512;
}

/* All that was peeked at, up to the end of a record. */
static void
reader_check_bytes(const struct reader *r, const uint8_t *bytes, size_t n)
{
	const struct lane *lane = r->lane;
	struct reader ahead = *r;
	uint64_t max;

	assert_true(n > 0);
	assert_int_equal(feed_message_size(&r->cursor),
	    lane->sizes[feed_next(&r->cursor)] - r->at);
	if (random() % 8 == 0) {
		reader_take(&ahead, bytes, n);
		assert_int_equal(ahead.at, 0);
	}
	max = lane_block_max(r->world, lane, feed_next(&r->cursor));
	if (max < r->world->bytes_max)
		max = r->world->bytes_max;
	assert_true(feed_bytes(lane->feed) <= max);
}

static void
reader_check_end(const struct reader *r)
{
	uint64_t seq;

	assert_int_equal(r->at, 0);
	for (seq = r->seq; seq <= r->cursor.stop && seq <= r->world->last;
	     seq++)
		assert_int_equal(r->lane->sizes[seq], 0);
}

static enum feed_result
reader_peek(struct reader *r, const uint8_t **bytes, size_t *n)
{
	size_t failures = memory.failures;
	enum feed_result result;

	memory.armed = true;
	result = feed_peek(r->lane->feed, &r->cursor, bytes, n);
	memory.armed = false;
	reader_check(r);
	switch (result) {
	case FEED_BYTES:
		reader_check_bytes(r, *bytes, *n);
		break;
	case FEED_END:
		reader_check_end(r);
		break;
	case FEED_LATER:
		assert_int_equal(r->at, 0);
		break;
	case FEED_ALONE:
		fail();
		break;
	case FEED_LOST:
		assert_int_equal(r->at, 0);
		assert_true(r->seq < journal_first(r->world->journal));
		assert_true(r->seq <= r->cursor.stop);
		break;
	case FEED_FAILED:
		assert_true(memory.failures > failures);
		break;
	}
	return result;
}

/* Reads at most n bytes. */
static enum feed_result
reader_read(struct reader *r, size_t n)
{
	enum feed_result result;
	const uint8_t *bytes;
	size_t size;

	if ((result = reader_peek(r, &bytes, &size)) != FEED_BYTES)
		return result;
	if (n > size)
		n = size;
	reader_take(r, bytes, n);
	feed_advance(&r->cursor, n);
	reader_check(r);
	return result;
}

/* Reads to the end; memory may run out on the way. */
static void
reader_read_all(struct reader *r)
{
	enum feed_result result;

	do {
		result = reader_read(r, SIZE_MAX);
		assert_int_not_equal(result, FEED_LOST);
	} while (result != FEED_END);
}

static void
check_readers(struct world *w)
{
	size_t i;

	for (i = 0; i < READERS; i++) {
		if (w->readers[i].lane != NULL)
			reader_check(&w->readers[i]);
	}
}

static void
world_drop(struct world *w)
{
	uint64_t first;
	size_t i;

	for (i = 0; i < LANES; i++) {
		memory.armed = true;
		if (w->lanes[i].feed != NULL)
			feed_drop_block(w->lanes[i].feed);
		memory.armed = false;
	}
	first = journal_first(w->journal);
	journal_drop_block(w->journal);
	assert_true(journal_first(w->journal) > first);
	check_readers(w);
}

static bool
world_has_blocks(const struct world *w, uint64_t n)
{
	const struct journal *j = w->journal;

	return journal_end_block(j) - journal_first_block(j) >= n;
}

/* Without a block in the journal there is none in the feeds. */
static void
world_free(struct world *w)
{
	size_t i;

	memory.left = 0;
	while (world_has_blocks(w, 1))
		world_drop(w);
	for (i = 0; i < READERS; i++) {
		if (w->readers[i].lane != NULL)
			reader_leave(&w->readers[i]);
	}
	for (i = 0; i < LANES; i++) {
		if (w->lanes[i].feed != NULL)
			assert_int_equal(feed_bytes(w->lanes[i].feed), 0);
		feed_free(w->lanes[i].feed);
		free(w->lanes[i].sizes);
	}
	journal_free(w->journal);
	encoder_free(w->encoder);
	encoder_free(w->expected);
	buffer_clear(&w->scratch);
	free(w->records);
	free(w);
}

/* Appends lines of that size until there are as many blocks. */
static void
world_fill(struct world *w, enum stream stream, size_t size, uint64_t blocks)
{
	while (!world_has_blocks(w, blocks))
		world_append(w, stream, size, false);
}

/* Many blocks without a line of the stream are not looked at in one call. */
static void
test_other_stream(void **state)
{
	struct world *w = world_new(NO_BOUND);
	struct reader *r = &w->readers[0];
	const uint8_t *bytes;
	size_t n, i, calls = 1;

	(void)state;
	for (i = 0; i < LANES && w->lanes[i].streams != 1U << STREAM_STDERR;)
		i++;
	assert_in_range(i, 0, LANES - 1);
	reader_join(r, &w->lanes[i], 1, CURSOR_NO_STOP);
	world_fill(w, STREAM_STDOUT, 20000, 40);
	world_append(w, STREAM_STDERR, 10, false);
	while (feed_peek(r->lane->feed, &r->cursor, &bytes, &n) == FEED_LATER)
		calls++;
	assert_in_range(calls, 3, 40);
	r->seq = w->last;
	reader_read_all(r);
	assert_int_equal(feed_next(&r->cursor), w->last + 1);
	world_free(w);
}

static void
test_empty_journal(void **state)
{
	struct world *w = world_new(NO_BOUND);
	struct reader *r = &w->readers[0];

	(void)state;
	reader_join(r, &w->lanes[0], 1, CURSOR_NO_STOP);
	assert_int_equal(reader_read(r, 1), FEED_END);
	assert_int_equal(feed_next(&r->cursor), 1);
	assert_int_equal(feed_bytes(r->lane->feed), 0);
	world_append(w, STREAM_STDOUT, 0, false);
	assert_int_equal(reader_read(r, 1), FEED_BYTES);
	assert_int_equal(feed_next(&r->cursor), 1);
	assert_int_equal(reader_read(r, 1), FEED_BYTES);
	assert_int_equal(feed_next(&r->cursor), 2);
	assert_int_equal(reader_read(r, 1), FEED_END);
	/* And empty again. */
	world_drop(w);
	assert_int_equal(reader_read(r, 1), FEED_END);
	world_append(w, STREAM_STDOUT, 10, false);
	reader_read_all(r);
	assert_int_equal(feed_next(&r->cursor), 3);
	feed_free(NULL);
	world_free(w);
}

static void
test_readers_share_bytes(void **state)
{
	struct world *w = world_new(NO_BOUND);
	const uint8_t *bytes[2];
	uint64_t memory_before;
	size_t n[2], i;

	(void)state;
	world_fill(w, STREAM_STDOUT, 1000, 3);
	for (i = 0; i < 2; i++) {
		reader_join(&w->readers[i], &w->lanes[1], 100, CURSOR_NO_STOP);
		assert_int_equal(reader_peek(&w->readers[i], &bytes[i], &n[i]),
		    FEED_BYTES);
	}
	assert_ptr_equal(bytes[0], bytes[1]);
	assert_int_equal(n[0], n[1]);
	reader_read_all(&w->readers[0]);
	memory_before = feed_bytes(w->lanes[1].feed);
	reader_read_all(&w->readers[1]);
	assert_int_equal(feed_bytes(w->lanes[1].feed), memory_before);
	world_free(w);
}

/* A cursor stops at a record, be it there already or not. */
static void
test_stop(void **state)
{
	struct world *w = world_new(NO_BOUND);
	struct reader *r = &w->readers[0];
	uint64_t second, seq, stop;
	uint32_t count;

	(void)state;
	world_fill(w, STREAM_STDOUT, 10000, 3);
	second = journal_block_first(w->journal, 1, &count);
	for (seq = 1; seq <= second + 2; seq++) {
		for (stop = seq - 1; stop <= w->last; stop++) {
			reader_join(r, &w->lanes[0], seq, stop);
			reader_read_all(r);
			assert_int_equal(feed_next(&r->cursor), stop + 1);
			reader_leave(r);
		}
	}
	stop = w->last + 2;
	reader_join(r, &w->lanes[0], w->last, stop);
	for (seq = 0; seq < 4; seq++) {
		reader_read_all(r);
		world_append(w, STREAM_STDOUT, 10, false);
	}
	assert_int_equal(feed_next(&r->cursor), stop + 1);
	world_free(w);
}

/* What the journal has in that format is read there, as long as it has it. */
static void
test_lent_block(void **state)
{
	struct world *w = world_new(NO_BOUND);
	struct reader *in = &w->readers[0], *between = &w->readers[1];
	const uint8_t *bytes, *lent;
	uint64_t before;
	size_t n, size;

	(void)state;
	make_pattern();
	world_fill(w, STREAM_STDOUT, 1000, 1);
	reader_join(in, &w->lanes[0], 1, CURSOR_NO_STOP);
	assert_int_equal(reader_read(in, 1500), FEED_BYTES);
	before = feed_bytes(w->lanes[0].feed);
	assert_true(before < 1000);
	reader_join(between, &w->lanes[0], 1, CURSOR_NO_STOP);
	assert_int_equal(feed_peek(w->lanes[0].feed, &between->cursor, &bytes,
			     &n),
	    FEED_BYTES);
	assert_true(journal_get_frames(w->journal, 0, BOTH, &lent, &size));
	assert_ptr_equal(bytes, lent);
	assert_int_equal(n, size);
	reader_read_all(between);
	w->is_ascii = false;
	while (journal_get_frames(w->journal, 0, BOTH, &lent, &size))
		world_append(w, STREAM_STDERR, 1000, false);
	reader_read_all(in);
	reader_read_all(between);
	assert_true(feed_bytes(w->lanes[0].feed) > before + size);
	world_free(w);
}

/*
 * A restart in a block that was lent so far: who is in front of it, in a line
 * before it, and who comes only then.
 */
static void
test_restart_in_lent_block(void **state)
{
	struct world *w = world_new(NO_BOUND);
	struct reader *in = &w->readers[0], *at_end = &w->readers[1],
		      *late = &w->readers[2];
	const uint8_t *lent;
	size_t size;

	(void)state;
	make_pattern();
	world_append(w, STREAM_STDOUT, 100, false);
	world_append(w, STREAM_STDOUT, 100, true);
	reader_join(in, &w->lanes[0], 1, CURSOR_NO_STOP);
	assert_int_equal(reader_read(in, 150), FEED_BYTES);
	reader_join(at_end, &w->lanes[0], 1, CURSOR_NO_STOP);
	reader_read_all(at_end);
	assert_true(journal_get_frames(w->journal, 0, BOTH, &lent, &size));
	world_append_restart(w);
	assert_false(journal_get_frames(w->journal, 0, BOTH, &lent, &size));
	world_append(w, STREAM_STDERR, 100, false);
	reader_join(late, &w->lanes[0], 3, CURSOR_NO_STOP);
	reader_read_all(late);
	reader_read_all(at_end);
	reader_read_all(in);
	assert_int_equal(feed_next(&in->cursor), 5);
	world_free(w);
}

/* Where it is nothing, it is passed by, also as the last record. */
static void
test_restart_that_is_nothing(void **state)
{
	struct world *w = world_new(NO_BOUND);
	struct reader *r = &w->readers[0];

	(void)state;
	make_pattern();
	reader_join(r, &w->lanes[2], 1, CURSOR_NO_STOP);
	world_append_restart(w);
	reader_read_all(r);
	assert_int_equal(feed_next(&r->cursor), 2);
	world_append(w, STREAM_STDOUT, 10, false);
	world_append_restart(w);
	world_append_restart(w);
	reader_read_all(r);
	assert_int_equal(feed_next(&r->cursor), 5);
	world_append(w, STREAM_STDOUT, 10, false);
	assert_int_equal(reader_read(r, SIZE_MAX), FEED_BYTES);
	assert_int_equal(feed_next(&r->cursor), 6);
	world_free(w);
}

static void
test_dropped_block_hands_over_the_rest(void **state)
{
	struct world *w = world_new(NO_BOUND);
	struct reader *in = &w->readers[0], *between = &w->readers[1],
		      *at_end = &w->readers[2];
	uint64_t second;
	uint32_t count;

	(void)state;
	world_fill(w, STREAM_STDOUT, 1000, 2);
	second = journal_block_first(w->journal, 1, &count);
	reader_join(in, &w->lanes[1], second - 1, CURSOR_NO_STOP);
	assert_int_equal(reader_read(in, 10), FEED_BYTES);
	reader_join(between, &w->lanes[1], 5, CURSOR_NO_STOP);
	assert_int_equal(reader_read(between, 0), FEED_BYTES);
	reader_join(at_end, &w->lanes[1], 3, second - 1);
	reader_read_all(at_end);
	world_drop(w);
	assert_int_equal(in->rests, 1);
	assert_int_equal(feed_next(&in->cursor), second);
	reader_read_all(in);
	assert_int_equal(between->rests, 0);
	assert_int_equal(reader_read(between, 1), FEED_LOST);
	assert_int_equal(feed_next(&between->cursor), 5);
	assert_int_equal(at_end->rests, 0);
	assert_int_equal(reader_read(at_end, 1), FEED_END);
	world_free(w);
}

/* Two readers in different blocks, with room for one block. */
static void
test_evicted_block_is_made_again(void **state)
{
	struct world *w = world_new(1);
	struct reader *a = &w->readers[0], *b = &w->readers[1];
	int i;

	(void)state;
	world_fill(w, STREAM_STDOUT, 5000, 4);
	reader_join(a, &w->lanes[2], 1, CURSOR_NO_STOP);
	reader_join(b, &w->lanes[2], journal_last(w->journal), CURSOR_NO_STOP);
	for (i = 1; i <= 40; i++) {
		assert_int_equal(reader_read(a, 4000), FEED_BYTES);
		assert_int_equal(reader_read(b, 10), FEED_BYTES);
		assert_int_equal(a->rests, i);
		world_append(w, STREAM_STDOUT, 20, false);
	}
	assert_int_equal(b->rests, 39);
	reader_read_all(a);
	reader_read_all(b);
	world_free(w);
}

/* Half of the bound is in use all the time; the other half takes turns. */
static void
test_block_unused_for_longest_goes_first(void **state)
{
	struct world *w = world_new(600 * 1024);
	struct reader *live = &w->readers[0], *late = &w->readers[1];
	const uint8_t *bytes, *before;
	size_t n;
	int i;

	(void)state;
	world_fill(w, STREAM_STDOUT, 5000, 8);
	reader_join(live, &w->lanes[2], w->last, CURSOR_NO_STOP);
	assert_int_equal(reader_peek(live, &before, &n), FEED_BYTES);
	reader_join(late, &w->lanes[2], 1, w->last - 1);
	for (i = 0; i < 7; i++) {
		assert_int_equal(reader_read(late, SIZE_MAX), FEED_BYTES);
		assert_int_equal(reader_peek(live, &bytes, &n), FEED_BYTES);
		assert_ptr_equal(bytes, before);
	}
	world_free(w);
}

/* A reader that sleeps while more blocks go than its feed ever had. */
static void
test_feed_is_left_behind(void **state)
{
	struct world *w = world_new(NO_BOUND);
	struct reader *r = &w->readers[0];
	int i;

	(void)state;
	world_fill(w, STREAM_STDOUT, 10000, 1);
	reader_join(r, &w->lanes[0], 1, CURSOR_NO_STOP);
	for (i = 0; i < 3; i++) {
		reader_read_all(r);
		world_fill(w, STREAM_STDOUT, 10000, 4);
		while (world_has_blocks(w, 2))
			world_drop(w);
		assert_int_equal(reader_read(r, 1), FEED_LOST);
		reader_leave(r);
		reader_join(r, &w->lanes[0], journal_first(w->journal),
		    CURSOR_NO_STOP);
	}
	world_free(w);
}

/* Whole blocks without a line for the reader, at every place. */
static void
test_stream_that_is_seldom_used(void **state)
{
	struct world *w = world_new(1);
	struct reader *r = &w->readers[0];
	int i;

	(void)state;
	world_fill(w, STREAM_STDOUT, 3000, 3);
	reader_join(r, &w->lanes[4], 1, CURSOR_NO_STOP);
	for (i = 0; i < 3; i++) {
		assert_int_equal(reader_read(r, SIZE_MAX), FEED_END);
		assert_int_equal(feed_next(&r->cursor), w->last + 1);
		world_append(w, STREAM_STDOUT, 10, false);
		world_append(w, STREAM_STDERR, 10, false);
		assert_int_equal(reader_read(r, 3), FEED_BYTES);
		assert_int_equal(feed_next(&r->cursor), w->last);
		world_append(w, STREAM_STDOUT, 10, false);
		assert_int_equal(reader_read(r, SIZE_MAX), FEED_BYTES);
		world_fill(w, STREAM_STDOUT, 3000, (uint64_t)(5 + 2 * i));
	}
	while (world_has_blocks(w, 2))
		world_drop(w);
	assert_int_equal(reader_read(r, SIZE_MAX), FEED_LOST);
	world_free(w);
}

/* A block that grows when every byte of it becomes six. */
static void
test_line_that_grows(void **state)
{
	struct world *w = world_new(1);
	struct reader *r = &w->readers[0];

	(void)state;
	w->is_ascii = false;
	memset(pattern, 1, PATTERN_BYTES);
	world_append(w, STREAM_STDOUT, PATTERN_BYTES - 1, false);
	world_append(w, STREAM_STDOUT, PATTERN_BYTES - 1, true);
	reader_join(r, &w->lanes[1], 1, CURSOR_NO_STOP);
	assert_int_equal(reader_read(r, SIZE_MAX), FEED_BYTES);
	assert_int_equal(reader_read(r, 6 * PATTERN_BYTES - 100), FEED_BYTES);
	assert_int_equal(feed_next(&r->cursor), 2);
	reader_read_all(r);
	world_free(w);
}

static void
world_append_random(struct world *w)
{
	static const size_t counts[] = { 1, 4, 40, 1500 };
	static const size_t sizes[] = { 300000, 50000, 3000, 60 };
	size_t kind = random_below(4), n;
	long one_stream = random() % 3; /* for a while, perhaps */
	enum stream stream;

	w->is_ascii = random() % 4 != 0;
	for (n = random_below(counts[kind]) + 1; n > 0; n--) {
		stream = one_stream == 0 || (one_stream == 1 && random() % 2) ?
		    STREAM_STDOUT :
		    STREAM_STDERR;
		world_append(w, stream,
		    random() % 8 == 0 ? 0 : random_below(sizes[kind]),
		    random() % 8 == 0);
	}
	if (random() % 8 == 0)
		world_append_restart(w);
}

/* As a server trims; now and then more goes, once in a while everything. */
static void
world_trim_random(struct world *w)
{
	uint64_t keep = random() % 64 == 0 ? 1 : 2;
	struct lane *lane = &w->lanes[random_below(LANES)];

	if (lane->feed != NULL && lane->readers == 0) {
		feed_free(lane->feed);
		lane->feed = NULL;
	}
	while (journal_is_over(w->journal))
		world_drop(w);
	while (random() % 4 == 0 && world_has_blocks(w, keep))
		world_drop(w);
}

/* To any record there may be, also some that are gone. */
static void
reader_join_random(struct reader *r)
{
	struct world *w = r->world;
	uint64_t first = journal_first(w->journal), seq, stop = CURSOR_NO_STOP;

	if (random() % 4 == 0 && first > 20)
		first -= 20;
	seq = first + random_below(w->last + 2 - first);
	if (random() % 4 == 0)
		seq = w->last + 1 - random_below(2);
	if (seq == 0)
		seq = 1;
	if (random() % 3 == 0)
		stop = seq - 1 + random_below(w->last + 30 - (seq - 1));
	reader_join(r, &w->lanes[random_below(LANES)], seq, stop);
}

static void
reader_step_random(struct reader *r)
{
	static const uint64_t amounts[] = { 1, 2, 30, 3000, 100000, 1000000 };

	if (r->lane == NULL) {
		reader_join_random(r);
		return;
	}
	if (random() % 64 == 0) {
		reader_leave(r);
		return;
	}
	if (reader_read(r, random_below(amounts[random_below(6)])) != FEED_LOST)
		return;
	reader_leave(r);
	reader_join_random(r);
}

static void
world_finish(struct world *w)
{
	size_t i;

	memory.left = 0;
	for (i = 0; i < READERS; i++) {
		if (w->readers[i].lane == NULL)
			reader_join_random(&w->readers[i]);
		while (reader_read(&w->readers[i], SIZE_MAX) != FEED_END) {
			if (feed_next(&w->readers[i].cursor) >=
			    journal_first(w->journal))
				continue;
			reader_leave(&w->readers[i]);
			reader_join(&w->readers[i], &w->lanes[i % LANES],
			    journal_first(w->journal), CURSOR_NO_STOP);
		}
	}
}

/* fail_max: about every how many allocations one fails; 0: none does. */
static void
run_random(uint64_t bytes_max, uint64_t fail_max)
{
	struct world *w = world_new(bytes_max);
	int step;

	for (step = 0; step < STEPS && w->last < RECORDS_MAX - 1500; step++) {
		if (memory.left == 0 && fail_max > 0)
			memory.left = 1 + random_below(fail_max);
		switch (random() % 16) {
		case 0:
			world_append_random(w);
			break;
		case 1:
			world_trim_random(w);
			break;
		default:
			reader_step_random(&w->readers[random_below(READERS)]);
			break;
		}
		check_readers(w);
	}
	world_finish(w);
	world_free(w);
}

static void
test_random_calls(void **state)
{
	static const uint64_t bounds[] = { 0, 100000, 700000, NO_BOUND };
	size_t i;

	(void)state;
	make_pattern();
	for (i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		run_random(bounds[i], 0);
}

static void
test_random_calls_without_memory(void **state)
{
	size_t failures = memory.failures;

	(void)state;
	if (!memory_can_run_out())
		skip();
	make_pattern();
	run_random(0, 30);
	run_random(700000, 10);
	run_random(NO_BOUND, 10);
	assert_true(memory.failures > failures + 30);
}

/*
 * Appends, reads and drops, the n-th allocation failing, everything else
 * tried again.
 */
static void
run_with_failure(size_t n)
{
	struct world *w = world_new(300000);
	int i, reader;

	memory.left = n;
	for (i = 0; i < 60; i++) {
		world_append(w, i % 5 == 0 ? STREAM_STDERR : STREAM_STDOUT,
		    i == 30 ? 300000 : 15000, false);
		if (i % 10 != 0)
			continue;
		for (reader = 0; reader < 4; reader++) {
			if (w->readers[reader].lane == NULL)
				reader_join(&w->readers[reader],
				    &w->lanes[reader & 1],
				    journal_first(w->journal), CURSOR_NO_STOP);
			if (w->readers[reader].lane == NULL)
				continue;
			reader_read(&w->readers[reader],
			    reader < 2 ? 20000 : 9);
			if (reader < 2)
				reader_read_all(&w->readers[reader]);
		}
		while (world_has_blocks(w, 3))
			world_drop(w);
	}
	world_free(w);
}

static void
test_each_allocation_fails_once(void **state)
{
	size_t n = 0, failures;

	(void)state;
	if (!memory_can_run_out())
		skip();
	make_pattern();
	do {
		failures = memory.failures;
		run_with_failure(++n);
	} while (memory.failures > failures);
	print_message("           %zu allocations\n", n - 1);
	assert_true(n > 50);
}

/* A journal in which every allocation fails once is like any other. */
static void
test_journal_without_memory(void **state)
{
	struct journal *tried, *other;
	struct record r = { .text = pattern };
	size_t n, failed = 0;
	uint64_t seq;
	bool ok;

	(void)state;
	if (!memory_can_run_out())
		skip();
	memory.armed = true;
	memory.left = 1;
	assert_null(journal_new(0));
	memory.armed = false;
	assert_non_null(tried = journal_new(0));
	assert_non_null(other = journal_new(0));
	while (journal_end_block(other) < 70) {
		r.size = random_below(200000);
		for (ok = false, n = 1; !ok; n++) {
			memory.armed = true;
			memory.left = n;
			ok = journal_append(tried, &r);
			memory.armed = false;
			failed += !ok;
		}
		assert_true(journal_append(other, &r));
		assert_int_equal(journal_bytes(tried), journal_bytes(other));
	}
	assert_true(failed > 70); /* a block each, and where they are noted */
	for (seq = 1; seq <= journal_last(other) + 1; seq++)
		assert_int_equal(journal_lag(tried, seq),
		    journal_lag(other, seq));
	journal_free(tried);
	journal_free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_stream),
		cmocka_unit_test(test_empty_journal),
		cmocka_unit_test(test_readers_share_bytes),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_lent_block),
		cmocka_unit_test(test_restart_in_lent_block),
		cmocka_unit_test(test_restart_that_is_nothing),
		cmocka_unit_test(test_dropped_block_hands_over_the_rest),
		cmocka_unit_test(test_evicted_block_is_made_again),
		cmocka_unit_test(test_block_unused_for_longest_goes_first),
		cmocka_unit_test(test_feed_is_left_behind),
		cmocka_unit_test(test_stream_that_is_seldom_used),
		cmocka_unit_test(test_line_that_grows),
		cmocka_unit_test(test_random_calls),
		cmocka_unit_test(test_journal_without_memory),
		cmocka_unit_test(test_each_allocation_fails_once),
		cmocka_unit_test(test_random_calls_without_memory),
	};

	seed_random();
	make_pattern();
	return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
