/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_FORMAT_ENCODERS_H
#define WSEXEC_FORMAT_ENCODERS_H

/*
 * What each format makes of a record, before a carrier wraps it.  Private to
 * encoder.c and the format_*.c files; to others the formats are
 * core/format.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/format.h"
#include "core/record.h"

struct buffer;

struct format_payload {
	const uint8_t *data; /* borrowed: the record or the scratch buffer */
	size_t size;
	bool newline; /* a newline follows data; only raw needs it in a
		       * message, which ends by itself */
};

/* What an event has besides its data. */
struct format_event {
	const char *type; /* NULL: none, which is a message */
	const char *run;  /* NULL: it has no id */
	uint64_t seq;	  /* 0: the id is that of the exit record */
};

/*
 * The payload of a line.  scratch (empty) is written to only if the payload
 * is not the text of the record as it is; a failure is scratch->failed.
 */
struct format_payload format_text_line(struct buffer *scratch,
    const struct record *r);
struct format_payload format_raw_line(const struct record *r);

/* Each appends one payload to out. */
void format_text_gap(struct buffer *out, uint64_t first, uint64_t last,
    enum gap_reason reason);
void format_text_restart(struct buffer *out, const struct restart_info *info);
/* partial: it is the line so far of an unfinished line. */
void format_json_line(struct buffer *out, const struct record *r, bool partial);
void format_json_start(struct buffer *out, const struct start_info *info);
void format_json_gap(struct buffer *out, uint64_t first, uint64_t last,
    enum gap_reason reason);
void format_json_clients(struct buffer *out, size_t count);
void format_json_exit(struct buffer *out, const struct exit_info *info);
/* r is the record that has info as its text. */
void format_json_restart(struct buffer *out, const struct record *r,
    const struct restart_info *info);

/* Appends an event with a payload as its data. */
void format_event(struct buffer *out, const struct format_event *event,
    const uint8_t *data, size_t size);

#endif
