/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_FORMAT_H
#define WSEXEC_FORMAT_H

/*
 * How records look to clients.  A format says what the payload of a record
 * is; a carrier wraps it for the wire.  The same record in the same format
 * and carrier always gives the same bytes, so that they can be made once for
 * all clients, dropped, and made again.
 *
 *	             websocket        chunked            plain
 *	text         text message     "TEXT\n" a chunk   "TEXT\n"
 *	json         text messages    "JSON\n" a chunk   "JSON\n"
 *	raw          binary message   bytes a chunk      bytes
 *
 * Text and raw have no newline where the command wrote none.  By WebSocket a
 * record is a message, but several lines in json may be put into one.
 *
 * The carriers for events make an event of each record, and put that into a
 * chunk or not.  Lines are events of no type, with the payload of the format
 * as their data and RUN/SEQ as their id.  Other records are events of their
 * own type, whatever the format is, with JSON as their data; only those of
 * restarts have such an id, too, and that of the exit record has RUN/exit.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/record.h"
#include "core/runs.h"
#include "core/sanitize.h"

struct buffer;
struct deflater;

enum format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_RAW,
	FORMAT_COUNT,
};

enum carrier {
	CARRIER_WEBSOCKET,	   /* RFC 6455 section 5: messages */
	CARRIER_CHUNKED,	   /* RFC 9112 section 7.1: a chunk a record */
	CARRIER_PLAIN,		   /* as it is, ended by the connection */
	CARRIER_WEBSOCKET_DEFLATE, /* RFC 7692: compressed, for lines only */
	CARRIER_EVENTS_CHUNKED,	   /* HTML: an event a chunk */
	CARRIER_EVENTS_PLAIN,	   /* an event a record, as it is */
	CARRIER_COUNT,
};

#define FORMAT_EXIT_ID "exit" /* instead of SEQ */

/* For encoder_append_hint(): a comment; milliseconds to wait at a break. */
#define FORMAT_COMMENT ":\n"
#define FORMAT_RETRY "retry: 2000\n"

static inline bool
carrier_is_chunked(enum carrier carrier)
{
	return carrier == CARRIER_CHUNKED || carrier == CARRIER_EVENTS_CHUNKED;
}

static inline bool
carrier_has_events(enum carrier carrier)
{
	return carrier == CARRIER_EVENTS_CHUNKED ||
	    carrier == CARRIER_EVENTS_PLAIN;
}

/* Whether more than lines and gaps are told. */
static inline bool
format_tells_all(enum format format, enum carrier carrier)
{
	return format == FORMAT_JSON || carrier_has_events(carrier);
}

/* Why records are missing. */
enum gap_reason {
	GAP_EVICTED, /* older than the history */
	GAP_SLOW,    /* the client fell too far behind */
	GAP_REASONS,
};

struct start_info {
	const char *run;	    /* run id */
	const char *const *command; /* NULL-terminated; may be empty */
	const char *title;
	int64_t time_us; /* when the run began */
	long pid;	 /* 0: none, written as null */
	uint64_t first;	 /* first record this client will get */
	uint64_t last;	 /* newest record now */
	bool resumed;
	bool writable; /* it may write to the command; told only if so */
};

struct exit_info {
	int code;
	int signal; /* 0: none; then code holds, else signal */
	double seconds;
	uint64_t last;
	bool timed_out;
};

/* The text of a record that is a restart. */
struct restart_info {
	char run[RUN_ID_SIZE]; /* of the run that is to come */
	bool timed_out;
	bool unfinished; /* no newline is before it */
	int code;
	int signal; /* as in struct exit_info */
	double seconds;
	double delay; /* seconds until then */
	uint64_t count;
};

/* Turns records into bytes; holds what it needs for that. */
struct encoder;

struct encoder *encoder_new(void);
/* The runs that ids are of; borrowed, outlive the encoder. */
void encoder_set_runs(struct encoder *e, const struct runs *runs);
/* What becomes of lines in text and raw; at first SANITIZE_NONE. */
void encoder_set_sanitize(struct encoder *e, enum sanitize level);
/* Whether text is lines as they are, if they are UTF-8. */
bool encoder_keeps_lines(const struct encoder *e);
void encoder_free(struct encoder *e);

/* Bytes that were compressed since it was made or last asked. */
uint64_t encoder_take_deflated(struct encoder *e);

/*
 * Each appends one record to out.  Formats that cannot carry it append
 * nothing: without events text carries lines, restarts and gaps, raw carries
 * lines.  Text that is not valid UTF-8 is repaired, but for raw.  A failure is
 * out->failed.
 */
/* A record of the journal: a line or a restart. */
void encoder_append_line(struct encoder *e, struct buffer *out,
    enum format format, enum carrier carrier, const struct record *r);
/*
 * Appends the same as a compressed message of a stream of those.  If that fails,
 * out is as it was but for out->failed, and d has to be reset.
 */
void encoder_append_deflated(struct encoder *e, struct deflater *d,
    struct buffer *out, enum format format, const struct record *r);
/*
 * Lines in json in one message: each is added to those before, and together
 * they are appended, with a newline between two of them, compressed if there is
 * a d.  Nothing else may be appended in between.  encoder_add_line() returns
 * the bytes of payload there are so far; without any nothing is appended.
 */
size_t encoder_add_line(struct encoder *e, const struct record *r);
void encoder_append_added(struct encoder *e, struct deflater *d,
    struct buffer *out);
/* A line so far: with "partial":true and the seq it will have. */
void encoder_append_partial(struct encoder *e, struct buffer *out,
    enum format format, enum carrier carrier, const struct record *r);
void encoder_append_start(struct encoder *e, struct buffer *out,
    enum format format, enum carrier carrier, const struct start_info *info);
void encoder_append_gap(struct encoder *e, struct buffer *out,
    enum format format, enum carrier carrier, uint64_t first, uint64_t last,
    enum gap_reason reason);
void encoder_append_clients(struct encoder *e, struct buffer *out,
    enum format format, enum carrier carrier, size_t count);
void encoder_append_exit(struct encoder *e, struct buffer *out,
    enum format format, enum carrier carrier, const struct exit_info *info);
/* Between two events: a line of the event stream that is none of an event. */
void encoder_append_hint(struct buffer *out, enum carrier carrier,
    const char *hint);

#endif
