/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_RECORD_H
#define WSEXEC_RECORD_H

/*
 * A record: one line of output, or a piece of one; or that the command has
 * ended and will be started again.  Sequence numbers start at 1, are dense and
 * never repeat, also not in a later run.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stream {
	STREAM_STDOUT,
	STREAM_STDERR,
	STREAM_COUNT,
};

struct record {
	uint64_t seq;
	int64_t time_us;     /* since 1970, UTC */
	const uint8_t *text; /* as the command wrote it, without newline */
	size_t size;	     /* of text, in bytes; may be 0 */
	enum stream stream;
	bool continued; /* no newline follows: the line went past the
			 * limit, or the output ended here */
	bool restart;	/* text is a struct restart_info, not aligned, and of
			 * no stream, but for all */
};

/* Whether it is for clients of these streams, 1 << enum stream. */
static inline bool
record_is_for(const struct record *r, unsigned int streams)
{
	return r->restart || (streams & (1U << r->stream)) != 0;
}

#endif
