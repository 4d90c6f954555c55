/* SPDX-License-Identifier: ISC */

#include <stdio.h>

#include "core/buffer.h"
#include "core/json.h"
#include "core/status.h"

/* A name, behind a comma where it is not the first of its object. */
static void
put_key(struct buffer *out, const char *name)
{
	if (out->size > 0 && out->data[out->size - 1] != '{')
		buffer_append_byte(out, ',');
	buffer_append_byte(out, '"');
	buffer_append_string(out, name);
	buffer_append_string(out, "\":");
}

static void
put_number(struct buffer *out, const char *name, uint64_t number)
{
	put_key(out, name);
	buffer_append_number(out, number);
}

static void
put_string(struct buffer *out, const char *name, const char *string)
{
	put_key(out, name);
	json_append_c_string(out, string);
}

static void
put_bool(struct buffer *out, const char *name, bool value)
{
	put_key(out, name);
	json_append_bool(out, value);
}

/* null: there is none */
static void
put_number_or_null(struct buffer *out, const char *name, bool is_null,
    uint64_t number)
{
	put_key(out, name);
	if (is_null)
		buffer_append_string(out, "null");
	else
		buffer_append_number(out, number);
}

/* Begins an object that is the value of a name. */
static void
put_object(struct buffer *out, const char *name)
{
	put_key(out, name);
	buffer_append_byte(out, '{');
}

static void
end_object(struct buffer *out)
{
	buffer_append_byte(out, '}');
}

static void
put_exit(struct buffer *out, const struct status *s)
{
	const struct exit_info *end = &s->end;

	if (s->state != STATUS_ENDED) {
		put_number_or_null(out, "exit", true, 0);
		return;
	}
	put_object(out, "exit");
	put_number_or_null(out, "code", end->signal != 0, (uint64_t)end->code);
	put_number_or_null(out, "signal", end->signal == 0,
	    (uint64_t)end->signal);
	put_key(out, "seconds");
	json_append_seconds(out, end->seconds);
	if (end->timed_out)
		put_bool(out, "timeout", true);
	end_object(out);
}

static void
put_run(struct buffer *out, const struct status *s)
{
	put_string(out, "version", s->version);
	put_string(out, "run", s->run);
	put_string(out, "state", status_state_names[s->state]);
	put_string(out, "title", s->title);
	put_key(out, "command");
	json_append_strings(out, s->command);
	put_number_or_null(out, "pid", s->pid == 0, (uint64_t)s->pid);
	if (s->start_us == 0) {
		put_number_or_null(out, "started", true, 0);
	} else {
		put_key(out, "started");
		json_append_decimal(out, s->start_us, 6);
	}
	put_key(out, "uptime");
	json_append_seconds(out, s->seconds);
	put_exit(out, s);
	put_number(out, "restarts", s->restarts);
	put_bool(out, "paused", s->paused);
}

static void
put_output(struct buffer *out, const struct status *s)
{
	size_t i;

	put_object(out, "journal");
	put_number(out, "first", s->first);
	put_number(out, "last", s->last);
	put_number(out, "bytes", s->journal_bytes);
	put_number(out, "limit", s->journal_bytes_max);
	put_number(out, "evicted", s->first - 1);
	end_object(out);
	put_object(out, "streams");
	for (i = 0; i < STREAM_COUNT; i++) {
		put_object(out, status_stream_names[i]);
		put_number(out, "lines", s->lines[i]);
		put_number(out, "bytes", s->counters->output_bytes[i]);
		end_object(out);
	}
	end_object(out);
}

static void
put_lag(struct buffer *out, const struct status_lag *lag)
{
	put_object(out, "lag");
	put_number(out, "bytes", lag->bytes);
	put_number(out, "records", lag->records);
	end_object(out);
}

static void
put_client(struct buffer *out, const struct status_client *client)
{
	buffer_append_byte(out, '{');
	put_number(out, "id", client->id);
	put_string(out, "format", status_format_names[client->format]);
	put_string(out, "carrier", status_carrier_names[client->carrier]);
	put_number(out, "since", client->since_s);
	put_lag(out, &client->lag);
	put_number(out, "sent", client->sent_bytes);
	put_number(out, "gaps", client->gaps);
	put_bool(out, "blocked", client->blocked);
	put_bool(out, "compressed", client->compressed);
	end_object(out);
}

static void
put_formats(struct buffer *out, const struct status *s)
{
	size_t format, carrier;

	put_object(out, "formats");
	for (format = 0; format < FORMAT_COUNT; format++) {
		put_object(out, status_format_names[format]);
		for (carrier = 0; carrier < STATUS_CARRIERS; carrier++)
			put_number(out, status_carrier_names[carrier],
			    s->clients_by[format][carrier]);
		end_object(out);
	}
	end_object(out);
}

static void
put_clients(struct buffer *out, const struct status *s)
{
	size_t i;

	put_object(out, "clients");
	put_number(out, "count", s->clients);
	put_number_or_null(out, "limit", s->clients_max == SIZE_MAX,
	    s->clients_max);
	put_number(out, "blocked", s->blocked);
	put_number(out, "compressed", s->compressed);
	put_formats(out, s);
	put_lag(out, &s->lag_max);
	put_number(out, "opened", s->counters->opened);
	put_object(out, "closed");
	for (i = 0; i < ENDING_COUNT; i++)
		put_number(out, status_ending_names[i],
		    s->counters->endings[i]);
	end_object(out);
	put_key(out, "list");
	buffer_append_byte(out, '[');
	for (i = 0; i < s->listed_count; i++) {
		if (i > 0)
			buffer_append_byte(out, ',');
		put_client(out, &s->listed[i]);
	}
	buffer_append_byte(out, ']');
	put_number(out, "omitted", s->clients - s->listed_count);
	end_object(out);
}

/* Answers by their status; those that were never given are left out. */
static void
put_answers(struct buffer *out, const struct status_counters *counters)
{
	char name[16];
	size_t i;
	int status;

	put_object(out, "answers");
	for (i = 0; (status = http_status_at(i)) != 0; i++) {
		if (counters->answers[i] == 0)
			continue;
		(void)snprintf(name, sizeof(name), "%d", status);
		put_number(out, name, counters->answers[i]);
	}
	end_object(out);
}

static void
put_totals(struct buffer *out, const struct status *s)
{
	const struct status_counters *counters = s->counters;
	size_t i;

	put_object(out, "http");
	put_number(out, "connections", s->connections);
	put_number(out, "accepted", counters->accepted);
	put_number(out, "watchers", s->watchers);
	put_answers(out, counters);
	end_object(out);
	put_number(out, "sent", counters->sent_bytes);
	put_object(out, "gaps");
	for (i = 0; i < GAP_REASONS; i++) {
		put_object(out, status_gap_names[i]);
		put_number(out, "count", counters->gaps[i]);
		put_number(out, "records", counters->skipped[i]);
		end_object(out);
	}
	end_object(out);
	put_object(out, "compression");
	put_number(out, "level", (uint64_t)s->compression);
	put_number(out, "bytes", counters->deflated_bytes);
	end_object(out);
	put_object(out, "feeds");
	put_number(out, "bytes", s->feed_bytes);
	end_object(out);
}

void
status_append_json(struct buffer *out, const struct status *s)
{
	buffer_append_byte(out, '{');
	put_run(out, s);
	put_output(out, s);
	put_clients(out, s);
	put_totals(out, s);
	end_object(out);
}
