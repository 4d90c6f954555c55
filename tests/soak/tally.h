/* SPDX-License-Identifier: ISC */
#ifndef SOAK_TALLY_H
#define SOAK_TALLY_H

/*
 * What one client has got: counted, hashed, compared.
 *
 * The payload of text is its messages with newlines between them, so it has
 * no newline at its end; that of raw is the bytes.  Of json the payload is
 * what it is, and the order of its records is looked at.
 */

#include <sys/types.h>

#include <sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TALLY_RECORD_MAX 4096 /* bytes of a json record, and NUL */
#define TALLY_SHOWN_MAX 160   /* bytes shown of a record, and NUL */

enum tally_format {
	TALLY_TEXT,
	TALLY_JSON,
	TALLY_RAW,
};

/* The same for all clients. */
struct tally_config {
	bool digest;		 /* whether to hash */
	size_t piece_size;	 /* 0, or text messages of piece_size - 3 to
				  * piece_size bytes have no newline behind */
	const uint8_t *expected; /* borrowed: what the payload must begin
				  * with, or NULL */
	size_t expected_size;
	size_t line_size; /* of json: every line of expected has that many
			   * bytes with its newline; 0: not compared */
};

struct tally {
	const struct tally_config *config; /* borrowed: outlives it */
	enum tally_format format;
	uint64_t limit; /* bytes of payload to take; 0: all */
	uint64_t bytes; /* of payload */
	uint64_t messages;
	uint64_t different_at; /* offset in the payload, or number of the
				* line; UINT64_MAX: nothing is different */
	size_t message_size;
	SHA2_CTX digest;

	/* of json */
	uint64_t first, next;	/* sequence numbers got, and to come */
	uint64_t lines;		/* line records, but for unfinished lines */
	uint64_t gaps, missing; /* gap records, and the lines in them */
	uint64_t disorder;	/* records that were not the next */
	char exit[TALLY_SHOWN_MAX];
	char gap[TALLY_SHOWN_MAX]; /* the last gap record */
	size_t record_size;
	char record[TALLY_RECORD_MAX]; /* so far */
};

void tally_init(struct tally *t, const struct tally_config *config,
    enum tally_format format, uint64_t limit);

/* A message begins; not called for raw. */
void tally_begin_message(struct tally *t);

void tally_take(struct tally *t, const void *bytes, size_t n);

/* A message ends; not called for raw. */
void tally_end_message(struct tally *t);

bool tally_is_full(const struct tally *t);

/* Prints fields of a JSON object, the last without a comma. */
void tally_print(struct tally *t, FILE *out);

#endif
