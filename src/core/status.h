/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_STATUS_H
#define WSEXEC_STATUS_H

/*
 * The state of a run and of its clients at one time, as a JSON document and as
 * metrics.  Pure: numbers in, bytes out.  Words that clients see, which are
 * also the values of labels, are those of the tables here and no others.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/format.h"
#include "core/http.h"

struct buffer;

#define STATUS_LISTED_MAX 1000 /* clients that a document lists */

enum status_state {
	STATUS_WAITING, /* the command has not been started */
	STATUS_RUNNING,
	STATUS_RESTARTING, /* a run has ended, and another one is to come */
	STATUS_ENDED,
	STATUS_STATES,
};

/* How output comes to a client. */
enum status_carrier {
	STATUS_WEBSOCKET,
	STATUS_HTTP,
	STATUS_EVENTS,
	STATUS_CARRIERS,
};

/* Why a client no longer gets output. */
enum status_ending {
	ENDING_LEFT,	   /* it has closed, or is gone */
	ENDING_COMPLETE,   /* it has got all there is */
	ENDING_STOPPED,	   /* wsexec was stopped */
	ENDING_SLOW,	   /* further behind than it may be */
	ENDING_STALLED,	   /* it took no byte for too long */
	ENDING_SILENT,	   /* it did not answer pings */
	ENDING_MISBEHAVED, /* what it sent was not allowed */
	ENDING_MEMORY,	   /* none was left */
	ENDING_COUNT,
};

/* What has happened so far. */
struct status_counters {
	uint64_t output_bytes[STREAM_COUNT]; /* written by the command */
	uint64_t accepted;		     /* connections */
	uint64_t answers[HTTP_STATUSES_MAX]; /* by http_status_index() */
	uint64_t opened;		     /* clients that got output */
	uint64_t endings[ENDING_COUNT];	     /* of those */
	uint64_t sent_bytes;
	uint64_t gaps[GAP_REASONS];
	uint64_t skipped[GAP_REASONS]; /* records in gaps */
	uint64_t deflated_bytes;       /* of messages, before compression */
};

/* How far behind a client is. */
struct status_lag {
	uint64_t bytes; /* as the journal counts them */
	uint64_t records;
};

struct status_client {
	uint32_t id;
	uint32_t since_s; /* since 1970 */
	uint32_t gaps;
	uint8_t format;	 /* enum format */
	uint8_t carrier; /* enum status_carrier */
	bool blocked;	 /* its socket takes nothing now */
	bool compressed;
	uint64_t sent_bytes;
	struct status_lag lag;
};

/* Pointers are borrowed, and live as long as it is used. */
struct status {
	const char *version;
	const char *run;
	const char *title;
	const char *const *command; /* NULL-terminated; may be empty */
	enum status_state state;
	uint64_t restarts;
	bool paused;	  /* the command's output is not read */
	long pid;	  /* 0: none */
	int64_t start_us; /* since 1970; 0: not yet */
	double seconds;	  /* for which it runs, or ran */
	struct exit_info end;
	uint64_t lines[STREAM_COUNT];
	uint64_t first; /* record that is kept */
	uint64_t last;
	uint64_t journal_bytes;
	uint64_t journal_bytes_max;
	uint64_t feed_bytes; /* of other formats than the journal's */
	int compression;     /* level; 0: none */
	size_t connections;
	size_t watchers; /* WebSockets that get this */
	size_t clients;	 /* that get output */
	size_t clients_max;
	size_t clients_by[FORMAT_COUNT][STATUS_CARRIERS];
	size_t blocked;
	size_t compressed;
	struct status_lag lag_max;
	const struct status_client *listed; /* the first, by id */
	size_t listed_count;
	const struct status_counters *counters;
};

/* What the kernel says of the process. */
struct status_process {
	double cpu_seconds;
	double start_seconds; /* since 1970 */
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t open_fds;
	uint64_t max_fds;
};

extern const char *const status_state_names[STATUS_STATES];
extern const char *const status_format_names[FORMAT_COUNT];
extern const char *const status_carrier_names[STATUS_CARRIERS];
extern const char *const status_ending_names[ENDING_COUNT];
extern const char *const status_stream_names[STREAM_COUNT];
extern const char *const status_gap_names[GAP_REASONS];

enum status_carrier status_carrier_of(enum carrier carrier);

/* The ending that a close code (RFC 6455 section 7.4) of ours stands for. */
enum status_ending status_ending_of(unsigned int code);

/* Appends one line of JSON, without a newline.  A failure is out->failed. */
void status_append_json(struct buffer *out, const struct status *s);

/*
 * Appends metrics in the text format of Prometheus, version 0.0.4, or, if
 * open, in that of OpenMetrics, version 1.0.0.  A failure is out->failed.
 */
void status_append_metrics(struct buffer *out, const struct status *s,
    const struct status_process *process, bool open);

#endif
