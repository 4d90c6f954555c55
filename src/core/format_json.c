/* SPDX-License-Identifier: ISC */

/* The json format: one object a record, with no newline in it (RFC 8259). */

#include "core/buffer.h"
#include "core/format_encoders.h"
#include "core/json.h"

/* A string literal, without the strlen(). */
#define APPEND(out, literal) buffer_append(out, literal, sizeof(literal) - 1)

void
format_json_line(struct buffer *out, const struct record *r, bool partial)
{
	APPEND(out, "{\"type\":\"line\",\"seq\":");
	buffer_append_number(out, r->seq);
	APPEND(out, ",\"time\":");
	json_append_decimal(out, r->time_us, 6);
	if (r->stream == STREAM_STDERR)
		APPEND(out, ",\"stream\":\"stderr\",\"text\":");
	else
		APPEND(out, ",\"stream\":\"stdout\",\"text\":");
	json_append_string(out, r->text, r->size);
	if (partial)
		APPEND(out, ",\"partial\":true");
	else if (r->continued)
		APPEND(out, ",\"continued\":true");
	APPEND(out, "}");
}

void
format_json_start(struct buffer *out, const struct start_info *info)
{
	APPEND(out, "{\"type\":\"start\",\"run\":");
	json_append_c_string(out, info->run);
	APPEND(out, ",\"command\":");
	json_append_strings(out, info->command);
	APPEND(out, ",\"title\":");
	json_append_c_string(out, info->title);
	APPEND(out, ",\"time\":");
	json_append_decimal(out, info->time_us, 6);
	APPEND(out, ",\"pid\":");
	if (info->pid == 0)
		APPEND(out, "null");
	else
		buffer_append_number(out, (uint64_t)info->pid);
	APPEND(out, ",\"first\":");
	buffer_append_number(out, info->first);
	APPEND(out, ",\"last\":");
	buffer_append_number(out, info->last);
	APPEND(out, ",\"resumed\":");
	json_append_bool(out, info->resumed);
	if (info->writable)
		APPEND(out, ",\"writable\":true");
	APPEND(out, "}");
}

void
format_json_gap(struct buffer *out, uint64_t first, uint64_t last,
    enum gap_reason reason)
{
	APPEND(out, "{\"type\":\"gap\",\"first\":");
	buffer_append_number(out, first);
	APPEND(out, ",\"last\":");
	buffer_append_number(out, last);
	if (reason == GAP_SLOW)
		APPEND(out, ",\"reason\":\"slow\"}");
	else
		APPEND(out, ",\"reason\":\"evicted\"}");
}

void
format_json_clients(struct buffer *out, size_t count)
{
	APPEND(out, "{\"type\":\"clients\",\"count\":");
	buffer_append_number(out, count);
	APPEND(out, "}");
}

static void
json_append_end(struct buffer *out, int code, int signal, double seconds)
{
	if (signal != 0)
		buffer_append_format(out,
		    "\"code\":null,\"signal\":%d,\"seconds\":", signal);
	else
		buffer_append_format(out,
		    "\"code\":%d,\"signal\":null,\"seconds\":", code);
	json_append_seconds(out, seconds);
}

void
format_json_exit(struct buffer *out, const struct exit_info *info)
{
	APPEND(out, "{\"type\":\"exit\",");
	json_append_end(out, info->code, info->signal, info->seconds);
	if (info->timed_out)
		APPEND(out, ",\"timeout\":true");
	APPEND(out, ",\"last\":");
	buffer_append_number(out, info->last);
	APPEND(out, "}");
}

void
format_json_restart(struct buffer *out, const struct record *r,
    const struct restart_info *info)
{
	APPEND(out, "{\"type\":\"restart\",\"seq\":");
	buffer_append_number(out, r->seq);
	APPEND(out, ",\"time\":");
	json_append_decimal(out, r->time_us, 6);
	APPEND(out, ",\"run\":");
	json_append_c_string(out, info->run);
	APPEND(out, ",");
	json_append_end(out, info->code, info->signal, info->seconds);
	if (info->timed_out)
		APPEND(out, ",\"timeout\":true");
	APPEND(out, ",\"delay\":");
	json_append_seconds(out, info->delay);
	APPEND(out, ",\"count\":");
	buffer_append_number(out, info->count);
	APPEND(out, "}");
}
