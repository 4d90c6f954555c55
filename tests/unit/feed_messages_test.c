/* SPDX-License-Identifier: ISC */

/*
 * Feeds that put several records into a message, against a model.  Which ones
 * is up to the feed, so that the model is a client: it takes frames apart,
 * uncompresses them with zlib, and knows the record that must come next.  The
 * readers here do as subscribers do: what is for them alone they hand to the
 * client themselves, and from a plain feed they go to the compressed one at an
 * epoch.
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

#define PATTERN_BYTES (512 * 1024)
#define RECORDS_MAX 100000
#define READERS 10
#define STEPS 2000
#define BOTH (1U << STREAM_STDOUT | 1U << STREAM_STDERR)
#define NO_BOUND UINT64_MAX
#define FINAL_TEXT 0x81 /* the first byte of a text message in one frame */
#define COMPRESSED 0x40 /* the bit RSV1 of it (RFC 7692 section 6) */

struct reader {
	struct cursor cursor; /* first: a cursor is taken for its reader */
	struct world *world;  /* borrowed: outlives the reader */
	unsigned int streams; /* 0: it is in no feed */
	bool deflates;	      /* may go to the compressed feed */
	bool deflated;	      /* is there */
	uint64_t next;	      /* number of the first line not had so far */
	uint64_t begun;	      /* of the last one in the message it is in */
	struct buffer got;    /* bytes of that message */
	struct buffer text;   /* a message, uncompressed */
	z_stream client;
	size_t rests, alones, messages; /* so far */
};

struct world {
	struct journal *journal; /* owned */
	struct encoder *encoder; /* owned */
	struct record *records;	 /* owned; by sequence number */
	uint64_t last;
	uint64_t bytes_max;		 /* of each feed */
	struct feed *feeds[2][BOTH + 1]; /* owned: plain and compressed */
	struct reader readers[READERS];
};

/* What lines are pieces of. */
static uint8_t pattern[PATTERN_BYTES];

static uint64_t
random_below(uint64_t bound)
{
	return ((uint64_t)random() << 31 | (uint64_t)random()) % bound;
}

/* Words, some of them with quotes, and a few bytes that are not UTF-8. */
static void
make_pattern(void)
{
	static const char *const words[] = { "cc -O2 -Wall -c ",
		"error: ", "\"src/core/feed.c\":", "undefined reference to ",
		"\xff" };
	struct buffer b = BUFFER_INIT;

	while (b.size < PATTERN_BYTES)
		buffer_append_format(&b, "%s%ld ", words[random() % 5],
		    random() % 1000);
	assert_false(b.failed);
	memcpy(pattern, b.data, PATTERN_BYTES);
	buffer_clear(&b);
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
	w->records = calloc(RECORDS_MAX + 1, sizeof(*w->records));
	assert_non_null(w->records);
	w->bytes_max = bytes_max;
	for (i = 0; i < READERS; i++)
		w->readers[i].world = w;
	return w;
}

/* The same record again. */
static void
world_append_copy(struct world *w, const struct record *r)
{
	assert_true(w->last < RECORDS_MAX);
	assert_true(journal_append(w->journal, r));
	w->records[++w->last] = *r;
	w->records[w->last].seq = w->last;
}

/* For clients of all streams. */
static void
world_append_restart(struct world *w)
{
	static const struct restart_info info = { .run = "0123456789abcdef",
		.code = 3,
		.count = 1 };
	const struct record r = { .text = (const uint8_t *)&info,
		.size = sizeof(info),
		.restart = true };

	world_append_copy(w, &r);
}

static void
world_append(struct world *w, enum stream stream, size_t size)
{
	const struct record r = { .time_us =
				      (int64_t)random_below(UINT64_C(1) << 50),
		.text = pattern + random_below(PATTERN_BYTES - size),
		.size = size,
		.stream = stream,
		.continued = random() % 16 == 0 };

	world_append_copy(w, &r);
}

/* Mostly short lines, some long ones, and once in a while a whole block. */
static void
world_append_random(struct world *w)
{
	static const uint64_t sizes[] = { 30, 30, 300, 300, 300, 300, 3000,
		30000 };
	uint64_t size = random_below(sizes[random() % 8]);

	if (random() % 50 == 0)
		world_append_restart(w);
	if (random() % 16 == 0)
		size = 0;
	else if (random() % 1000 == 0)
		size = random_below(400000);
	world_append(w, random() % 4 == 0 ? STREAM_STDERR : STREAM_STDOUT,
	    (size_t)size);
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

/* The first line from seq on that a reader is to get, or last + 1. */
static uint64_t
reader_wants(const struct reader *r, uint64_t seq)
{
	const struct world *w = r->world;

	while (seq <= w->last && !record_is_for(&w->records[seq], r->streams))
		seq++;
	return seq;
}

/* The client has got a line: this one must be next. */
static void
client_take_line(struct reader *r, const uint8_t *line, size_t size)
{
	struct buffer wanted = BUFFER_INIT;
	uint64_t seq = reader_wants(r, r->next);
	struct encoder *e = encoder_new();

	assert_non_null(e);
	assert_true(seq <= r->world->last && seq <= r->cursor.stop);
	encoder_append_line(e, &wanted, FORMAT_JSON, CARRIER_PLAIN,
	    &r->world->records[seq]);
	assert_int_equal(size + 1, wanted.size);
	assert_memory_equal(line, wanted.data, size);
	buffer_clear(&wanted);
	encoder_free(e);
	r->next = seq + 1;
}

static void
client_take_message(struct reader *r, const uint8_t *text, size_t size)
{
	const uint8_t *line = text, *end = text + size, *newline;
	uint64_t first = reader_wants(r, r->next);
	size_t before;

	do {
		newline = memchr(line, '\n', (size_t)(end - line));
		if (newline == NULL)
			newline = end;
		before = (size_t)(line - text);
		client_take_line(r, line, (size_t)(newline - line));
		line = newline + 1;
	} while (newline < end);
	assert_true(before <= FEED_MESSAGE_BYTES);
	assert_true(r->next - first <= FEED_MESSAGE_RECORDS);
	r->messages++;
}

/* Uncompresses a message with what the client has of those before. */
static void
client_inflate(struct reader *r, const uint8_t *payload, size_t size)
{
	static const uint8_t tail[] = { 0x00, 0x00, 0xff, 0xff };
	struct buffer packed = BUFFER_INIT;
	uint8_t *to;

	buffer_append(&packed, payload, size);
	buffer_append(&packed, tail, sizeof(tail));
	assert_false(packed.failed);
	buffer_reset(&r->text);
	r->client.next_in = packed.data;
	r->client.avail_in = (uInt)packed.size;
	do {
		to = buffer_reserve(&r->text, 65536);
		assert_non_null(to);
		r->client.next_out = to;
		r->client.avail_out = 65536;
		assert_int_equal(inflate(&r->client, Z_SYNC_FLUSH), Z_OK);
		r->text.size += 65536 - r->client.avail_out;
	} while (r->client.avail_out == 0);
	assert_int_equal(r->client.avail_in, 0);
	buffer_clear(&packed);
}

/* Bytes of the frame that got begins with; 0: that is not known so far. */
static size_t
frame_size(const struct buffer *got, size_t *head)
{
	size_t n = 0, i;

	if (got->size < 2)
		return 0;
	*head = got->data[1] < 126 ? 2 : got->data[1] == 126 ? 4 : 10;
	if (got->size < *head)
		return 0;
	if (*head == 2)
		n = got->data[1];
	for (i = 2; i < *head; i++)
		n = n << 8 | got->data[i];
	return *head + n;
}

/* Takes n bytes that a feed gave, and all messages that are whole then. */
static void
client_take(struct reader *r, const uint8_t *bytes, size_t n)
{
	bool armed = memory.armed;
	size_t size, head;

	memory.armed = false;
	buffer_append(&r->got, bytes, n);
	assert_false(r->got.failed);
	while ((size = frame_size(&r->got, &head)) > 0 && size <= r->got.size) {
		assert_int_equal(r->got.data[0],
		    FINAL_TEXT | (r->deflated ? COMPRESSED : 0));
		if (r->deflated) {
			client_inflate(r, r->got.data + head, size - head);
			client_take_message(r, r->text.data, r->text.size);
		} else {
			client_take_message(r, r->got.data + head, size - head);
		}
		buffer_shift(&r->got, size);
		if (r->begun != 0)
			assert_in_range(r->begun, r->next - 1,
			    reader_wants(r, r->next) - 1);
		r->begun = 0;
	}
	memory.armed = armed;
}

static void
reader_rest_cb(struct cursor *c, const uint8_t *rest, size_t n)
{
	struct reader *r = (struct reader *)(void *)c;

	assert_true(r->got.size > 0);
	client_take(r, rest, n);
	assert_int_equal(r->got.size, 0);
	r->rests++;
}

static struct feed **
reader_feed(const struct reader *r)
{
	return &r->world->feeds[r->deflated][r->streams];
}

/* Where the cursor says it is. */
static void
reader_check(struct reader *r)
{
	uint64_t next = feed_next(&r->cursor);
	size_t head, rest = feed_rest(&r->cursor);

	assert_in_range(next, r->next, reader_wants(r, r->next));
	if (rest == 0) {
		assert_int_equal(r->got.size, 0);
		assert_int_equal(feed_begun(&r->cursor), next - 1);
		return;
	}
	assert_true(r->got.size > 0);
	if (frame_size(&r->got, &head) > 0)
		assert_int_equal(frame_size(&r->got, &head),
		    r->got.size + rest);
	r->begun = feed_begun(&r->cursor);
	assert_in_range(r->begun, next, r->world->last);
}

/* False: out of memory. */
static bool
reader_enter(struct reader *r, bool deflated, uint64_t seq)
{
	const struct feed_config config = { .format = FORMAT_JSON,
		.carrier =
		    deflated ? CARRIER_WEBSOCKET_DEFLATE : CARRIER_WEBSOCKET,
		.streams = r->streams,
		.bytes_max = r->world->bytes_max,
		.compression = 6,
		.on_rest = reader_rest_cb };
	struct world *w = r->world;
	struct feed **f = &w->feeds[deflated][r->streams];
	size_t failures = memory.failures;
	uint64_t stop = r->cursor.stop;

	memory.armed = true;
	if (*f == NULL)
		*f = feed_new(w->journal, w->encoder, &config);
	memory.armed = false;
	if (*f == NULL) {
		assert_true(memory.failures > failures);
		return false;
	}
	r->deflated = deflated;
	feed_seek(*f, &r->cursor, seq);
	r->cursor.stop = stop;
	reader_check(r);
	return true;
}

static void
reader_join(struct reader *r, unsigned int streams, bool deflates, uint64_t seq)
{
	struct reader fresh = { .world = r->world };

	*r = fresh;
	r->streams = streams;
	r->deflates = deflates;
	r->next = seq;
	r->cursor.stop = CURSOR_NO_STOP;
	assert_int_equal(inflateInit2(&r->client, -DEFLATE_WINDOW_BITS), Z_OK);
	if (reader_enter(r, false, seq))
		return;
	inflateEnd(&r->client);
	r->streams = 0;
}

static void
reader_leave(struct reader *r)
{
	feed_leave(*reader_feed(r), &r->cursor);
	inflateEnd(&r->client);
	buffer_clear(&r->got);
	buffer_clear(&r->text);
	r->streams = 0;
}

/* To the other feed, or anew to this; without memory it stays. */
static void
reader_move(struct reader *r, bool deflated, uint64_t seq)
{
	struct cursor before = r->cursor;
	struct feed *feed = *reader_feed(r);

	feed_leave(feed, &r->cursor);
	if (reader_enter(r, deflated, seq))
		return;
	feed_seek(feed, &r->cursor, seq);
	r->cursor.stop = before.stop;
}

/* Some of the next n records are handed over by the reader itself. */
static void
reader_take_alone(struct reader *r, uint64_t n)
{
	struct buffer line = BUFFER_INIT;
	uint64_t seq = feed_next(&r->cursor), end = seq + n;

	assert_in_range(n, 1, FEED_MESSAGE_RECORDS);
	assert_int_equal(feed_rest(&r->cursor), 0);
	assert_true(seq >= journal_first(r->world->journal));
	assert_true(end - 1 <= r->world->last && end - 1 <= r->cursor.stop);
	/* Nobody is sent here for nothing, or stops in front of it. */
	assert_true(
	    r->deflated || reader_wants(r, seq) < end || end > r->cursor.stop);
	if (random() % 4 == 0)
		end = seq + 1 + random_below(n);
	while ((r->next = reader_wants(r, r->next)) < end) {
		buffer_reset(&line);
		encoder_append_line(r->world->encoder, &line, FORMAT_JSON,
		    CARRIER_PLAIN, &r->world->records[r->next]);
		client_take_line(r, line.data, line.size - 1);
	}
	r->next = end;
	r->alones++;
	buffer_clear(&line);
	reader_move(r, false, end);
}

/* The next bytes; as subscribers do it, from the compressed feed if it can. */
static enum feed_result
reader_peek(struct reader *r, const uint8_t **bytes, size_t *n)
{
	enum feed_result result;
	size_t to_epoch;

	memory.armed = true;
	result = feed_peek(*reader_feed(r), &r->cursor, bytes, n);
	memory.armed = false;
	if (result != FEED_BYTES || !r->deflates || r->deflated)
		return result;
	if ((to_epoch = feed_to_epoch(&r->cursor)) > 0) {
		assert_true(to_epoch <= *n);
		*n = to_epoch;
		return result;
	}
	reader_move(r, true, feed_next(&r->cursor));
	memory.armed = true;
	result = feed_peek(*reader_feed(r), &r->cursor, bytes, n);
	memory.armed = false;
	/* An epoch begins there for all who need not stop. */
	if (result == FEED_ALONE)
		assert_true(r->cursor.stop < r->world->last);
	return result;
}

/* Reads at most n bytes. */
static enum feed_result
reader_read(struct reader *r, size_t n)
{
	size_t size = 0, failures = memory.failures;
	enum feed_result result;
	const uint8_t *bytes;
	uint64_t wanted;

	result = reader_peek(r, &bytes, &size);
	reader_check(r);
	switch (result) {
	case FEED_BYTES:
		assert_true(size > 0);
		if (feed_rest(&r->cursor) == 0)
			assert_in_range(feed_message_size(&r->cursor), 1, size);
		n = n < size ? n : size;
		client_take(r, bytes, n);
		feed_advance(&r->cursor, n);
		break;
	case FEED_ALONE:
		reader_take_alone(r, size);
		break;
	case FEED_END:
		assert_int_equal(r->got.size, 0);
		wanted = reader_wants(r, r->next);
		assert_true(wanted > r->world->last || wanted > r->cursor.stop);
		break;
	case FEED_LATER:
		break;
	case FEED_LOST:
		assert_true(
		    feed_next(&r->cursor) < journal_first(r->world->journal));
		break;
	case FEED_FAILED:
		assert_true(memory.failures > failures);
		break;
	}
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
world_each_feed(struct world *w, void (*do_feed)(struct feed *f))
{
	struct feed **f = &w->feeds[0][0], **end = f + 2 * (BOTH + 1);

	for (; f < end; f++) {
		if (*f != NULL && do_feed != NULL)
			do_feed(*f);
		if (*f != NULL && feed_readers(*f) == 0) {
			feed_free(*f);
			*f = NULL;
		}
	}
}

static void
world_drop(struct world *w)
{
	size_t i;

	memory.armed = true;
	world_each_feed(w, feed_drop_block);
	memory.armed = false;
	journal_drop_block(w->journal);
	for (i = 0; i < READERS; i++)
		if (w->readers[i].streams != 0)
			reader_check(&w->readers[i]);
}

static void
world_free(struct world *w)
{
	size_t i;

	memory.left = 0;
	for (i = 0; i < READERS; i++)
		if (w->readers[i].streams != 0)
			reader_leave(&w->readers[i]);
	world_each_feed(w, NULL);
	journal_free(w->journal);
	encoder_free(w->encoder);
	free(w->records);
	free(w);
}

/* What there is at once is one message, and a lone line another. */
static void
test_lines_of_one_time_are_one_message(void **state)
{
	struct world *w = world_new(NO_BOUND);
	struct reader *r = &w->readers[0], *late = &w->readers[1];
	int i;

	(void)state;
	reader_join(r, BOTH, false, 1);
	for (i = 0; i < 10; i++)
		world_append(w, STREAM_STDOUT, 20);
	reader_read_all(r);
	assert_int_equal(r->messages, 1);
	for (i = 0; i < 3; i++) {
		world_append(w, STREAM_STDOUT, 20);
		reader_read_all(r);
	}
	assert_int_equal(r->messages, 4);
	reader_join(late, BOTH, false, 1);
	reader_read_all(late);
	assert_int_equal(late->messages, 4);
	assert_int_equal(r->alones + late->alones, 0);
	world_free(w);
}

static void
test_messages_are_bounded(void **state)
{
	struct world *w = world_new(NO_BOUND);
	struct reader *r = &w->readers[0], *err = &w->readers[1];
	int i;

	(void)state;
	/* As JSON, 70 to 100 bytes each: that is two messages. */
	for (i = 0; i < 200; i++)
		world_append(w, STREAM_STDOUT, 0);
	for (i = 0; i < 56; i++)
		world_append(w, STREAM_STDERR, 0);
	reader_join(r, BOTH, false, 1);
	reader_read_all(r);
	assert_int_equal(r->messages, 2);
	/* This one is full with the first record. */
	world_append(w, STREAM_STDOUT, FEED_MESSAGE_BYTES);
	world_append(w, STREAM_STDERR, 0);
	reader_read_all(r);
	assert_int_equal(r->messages, 4);
	/* Those of the other stream count as well: from 201 to 456. */
	for (i = 0; i < 197; i++)
		world_append(w, STREAM_STDOUT, 0);
	world_append(w, STREAM_STDERR, 0);
	world_append(w, STREAM_STDERR, 0);
	reader_join(err, 1U << STREAM_STDERR, false, 1);
	reader_read_all(err);
	assert_int_equal(err->messages, 2);
	world_free(w);
}

/* At every record of every message, for each kind of reader. */
static void
test_join_at_each_record(void **state)
{
	unsigned int streams;
	struct reader *r;
	struct world *w = world_new(NO_BOUND);
	size_t alones[2] = { 0 }, deflates;
	uint64_t seq, stride;

	(void)state;
	world_fill(w, 3);
	stride = 1 + w->last / 500;
	for (streams = 1; streams <= BOTH; streams++) {
		for (deflates = 0; deflates < 2; deflates++) {
			r = &w->readers[2 * streams + deflates];
			reader_join(r, streams, deflates != 0, 1);
			reader_read_all(r);
			assert_int_equal(r->alones, 0);
			for (seq = 1; seq <= w->last + 1; seq += stride) {
				r = &w->readers[0];
				reader_join(r, streams, deflates != 0, seq);
				reader_read_all(r);
				alones[deflates] += r->alones;
				reader_leave(r);
			}
		}
	}
	assert_true(alones[0] > 50 && alones[1] > 50);
	world_free(w);
}

/* Wherever a reader stops, be it there already or not. */
static void
test_stop_at_each_record(void **state)
{
	struct world *w = world_new(NO_BOUND);
	struct reader *r = &w->readers[0], *all = &w->readers[1];
	size_t alones = 0;
	uint64_t seq, stop;

	(void)state;
	for (seq = 1; seq <= 12; seq++)
		world_append(w, seq % 3 == 0 ? STREAM_STDERR : STREAM_STDOUT,
		    50);
	reader_join(all, 1U << STREAM_STDOUT, false, 1);
	reader_read_all(all);
	assert_int_equal(all->messages, 1);
	for (seq = 1; seq <= 12; seq++) {
		for (stop = seq - 1; stop <= 14; stop++) {
			reader_join(r, 1U << STREAM_STDOUT, false, seq);
			r->cursor.stop = stop;
			reader_read_all(r);
			alones += r->alones;
			reader_leave(r);
		}
	}
	assert_true(alones > 50);
	/* It is in front of a message that goes on behind its stop. */
	reader_join(r, BOTH, true, w->last + 1);
	stop = r->cursor.stop = w->last + 2;
	reader_read_all(r);
	for (seq = 0; seq < 4; seq++)
		world_append(w, STREAM_STDERR, 50);
	reader_read_all(r);
	assert_int_equal(r->next, stop + 1);
	assert_true(r->alones > 0);
	world_free(w);
}

/* What is to be the last record may be known only inside of its message. */
static void
test_stop_in_a_message_that_was_begun(void **state)
{
	struct world *w = world_new(NO_BOUND);
	struct reader *r = &w->readers[0];
	const uint8_t *bytes;
	size_t n;
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		world_append(w, STREAM_STDOUT, 50);
	reader_join(r, BOTH, false, 1);
	assert_int_equal(reader_read(r, 5), FEED_BYTES);
	r->cursor.stop = 3;
	assert_int_equal(feed_peek(*reader_feed(r), &r->cursor, &bytes, &n),
	    FEED_BYTES);
	assert_int_equal(n, feed_rest(&r->cursor));
	r->cursor.stop = CURSOR_NO_STOP;
	reader_read_all(r);
	r->cursor.stop = 3;
	assert_int_equal(feed_peek(*reader_feed(r), &r->cursor, &bytes, &n),
	    FEED_END);
	assert_int_equal(feed_next(&r->cursor), 11);
	world_free(w);
}

/*
 * With room for one block, an old one and the newest are made in turn, and in
 * other messages each time, while readers are inside of them.
 */
static void
test_messages_made_again(void **state)
{
	struct world *w = world_new(1);
	struct reader *late, *live;
	size_t rests = 0, alones = 0, i, step;

	(void)state;
	world_fill(w, 2);
	for (i = 0; i < 4; i++) {
		reader_join(&w->readers[i], BOTH, i >= 2, 1);
		reader_join(&w->readers[i + 4], BOTH, i >= 2, w->last + 1);
	}
	for (step = 0; step < 300; step++) {
		for (i = random_below(5); i > 0; i--)
			world_append_random(w);
		late = &w->readers[step % 4];
		live = late + 4;
		(void)reader_read(live, random_below(4000));
		(void)reader_read(late, random_below(4000));
	}
	for (i = 0; i < 8; i++) {
		reader_read_all(&w->readers[i]);
		rests += w->readers[i].rests;
		alones += w->readers[i].alones;
	}
	assert_true(rests > 20 && alones > 20);
	world_free(w);
}

/*
 * Lines that were messages of their own are one when the block is made again:
 * what is compressed behind them there is not for who has read them before.
 */
static void
test_compressed_messages_made_again(void **state)
{
	struct world *w = world_new(1);
	struct reader *live = &w->readers[0], *late = &w->readers[1];
	size_t alones = 0;
	struct record r;
	int i;

	(void)state;
	world_fill(w, 2);
	reader_join(late, BOTH, true, 1);
	reader_join(live, BOTH, true, w->last + 1);
	while (!live->deflated) {
		world_append_random(w);
		reader_read_all(live);
	}
	for (i = 0; i < 40; i++) {
		/* As the one but last, so that it is compressed by that. */
		r = w->records[w->last - 1];
		if (i < 2)
			world_append(w, STREAM_STDOUT, 200);
		else
			world_append_copy(w, &r);
		if (i == 20) {
			assert_int_equal(reader_read(late, 0), FEED_BYTES);
			alones = live->alones;
		}
		reader_read_all(live);
	}
	assert_true(live->alones > alones);
	world_free(w);
}

static void
test_dropped_block_hands_over_the_rest(void **state)
{
	struct world *w = world_new(NO_BOUND);
	struct reader *in = &w->readers[0];
	uint64_t second;
	uint32_t count;
	int i;

	(void)state;
	world_fill(w, 1);
	for (i = 0; i < 2000; i++)
		world_append(w, STREAM_STDOUT, 200);
	second = journal_block_first(w->journal, 1, &count);
	reader_join(in, BOTH, false, 1);
	while (
	    feed_rest(&in->cursor) == 0 || feed_begun(&in->cursor) + 1 < second)
		assert_int_equal(reader_read(in, 1000), FEED_BYTES);
	assert_true(feed_next(&in->cursor) + 1 < second);
	world_drop(w);
	assert_int_equal(in->rests, 1);
	assert_int_equal(feed_next(&in->cursor), second);
	assert_int_equal(in->next, second);
	reader_read_all(in);
	world_free(w);
}

static void
reader_step_random(struct reader *r)
{
	static const uint64_t amounts[] = { 1, 2, 30, 3000, 100000, 1000000 };
	const struct world *w = r->world;
	uint64_t first = journal_first(w->journal), seq;

	if (r->streams == 0) {
		seq = first + random_below(w->last + 2 - first);
		reader_join(r, 1 + (unsigned int)random_below(BOTH),
		    random() % 2 == 0, seq == 0 ? 1 : seq);
		if (r->streams != 0 && random() % 4 == 0)
			r->cursor.stop =
			    seq - 1 + random_below(w->last + 30 - (seq - 1));
		return;
	}
	/* The server has no time to compress. */
	if (r->deflated && random() % 16 == 0 && feed_rest(&r->cursor) == 0)
		reader_move(r, false, feed_next(&r->cursor));
	if (reader_read(r, random_below(amounts[random() % 6])) == FEED_LOST ||
	    random() % 64 == 0)
		reader_leave(r);
}

/* fail_max: about every how many allocations one fails; 0: none does. */
static void
run_random(uint64_t bytes_max, uint64_t fail_max)
{
	struct world *w = world_new(bytes_max);
	struct reader *r;
	size_t n;
	int step;

	for (step = 0; step < STEPS; step++) {
		if (memory.left == 0 && fail_max > 0)
			memory.left = 1 + random_below(fail_max);
		switch (random() % 8) {
		case 0:
			for (n = random_below(300) + 1; n > 0; n--)
				world_append_random(w);
			break;
		case 1:
			while (world_has_blocks(w, 3 + random_below(3)))
				world_drop(w);
			break;
		default:
			reader_step_random(&w->readers[random_below(READERS)]);
			break;
		}
	}
	memory.left = 0;
	for (r = w->readers; r < w->readers + READERS; r++)
		if (r->streams != 0 &&
		    feed_next(&r->cursor) >= journal_first(w->journal))
			reader_read_all(r);
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

/* Reads and drops, the n-th allocation failing, everything else tried again. */
static void
run_with_failure(size_t n)
{
	struct world *w = world_new(100000);
	struct reader *r;
	size_t i, k;

	memory.left = n;
	for (i = 0; i < 60; i++) {
		world_append(w, i % 5 == 0 ? STREAM_STDERR : STREAM_STDOUT,
		    i == 40 ? 270000 : i * 97);
		for (k = 0; i % 3 == 0 && k < 4; k++) {
			r = &w->readers[k];
			if (r->streams == 0)
				reader_join(r, k < 2 ? BOTH : 1, k % 2 == 0,
				    journal_first(w->journal));
			if (r->streams != 0)
				(void)reader_read(r, k % 2 == 0 ? 1000 : 9);
		}
		while (world_has_blocks(w, 3))
			world_drop(w);
	}
	for (k = 0; k < 4; k++) {
		r = &w->readers[k];
		if (r->streams != 0 &&
		    feed_next(&r->cursor) >= journal_first(w->journal))
			reader_read_all(r);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_one_time_are_one_message),
		cmocka_unit_test(test_messages_are_bounded),
		cmocka_unit_test(test_join_at_each_record),
		cmocka_unit_test(test_stop_at_each_record),
		cmocka_unit_test(test_stop_in_a_message_that_was_begun),
		cmocka_unit_test(test_messages_made_again),
		cmocka_unit_test(test_compressed_messages_made_again),
		cmocka_unit_test(test_dropped_block_hands_over_the_rest),
		cmocka_unit_test(test_random_calls),
		cmocka_unit_test(test_each_allocation_fails_once),
		cmocka_unit_test(test_random_calls_without_memory),
	};

	seed_random();
	make_pattern();
	return cmocka_run_group_tests_name("feed_messages", tests, NULL, NULL);
}
