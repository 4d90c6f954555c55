/* SPDX-License-Identifier: ISC */

/*
 * Compressed feeds whose messages are a record each.  One of each lane is read
 * at each append, and all it ever gave is kept: any other cursor, in whatever
 * feed and whenever, must give the same bytes.  Those are read as clients
 * would, with zlib, from each place where the plain feed says that it can be
 * done, and must be the messages of an encoder that compresses nothing.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "core/buffer.h"
#include "core/deflate.h"
#include "core/feed.h"
#include "core/journal.h"
#include "core/websocket.h"
#include "failing_memory.h"
#include "seed.h"

#define PATTERN_BYTES (1024 * 1024)
#define ASCII_BYTES (PATTERN_BYTES / 2) /* at the start of the pattern */
#define RECORDS_MAX 40000
#define LANES 3
#define READERS 9
#define STEPS 1000
#define NO_BOUND UINT64_MAX
#define BOTH (1U << STREAM_STDOUT | 1U << STREAM_STDERR)
#define COMPRESSED 0x40 /* the bit RSV1 of a frame (RFC 7692 section 6) */

struct lane {
	enum format format;
	unsigned int streams;
	int level;
	struct feed *feed; /* owned: under test; NULL: nobody reads it */
	size_t readers;
	struct feed *plain; /* owned: uncompressed, read at each append */
	struct cursor plain_cursor;
	struct feed *live; /* owned: the same, compressed */
	struct cursor live_cursor;
	struct buffer bytes; /* all that live gave */
	size_t *starts;	     /* owned: where each record begins there */
	bool *places;	     /* owned: whether reading can begin with it */
};

struct reader {
	struct cursor cursor; /* first: a cursor is taken for its reader */
	struct lane *lane;    /* borrowed: of the world; NULL: is not in one */
	size_t at;	      /* in the bytes of its lane */
	size_t rests;	      /* handed over so far */
};

struct world {
	struct journal *journal;  /* owned */
	struct encoder *encoder;  /* owned: of the feeds under test */
	struct encoder *expected; /* owned: of the others */
	struct record *records;	  /* owned; by sequence number */
	uint64_t last;
	uint64_t bytes_max; /* of each feed under test */
	struct lane lanes[LANES];
	struct reader readers[READERS];
};

static const enum format formats[LANES] = { FORMAT_TEXT, FORMAT_RAW,
	FORMAT_TEXT };

/* What lines are pieces of: a log, then the same with bytes of any kind. */
static uint8_t pattern[PATTERN_BYTES];

static uint64_t
random_below(uint64_t bound)
{
	return ((uint64_t)random() << 31 | (uint64_t)random()) % bound;
}

static void
make_pattern(void)
{
	static const char *const words[] = { "cc -O2 -Wall -c ",
		"error: ", "src/core/feed.c:", "undefined reference to ",
		"warning: " };
	struct buffer b = BUFFER_INIT;
	size_t i;

	while (b.size < PATTERN_BYTES)
		buffer_append_format(&b, "%s%ld ", words[random() % 5],
		    random() % 1000);
	assert_false(b.failed);
	memcpy(pattern, b.data, PATTERN_BYTES);
	buffer_clear(&b);
	for (i = ASCII_BYTES; i < PATTERN_BYTES; i++) {
		if (random() % 16 == 0)
			pattern[i] = (uint8_t)random();
	}
}

/* A client's side of a compressed stream, with the window it was promised. */
static void
client_begin(z_stream *client)
{
	*client = (z_stream){ 0 };
	assert_int_equal(inflateInit2(client, -DEFLATE_WINDOW_BITS), Z_OK);
}

/* The next message, which must be this one. */
static void
client_read(z_stream *client, const uint8_t *payload, size_t size,
    const uint8_t *message, size_t message_size)
{
	static const uint8_t tail[] = { 0x00, 0x00, 0xff, 0xff };
	uint8_t *got = malloc(message_size + 1);

	assert_non_null(got);
	client->next_out = got;
	client->avail_out = (uInt)message_size + 1;
	client->next_in = payload;
	client->avail_in = (uInt)size;
	assert_int_equal(inflate(client, Z_SYNC_FLUSH), Z_OK);
	assert_int_equal(client->avail_in, 0);
	client->next_in = tail;
	client->avail_in = sizeof(tail);
	assert_int_equal(inflate(client, Z_SYNC_FLUSH), Z_OK);
	assert_int_equal(client->avail_in, 0);
	assert_int_equal(client->avail_out, 1);
	if (message_size > 0)
		assert_memory_equal(got, message, message_size);
	free(got);
}

/* The payload of a frame of which there are size bytes at least. */
static const uint8_t *
frame_payload(const uint8_t *frame, size_t size, size_t *n)
{
	size_t head = 2, i;

	assert_true(size >= 2);
	*n = frame[1];
	if (*n >= 126) {
		head += *n == 126 ? 2 : 8;
		assert_true(size >= head);
		for (*n = 0, i = 2; i < head; i++)
			*n = *n << 8 | frame[i];
	}
	assert_true(*n <= size - head);
	return frame + head;
}

/* Reads a compressed frame, which must be that plain one; returns its size. */
static size_t
client_read_frame(z_stream *client, const uint8_t *frame, size_t size,
    const struct buffer *plain)
{
	const uint8_t *payload, *message;
	size_t n, message_size;

	payload = frame_payload(frame, size, &n);
	message = frame_payload(plain->data, plain->size, &message_size);
	assert_int_equal(frame[0], plain->data[0] | COMPRESSED);
	client_read(client, payload, n, message, message_size);
	return (size_t)(payload - frame) + n;
}

/* Reads records from first on with a stream of its own; none may be left. */
static void
lane_inflate(struct world *w, const struct lane *lane, uint64_t first,
    const uint8_t *bytes, size_t n)
{
	struct buffer plain = BUFFER_INIT;
	z_stream client;
	uint64_t seq;
	size_t size;

	client_begin(&client);
	for (seq = first; seq <= w->last; seq++) {
		buffer_reset(&plain);
		if ((lane->streams & 1U << w->records[seq].stream) != 0)
			encoder_append_line(w->expected, &plain, lane->format,
			    CARRIER_WEBSOCKET, &w->records[seq]);
		assert_false(plain.failed);
		if (plain.size == 0)
			continue;
		size = client_read_frame(&client, bytes, n, &plain);
		bytes += size;
		n -= size;
	}
	assert_int_equal(n, 0);
	inflateEnd(&client);
	buffer_clear(&plain);
}

static bool
lane_has(const struct lane *lane, uint64_t seq)
{
	return lane->starts[seq] < lane->starts[seq + 1];
}

/* From each place to the next; nothing further on refers to what is before. */
static void
lane_check(struct world *w, struct lane *lane)
{
	uint64_t last = w->last, seq, first = 1;
	size_t begin;

	while (first <= last && !lane_has(lane, first))
		first++;
	while (first <= last) {
		assert_true(lane->places[first]);
		for (seq = first + 1; seq <= last && !lane->places[seq];)
			seq++;
		w->last = seq - 1;
		begin = lane->starts[first];
		lane_inflate(w, lane, first, lane->bytes.data + begin,
		    lane->starts[seq] - begin);
		first = seq;
	}
	w->last = last;
}

static struct feed *
open_feed(struct world *w, const struct lane *lane, struct encoder *e,
    enum carrier carrier, feed_rest_cb *on_rest)
{
	const struct feed_config config = { .format = lane->format,
		.carrier = carrier,
		.streams = lane->streams,
		.bytes_max = on_rest == NULL ? NO_BOUND : w->bytes_max,
		.compression = lane->level,
		.on_rest = on_rest };

	return feed_new(w->journal, e, &config);
}

static void
lane_init(struct world *w, struct lane *lane, enum format format,
    unsigned int streams)
{
	lane->format = format;
	lane->streams = streams;
	lane->level = 1 + (int)random_below(9);
	lane->starts = calloc(RECORDS_MAX + 3, sizeof(*lane->starts));
	lane->places = calloc(RECORDS_MAX + 2, sizeof(*lane->places));
	lane->plain = open_feed(w, lane, w->expected, CARRIER_WEBSOCKET, NULL);
	lane->live =
	    open_feed(w, lane, w->expected, CARRIER_WEBSOCKET_DEFLATE, NULL);
	assert_non_null(lane->starts);
	assert_non_null(lane->places);
	assert_non_null(lane->plain);
	assert_non_null(lane->live);
	feed_seek(lane->plain, &lane->plain_cursor, 1);
	feed_seek(lane->live, &lane->live_cursor, 1);
}

/* streams: of the lanes; 0: not all the same. */
static struct world *
world_new(uint64_t bytes_max, unsigned int streams)
{
	struct world *w = calloc(1, sizeof(*w));
	unsigned int i;

	assert_non_null(w);
	memory.left = 0;
	assert_non_null(w->journal = journal_new(0));
	assert_non_null(w->encoder = encoder_new());
	assert_non_null(w->expected = encoder_new());
	w->records = calloc(RECORDS_MAX + 1, sizeof(*w->records));
	assert_non_null(w->records);
	w->bytes_max = bytes_max;
	for (i = 0; i < LANES; i++)
		lane_init(w, &w->lanes[i], formats[i],
		    streams != 0 ? streams : BOTH - i);
	return w;
}

/* Reads what the newest record is in the feeds that are read at once. */
static void
lane_note(struct world *w, struct lane *lane)
{
	const uint8_t *bytes;
	size_t n;

	lane->starts[w->last] = lane->bytes.size;
	while (feed_peek(lane->live, &lane->live_cursor, &bytes, &n) ==
	    FEED_BYTES) {
		buffer_append(&lane->bytes, bytes, n);
		feed_advance(&lane->live_cursor, n);
	}
	assert_false(lane->bytes.failed);
	lane->starts[w->last + 1] = lane->bytes.size;
	lane->starts[w->last + 2] = lane->bytes.size;
	if (feed_peek(lane->plain, &lane->plain_cursor, &bytes, &n) !=
	    FEED_BYTES) {
		assert_false(lane_has(lane, w->last));
		return;
	}
	assert_true(lane_has(lane, w->last));
	lane->places[w->last] = feed_to_epoch(&lane->plain_cursor) == 0;
	feed_advance(&lane->plain_cursor, n);
}

static void
world_append(struct world *w, enum stream stream, size_t size, bool continued)
{
	size_t bytes = random() % 2 == 0 ? ASCII_BYTES : PATTERN_BYTES;
	const struct record r = { .seq = w->last + 1,
		.time_us = (int64_t)random_below(UINT64_C(1) << 50),
		.text = pattern + random_below(bytes - size),
		.size = size,
		.stream = stream,
		.continued = continued };
	size_t i;

	assert_true(w->last < RECORDS_MAX);
	assert_true(journal_append(w->journal, &r));
	w->records[++w->last] = r;
	for (i = 0; i < LANES; i++)
		lane_note(w, &w->lanes[i]);
}

/* Mostly short lines, some long ones, and once in a while a whole block. */
static void
world_append_random(struct world *w)
{
	static const uint64_t sizes[] = { 300, 300, 300, 300, 300, 300, 300,
		3000 };
	uint64_t size = random_below(sizes[random() % 8]);

	if (random() % 16 == 0)
		size = 0;
	else if (random() % 600 == 0)
		size = random_below(random() % 4 == 0 ? 400000 : 100000);
	world_append(w, random() % 4 == 0 ? STREAM_STDERR : STREAM_STDOUT,
	    (size_t)size, random() % 16 == 0);
}

static bool
world_has_blocks(const struct world *w, uint64_t n)
{
	return journal_end_block(w->journal) -
	    journal_first_block(w->journal) >=
	    n;
}

static void
world_fill(struct world *w, uint64_t blocks)
{
	while (!world_has_blocks(w, blocks))
		world_append_random(w);
}

/* Goes on by n bytes, which must be those that there are. */
static void
reader_take(struct reader *r, const uint8_t *bytes, size_t n)
{
	assert_true(n <= r->lane->bytes.size - r->at);
	if (n > 0)
		assert_memory_equal(bytes, r->lane->bytes.data + r->at, n);
	r->at += n;
}

static void
reader_rest_cb(struct cursor *c, const uint8_t *rest, size_t n)
{
	struct reader *r = (struct reader *)(void *)c;

	assert_true(n > 0);
	reader_take(r, rest, n);
	r->rests++;
}

/* Where the cursor says it is. */
static void
reader_check(const struct reader *r)
{
	uint64_t next = feed_next(&r->cursor);
	const size_t *starts = r->lane->starts;

	assert_in_range(r->at, starts[next], starts[next + 1]);
	assert_int_equal(feed_rest(&r->cursor),
	    r->at == starts[next] ? 0 : starts[next + 1] - r->at);
}

static void
reader_join(struct world *w, struct reader *r, struct lane *lane, uint64_t seq)
{
	size_t failures = memory.failures;

	memory.armed = true;
	if (lane->feed == NULL)
		lane->feed = open_feed(w, lane, w->encoder,
		    CARRIER_WEBSOCKET_DEFLATE, reader_rest_cb);
	memory.armed = false;
	if (lane->feed == NULL) {
		assert_true(memory.failures > failures);
		return;
	}
	r->lane = lane;
	r->at = lane->starts[seq];
	feed_seek(lane->feed, &r->cursor, seq);
	assert_int_equal(feed_readers(lane->feed), ++lane->readers);
	reader_check(r);
}

static void
reader_leave(struct reader *r)
{
	feed_leave(r->lane->feed, &r->cursor);
	assert_int_equal(feed_readers(r->lane->feed), --r->lane->readers);
	r->lane = NULL;
}

static void
lane_close(struct lane *lane)
{
	assert_int_equal(lane->readers, 0);
	feed_free(lane->feed);
	lane->feed = NULL;
}

/* Reads at most n bytes. */
static enum feed_result
reader_read(struct world *w, struct reader *r, size_t n)
{
	uint64_t end = r->cursor.stop < w->last ? r->cursor.stop : w->last;
	size_t failures = memory.failures, size, limit;
	enum feed_result result;
	const uint8_t *bytes;

	memory.armed = true;
	result = feed_peek(r->lane->feed, &r->cursor, &bytes, &size);
	memory.armed = false;
	limit = r->lane->starts[end + 1];
	if (result == FEED_BYTES) {
		assert_in_range(size, 1, limit - r->at);
		n = n < size ? n : size;
		reader_take(r, bytes, n);
		feed_advance(&r->cursor, n);
	}
	reader_check(r);
	if (result == FEED_END)
		assert_int_equal(r->at, limit);
	if (result == FEED_FAILED)
		assert_true(memory.failures > failures);
	if (result == FEED_LOST)
		assert_true(feed_next(&r->cursor) < journal_first(w->journal));
	return result;
}

/* Reads to the end; memory may run out on the way. */
static void
reader_read_all(struct world *w, struct reader *r)
{
	enum feed_result result;

	do {
		result = reader_read(w, r, SIZE_MAX);
		assert_int_not_equal(result, FEED_LOST);
	} while (result != FEED_END);
}

/* The block that is dropped must be one that all have read at once. */
static void
world_drop(struct world *w)
{
	size_t i;

	for (i = 0; i < LANES; i++) {
		feed_drop_block(w->lanes[i].plain);
		feed_drop_block(w->lanes[i].live);
		memory.armed = true;
		if (w->lanes[i].feed != NULL)
			feed_drop_block(w->lanes[i].feed);
		memory.armed = false;
	}
	journal_drop_block(w->journal);
	for (i = 0; i < READERS; i++) {
		if (w->readers[i].lane != NULL)
			reader_check(&w->readers[i]);
	}
}

static void
lane_clear(struct lane *lane)
{
	lane_close(lane);
	feed_leave(lane->plain, &lane->plain_cursor);
	feed_leave(lane->live, &lane->live_cursor);
	feed_free(lane->plain);
	feed_free(lane->live);
	buffer_clear(&lane->bytes);
	free(lane->starts);
	free(lane->places);
}

/* And what every cursor was held to is read by clients. */
static void
world_free(struct world *w)
{
	size_t i;

	memory.left = 0;
	for (i = 0; i < READERS; i++) {
		if (w->readers[i].lane != NULL)
			reader_leave(&w->readers[i]);
	}
	for (i = 0; i < LANES; i++) {
		lane_check(w, &w->lanes[i]);
		lane_clear(&w->lanes[i]);
	}
	journal_free(w->journal);
	encoder_free(w->encoder);
	encoder_free(w->expected);
	free(w->records);
	free(w);
}

/* What a new client reads from there to the end. */
static void
lane_read_from(struct world *w, struct lane *lane, uint64_t seq)
{
	struct reader *r = &w->readers[0];
	size_t begin = lane->starts[seq];

	reader_join(w, r, lane, seq);
	reader_read_all(w, r);
	lane_inflate(w, lane, seq, lane->bytes.data + begin, r->at - begin);
	reader_leave(r);
}

/* Goes through a plain feed; all places must be those it told of at once. */
static void
lane_read_from_each_place(struct world *w, struct lane *lane)
{
	struct feed *plain =
	    open_feed(w, lane, w->encoder, CARRIER_WEBSOCKET, NULL);
	const uint8_t *bytes;
	struct cursor c;
	uint64_t seq;
	size_t n;

	assert_non_null(plain);
	feed_seek(plain, &c, 1);
	while (feed_peek(plain, &c, &bytes, &n) == FEED_BYTES) {
		seq = feed_next(&c);
		assert_int_equal(feed_to_epoch(&c) == 0, lane->places[seq]);
		if (lane->places[seq])
			lane_read_from(w, lane, seq);
		feed_advance(&c, feed_message_size(&c));
	}
	feed_leave(plain, &c);
	feed_free(plain);
}

static void
test_clients_may_begin_with_each_epoch(void **state)
{
	static const unsigned int streams[] = { BOTH, 1U << STREAM_STDOUT,
		1U << STREAM_STDERR };
	struct world *w;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		w = world_new(NO_BOUND, streams[i]);
		world_fill(w, 4);
		for (k = 0; k < LANES; k++)
			lane_read_from_each_place(w, &w->lanes[k]);
		world_free(w);
	}
}

/* Bytes that the journal has between the places, of records for this lane. */
static void
lane_check_epochs(struct world *w, const struct lane *lane)
{
	uint64_t seq, bytes = 0, places = 0;

	for (seq = 1; seq <= w->last; seq++) {
		if (!lane_has(lane, seq))
			continue;
		places += lane->places[seq];
		if (lane->places[seq])
			bytes = 0;
		else
			assert_true(places > 0 && bytes < FEED_EPOCH_BYTES);
		bytes += 2 + w->records[seq].size;
	}
	assert_true(places >= 4);
}

/* No epoch is longer, also where few lines are for the client. */
static void
test_epochs_are_short(void **state)
{
	unsigned int streams;
	struct world *w;
	size_t i;

	(void)state;
	for (streams = 1; streams <= BOTH; streams++) {
		w = world_new(NO_BOUND, streams);
		world_fill(w, 8); /* some may be a single line */
		for (i = 0; i < LANES; i++)
			lane_check_epochs(w, &w->lanes[i]);
		world_free(w);
	}
}

/*
 * Goes through a plain feed in steps that may end inside a record: what a
 * cursor tells of the next place must lead to one, or to the end of what
 * there is.
 */
static void
lane_walk(struct world *w, struct lane *lane, uint64_t stop)
{
	struct feed *plain =
	    open_feed(w, lane, w->encoder, CARRIER_WEBSOCKET, NULL);
	size_t n, to_epoch = 0, step, before = 0;
	const uint8_t *bytes;
	struct cursor c;

	assert_non_null(plain);
	feed_seek(plain, &c, 1);
	c.stop = stop;
	while (feed_peek(plain, &c, &bytes, &n) == FEED_BYTES) {
		to_epoch = feed_to_epoch(&c);
		assert_true(to_epoch <= n);
		if (before > 0)
			assert_int_equal(to_epoch, before);
		assert_true(to_epoch == 0 || to_epoch == n ||
		    to_epoch >= feed_rest(&c));
		step = to_epoch == 0 ? feed_message_size(&c) : to_epoch;
		if (random() % 2 == 0)
			step = 1 + (size_t)random_below(step);
		before = to_epoch - (to_epoch == 0 ? 0 : step);
		if (to_epoch > 0 && before == 0 && step < n) {
			feed_advance(&c, step);
			assert_int_equal(feed_rest(&c), 0);
			assert_int_equal(feed_to_epoch(&c), 0);
			continue;
		}
		feed_advance(&c, step);
	}
	feed_leave(plain, &c);
	feed_free(plain);
}

static void
test_the_next_epoch_is_told(void **state)
{
	struct world *w = world_new(NO_BOUND, 0);
	size_t i, k;

	(void)state;
	world_fill(w, 4);
	for (i = 0; i < LANES; i++) {
		lane_walk(w, &w->lanes[i], CURSOR_NO_STOP);
		for (k = 0; k < 4; k++)
			lane_walk(w, &w->lanes[i],
			    1 + random_below(w->last + 10));
	}
	world_free(w);
}

/* At once, in one go, in pieces; all of it in the same feed or in many. */
static void
test_bytes_are_the_same_whenever_they_are_made(void **state)
{
	static const uint64_t bounds[] = { 1, 100000, NO_BOUND };
	struct reader *r;
	struct world *w;
	size_t i, k;

	(void)state;
	for (k = 0; k < sizeof(bounds) / sizeof(bounds[0]); k++) {
		w = world_new(bounds[k], 0);
		r = &w->readers[0];
		world_fill(w, 3);
		for (i = 0; i < LANES; i++) {
			reader_join(w, r, &w->lanes[i], 1);
			reader_read_all(w, r);
			reader_leave(r);
			reader_join(w, r, &w->lanes[i], 1 + w->last / 2);
			while (
			    reader_read(w, r, random_below(9000)) != FEED_END) {
				if (random() % 8 != 0 ||
				    feed_rest(&r->cursor) > 0)
					continue;
				reader_leave(r);
				lane_close(&w->lanes[i]);
				reader_join(w, r, &w->lanes[i],
				    feed_next(&r->cursor));
			}
			reader_leave(r);
			lane_close(&w->lanes[i]);
		}
		world_free(w);
	}
}

/*
 * With room for one block, the one that grows and an old one are made in turn
 * and readers are often inside a record then.
 */
static void
test_readers_far_apart(void **state)
{
	struct world *w = world_new(1, BOTH);
	struct reader *live, *late;
	size_t i, rests = 0;
	int step;

	(void)state;
	world_fill(w, 2);
	for (i = 0; i < LANES; i++) {
		reader_join(w, &w->readers[2 * i], &w->lanes[i], w->last + 1);
		reader_join(w, &w->readers[2 * i + 1], &w->lanes[i], 1);
	}
	for (step = 0; step < 150; step++) {
		world_append_random(w);
		live = &w->readers[2 * (step % LANES)];
		late = live + 1;
		reader_read(w, live, random_below(500));
		if (reader_read(w, late, random_below(1500)) != FEED_END)
			continue;
		reader_leave(late);
		reader_join(w, late, &w->lanes[step % LANES], 1);
	}
	for (i = 0; i < LANES; i++) {
		rests += w->readers[2 * i].rests + w->readers[2 * i + 1].rests;
		reader_read_all(w, &w->readers[2 * i]);
		reader_read_all(w, &w->readers[2 * i + 1]);
	}
	assert_true(rests > 20);
	world_free(w);
}

/* What is encoded of an old block and of the newest one is as many records. */
static void
run_blocks_of_the_same_length(size_t epochs)
{
	struct world *w = world_new(NO_BOUND, BOTH);
	struct reader *old = &w->readers[0], *live = &w->readers[1];
	const size_t size = 1000, n = epochs * FEED_EPOCH_BYTES / (size + 4);
	struct lane *lane = &w->lanes[0];
	uint64_t first;
	uint32_t count;

	while (!world_has_blocks(w, 2))
		world_append(w, STREAM_STDOUT, size, false);
	first = journal_block_first(w->journal, 1, &count);
	while (w->last < first + n)
		world_append(w, STREAM_STDOUT, 10, false);
	/* The last of each is number n of its block. */
	assert_true(lane->places[1 + n + 1] && !lane->places[1 + n]);
	reader_join(w, live, lane, first);
	reader_read_all(w, live);
	reader_join(w, old, lane, 1);
	assert_int_equal(reader_read(w, old, 1), FEED_BYTES);
	world_append(w, STREAM_STDOUT, 10, false);
	assert_false(lane->places[w->last]);
	reader_read_all(w, live);
	reader_read_all(w, old);
	world_free(w);
}

static void
test_blocks_of_the_same_length(void **state)
{
	size_t epochs;

	(void)state;
	for (epochs = 1; epochs < 4; epochs++)
		run_blocks_of_the_same_length(epochs);
}

/* A cursor stops at a record, be it there already or not. */
static void
test_stop(void **state)
{
	struct world *w = world_new(NO_BOUND, 0);
	struct reader *r = &w->readers[0];
	uint64_t stop;
	size_t i, k;

	(void)state;
	world_fill(w, 3);
	for (i = 0; i < 200; i++) {
		stop = 1 + random_below(w->last);
		k = random_below(LANES);
		reader_join(w, r, &w->lanes[k], 1 + random_below(stop));
		r->cursor.stop = stop;
		reader_read_all(w, r);
		reader_leave(r);
	}
	reader_join(w, r, &w->lanes[0], w->last);
	stop = r->cursor.stop = w->last + 2;
	for (i = 0; i < 4; i++) {
		reader_read_all(w, r);
		world_append(w, STREAM_STDOUT, 10, false);
	}
	assert_int_equal(feed_next(&r->cursor), stop + 1);
	world_free(w);
}

static void
test_dropped_block_hands_over_the_rest(void **state)
{
	struct world *w = world_new(NO_BOUND, BOTH);
	struct reader *in = &w->readers[0], *between = &w->readers[1];
	uint64_t second;
	uint32_t count;

	(void)state;
	do {
		while (world_has_blocks(w, 1))
			world_drop(w);
		world_fill(w, 2);
		second = journal_block_first(w->journal,
		    journal_first_block(w->journal) + 1, &count);
	} while (!lane_has(&w->lanes[0], second - 1));
	reader_join(w, in, &w->lanes[0], second - 1);
	assert_int_equal(reader_read(w, in, 1), FEED_BYTES);
	assert_true(feed_rest(&in->cursor) > 0);
	reader_join(w, between, &w->lanes[0], second - 1);
	assert_int_equal(reader_read(w, between, 0), FEED_BYTES);
	world_drop(w);
	assert_int_equal(in->rests, 1);
	assert_int_equal(between->rests, 0);
	assert_int_equal(feed_next(&in->cursor), second);
	reader_read_all(w, in);
	assert_int_equal(reader_read(w, between, 1), FEED_LOST);
	world_free(w);
}

/* To any record there may be, also to the next one. */
static void
reader_join_random(struct world *w, struct reader *r)
{
	uint64_t first = journal_first(w->journal), seq;

	seq = first + random_below(w->last + 2 - first);
	reader_join(w, r, &w->lanes[random_below(LANES)], seq == 0 ? 1 : seq);
	if (r->lane != NULL && random() % 4 == 0)
		r->cursor.stop = seq + random_below(w->last + 30 - seq);
}

static void
reader_step_random(struct world *w, struct reader *r)
{
	static const uint64_t amounts[] = { 1, 2, 30, 3000, 100000, 1000000 };

	if (r->lane == NULL) {
		reader_join_random(w, r);
		return;
	}
	if (random() % 64 == 0 ||
	    reader_read(w, r, random_below(amounts[random() % 6])) == FEED_LOST)
		reader_leave(r);
}

/* As a server trims, and closes feeds that nobody reads. */
static void
world_trim_random(struct world *w)
{
	struct lane *lane = &w->lanes[random_below(LANES)];

	if (lane->readers == 0)
		lane_close(lane);
	while (world_has_blocks(w, 3 + random_below(3)))
		world_drop(w);
}

/* fail_max: about every how many allocations one fails; 0: none does. */
static void
run_random(uint64_t bytes_max, uint64_t fail_max)
{
	struct world *w = world_new(bytes_max, 0);
	size_t n;
	int step;

	for (step = 0; step < STEPS; step++) {
		if (memory.left == 0 && fail_max > 0)
			memory.left = 1 + random_below(fail_max);
		switch (random() % 8) {
		case 0:
			for (n = random_below(50) + 1; n > 0; n--)
				world_append_random(w);
			break;
		case 1:
			world_trim_random(w);
			break;
		default:
			reader_step_random(w,
			    &w->readers[random_below(READERS)]);
			break;
		}
	}
	memory.left = 0;
	for (n = 0; n < READERS; n++) {
		if (w->readers[n].lane != NULL &&
		    feed_next(&w->readers[n].cursor) >=
			journal_first(w->journal))
			reader_read_all(w, &w->readers[n]);
	}
	world_free(w);
}

static void
test_random_calls(void **state)
{
	static const uint64_t bounds[] = { 0, 100000, 700000, NO_BOUND };
	size_t i;

	(void)state;
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
	run_random(0, 30);
	run_random(700000, 10);
	run_random(NO_BOUND, 10);
	assert_true(memory.failures > failures + 30);
}

/*
 * Reads and drops, the n-th allocation failing, everything else tried again.
 */
static void
run_with_failure(size_t n)
{
	struct world *w = world_new(100000, 0);
	struct reader *r;
	size_t i, k;

	memory.left = n;
	for (i = 0; i < 24; i++) {
		world_append(w, i % 5 == 0 ? STREAM_STDERR : STREAM_STDOUT,
		    i == 12 ? 270000 : i * 397, false);
		for (k = 0; k < 2 * LANES; k++) {
			r = &w->readers[k];
			if (r->lane == NULL)
				reader_join(w, r, &w->lanes[k / 2],
				    journal_first(w->journal));
			if (r->lane != NULL)
				reader_read(w, r, k % 2 == 0 ? 7 : SIZE_MAX);
		}
		while (world_has_blocks(w, 3))
			world_drop(w);
	}
	for (k = 0; k < 2 * LANES; k += 2) {
		reader_leave(&w->readers[k]);
		reader_read_all(w, &w->readers[k + 1]);
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
	do {
		failures = memory.failures;
		run_with_failure(++n);
	} while (memory.failures > failures);
	print_message("           %zu allocations\n", n - 1);
	assert_true(n > 30);
}

/* A record for each thing that is special about one. */
static const struct record samples[] = {
	{ .text = (const uint8_t *)"a line", .size = 6 },
	{ .text = NULL, .size = 0 },
	{ .text = (const uint8_t *)"a line\xff", .size = 7 },
	{ .text = (const uint8_t *)"a line", .size = 6, .continued = true },
	{ .text = NULL, .size = 0, .continued = true },
	{ .text = pattern, .size = 100000 },
	{ .text = (const uint8_t *)"a line", .size = 6 },
};

#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

static void
test_encoder(void **state)
{
	struct encoder *e = encoder_new(), *plain_encoder = encoder_new();
	struct buffer out = BUFFER_INIT, plain = BUFFER_INIT;
	struct deflater *d = deflater_new(6);
	enum format format;
	uint64_t bytes;
	z_stream client;
	size_t i, n;

	(void)state;
	assert_int_equal(encoder_take_deflated(e), 0);
	for (format = 0; format < FORMAT_COUNT; format++) {
		deflater_reset(d);
		client_begin(&client);
		for (i = 0, bytes = 0; i < SAMPLES; i++) {
			buffer_reset(&out);
			buffer_reset(&plain);
			encoder_append_deflated(e, d, &out, format,
			    &samples[i]);
			encoder_append_line(plain_encoder, &plain, format,
			    CARRIER_WEBSOCKET, &samples[i]);
			if (plain.size == 0) {
				assert_int_equal(out.size, 0);
				continue;
			}
			assert_int_equal(client_read_frame(&client, out.data,
					     out.size, &plain),
			    out.size);
			(void)frame_payload(plain.data, plain.size, &n);
			bytes += n;
		}
		inflateEnd(&client);
		assert_int_equal(encoder_take_deflated(e), bytes);
		assert_int_equal(encoder_take_deflated(e), 0);
	}
	/* And what is not to be compressed is not, and does not count. */
	buffer_reset(&out);
	encoder_append_line(e, &out, FORMAT_TEXT, CARRIER_WEBSOCKET,
	    &samples[0]);
	assert_int_equal(out.data[0], 0x80 | WEBSOCKET_TEXT);
	assert_int_equal(encoder_take_deflated(e), 0);
	buffer_clear(&out);
	buffer_clear(&plain);
	deflater_free(d);
	encoder_free(e);
	encoder_free(plain_encoder);
}

/*
 * Each allocation fails once; what is there stays, and the same call after a
 * reset is like any first one.
 */
static void
run_encoder_with_failure(enum format format, const struct buffer *expected)
{
	struct encoder *e = encoder_new();
	struct deflater *d = deflater_new(6);
	struct buffer out = BUFFER_INIT;
	size_t n = 0;

	buffer_append(&out, "before", 6);
	do {
		assert_int_equal(out.size, 6);
		assert_memory_equal(out.data, "before", 6);
		out.failed = false;
		deflater_reset(d);
		memory.armed = true;
		memory.left = ++n;
		encoder_append_deflated(e, d, &out, format, &samples[5]);
		memory.armed = false;
		memory.left = 0;
	} while (out.failed);
	assert_true(n > 1);
	assert_int_equal(out.size, 6 + expected->size);
	assert_memory_equal(out.data + 6, expected->data, expected->size);
	buffer_clear(&out);
	deflater_free(d);
	encoder_free(e);
}

static void
test_encoder_without_memory(void **state)
{
	struct encoder *e = encoder_new();
	struct deflater *d = deflater_new(6);
	struct buffer expected = BUFFER_INIT;
	enum format format;

	(void)state;
	if (!memory_can_run_out()) {
		encoder_free(e);
		deflater_free(d);
		skip();
	}
	for (format = 0; format < FORMAT_COUNT; format++) {
		buffer_reset(&expected);
		deflater_reset(d);
		encoder_append_deflated(e, d, &expected, format, &samples[5]);
		run_encoder_with_failure(format, &expected);
	}
	buffer_clear(&expected);
	deflater_free(d);
	encoder_free(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients_may_begin_with_each_epoch),
		cmocka_unit_test(test_epochs_are_short),
		cmocka_unit_test(test_the_next_epoch_is_told),
		cmocka_unit_test(
		    test_bytes_are_the_same_whenever_they_are_made),
		cmocka_unit_test(test_readers_far_apart),
		cmocka_unit_test(test_blocks_of_the_same_length),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_dropped_block_hands_over_the_rest),
		cmocka_unit_test(test_random_calls),
		cmocka_unit_test(test_each_allocation_fails_once),
		cmocka_unit_test(test_random_calls_without_memory),
		cmocka_unit_test(test_encoder),
		cmocka_unit_test(test_encoder_without_memory),
	};

	seed_random();
	make_pattern();
	return cmocka_run_group_tests_name("feed_deflate", tests, NULL, NULL);
}
