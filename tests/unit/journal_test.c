/* SPDX-License-Identifier: ISC */

/*
 * The journal against a model that knows every record and every block ever
 * made, and finds everything by counting.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/journal.h"
#include "core/utf8.h"
#include "core/websocket.h"
#include "seed.h"

#define MIB (1024 * 1024)
#define ENTRY_BYTES 16 /* what a record takes besides its frame */
#define HEADER_MAX 64  /* what a block takes besides its records */
#define LINE_MAX_BYTES (16 * MIB)
#define ASCII_BYTES 5000 /* at the start of the pattern */
#define RECORDS_MAX 200000
#define BLOCKS_MAX 4000

struct model_block {
	uint64_t first_seq;
	uint64_t memory;
	uint64_t used;
};

struct model {
	struct journal *journal; /* owned */
	struct record *records;	 /* owned; by sequence number */
	struct model_block blocks[BLOCKS_MAX];
	uint64_t last;
	uint64_t first_block;
	uint64_t end_block;
	uint64_t bytes;
	size_t texts_end; /* lines are pieces of the pattern before that */
};

/* What a record of so many bytes of text takes. */
static uint64_t
record_bytes(uint64_t size)
{
	uint64_t header = size < 126 ? 2 : size < 65536 ? 4 : 10;

	return header + size + ENTRY_BYTES;
}

/* What the lines are pieces of: no two look alike.  First there is ASCII. */
static uint8_t *pattern;

static struct model *
model_new(uint64_t bytes_max)
{
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->records = calloc(RECORDS_MAX + 1, sizeof(*m->records));
	assert_non_null(m->records);
	assert_non_null(m->journal = journal_new(bytes_max));
	m->texts_end = LINE_MAX_BYTES;
	return m;
}

static void
model_free(struct model *m)
{
	journal_free(m->journal);
	free(m->records);
	free(m);
}

static uint64_t
model_first(const struct model *m)
{
	return m->first_block == m->end_block ?
	    m->last + 1 :
	    m->blocks[m->first_block].first_seq;
}

static uint64_t
model_find_block(const struct model *m, uint64_t seq)
{
	uint64_t block = m->end_block - 1;

	while (m->blocks[block].first_seq > seq)
		block--;
	return block;
}

static uint64_t
model_lag(const struct model *m, uint64_t seq)
{
	uint64_t block, lag, i;

	if (seq > m->last)
		return 0;
	/* What is before the record goes from what is from its block on. */
	lag = m->blocks[m->end_block - 1].used;
	block = model_find_block(m, seq);
	for (i = block; i + 1 < m->end_block; i++)
		lag += m->blocks[i].memory;
	for (i = m->blocks[block].first_seq; i < seq; i++)
		lag -= record_bytes(m->records[i].size);
	return lag;
}

/* A block is begun if, and only if, the record does not fit. */
static void
model_begin_block(struct model *m, uint64_t needed)
{
	struct model_block *b = &m->blocks[m->end_block];

	assert_true(m->end_block < BLOCKS_MAX);
	if (m->first_block != m->end_block)
		assert_true(b[-1].used + needed + HEADER_MAX > b[-1].memory);
	*b = (struct model_block){ .first_seq = m->last,
		.memory = journal_bytes(m->journal) - m->bytes };
	if (needed + HEADER_MAX <= JOURNAL_BLOCK_BYTES)
		assert_int_equal(b->memory, JOURNAL_BLOCK_BYTES);
	assert_true(b->memory >= JOURNAL_BLOCK_BYTES);
	assert_true(b->memory <= JOURNAL_BLOCK_BYTES ||
	    b->memory <= needed + HEADER_MAX);
	m->bytes += b->memory;
	m->end_block++;
}

static void
model_append(struct model *m, size_t size)
{
	struct record r = { .seq = 99, /* is not looked at */
		.time_us = (int64_t)random() << 20 ^ random(),
		.text = pattern + (size_t)random() % (m->texts_end - size + 1),
		.size = size,
		.stream = random() % 2 == 0 ? STREAM_STDOUT : STREAM_STDERR,
		.continued = random() % 8 == 0,
		.restart = random() % 4096 == 0 };
	uint64_t appended;

	assert_true(m->last < RECORDS_MAX);
	if (size == 0 && random() % 2 == 0)
		r.text = NULL;
	appended = journal_appended(m->journal);
	assert_true(journal_append(m->journal, &r));
	r.seq = ++m->last;
	m->records[r.seq] = r;
	if (journal_end_block(m->journal) != m->end_block)
		model_begin_block(m, record_bytes(size));
	else
		assert_int_equal(journal_appended(m->journal),
		    appended + record_bytes(size));
	m->blocks[m->end_block - 1].used += record_bytes(size);
	assert_true(m->blocks[m->end_block - 1].used <=
	    m->blocks[m->end_block - 1].memory);
}

static void
model_drop(struct model *m)
{
	journal_drop_block(m->journal);
	m->bytes -= m->blocks[m->first_block++].memory;
}

static void
check_numbers(const struct model *m)
{
	assert_int_equal(journal_last(m->journal), m->last);
	assert_int_equal(journal_first(m->journal), model_first(m));
	assert_int_equal(journal_first_block(m->journal), m->first_block);
	assert_int_equal(journal_end_block(m->journal), m->end_block);
	assert_int_equal(journal_bytes(m->journal), m->bytes);
	assert_int_equal(journal_lag(m->journal, m->last + 1), 0);
}

static void
check_record(const struct record *r, const struct record *expected)
{
	assert_int_equal(r->seq, expected->seq);
	assert_int_equal(r->time_us, expected->time_us);
	assert_int_equal(r->size, expected->size);
	assert_int_equal(r->stream, expected->stream);
	assert_int_equal(r->continued, expected->continued);
	assert_int_equal(r->restart, expected->restart);
	assert_true(
	    r->size == 0 || memcmp(r->text, expected->text, r->size) == 0);
}

/* A block as messages is its records, framed one by one. */
static void
check_frames(const struct model *m, uint64_t block, uint64_t seq,
    uint32_t count)
{
	struct buffer expected = BUFFER_INIT;
	unsigned int seen = 0, streams;
	bool is_text = true;
	const uint8_t *bytes;
	const struct record *r;
	uint32_t index;
	size_t n;

	for (index = 0; index < count; index++) {
		r = &m->records[seq + index];
		websocket_append_frame(&expected, WEBSOCKET_TEXT, r->text,
		    r->size);
		assert_int_equal(journal_frame_end(m->journal, block, index),
		    expected.size);
		seen |= 1U << r->stream;
		is_text =
		    is_text && !r->restart && utf8_is_valid(r->text, r->size);
	}
	for (streams = 0; streams < 1U << STREAM_COUNT; streams++) {
		assert_int_equal(journal_get_frames(m->journal, block, streams,
				     &bytes, &n),
		    is_text && (seen & ~streams) == 0);
		assert_int_equal(n, expected.size);
		assert_memory_equal(bytes, expected.data, n);
	}
	buffer_clear(&expected);
}

/* Every record that is kept, by block, and that there is no other. */
static void
check_all(const struct model *m)
{
	uint64_t block, seq = model_first(m);
	uint32_t count, index;
	struct record r;

	check_numbers(m);
	for (block = m->first_block; block != m->end_block; block++) {
		assert_int_equal(journal_block_first(m->journal, block, &count),
		    seq);
		assert_int_equal(seq, m->blocks[block].first_seq);
		assert_true(count > 0);
		check_frames(m, block, seq, count);
		for (index = 0; index < count; index++, seq++) {
			journal_get(m->journal, block, index, &r);
			check_record(&r, &m->records[seq]);
		}
	}
	assert_int_equal(seq, m->last + 1);
}

/* within is the smallest record with such a lag. */
static void
check_within(const struct model *m, uint64_t bytes)
{
	uint64_t seq = journal_within(m->journal, bytes);

	assert_in_range(seq, model_first(m), m->last + 1);
	assert_true(model_lag(m, seq) <= bytes);
	if (seq > model_first(m))
		assert_true(model_lag(m, seq - 1) > bytes);
}

static void
check_seq(const struct model *m, uint64_t seq)
{
	uint64_t lag = model_lag(m, seq);
	struct record r;

	assert_int_equal(journal_lag(m->journal, seq), lag);
	check_within(m, lag);
	check_within(m, lag + 1);
	if (lag > 0)
		check_within(m, lag - 1);
	assert_int_equal(journal_within(m->journal, lag), seq);
	if (seq > m->last)
		return;
	assert_int_equal(journal_find_block(m->journal, seq),
	    model_find_block(m, seq));
	journal_find(m->journal, seq, &r);
	check_record(&r, &m->records[seq]);
}

/* The records at the ends of each block, and some others. */
static void
check_positions(const struct model *m)
{
	uint64_t first = model_first(m), block;
	int i;

	check_within(m, 0);
	check_within(m, UINT64_MAX);
	check_seq(m, first);
	check_seq(m, m->last + 1);
	for (block = m->first_block; block != m->end_block; block++) {
		check_seq(m, m->blocks[block].first_seq);
		if (m->blocks[block].first_seq > first)
			check_seq(m, m->blocks[block].first_seq - 1);
	}
	for (i = 0; i < 10; i++)
		check_seq(m,
		    first + (uint64_t)random() % (m->last + 2 - first));
}

static void
test_empty(void **state)
{
	struct model *m = model_new(0);

	(void)state;
	check_all(m);
	assert_int_equal(journal_first(m->journal), 1);
	assert_int_equal(journal_last(m->journal), 0);
	assert_int_equal(journal_within(m->journal, 0), 1);
	assert_int_equal(journal_within(m->journal, UINT64_MAX), 1);
	assert_false(journal_is_over(m->journal));
	model_free(m);
	journal_free(NULL);
}

static void
test_records_of_one_size(void **state)
{
	static const size_t sizes[] = { 0, 1, 7, 15, 16, 17, 100, 4096, 65519,
		65520, 65536, 131040, 131041 };
	struct model *m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		m = model_new(UINT64_MAX);
		while (m->end_block < 5)
			model_append(m, sizes[i]);
		check_all(m);
		check_positions(m);
		model_free(m);
	}
}

/* The second record of a block, from too small to too large to fill it. */
static void
test_block_is_filled_to_the_last_byte(void **state)
{
	size_t size, largest = 0;
	struct model *m;

	(void)state;
	for (size = JOURNAL_BLOCK_BYTES - 1000 - 200;
	     size <= JOURNAL_BLOCK_BYTES - 1000; size++) {
		m = model_new(UINT64_MAX);
		model_append(m, 1000);
		model_append(m, size);
		model_append(m, 0);
		if (journal_find_block(m->journal, 2) == 0)
			largest = size;
		else
			assert_true(largest != 0);
		check_all(m);
		check_positions(m);
		model_free(m);
	}
	/* None smaller than the largest went elsewhere. */
	assert_in_range(record_bytes(largest) + record_bytes(1000),
	    JOURNAL_BLOCK_BYTES - HEADER_MAX, JOURNAL_BLOCK_BYTES);
}

static void
test_records_larger_than_a_block(void **state)
{
	struct model *m = model_new(UINT64_MAX);
	size_t size;

	(void)state;
	for (size = JOURNAL_BLOCK_BYTES - 70; size < JOURNAL_BLOCK_BYTES + 70;
	     size++) {
		model_append(m, size);
		model_append(m, size % 2 == 0 ? 0 : 20);
	}
	model_append(m, LINE_MAX_BYTES);
	model_append(m, 1);
	model_append(m, LINE_MAX_BYTES - 1);
	model_append(m, LINE_MAX_BYTES);
	check_all(m);
	check_positions(m);
	while (m->end_block - m->first_block > 1)
		model_drop(m);
	check_all(m);
	check_positions(m);
	model_free(m);
}

/* As much is kept as the bound allows, but for one block. */
static void
check_trim(struct model *m, uint64_t bound)
{
	uint64_t before;

	while (journal_is_over(m->journal)) {
		before = journal_bytes(m->journal);
		assert_true(before > bound);
		model_drop(m);
		assert_true(journal_bytes(m->journal) < before);
	}
	assert_true(journal_bytes(m->journal) <= bound ||
	    m->end_block - m->first_block == 1);
	check_numbers(m);
}

static void
test_trimming_keeps_the_bound(void **state)
{
	static const uint64_t bounds[] = { 0, 1, JOURNAL_LIVE_BYTES,
		JOURNAL_LIVE_BYTES + 1, 5 * MIB, 9 * MIB + 12345 };
	uint64_t bound;
	struct model *m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		m = model_new(bounds[i]);
		bound = bounds[i] < JOURNAL_LIVE_BYTES ? JOURNAL_LIVE_BYTES :
							 bounds[i];
		while (m->end_block < 60) {
			model_append(m, (size_t)random() % 60000);
			check_trim(m, bound);
		}
		assert_true(m->bytes + JOURNAL_BLOCK_BYTES > bound);
		check_all(m);
		check_positions(m);
		/* One that is larger than all there may be stays alone. */
		model_append(m, 12 * MIB);
		check_trim(m, bound);
		assert_int_equal(journal_first(m->journal), m->last);
		model_append(m, 5);
		check_trim(m, bound);
		assert_int_equal(journal_last(m->journal), m->last);
		check_all(m);
		check_positions(m);
		model_free(m);
	}
}

/* A block is text until the first record that is not. */
static void
test_text_and_what_is_not(void **state)
{
	struct model *m = model_new(UINT64_MAX);
	const unsigned int all = (1U << STREAM_COUNT) - 1;
	const uint8_t *bytes;
	uint64_t block;
	size_t n;

	(void)state;
	for (block = 0; block < 3; block++) {
		m->texts_end = ASCII_BYTES;
		while (m->end_block <= block)
			model_append(m, (size_t)random() % 1000);
		assert_true(
		    journal_get_frames(m->journal, block, all, &bytes, &n));
		check_all(m);
		m->texts_end = LINE_MAX_BYTES;
		model_append(m, 20000);
		assert_false(journal_get_frames(m->journal, m->end_block - 1,
		    all, &bytes, &n));
		check_all(m);
	}
	model_free(m);
}

static void
test_numbers_go_on_after_all_is_dropped(void **state)
{
	struct model *m = model_new(0);
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		model_append(m, 100);
		model_append(m, i == 3 ? JOURNAL_BLOCK_BYTES : 0);
		check_all(m);
		check_positions(m);
		while (m->first_block != m->end_block)
			model_drop(m);
		check_all(m);
		assert_int_equal(journal_bytes(m->journal), 0);
		assert_int_equal(journal_first(m->journal), 2 * i + 3);
		assert_int_equal(journal_within(m->journal, 0), 2 * i + 3);
		assert_int_equal(journal_within(m->journal, UINT64_MAX),
		    2 * i + 3);
		assert_false(journal_is_over(m->journal));
	}
	model_free(m);
}

static size_t
random_size(void)
{
	switch (random() % 16) {
	case 0:
		return (size_t)random() % 100000;
	case 1:
		return JOURNAL_BLOCK_BYTES - 100 + (size_t)random() % 200;
	case 2:
	case 3:
		return 0;
	default:
		return (size_t)random() % 500;
	}
}

static void
test_random_calls(void **state)
{
	struct model *m = model_new((uint64_t)random() % (8 * MIB));
	int step;
	long i;

	(void)state;
	for (step = 0; step < 1500; step++) {
		for (i = random() % 40; i > 0; i--)
			model_append(m, random_size());
		while (journal_is_over(m->journal))
			model_drop(m);
		/* Dropping is for the owner to decide. */
		while (random() % 5 == 0 && m->first_block != m->end_block)
			model_drop(m);
		check_numbers(m);
		if (step % 10 == 0) {
			check_all(m);
			check_positions(m);
		}
	}
	model_free(m);
}

static int
make_pattern(void **state)
{
	uint64_t x = (uint64_t)random() << 31 | (uint64_t)random() | 1;
	size_t i;

	(void)state;
	if ((pattern = malloc(LINE_MAX_BYTES)) == NULL)
		return -1;
	for (i = 0; i < LINE_MAX_BYTES; i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if (i < ASCII_BYTES)
			x &= 0x7f7f7f7f7f7f7f7f;
		memcpy(pattern + i, &x, sizeof(x));
	}
	return 0;
}

static int
free_pattern(void **state)
{
	(void)state;
	free(pattern);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_records_of_one_size),
		cmocka_unit_test(test_block_is_filled_to_the_last_byte),
		cmocka_unit_test(test_records_larger_than_a_block),
		cmocka_unit_test(test_trimming_keeps_the_bound),
		cmocka_unit_test(test_text_and_what_is_not),
		cmocka_unit_test(test_numbers_go_on_after_all_is_dropped),
		cmocka_unit_test(test_random_calls),
	};

	seed_random();
	return cmocka_run_group_tests_name("journal", tests, make_pattern,
	    free_pattern);
}
