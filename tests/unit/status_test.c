/* SPDX-License-Identifier: ISC */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/buffer.h"
#include "core/status.h"
#include "core/websocket.h"
#include "failing_memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const command[] = { "make", "a \"b\"\n", NULL };
static const char *const no_command[] = { NULL };

static const struct status_client two_clients[] = {
	{ .id = 1,
	    .since_s = 4000000000,
	    .gaps = 2,
	    .format = FORMAT_JSON,
	    .carrier = STATUS_EVENTS,
	    .blocked = true,
	    .sent_bytes = UINT64_MAX,
	    .lag = { .bytes = 5000000000, .records = 7 } },
	{ .id = 4294967295,
	    .since_s = 1,
	    .format = FORMAT_RAW,
	    .carrier = STATUS_HTTP,
	    .compressed = true },
};

static struct status_counters
some_counters(void)
{
	struct status_counters counters = {
		.output_bytes = { 100, 20 },
		.accepted = 9,
		.opened = 5,
		.endings = { [ENDING_LEFT] = 2, [ENDING_SLOW] = 1 },
		.sent_bytes = 12345,
		.gaps = { [GAP_SLOW] = 3 },
		.skipped = { [GAP_SLOW] = 30 },
		.deflated_bytes = 77,
	};

	counters.answers[http_status_index(200)] = 4;
	counters.answers[http_status_index(401)] = 1;
	return counters;
}

/* A run that goes on, with three clients, two of which are listed. */
static struct status
some_status(const struct status_counters *counters)
{
	return (struct status){ .version = "0.1.0",
		.run = "0123456789abcdef",
		.title = "t",
		.command = command,
		.state = STATUS_RUNNING,
		.pid = 42,
		.start_us = INT64_C(1700000000123456),
		.seconds = 2.5,
		.restarts = 8,
		.lines = { 10, 2 },
		.first = 3,
		.last = 12,
		.journal_bytes = 262144,
		.journal_bytes_max = 67108864,
		.feed_bytes = 99,
		.compression = 6,
		.connections = 6,
		.watchers = 1,
		.clients = 3,
		.clients_max = 100,
		.clients_by = { [FORMAT_JSON][STATUS_EVENTS] = 1,
		    [FORMAT_RAW][STATUS_HTTP] = 2 },
		.blocked = 1,
		.compressed = 1,
		.lag_max = { .bytes = 5000000000, .records = 7 },
		.listed = two_clients,
		.listed_count = COUNT(two_clients),
		.counters = counters };
}

static const char some_json[] =
    "{\"version\":\"0.1.0\",\"run\":\"0123456789abcdef\","
    "\"state\":\"running\",\"title\":\"t\","
    "\"command\":[\"make\",\"a \\\"b\\\"\\n\"],\"pid\":42,"
    "\"started\":1700000000.123456,\"uptime\":2.500,\"exit\":null,"
    "\"restarts\":8,\"paused\":false,"
    "\"journal\":{\"first\":3,\"last\":12,\"bytes\":262144,"
    "\"limit\":67108864,\"evicted\":2},"
    "\"streams\":{\"stdout\":{\"lines\":10,\"bytes\":100},"
    "\"stderr\":{\"lines\":2,\"bytes\":20}},"
    "\"clients\":{\"count\":3,\"limit\":100,\"blocked\":1,\"compressed\":1,"
    "\"formats\":{\"text\":{\"websocket\":0,\"http\":0,\"events\":0},"
    "\"json\":{\"websocket\":0,\"http\":0,\"events\":1},"
    "\"raw\":{\"websocket\":0,\"http\":2,\"events\":0}},"
    "\"lag\":{\"bytes\":5000000000,\"records\":7},\"opened\":5,"
    "\"closed\":{\"left\":2,\"complete\":0,\"stopped\":0,\"slow\":1,"
    "\"stalled\":0,\"silent\":0,\"misbehaved\":0,\"memory\":0},"
    "\"list\":[{\"id\":1,\"format\":\"json\",\"carrier\":\"events\","
    "\"since\":4000000000,\"lag\":{\"bytes\":5000000000,\"records\":7},"
    "\"sent\":18446744073709551615,\"gaps\":2,\"blocked\":true,"
    "\"compressed\":false},"
    "{\"id\":4294967295,\"format\":\"raw\",\"carrier\":\"http\","
    "\"since\":1,\"lag\":{\"bytes\":0,\"records\":0},\"sent\":0,\"gaps\":0,"
    "\"blocked\":false,\"compressed\":true}],\"omitted\":1},"
    "\"http\":{\"connections\":6,\"accepted\":9,\"watchers\":1,"
    "\"answers\":{\"200\":4,\"401\":1}},"
    "\"sent\":12345,"
    "\"gaps\":{\"evicted\":{\"count\":0,\"records\":0},"
    "\"slow\":{\"count\":3,\"records\":30}},"
    "\"compression\":{\"level\":6,\"bytes\":77},\"feeds\":{\"bytes\":99}}";

static const struct status_process some_process = {
	.cpu_seconds = 1.25,
	.start_seconds = 1700000000.5,
	.resident_bytes = 4096,
	.virtual_bytes = 8192,
	.open_fds = 12,
	.max_fds = 1024,
};

static void
assert_has(const struct buffer *out, const char *text)
{
	if (memmem(out->data, out->size, text, strlen(text)) == NULL)
		fail_msg("'%s' is not in:\n%.*s", text, (int)out->size,
		    (const char *)out->data);
}

static void
assert_has_not(const struct buffer *out, const char *text)
{
	assert_null(memmem(out->data, out->size, text, strlen(text)));
}

static void
test_document_has_everything(void **state)
{
	const struct status_counters counters = some_counters();
	const struct status s = some_status(&counters);
	struct buffer out = BUFFER_INIT;

	(void)state;
	status_append_json(&out, &s);
	assert_false(out.failed);
	buffer_append_byte(&out, '\0');
	assert_string_equal((const char *)out.data, some_json);
	buffer_clear(&out);
}

static void
test_document_of_states(void **state)
{
	const struct status_counters counters = some_counters();
	struct status s = some_status(&counters);
	struct buffer out = BUFFER_INIT;

	(void)state;
	s.state = STATUS_WAITING;
	s.start_us = 0;
	s.pid = 0;
	s.command = no_command;
	s.clients_max = SIZE_MAX;
	s.paused = true;
	status_append_json(&out, &s);
	assert_has(&out, "\"state\":\"waiting\"");
	assert_has(&out, "\"command\":[],\"pid\":null,\"started\":null,");
	assert_has(&out, "\"exit\":null,\"restarts\":8,\"paused\":true");
	assert_has(&out, "\"limit\":null,\"blocked\"");

	buffer_reset(&out);
	s.state = STATUS_ENDED;
	s.end = (struct exit_info){ .code = 3, .seconds = 1.5 };
	status_append_json(&out, &s);
	assert_has(&out, "\"state\":\"ended\"");
	assert_has(&out,
	    "\"exit\":{\"code\":3,\"signal\":null,\"seconds\":1.500}");

	buffer_reset(&out);
	s.end.signal = 9;
	s.end.timed_out = true;
	status_append_json(&out, &s);
	assert_has(&out, "\"exit\":{\"code\":null,\"signal\":9,");
	assert_has(&out, "\"seconds\":1.500,\"timeout\":true}");

	buffer_reset(&out);
	s.state = STATUS_RESTARTING;
	status_append_json(&out, &s);
	assert_has(&out, "\"state\":\"restarting\"");
	assert_has(&out, "\"exit\":null");
	buffer_clear(&out);
}

static void
test_metrics_of_prometheus(void **state)
{
	const struct status_counters counters = some_counters();
	const struct status s = some_status(&counters);
	struct buffer out = BUFFER_INIT;

	(void)state;
	status_append_metrics(&out, &s, &some_process, false);
	assert_false(out.failed);
	assert_has(&out,
	    "# TYPE wsexec_run_info gauge\n"
	    "wsexec_run_info{run=\"0123456789abcdef\",version=\"0.1.0\"} 1\n");
	assert_has(&out,
	    "wsexec_state{state=\"waiting\"} 0\n"
	    "wsexec_state{state=\"running\"} 1\n"
	    "wsexec_state{state=\"restarting\"} 0\n"
	    "wsexec_state{state=\"ended\"} 0\n");
	assert_has(&out, "\nwsexec_start_time_seconds 1700000000.123456\n");
	assert_has(&out, "\nwsexec_uptime_seconds 2.500000\n");
	assert_has(&out, "\nwsexec_restarts_total 8\n");
	assert_has(&out,
	    "# TYPE wsexec_lines_total counter\n"
	    "wsexec_lines_total{stream=\"stdout\"} 10\n"
	    "wsexec_lines_total{stream=\"stderr\"} 2\n");
	assert_has(&out, "\nwsexec_output_bytes_total{stream=\"stderr\"} 20\n");
	assert_has(&out, "\nwsexec_journal_records 10\n");
	assert_has(&out, "\nwsexec_journal_evicted_records_total 2\n");
	assert_has(&out,
	    "\nwsexec_clients{format=\"raw\",carrier=\"http\"} 2\n");
	assert_has(&out, "\nwsexec_clients_lag_max_bytes 5000000000\n");
	assert_has(&out, "\nwsexec_clients_closed_total{reason=\"slow\"} 1\n");
	assert_has(&out, "\nwsexec_gaps_total{reason=\"evicted\"} 0\n");
	assert_has(&out,
	    "\nwsexec_skipped_records_total{reason=\"slow\"} 30\n");
	assert_has(&out, "\nwsexec_http_responses_total{code=\"401\"} 1\n");
	assert_has(&out, "\nwsexec_http_responses_total{code=\"503\"} 0\n");
	assert_has(&out, "\nprocess_cpu_seconds_total 1.250000\n");
	assert_has(&out, "\nprocess_start_time_seconds 1700000000.500000\n");
	assert_has(&out, "\nprocess_open_fds 12\n");
	assert_has_not(&out, "wsexec_exit");
	assert_has_not(&out, "# UNIT");
	assert_has_not(&out, "# EOF");
	assert_int_equal(out.data[out.size - 1], '\n');
	buffer_clear(&out);
}

static void
test_metrics_of_openmetrics(void **state)
{
	static const char end[] = "\n# EOF\n";
	const struct status_counters counters = some_counters();
	struct status s = some_status(&counters);
	struct buffer out = BUFFER_INIT;

	(void)state;
	s.state = STATUS_ENDED;
	s.end = (struct exit_info){ .signal = 15 };
	s.start_us = 0;
	status_append_metrics(&out, &s, &some_process, true);
	assert_false(out.failed);
	assert_has(&out, "# TYPE wsexec_run info\nwsexec_run_info{");
	assert_has(&out,
	    "# TYPE wsexec_output_bytes counter\n"
	    "# UNIT wsexec_output_bytes bytes\n"
	    "wsexec_output_bytes_total{stream=\"stdout\"} 100\n");
	assert_has(&out,
	    "# TYPE process_cpu_seconds counter\n"
	    "# UNIT process_cpu_seconds seconds\n"
	    "process_cpu_seconds_total 1.250000\n");
	assert_has(&out, "\nwsexec_exit_code 0\n");
	assert_has(&out, "\nwsexec_exit_signal 15\n");
	assert_has_not(&out, "start_time_seconds 0");
	assert_memory_equal(out.data + out.size - strlen(end), end,
	    strlen(end));
	buffer_clear(&out);
}

static void
test_carriers_are_one_of_three(void **state)
{
	static const enum status_carrier expected[CARRIER_COUNT] = {
		[CARRIER_WEBSOCKET] = STATUS_WEBSOCKET,
		[CARRIER_WEBSOCKET_DEFLATE] = STATUS_WEBSOCKET,
		[CARRIER_CHUNKED] = STATUS_HTTP,
		[CARRIER_PLAIN] = STATUS_HTTP,
		[CARRIER_EVENTS_CHUNKED] = STATUS_EVENTS,
		[CARRIER_EVENTS_PLAIN] = STATUS_EVENTS,
	};
	size_t i;

	(void)state;
	for (i = 0; i < CARRIER_COUNT; i++)
		assert_int_equal(status_carrier_of((enum carrier)i),
		    expected[i]);
}

static void
test_endings_of_close_codes(void **state)
{
	(void)state;
	assert_int_equal(status_ending_of(WEBSOCKET_NORMAL), ENDING_COMPLETE);
	assert_int_equal(status_ending_of(WEBSOCKET_GOING_AWAY),
	    ENDING_STOPPED);
	assert_int_equal(status_ending_of(WEBSOCKET_TRY_LATER), ENDING_SLOW);
	assert_int_equal(status_ending_of(WEBSOCKET_POLICY), ENDING_MISBEHAVED);
	assert_int_equal(status_ending_of(WEBSOCKET_TOO_BIG),
	    ENDING_MISBEHAVED);
}

static void
test_statuses_have_places(void **state)
{
	size_t i, n = 0;
	int status;

	(void)state;
	for (i = 0; (status = http_status_at(i)) != 0; i++) {
		assert_int_equal(http_status_index(status), i);
		n++;
	}
	assert_in_range(n, 10, HTTP_STATUSES_MAX);
	assert_int_equal(http_status_at(HTTP_STATUSES_MAX), 0);
	assert_int_equal(http_status_index(299), HTTP_STATUSES_MAX);
}

/* Appends by each of the three, as which says. */
static void
append(struct buffer *out, unsigned int which)
{
	const struct status_counters counters = some_counters();
	const struct status s = some_status(&counters);

	if (which == 0)
		status_append_json(out, &s);
	else
		status_append_metrics(out, &s, &some_process, which == 2);
}

static void
test_failing_memory_is_told(void **state)
{
	struct buffer out = BUFFER_INIT;
	unsigned int which;
	size_t left;

	(void)state;
	if (!memory_can_run_out())
		skip();
	for (which = 0; which < 3; which++) {
		for (left = 1;; left++) {
			memory.failures = 0;
			memory.left = left;
			memory.armed = true;
			append(&out, which);
			memory.armed = false;
			memory.left = 0;
			assert_int_equal(out.failed, memory.failures > 0);
			buffer_clear(&out);
			if (memory.failures == 0)
				break;
		}
		assert_true(left > 3);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document_has_everything),
		cmocka_unit_test(test_document_of_states),
		cmocka_unit_test(test_metrics_of_prometheus),
		cmocka_unit_test(test_metrics_of_openmetrics),
		cmocka_unit_test(test_carriers_are_one_of_three),
		cmocka_unit_test(test_endings_of_close_codes),
		cmocka_unit_test(test_statuses_have_places),
		cmocka_unit_test(test_failing_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
