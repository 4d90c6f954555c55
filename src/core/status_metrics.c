/* SPDX-License-Identifier: ISC */

/*
 * Metrics as text.  The two formats differ in what a family is called: in
 * that of Prometheus by the name of its samples, in OpenMetrics without what
 * its type puts behind that (_total, _info).
 */

#include <stdio.h>

#include "core/buffer.h"
#include "core/json.h"
#include "core/status.h"

enum family_type {
	FAMILY_GAUGE,
	FAMILY_COUNTER,
	FAMILY_INFO,
};

static const char *const type_suffixes[] = {
	[FAMILY_GAUGE] = "",
	[FAMILY_COUNTER] = "_total",
	[FAMILY_INFO] = "_info",
};

/* What of a family is the same in all its samples. */
struct family {
	const char *name; /* without what the type puts behind it */
	enum family_type type;
	const char *unit; /* which name ends with; NULL: it counts things */
	const char *help; /* a sentence, without backslashes */
};

struct writer {
	struct buffer *out;
	bool open; /* OpenMetrics */
	const struct family *family;
};

static const char *
type_name(const struct writer *w)
{
	switch (w->family->type) {
	case FAMILY_COUNTER:
		return "counter";
	case FAMILY_INFO:
		return w->open ? "info" : "gauge";
	default:
		return "gauge";
	}
}

/* The lines before the samples of a family. */
static void
begin_family(struct writer *w, const struct family *family)
{
	const char *suffix = w->open ? "" : type_suffixes[family->type];

	w->family = family;
	buffer_append_format(w->out, "# HELP %s%s %s\n# TYPE %s%s %s\n",
	    family->name, suffix, family->help, family->name, suffix,
	    type_name(w));
	if (w->open && family->unit != NULL)
		buffer_append_format(w->out, "# UNIT %s %s\n", family->name,
		    family->unit);
}

/* A sample up to its value; labels: "" or in braces. */
static void
begin_sample(struct writer *w, const char *labels)
{
	buffer_append_format(w->out, "%s%s%s ", w->family->name,
	    type_suffixes[w->family->type], labels);
}

static void
put_number(struct writer *w, const char *labels, uint64_t number)
{
	begin_sample(w, labels);
	buffer_append_number(w->out, number);
	buffer_append_byte(w->out, '\n');
}

/* A sample with one label; value is a word of ours. */
static void
put_labelled(struct writer *w, const char *name, const char *value,
    uint64_t number)
{
	char labels[64];

	(void)snprintf(labels, sizeof(labels), "{%s=\"%s\"}", name, value);
	put_number(w, labels, number);
}

static void
put_us(struct writer *w, int64_t us)
{
	begin_sample(w, "");
	json_append_decimal(w->out, us, 6);
	buffer_append_byte(w->out, '\n');
}

/* A family of one sample. */
static void
put_gauge(struct writer *w, const char *name, const char *unit,
    const char *help, uint64_t number)
{
	const struct family family = { name, FAMILY_GAUGE, unit, help };

	begin_family(w, &family);
	put_number(w, "", number);
}

static void
put_counter(struct writer *w, const char *name, const char *unit,
    const char *help, uint64_t number)
{
	const struct family family = { name, FAMILY_COUNTER, unit, help };

	begin_family(w, &family);
	put_number(w, "", number);
}

static void
put_seconds(struct writer *w, const struct family *family, double seconds)
{
	begin_family(w, family);
	put_us(w, (int64_t)(seconds * 1e6));
}

static void
put_run(struct writer *w, const struct status *s)
{
	static const struct family info = { "wsexec_run", FAMILY_INFO, NULL,
		"The id of the run, and the version of wsexec." };
	static const struct family state = { "wsexec_state", FAMILY_GAUGE, NULL,
		"1 for the state that the run is in." };
	static const struct family start = { "wsexec_start_time_seconds",
		FAMILY_GAUGE, "seconds", "When the command was started." };
	static const struct family uptime = { "wsexec_uptime_seconds",
		FAMILY_GAUGE, "seconds",
		"For how long the command runs or "
		"ran." };
	char labels[128];
	size_t i;

	begin_family(w, &info);
	(void)snprintf(labels, sizeof(labels), "{run=\"%s\",version=\"%s\"}",
	    s->run, s->version);
	put_number(w, labels, 1);
	begin_family(w, &state);
	for (i = 0; i < STATUS_STATES; i++)
		put_labelled(w, "state", status_state_names[i], i == s->state);
	if (s->start_us != 0) {
		begin_family(w, &start);
		put_us(w, s->start_us);
	}
	put_seconds(w, &uptime, s->seconds);
	put_counter(w, "wsexec_restarts", NULL,
	    "How often the command was started again.", s->restarts);
	if (s->state != STATUS_ENDED)
		return;
	put_gauge(w, "wsexec_exit_code", NULL,
	    "The exit status of the command, or 0 where a signal ended it.",
	    s->end.signal != 0 ? 0 : (uint64_t)s->end.code);
	put_gauge(w, "wsexec_exit_signal", NULL,
	    "The signal that ended the command, or 0.",
	    (uint64_t)s->end.signal);
}

static void
put_output(struct writer *w, const struct status *s)
{
	static const struct family lines = { "wsexec_lines", FAMILY_COUNTER,
		NULL, "Lines of the command's output, and pieces of lines." };
	static const struct family bytes = { "wsexec_output_bytes",
		FAMILY_COUNTER, "bytes",
		"Bytes that the command has written." };
	size_t i;

	begin_family(w, &lines);
	for (i = 0; i < STREAM_COUNT; i++)
		put_labelled(w, "stream", status_stream_names[i], s->lines[i]);
	begin_family(w, &bytes);
	for (i = 0; i < STREAM_COUNT; i++)
		put_labelled(w, "stream", status_stream_names[i],
		    s->counters->output_bytes[i]);
	put_gauge(w, "wsexec_paused", NULL,
	    "1 while slow clients hold the command's output back.", s->paused);
	put_gauge(w, "wsexec_journal_records", NULL, "Records that are kept.",
	    s->last + 1 - s->first);
	put_counter(w, "wsexec_journal_evicted_records", NULL,
	    "Records that are no longer kept.", s->first - 1);
	put_gauge(w, "wsexec_journal_bytes", "bytes",
	    "Memory of the records that are kept.", s->journal_bytes);
	put_gauge(w, "wsexec_journal_limit_bytes", "bytes",
	    "The bound on that memory.", s->journal_bytes_max);
	put_gauge(w, "wsexec_feeds_bytes", "bytes",
	    "Memory of records in the formats that clients read.",
	    s->feed_bytes);
}

static void
put_clients_by(struct writer *w, const struct status *s)
{
	static const struct family family = { "wsexec_clients", FAMILY_GAUGE,
		NULL, "Clients that get output." };
	size_t format, carrier;
	char labels[128];

	begin_family(w, &family);
	for (format = 0; format < FORMAT_COUNT; format++) {
		for (carrier = 0; carrier < STATUS_CARRIERS; carrier++) {
			(void)snprintf(labels, sizeof(labels),
			    "{format=\"%s\",carrier=\"%s\"}",
			    status_format_names[format],
			    status_carrier_names[carrier]);
			put_number(w, labels, s->clients_by[format][carrier]);
		}
	}
}

static void
put_clients(struct writer *w, const struct status *s)
{
	static const struct family closed = { "wsexec_clients_closed",
		FAMILY_COUNTER, NULL, "Clients that no longer get output." };
	size_t i;

	put_clients_by(w, s);
	put_gauge(w, "wsexec_clients_limit", NULL,
	    "How many clients may get output.", s->clients_max);
	put_gauge(w, "wsexec_clients_blocked", NULL,
	    "Clients whose socket takes nothing now.", s->blocked);
	put_gauge(w, "wsexec_clients_compressed", NULL,
	    "Clients that get output compressed now.", s->compressed);
	put_gauge(w, "wsexec_clients_lag_max_bytes", "bytes",
	    "How far the last of the clients is behind.", s->lag_max.bytes);
	put_gauge(w, "wsexec_clients_lag_max_records", NULL,
	    "How many records the last of the clients is behind.",
	    s->lag_max.records);
	put_counter(w, "wsexec_clients_opened", NULL,
	    "Clients that have begun to get output.", s->counters->opened);
	begin_family(w, &closed);
	for (i = 0; i < ENDING_COUNT; i++)
		put_labelled(w, "reason", status_ending_names[i],
		    s->counters->endings[i]);
	put_gauge(w, "wsexec_watchers", NULL, "WebSockets that get the status.",
	    s->watchers);
}

static void
put_sent(struct writer *w, const struct status_counters *counters)
{
	static const struct family gaps = { "wsexec_gaps", FAMILY_COUNTER, NULL,
		"Gaps in what clients were sent." };
	static const struct family skipped = { "wsexec_skipped_records",
		FAMILY_COUNTER, NULL, "Records in those gaps." };
	size_t i;

	put_counter(w, "wsexec_sent_bytes", "bytes",
	    "Bytes sent on all connections.", counters->sent_bytes);
	put_counter(w, "wsexec_compressed_input_bytes", "bytes",
	    "Bytes of WebSocket messages before they were compressed.",
	    counters->deflated_bytes);
	begin_family(w, &gaps);
	for (i = 0; i < GAP_REASONS; i++)
		put_labelled(w, "reason", status_gap_names[i],
		    counters->gaps[i]);
	begin_family(w, &skipped);
	for (i = 0; i < GAP_REASONS; i++)
		put_labelled(w, "reason", status_gap_names[i],
		    counters->skipped[i]);
}

static void
put_http(struct writer *w, const struct status *s)
{
	static const struct family answers = { "wsexec_http_responses",
		FAMILY_COUNTER, NULL, "Answers to requests, by their status." };
	char code[16];
	size_t i;
	int status;

	put_gauge(w, "wsexec_connections", NULL, "Connections that are open.",
	    s->connections);
	put_counter(w, "wsexec_connections_accepted", NULL,
	    "Connections that were accepted.", s->counters->accepted);
	begin_family(w, &answers);
	for (i = 0; (status = http_status_at(i)) != 0; i++) {
		(void)snprintf(code, sizeof(code), "%d", status);
		put_labelled(w, "code", code, s->counters->answers[i]);
	}
}

static void
put_process(struct writer *w, const struct status_process *process)
{
	static const struct family cpu = { "process_cpu_seconds",
		FAMILY_COUNTER, "seconds",
		"Processor time of wsexec, without the command." };
	static const struct family start = { "process_start_time_seconds",
		FAMILY_GAUGE, "seconds", "When wsexec was started." };

	put_seconds(w, &cpu, process->cpu_seconds);
	put_seconds(w, &start, process->start_seconds);
	put_gauge(w, "process_resident_memory_bytes", "bytes",
	    "Resident memory of wsexec.", process->resident_bytes);
	put_gauge(w, "process_virtual_memory_bytes", "bytes",
	    "Virtual memory of wsexec.", process->virtual_bytes);
	put_gauge(w, "process_open_fds", NULL, "Descriptors that are open.",
	    process->open_fds);
	put_gauge(w, "process_max_fds", NULL, "Descriptors that may be open.",
	    process->max_fds);
}

void
status_append_metrics(struct buffer *out, const struct status *s,
    const struct status_process *process, bool open)
{
	struct writer w = { .out = out, .open = open };

	put_run(&w, s);
	put_output(&w, s);
	put_clients(&w, s);
	put_sent(&w, s->counters);
	put_http(&w, s);
	put_process(&w, process);
	if (open)
		buffer_append_string(out, "# EOF\n");
}
