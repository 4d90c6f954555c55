/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "clock.h"
#include "swarm_lines.h"
#include "swarm_stats.h"

#define ANY UINT64_MAX
#define NO_NUMBER UINT64_MAX

void
lines_init(struct lines *l, struct lines_check *check)
{
	memset(l, 0, sizeof(*l));
	l->check = check;
	l->next = ANY;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Counts the digits up once more; after 9999999999 comes 0000000000. */
static void
lines_step(struct lines *l)
{
	char *digit = l->next_digits + LINE_NUMBER_DIGITS - 1;

	l->next++;
	while (digit > l->next_digits && *digit == '9')
		*digit-- = '0';
	*digit = *digit == '9' ? '0' : (char)(*digit + 1);
}

static void
lines_expect(struct lines *l, uint64_t number)
{
	char *digit = l->next_digits + LINE_NUMBER_DIGITS;

	l->next = number;
	while (digit > l->next_digits) {
		*--digit = (char)('0' + number % 10);
		number /= 10;
	}
}

static uint64_t
scan_digits(const char *text, const char *end, const char **after)
{
	uint64_t value = 0;

	while (text < end && is_digit(*text))
		value = value * 10 + (uint64_t)(*text++ - '0');
	*after = text;
	return value;
}

/* A line that is not the next one, or is in no shape for a comparison. */
static uint64_t
lines_judge(struct lines *l, const char *head, const char *end)
{
	struct lines_check *check = l->check;
	const char *after;
	uint64_t number = scan_digits(head, end, &after);

	if (after == head) {
		check->stats->non_seq++;
		return NO_NUMBER;
	}
	if (l->next == ANY)
		lines_expect(l, check->expect > 0 ? 0 : number);
	if (number < l->next) {
		check->stats->out_of_order++;
		return number;
	}
	if (number > l->next) {
		check->stats->gaps++;
		check->stats->missing += number - l->next;
	}
	lines_expect(l, number + 1);
	return number;
}

/* What stands behind the number and a blank. */
static void
lines_time(struct lines *l, const char *head, const char *end)
{
	struct lines_check *check = l->check;
	uint64_t made_ns;

	check->sample_left = check->sample;
	if (end - head < LINE_MIN)
		return;
	made_ns = scan_digits(head + LINE_TIME_AT, head + LINE_MIN, &end);
	if (made_ns != 0)
		latency_add(&check->stats->latency,
		    check->now_ns > made_ns ? check->now_ns - made_ns : 0);
}

static void
lines_note_done(struct lines *l)
{
	if (l->done_ns == 0)
		l->done_ns = l->check->now_ns;
}

/*
 * A whole line of size bytes, of which those up to end are at hand.  It mostly
 * is the next one, and to compare digits is faster than to read them.  Returns
 * its number; what has none is not looked at any further.
 */
static uint64_t
lines_end(struct lines *l, const char *head, const char *end, uint64_t size)
{
	struct lines_check *check = l->check;
	uint64_t number = l->next;

	l->count++;
	check->stats->bytes += size;
	if (size > LINE_NUMBER_DIGITS && l->next != ANY &&
	    memcmp(head, l->next_digits, LINE_NUMBER_DIGITS) == 0 &&
	    !is_digit(head[LINE_NUMBER_DIGITS]))
		lines_step(l);
	else if ((number = lines_judge(l, head, end)) == NO_NUMBER)
		return NO_NUMBER;
	if (check->line_bytes != 0 && size != check->line_bytes)
		check->stats->bad_length++;
	if (--check->sample_left == 0)
		lines_time(l, head, end);
	if (l->next == check->expect)
		lines_note_done(l);
	return number;
}

/* Compares letters of the line of this number from an offset on. */
static bool
letters_are_right(const struct lines *l, uint64_t number, uint64_t offset,
    const char *bytes, size_t n)
{
	const char *letters =
	    line_letters(l->check->letters, number, offset - LINE_LETTERS_AT);

	return memcmp(bytes, letters, n) == 0;
}

/* A line in one piece. */
static void
lines_take_whole(struct lines *l, const char *line, size_t size)
{
	uint64_t number = lines_end(l, line, line + size, size);

	if (l->check->letters != NULL && number != NO_NUMBER &&
	    size > LINE_LETTERS_AT &&
	    !letters_are_right(l, number, LINE_LETTERS_AT,
		line + LINE_LETTERS_AT, size - LINE_LETTERS_AT))
		l->check->stats->bad_payload++;
}

/* A piece of a line. */
static void
lines_take_piece(struct lines *l, const char *bytes, size_t n)
{
	const char *after;
	uint64_t number;
	size_t wanted;

	if (l->size < LINE_LETTERS_AT) {
		wanted = LINE_LETTERS_AT - (size_t)l->size;
		if (wanted > n)
			wanted = n;
		memcpy(l->head + l->size, bytes, wanted);
		l->size += wanted;
		bytes += wanted;
		n -= wanted;
	}
	if (n > 0 && l->check->letters != NULL) {
		number =
		    scan_digits(l->head, l->head + LINE_NUMBER_DIGITS, &after);
		if (!letters_are_right(l, number, l->size, bytes, n))
			l->is_wrong = true;
	}
	l->size += n;
}

/* The last piece has come. */
static void
lines_end_pieces(struct lines *l)
{
	uint64_t size = l->size, number;
	bool is_wrong = l->is_wrong;

	l->is_wrong = false;
	l->size = 0;
	number = lines_end(l, l->head,
	    l->head + (size < sizeof(l->head) ? size : sizeof(l->head)), size);
	if (is_wrong && number != NO_NUMBER)
		l->check->stats->bad_payload++;
}

/* Where the line ends; NULL: not here.  Mostly where the length says. */
static const char *
find_newline(const struct lines *l, const char *bytes, size_t n)
{
	uint64_t guess = l->check->line_bytes;

	if (guess != 0 && l->size == 0 && n > guess && bytes[guess] == '\n')
		return bytes + guess;
	return memchr(bytes, '\n', n);
}

static void
lines_split(struct lines *l, const char *bytes, const char *end)
{
	const char *newline;

	while (bytes < end) {
		newline = find_newline(l, bytes, (size_t)(end - bytes));
		if (newline == NULL) {
			lines_take_piece(l, bytes, (size_t)(end - bytes));
			return;
		}
		if (l->size == 0) {
			lines_take_whole(l, bytes, (size_t)(newline - bytes));
		} else {
			lines_take_piece(l, bytes, (size_t)(newline - bytes));
			lines_end_pieces(l);
		}
		bytes = newline + 1;
	}
}

void
lines_take(struct lines *l, const char *bytes, size_t n, bool ends)
{
	if (l->check->mode != LINES_FRAME) {
		lines_split(l, bytes, bytes + n);
		if (ends && l->size > 0 && l->check->mode == LINES_LINES)
			lines_end_pieces(l);
		return;
	}
	/* Some servers leave the newline at the end of the message. */
	if (ends && n > 0 && bytes[n - 1] == '\n')
		n--;
	if (ends && l->size == 0) {
		lines_take_whole(l, bytes, n);
		return;
	}
	lines_take_piece(l, bytes, n);
	if (ends)
		lines_end_pieces(l);
}

void
lines_take_unseen(struct lines *l)
{
	l->count++;
	if (l->next == ANY)
		lines_expect(l, 0);
	lines_step(l);
	if (l->next == l->check->expect)
		lines_note_done(l);
}
