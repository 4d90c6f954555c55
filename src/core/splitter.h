/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_SPLITTER_H
#define WSEXEC_SPLITTER_H

/*
 * Cuts a stream of bytes into lines.  However the bytes are portioned, the
 * same bytes give the same lines.  Only \n ends a line; \r and NUL are
 * ordinary bytes.  A line longer than the limit goes out in pieces of at most
 * the limit, cut before a UTF-8 continuation byte only if there is no
 * character boundary among the last four bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct splitter;

/*
 * text (n bytes, without the newline) is valid during the call only.
 * continued: no newline ended it.  Returns false to say that memory ran out;
 * the line is lost then.
 */
typedef bool splitter_line_cb(void *arg, const uint8_t *text, size_t n,
    bool continued);

/* max_line: bytes, at least 4.  NULL: out of memory. */
struct splitter *splitter_new(size_t max_line, splitter_line_cb *cb, void *arg);
void splitter_free(struct splitter *s);

/*
 * Takes n bytes, calls back for each line they complete.  False if memory ran
 * out or a callback said so; the bytes count as taken.
 */
bool splitter_write(struct splitter *s, const void *bytes, size_t n);

/* What is left is a line without a newline; nothing left: no call. */
bool splitter_end(struct splitter *s);

/* The unfinished line so far; valid until the next call on s. */
const uint8_t *splitter_pending(const struct splitter *s, size_t *n);

#endif
