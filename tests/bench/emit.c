/* SPDX-License-Identifier: ISC */

/*
 * The command whose output is measured: numbered lines (see line.h), as fast
 * as they are taken or at a rate, from the moment a file appears.
 */

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "arguments.h"
#include "clock.h"
#include "line.h"

/* Above that a write has all lines that are due, a thousand times a second. */
#define RATE_OF_SINGLE_LINES 20000
#define TICK_NS 1000000
#define START_POLL_NS 10000000

static uint64_t lines = 1000, line_bytes = 100, block_bytes = 65536;
static double rate, start_after_s, wait_max_s, hold_s;
static const char *start_file;
static bool by_line, tells_stats;

static const struct argument rows[] = {
	{ 'l', "lines", "N", ARGUMENT_COUNT, &lines, 0, 1e15,
	    "how many lines" },
	{ 'b', "bytes", "N", ARGUMENT_SIZE, &line_bytes, LINE_MIN, 1 << 30,
	    "bytes of a line without its newline" },
	{ 'r', "rate", "N", ARGUMENT_DECIMAL, &rate, 0, 1e9,
	    "lines a second; 0: as fast as they are taken" },
	{ 'k', "block", "SIZE", ARGUMENT_SIZE, &block_bytes, 1, 1 << 30,
	    "write at most so much at once, and at least a line" },
	{ 'L', "by-line", NULL, ARGUMENT_FLAG, &by_line, 0, 0,
	    "write each line by itself" },
	{ 'a', "start-after", "S", ARGUMENT_DECIMAL, &start_after_s, 0, 1e6,
	    "begin after so many seconds" },
	{ 'f', "start-file", "FILE", ARGUMENT_TEXT, &start_file, 0, 0,
	    "and when this file is there" },
	{ 'w', "wait-max", "S", ARGUMENT_DECIMAL, &wait_max_s, 0, 1e6,
	    "but wait for it only so long; 0: for ever" },
	{ 'H', "hold", "S", ARGUMENT_DECIMAL, &hold_s, 0, 1e6,
	    "stay so long behind the last line" },
	{ 'S', "stats", NULL, ARGUMENT_FLAG, &tells_stats, 0, 0,
	    "say on stderr how long it took" },
};

static const struct arguments arguments = {
	.synopsis = "[options]",
	.about = "Writes numbered lines with the time in them, for swarm.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

/* What is to be written at once. */
struct block {
	char *bytes;	 /* owned */
	size_t capacity; /* lines there is room for */
	char *letters;	 /* owned */
	uint64_t number; /* of the next line */
};

static void
nap_until(uint64_t ns)
{
	const struct timespec t = { .tv_sec = (time_t)(ns / NS_A_SECOND),
		.tv_nsec = (long)(ns % NS_A_SECOND) };

	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void
nap(double seconds)
{
	if (seconds > 0)
		nap_until(clock_ns() + clock_from_seconds(seconds));
}

static void
wait_for_start(void)
{
	uint64_t begun;

	nap(start_after_s);
	begun = clock_ns();
	while (start_file != NULL && access(start_file, F_OK) == -1) {
		nap_until(clock_ns() + START_POLL_NS);
		if (wait_max_s > 0 &&
		    clock_to_seconds(clock_ns() - begun) > wait_max_s)
			return;
	}
}

static void
write_all(const char *bytes, size_t n)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	ssize_t written;

	while (n > 0) {
		written = write(STDOUT_FILENO, bytes, n);
		if (written == -1 && errno == EAGAIN)
			(void)poll(&out, 1, -1);
		else if (written == -1 && errno != EINTR)
			err(1, "standard output");
		if (written > 0) {
			bytes += written;
			n -= (size_t)written;
		}
	}
}

static void
block_init(struct block *b)
{
	b->capacity = by_line ? 1 : block_bytes / (line_bytes + 1);
	if (b->capacity == 0)
		b->capacity = 1;
	b->number = 0;
	b->letters = line_letters_new(line_bytes);
	b->bytes = malloc(b->capacity * (line_bytes + 1));
	if (b->letters == NULL || b->bytes == NULL)
		err(1, NULL);
}

/* Writes up to count lines, as many as are a block. */
static void
block_write(struct block *b, uint64_t count)
{
	char *end = b->bytes;
	uint64_t i;

	if (count > b->capacity)
		count = b->capacity;
	for (i = 0; i < count; i++) {
		end = line_put(end, line_bytes, b->number + i, b->letters);
		*end++ = '\n';
	}
	b->number += count;
	write_all(b->bytes, count * (line_bytes + 1));
}

/* When the first line is due that is not written yet, by the tick. */
static uint64_t
next_due(const struct block *b, uint64_t begun)
{
	if (rate <= RATE_OF_SINGLE_LINES)
		return begun + clock_from_seconds((double)b->number / rate);
	return begun + ((clock_ns() - begun) / TICK_NS + 1) * TICK_NS;
}

static void
write_lines(struct block *b)
{
	uint64_t begun = clock_ns(), due = lines;

	while (b->number < lines) {
		if (rate > 0)
			due = (uint64_t)(clock_to_seconds(clock_ns() - begun) *
				  rate) +
			    1;
		if (due > lines)
			due = lines;
		if (due > b->number)
			block_write(b, due - b->number);
		else
			nap_until(next_due(b, begun));
	}
	if (tells_stats)
		fprintf(stderr, "emit: %" PRIu64 " lines in %.6f s\n",
		    b->number, clock_to_seconds(clock_ns() - begun));
}

int
main(int argc, char *argv[])
{
	struct block block;
	int used = arguments_parse(&arguments, argc, argv);

	if (used != argc)
		errx(2, "'%s': there are only options", argv[used]);
	block_init(&block);
	wait_for_start();
	write_lines(&block);
	nap(hold_s);
	free(block.letters);
	free(block.bytes);
	return 0;
}
