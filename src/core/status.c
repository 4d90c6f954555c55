/* SPDX-License-Identifier: ISC */

#include "core/status.h"
#include "core/websocket.h"

const char *const status_state_names[STATUS_STATES] = {
	[STATUS_WAITING] = "waiting",
	[STATUS_RUNNING] = "running",
	[STATUS_RESTARTING] = "restarting",
	[STATUS_ENDED] = "ended",
};

const char *const status_format_names[FORMAT_COUNT] = {
	[FORMAT_TEXT] = "text",
	[FORMAT_JSON] = "json",
	[FORMAT_RAW] = "raw",
};

const char *const status_carrier_names[STATUS_CARRIERS] = {
	[STATUS_WEBSOCKET] = "websocket",
	[STATUS_HTTP] = "http",
	[STATUS_EVENTS] = "events",
};

const char *const status_ending_names[ENDING_COUNT] = {
	[ENDING_LEFT] = "left",
	[ENDING_COMPLETE] = "complete",
	[ENDING_STOPPED] = "stopped",
	[ENDING_SLOW] = "slow",
	[ENDING_STALLED] = "stalled",
	[ENDING_SILENT] = "silent",
	[ENDING_MISBEHAVED] = "misbehaved",
	[ENDING_MEMORY] = "memory",
};

const char *const status_stream_names[STREAM_COUNT] = {
	[STREAM_STDOUT] = "stdout",
	[STREAM_STDERR] = "stderr",
};

const char *const status_gap_names[GAP_REASONS] = {
	[GAP_EVICTED] = "evicted",
	[GAP_SLOW] = "slow",
};

enum status_carrier
status_carrier_of(enum carrier carrier)
{
	if (carrier_has_events(carrier))
		return STATUS_EVENTS;
	return carrier == CARRIER_WEBSOCKET ||
		carrier == CARRIER_WEBSOCKET_DEFLATE ?
	    STATUS_WEBSOCKET :
	    STATUS_HTTP;
}

enum status_ending
status_ending_of(unsigned int code)
{
	switch (code) {
	case WEBSOCKET_NORMAL:
		return ENDING_COMPLETE;
	case WEBSOCKET_GOING_AWAY:
		return ENDING_STOPPED;
	case WEBSOCKET_TRY_LATER:
		return ENDING_SLOW;
	default:
		return ENDING_MISBEHAVED;
	}
}
