/* SPDX-License-Identifier: ISC */

/*
 * The text format: lines for people and for tools that read lines.  Always
 * valid UTF-8, as text messages must be (RFC 6455 section 8.1).
 */

#include <inttypes.h>

#include "core/buffer.h"
#include "core/format_encoders.h"
#include "core/utf8.h"

#define SECONDS_MAX 1000000000000 /* more than that is beyond all sense */

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

/* "1", "0.25": no more places than there are, whatever the locale. */
static void
text_append_seconds(struct buffer *out, double seconds)
{
	uint64_t ms = 0;
	unsigned int rest, places = 3;

	if (seconds > 0)
		ms = seconds < SECONDS_MAX ? (uint64_t)(seconds * 1000 + 0.5) :
					     SECONDS_MAX * UINT64_C(1000);
	rest = (unsigned int)(ms % 1000);
	buffer_append_number(out, ms / 1000);
	if (rest == 0)
		return;
	for (; rest % 10 == 0; rest /= 10)
		places--;
	buffer_append_format(out, ".%0*u", (int)places, rest);
}

void
format_text_restart(struct buffer *out, const struct restart_info *info)
{
	buffer_append_format(out, "[wsexec: the command ended with %s %d%s",
	    info->signal != 0 ? "signal" : "status",
	    info->signal != 0 ? info->signal : info->code,
	    info->timed_out ? ", as its time was up" : "");
	buffer_append_format(out, "; restart %" PRIu64 " follows in ",
	    info->count);
	text_append_seconds(out, info->delay);
	buffer_append_string(out, " s]");
}
