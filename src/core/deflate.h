/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_DEFLATE_H
#define WSEXEC_DEFLATE_H

/*
 * Payloads of messages compressed and back, as permessage-deflate wants them
 * (RFC 7692 section 7.2): raw DEFLATE that ends with an empty block, of which
 * the last four bytes, always the same, are left out.
 */

#include <stddef.h>

struct buffer;

/* How far back what is compressed here refers: 2^12 bytes. */
#define DEFLATE_WINDOW_BITS 12

/*
 * Compresses the messages of one stream, each by what is in those before it.
 * Who reads it must have all messages since it was new or last reset.
 */
struct deflater;

/* level: 1 (fast) to 9 (small).  NULL: no memory. */
struct deflater *deflater_new(int level);
void deflater_free(struct deflater *d);

/*
 * The next message refers to nothing before it: a reader may begin with it.
 * The same messages after this give the same bytes, whatever was before.
 */
void deflater_reset(struct deflater *d);

/*
 * Appends the compressed payload of one message to out.  Where memory is
 * missing, and for more than 2 GiB, nothing is appended and out->failed set:
 * the stream is broken until it is reset.
 */
void deflater_append(struct deflater *d, struct buffer *out,
    const void *payload, size_t size);

/* Bytes that it takes; always the same for all levels. */
size_t deflater_memory(const struct deflater *d);

enum inflate_result {
	INFLATE_DONE,
	INFLATE_TOO_BIG,
	INFLATE_BAD_DATA,
	INFLATE_NO_MEMORY,
};

/*
 * Appends the message whose compressed payload this is, and which refers to
 * nothing before it, to out.  It takes no more memory and time than max bytes
 * of message and the payload ask for; out has some of the message if it is
 * not DONE.
 */
enum inflate_result inflate_message(struct buffer *out, const void *payload,
    size_t size, size_t max);

#endif
