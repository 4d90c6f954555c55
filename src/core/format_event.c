/* SPDX-License-Identifier: ISC */

/*
 * Events of an event stream (HTML, "Server-sent events").  A line of such a
 * stream ends at a carriage return, too: so a payload that has some is several
 * lines of data, which the client joins by newlines.
 */

#include <string.h>

#include "core/buffer.h"
#include "core/format_encoders.h"

/* More than what is around a payload with one line, but the run id. */
#define EVENT_EXTRA_MAX 80

/* A string literal, without the strlen(). */
#define APPEND(out, literal) buffer_append(out, literal, sizeof(literal) - 1)

static void
event_append_id(struct buffer *out, const struct format_event *event)
{
	APPEND(out, "id: ");
	buffer_append_string(out, event->run);
	APPEND(out, "/");
	if (event->seq == 0)
		APPEND(out, FORMAT_EXIT_ID);
	else
		buffer_append_number(out, event->seq);
	APPEND(out, "\n");
}

static void
event_append_data(struct buffer *out, const uint8_t *data, size_t size)
{
	const uint8_t *end;
	size_t length;

	for (;;) {
		end = size > 0 ? memchr(data, '\r', size) : NULL;
		length = end != NULL ? (size_t)(end - data) : size;
		APPEND(out, "data: ");
		buffer_append(out, data, length);
		APPEND(out, "\n");
		if (end == NULL)
			return;
		data += length + 1;
		size -= length + 1;
	}
}

void
format_event(struct buffer *out, const struct format_event *event,
    const uint8_t *data, size_t size)
{
	/* One growth for most, before all of a line is looked at. */
	if (buffer_reserve(out, size + EVENT_EXTRA_MAX) == NULL)
		return;
	if (event->type != NULL) {
		APPEND(out, "event: ");
		buffer_append_string(out, event->type);
		APPEND(out, "\n");
	}
	if (event->run != NULL)
		event_append_id(out, event);
	event_append_data(out, data, size);
	APPEND(out, "\n");
}
