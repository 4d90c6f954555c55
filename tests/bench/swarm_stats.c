/* SPDX-License-Identifier: ISC */

#include <sys/resource.h>

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "swarm_stats.h"

#define US_A_SECOND 1000000

enum merge {
	MERGE_SUM,
	MERGE_MIN,
	MERGE_MAX,
};

struct stats_row {
	const char *key; /* NULL: not printed as it is */
	size_t offset;
	enum merge merge;
};

#define ROW(key, field, merge)                                                 \
	{                                                                      \
		key, offsetof(struct stats, field), merge                      \
	}
#define SUM(field) ROW(#field, field, MERGE_SUM)

static const struct stats_row rows[] = {
	SUM(connected),
	SUM(failed),
	SUM(messages),
	SUM(frames),
	SUM(compressed_messages),
	SUM(bytes),
	SUM(wire_bytes),
	SUM(reads),
	SUM(complete),
	SUM(gaps),
	SUM(missing),
	SUM(out_of_order),
	SUM(non_seq),
	SUM(bad_length),
	SUM(bad_payload),
	SUM(protocol_errors),
	SUM(pings),
	SUM(talked),
	ROW("min_count", min_count, MERGE_MIN),
	ROW("max_count", max_count, MERGE_MAX),
	SUM(eof),
	SUM(reset),
	SUM(close_frames),
	SUM(open_at_end),
	SUM(stalled_messages),
	SUM(stalled_bytes),
	SUM(stalled_open),
	SUM(stalled_eof),
	SUM(stalled_reset),
	SUM(stalled_closed),
	ROW(NULL, begun_ns, MERGE_MIN),
	ROW(NULL, connected_ns, MERGE_MAX),
	ROW(NULL, first_line_ns, MERGE_MIN),
	ROW(NULL, last_line_ns, MERGE_MAX),
	ROW(NULL, first_done_ns, MERGE_MIN),
	ROW(NULL, last_done_ns, MERGE_MAX),
	ROW(NULL, user_us, MERGE_SUM),
	ROW(NULL, system_us, MERGE_SUM),
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static uint64_t *
stats_field(struct stats *s, const struct stats_row *row)
{
	return (uint64_t *)(void *)((char *)s + row->offset);
}

static uint64_t
stats_value(const struct stats *s, const struct stats_row *row)
{
	return *(const uint64_t *)(const void *)((const char *)s + row->offset);
}

void
stats_init(struct stats *s)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	latency_init(&s->latency);
	for (i = 0; i < ROWS; i++)
		if (rows[i].merge == MERGE_MIN)
			*stats_field(s, &rows[i]) = UINT64_MAX;
}

void
stats_merge(struct stats *to, const struct stats *from)
{
	uint64_t *sum, part;
	size_t i;

	for (i = 0; i < ROWS; i++) {
		sum = stats_field(to, &rows[i]);
		part = stats_value(from, &rows[i]);
		if (rows[i].merge == MERGE_SUM)
			*sum += part;
		else if ((part < *sum) == (rows[i].merge == MERGE_MIN))
			*sum = part;
	}
	for (i = 0; i < STATS_CODES_MAX; i++)
		to->codes[i] += from->codes[i];
	latency_merge(&to->latency, &from->latency);
	stats_note_error(to, from->error);
	if (to->extensions[0] == '\0')
		memcpy(to->extensions, from->extensions, STATS_TEXT_MAX);
}

void
stats_note_error(struct stats *s, const char *what)
{
	if (s->error[0] == '\0')
		(void)strlcpy(s->error, what, sizeof(s->error));
}

static uint64_t
to_us(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * US_A_SECOND + (uint64_t)t->tv_usec;
}

void
stats_add_cpu(struct stats *s)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	s->user_us += to_us(&usage.ru_utime);
	s->system_us += to_us(&usage.ru_stime);
}

static void
print_text(const char *key, const char *text, FILE *out)
{
	fprintf(out, "\"%s\":\"", key);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text < ' ' || *text > '~' ? '?' : *text, out);
	}
	putc('"', out);
}

static void
print_codes(const struct stats *s, FILE *out)
{
	const char *comma = "";
	size_t i;

	fputs("\"close_codes\":{", out);
	for (i = 0; i < STATS_CODES_MAX; i++) {
		if (s->codes[i] == 0)
			continue;
		fprintf(out, "%s\"%zu\":%" PRIu64, comma, i, s->codes[i]);
		comma = ",";
	}
	fputs("},", out);
}

/* From one moment to another; 0 if they do not follow each other. */
static double
seconds_between(uint64_t first_ns, uint64_t last_ns)
{
	return last_ns > first_ns ? clock_to_seconds(last_ns - first_ns) : 0;
}

static double
rate(uint64_t count, double seconds)
{
	return seconds > 0 ? (double)count / seconds : 0;
}

static void
print_times(const struct stats *s, FILE *out)
{
	double seconds = seconds_between(s->first_line_ns, s->last_line_ns);

	fprintf(out,
	    "\"connect_s\":%.3f,\"first_to_last_s\":%.6f,"
	    "\"done_spread_s\":%.6f,\"msgs_per_s\":%.0f,\"mb_per_s\":%.1f,"
	    "\"cpu_user_s\":%.3f,\"cpu_sys_s\":%.3f,",
	    seconds_between(s->begun_ns, s->connected_ns), seconds,
	    seconds_between(s->first_done_ns, s->last_done_ns),
	    rate(s->messages, seconds), rate(s->wire_bytes, seconds) / 1e6,
	    (double)s->user_us / US_A_SECOND,
	    (double)s->system_us / US_A_SECOND);
}

void
stats_print(const struct stats *s, uint64_t clients, uint64_t stalled,
    FILE *out)
{
	uint64_t value;
	size_t i;

	fprintf(out, "{\"clients\":%" PRIu64 ",\"stalled\":%" PRIu64 ",",
	    clients, stalled);
	for (i = 0; i < ROWS; i++) {
		if (rows[i].key == NULL)
			continue;
		value = stats_value(s, &rows[i]);
		if (rows[i].merge == MERGE_MIN && value == UINT64_MAX)
			value = 0;
		fprintf(out, "\"%s\":%" PRIu64 ",", rows[i].key, value);
	}
	print_codes(s, out);
	fputs("\"latency_us\":", out);
	latency_print(&s->latency, out);
	putc(',', out);
	print_times(s, out);
	print_text("extensions", s->extensions, out);
	putc(',', out);
	print_text("error", s->error, out);
	fputs("}\n", out);
}
