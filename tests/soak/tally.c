/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <string.h>

#include "tally.h"

#define PIECE_SLACK 3 /* bytes a piece may lack, to end with a character */

void
tally_init(struct tally *t, const struct tally_config *config,
    enum tally_format format, uint64_t limit)
{
	memset(t, 0, sizeof(*t));
	t->config = config;
	t->format = format;
	t->limit = limit;
	t->different_at = UINT64_MAX;
	t->next = 1;
	SHA256Init(&t->digest);
}

/* Most of the time all is equal, so the one byte is searched for later. */
static void
tally_compare(struct tally *t, const uint8_t *bytes, size_t n)
{
	const struct tally_config *config = t->config;
	uint64_t at = t->bytes;
	size_t i;

	if (config->expected == NULL || t->different_at != UINT64_MAX)
		return;
	if (at + n <= config->expected_size &&
	    memcmp(config->expected + at, bytes, n) == 0)
		return;
	for (i = 0; i < n && at + i < config->expected_size; i++)
		if (config->expected[at + i] != bytes[i])
			break;
	t->different_at = at + i;
}

static void
tally_take_record_bytes(struct tally *t, const char *bytes, size_t n)
{
	size_t room = TALLY_RECORD_MAX - 1 - t->record_size;

	if (n > room)
		n = room;
	memcpy(t->record + t->record_size, bytes, n);
	t->record_size += n;
	t->record[t->record_size] = '\0';
}

/* The text of a line record is the line of expected with that number. */
static void
tally_compare_line(struct tally *t, uint64_t seq)
{
	const struct tally_config *config = t->config;
	uint64_t at = (seq - 1) * config->line_size;
	static const char key[] = "\"text\":\"";
	const char *text = strstr(t->record, key);
	size_t n = config->line_size - 1;

	if (config->expected == NULL || config->line_size == 0 ||
	    t->different_at != UINT64_MAX)
		return;
	if (text == NULL || at + n >= config->expected_size ||
	    strlen(text) != strlen(key) + n + strlen("\"}") ||
	    memcmp(config->expected + at, text + strlen(key), n) != 0)
		t->different_at = seq;
}

static void
tally_advance(struct tally *t, uint64_t first, uint64_t last)
{
	if (t->first == 0)
		t->first = first;
	if (first != t->next || last < first)
		t->disorder++;
	t->next = last + 1;
}

static bool
tally_is_unfinished_line(const struct tally *t)
{
	static const char end[] = ",\"partial\":true}";
	size_t n = strlen(end);

	return t->record_size >= n &&
	    strcmp(t->record + t->record_size - n, end) == 0;
}

static void
tally_end_record(struct tally *t)
{
	uint64_t first, last;

	if (sscanf(t->record, "{\"type\":\"line\",\"seq\":%" SCNu64, &first) ==
	    1) {
		if (tally_is_unfinished_line(t))
			return;
		tally_advance(t, first, first);
		tally_compare_line(t, first);
		t->lines++;
	} else if (sscanf(t->record,
		       "{\"type\":\"gap\",\"first\":%" SCNu64
		       ",\"last\":%" SCNu64,
		       &first, &last) == 2) {
		tally_advance(t, first, last);
		(void)strlcpy(t->gap, t->record, sizeof(t->gap));
		t->missing += last - first + 1;
		t->gaps++;
	} else if (strncmp(t->record, "{\"type\":\"exit\"", 14) == 0) {
		(void)strlcpy(t->exit, t->record, sizeof(t->exit));
	}
}

static void
tally_take_records(struct tally *t, const char *bytes, size_t n)
{
	const char *newline;
	size_t part;

	while ((newline = memchr(bytes, '\n', n)) != NULL) {
		part = (size_t)(newline - bytes);
		tally_take_record_bytes(t, bytes, part);
		tally_end_record(t);
		t->record_size = 0;
		bytes += part + 1;
		n -= part + 1;
	}
	tally_take_record_bytes(t, bytes, n);
}

void
tally_take(struct tally *t, const void *bytes, size_t n)
{
	if (t->limit != 0 && n > t->limit - t->bytes)
		n = (size_t)(t->limit - t->bytes);
	if (n == 0)
		return;
	if (t->config->digest)
		SHA256Update(&t->digest, bytes, n);
	if (t->format == TALLY_JSON)
		tally_take_records(t, bytes, n);
	else
		tally_compare(t, bytes, n);
	t->message_size += n;
	t->bytes += n;
}

static bool
tally_is_piece(const struct tally *t)
{
	size_t size = t->config->piece_size;

	return size != 0 && t->message_size <= size &&
	    t->message_size + PIECE_SLACK >= size;
}

void
tally_begin_message(struct tally *t)
{
	if (t->format == TALLY_TEXT && t->messages > 0 && !tally_is_piece(t))
		tally_take(t, "\n", 1);
	t->message_size = 0;
	t->record_size = 0;
}

void
tally_end_message(struct tally *t)
{
	t->messages++;
	if (t->format == TALLY_JSON)
		tally_end_record(t);
}

bool
tally_is_full(const struct tally *t)
{
	return t->limit != 0 && t->bytes == t->limit;
}

void
tally_print(struct tally *t, FILE *out)
{
	char digest[SHA256_DIGEST_STRING_LENGTH] = "";

	if (t->config->digest)
		SHA256End(&t->digest, digest);
	fprintf(out,
	    "\"bytes\":%" PRIu64 ",\"messages\":%" PRIu64 ",\"sha256\":\"%s\"",
	    t->bytes, t->messages, digest);
	if (t->different_at == UINT64_MAX)
		fprintf(out, ",\"different_at\":null");
	else
		fprintf(out, ",\"different_at\":%" PRIu64, t->different_at);
	if (t->format != TALLY_JSON)
		return;
	fprintf(out,
	    ",\"first\":%" PRIu64 ",\"next\":%" PRIu64 ",\"lines\":%" PRIu64
	    ",\"gaps\":%" PRIu64 ",\"missing\":%" PRIu64
	    ",\"disorder\":%" PRIu64 ",\"gap\":%s,\"exit\":%s",
	    t->first, t->next, t->lines, t->gaps, t->missing, t->disorder,
	    t->gap[0] != '\0' ? t->gap : "null",
	    t->exit[0] != '\0' ? t->exit : "null");
}
