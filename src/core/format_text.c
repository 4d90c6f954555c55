/* SPDX-License-Identifier: ISC */

/*
 * The text format: lines for people and for tools that read lines.  Always
 * valid UTF-8, as text messages must be (RFC 6455 section 8.1).
 */

#include <inttypes.h>

#include "core/buffer.h"
#include "core/format_encoders.h"
#include "core/utf8.h"

struct format_payload
format_text_line(struct buffer *scratch, const struct record *r)
{
	if (utf8_is_valid(r->text, r->size))
		return (
		    struct format_payload){ r->text, r->size, !r->continued };
	utf8_append_repaired(scratch, r->text, r->size);
	return (struct format_payload){ scratch->data, scratch->size,
		!r->continued };
}

void
format_text_gap(struct buffer *out, uint64_t first, uint64_t last,
    enum gap_reason reason)
{
	const char *why = reason == GAP_SLOW ? "this client was too slow" :
					       "evicted from the history";

	if (first == last)
		buffer_append_format(out,
		    "[wsexec: line %" PRIu64 " is missing: %s]", first, why);
	else
		buffer_append_format(out,
		    "[wsexec: lines %" PRIu64 " to %" PRIu64
		    " are missing: %s]",
		    first, last, why);
}
