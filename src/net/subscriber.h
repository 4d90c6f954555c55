/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_SUBSCRIBER_H
#define WSEXEC_SUBSCRIBER_H

/*
 * A subscriber: a client that gets output.  It owns a cursor in a feed, never
 * a copy of a line, and a small buffer for what concerns only itself: control
 * frames and the records start, gap, clients and exit.  Those go between two
 * messages, never inside one.
 *
 * The state is the list: ready, waiting, or neither, when the socket is full.
 */

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/feed.h"
#include "core/format.h"
#include "core/query.h"
#include "core/status.h"
#include "net/watcher.h"

struct connection;
struct gzip;
struct websocket_input;
struct wsexec_server;

/* Bytes it gets in one go; to compress as many would take far longer. */
#define SUBSCRIBER_SEND_MAX 98304
#define SUBSCRIBER_GZIP_MAX 4096

/* Bytes of records for it alone, after which they go out first. */
#define SUBSCRIBER_ALONE_BYTES 4096

#define SUBSCRIBER_MESSAGE_MAX 4096 /* bytes of a client's message */
#define SUBSCRIBER_PINGS_MAX 2 /* without an answer before it is given up */
#define SUBSCRIBER_ANSWERS_MAX 1024 /* bytes untaken: not listened to */
/* Frames a second that are no message for the command, which sets its pace. */
#define SUBSCRIBER_FRAMES_RATE 20
#define SUBSCRIBER_FRAMES_BURST 60

enum subscriber_list_name {
	SUBSCRIBER_BLOCKED, /* the socket is full: on no list */
	SUBSCRIBER_READY,
	SUBSCRIBER_WAITING,
};

/* What is due to be put into the buffer when it is next empty. */
enum subscriber_due {
	SUBSCRIBER_DUE_START = 1 << 0,
	SUBSCRIBER_DUE_CLIENTS = 1 << 1,
	SUBSCRIBER_DUE_STDOUT = 1 << 2, /* the unfinished line */
	SUBSCRIBER_DUE_STDERR = 1 << 3,
	SUBSCRIBER_DUE_PING = 1 << 4,
	SUBSCRIBER_DUE_RUN = 1 << 5, /* the start of another one, at its place:
				      * cursor.stop is the record before it */
};

/* Those of them that are for who has got all lines. */
#define SUBSCRIBER_DUE_PARTIAL (SUBSCRIBER_DUE_STDOUT | SUBSCRIBER_DUE_STDERR)

struct subscriber {
	union {
		struct cursor cursor; /* first: feeds hand it back */
		struct watch watch;   /* where it watches */
	};
	TAILQ_ENTRY(subscriber) queue; /* in the server's ready or waiting */
	struct connection *connection; /* borrowed: has the subscriber in it */
	struct websocket_input *input; /* owned while half a frame is in it */
	struct gzip *gzip;	       /* owned; NULL: it is not compressed */
	struct buffer out;	       /* for this client alone */
	uint64_t gap_first;	       /* 0: no gap to be told of */
	uint64_t gap_last;
	int64_t blocked_us;  /* since when the socket takes nothing; or 0 */
	int64_t behind_us;   /* since when input waits for it; or 0 */
	int64_t pinged_us;   /* when a ping was last due; events: a send */
	uint64_t sent_bytes; /* since it became a stream */
	uint32_t out_sent;   /* bytes of out that are gone */
	uint32_t id;	     /* counted from 1 */
	uint32_t since_s;    /* when it came, since 1970 */
	uint32_t gaps;	     /* it was told of */
	/* raw: bytes of each stream's unfinished line that are sent */
	uint32_t ahead[STREAM_COUNT];
	uint8_t format;	     /* enum format */
	uint8_t carrier;     /* enum carrier */
	uint8_t streams;     /* 1 << enum stream */
	uint8_t due;	     /* enum subscriber_due */
	uint8_t frames_left; /* before it counts as a flood */
	/* Bits, as there are many clients. */
	uint8_t list : 2;	 /* enum subscriber_list_name */
	uint8_t gap_reason : 1;	 /* enum gap_reason */
	uint8_t ending : 3;	 /* enum status_ending, once it ends */
	uint8_t pings : 2;	 /* sent since the peer gave a sign of life */
	bool watches : 1;	 /* gets the status, and no output */
	bool resumed : 1;	 /* got exactly what it asked for */
	bool deflates : 1;	 /* a WebSocket, EXTENSION_DEFLATE agreed on */
	bool deflated : 1;	 /* its feed is compressed */
	bool replaying : 1;	 /* not yet been within --client-buffer */
	bool closing : 1;	 /* no more records */
	bool deaf : 1;		 /* what it sends is not read any more */
	bool close_received : 1; /* the peer's close frame is here */
	bool writable : 1;	 /* what it sends is for the command */
	bool held : 1;		 /* it is in holds: a message of it waits */
};

/*
 * What a connection will be sent (carrier plain) goes out compressed, in chunks
 * if chunked.  To be called before subscriber_open().  False: out of memory.
 */
bool subscriber_compress(struct connection *c, bool chunked);

/* Makes a connection a stream, as its query asks.  False: out of memory. */
bool subscriber_open(struct connection *c, const struct query *q,
    enum format format, enum carrier carrier);

/* Makes a connection a stream that gets the status; see net/watcher.h. */
void subscriber_open_watcher(struct connection *c);

/*
 * The first record that a client gets who asks this way now.  wanted: the
 * first it should get; those in between are gone.
 */
uint64_t subscriber_find_first(const struct wsexec_server *server,
    const struct query *q, uint64_t *wanted);

/*
 * Whether a client that asks this way has got all of a run, the exit record
 * too, so that it need not come again.
 */
bool subscriber_has_all(const struct wsexec_server *server,
    const struct query *q);

/* Where the head of its answer goes, before the loop goes on. */
struct buffer *subscriber_head(struct subscriber *s);

/* The connection is closed: takes it out of all lists and counts. */
void subscriber_leave(struct subscriber *s);
/* Frees what it owns; also of one that was never opened. */
void subscriber_clear(struct subscriber *s);

/* Takes n bytes that a client sent. */
void subscriber_read(struct subscriber *s, const void *bytes, size_t n);

/* Whether what it sends is read: not while a message of it or answers wait. */
void subscriber_judge_reading(struct subscriber *s);

/* Offers the messages that are held again, in the order they have waited in. */
void subscriber_resume_inputs(struct wsexec_server *server);
/* Drops the message of it that is held: either it goes, or all it sends does. */
void subscriber_forget_held(struct subscriber *s);

/*
 * Serves a subscriber from the ready list: sends what there is, at most
 * SUBSCRIBER_SEND_MAX bytes, and puts it on the list where it belongs then.
 */
void subscriber_serve(struct subscriber *s);

/* Puts it on a list, or takes it off all lists. */
void subscriber_make_ready(struct subscriber *s);
void subscriber_wait(struct subscriber *s);
void subscriber_unlist(struct subscriber *s);

/* The feed it reads. */
struct feed *subscriber_feed(const struct subscriber *s);
/* Begins to read with record seq; and goes on there.  False: out of memory. */
bool subscriber_enter(struct subscriber *s, uint64_t seq);
bool subscriber_seek(struct subscriber *s, uint64_t seq);
/* The next bytes for it; see feed_peek(). */
enum feed_result subscriber_peek(struct subscriber *s, const uint8_t **bytes,
    size_t *n);

/* What an event stream begins with, behind the head. */
void subscriber_greet(struct subscriber *s);

/* The run whose start is due has ended; the next one has a start as well. */
void subscriber_forget_run(struct subscriber *s);

/* Sees to it that it is told what is due, if its format can. */
void subscriber_tell(struct subscriber *s, unsigned int due);

/* It is about to be told of the gap that is noted. */
void subscriber_count_gap(struct subscriber *s);

/* Records from first to last are not for this client: it is told in time. */
void subscriber_note_gap(struct subscriber *s, uint64_t first, uint64_t last,
    enum gap_reason reason);

/* It is further behind than it may be: what --slow says happens. */
void subscriber_fall_behind(struct subscriber *s);

/* Ends its stream after the message it is in; reason for peer and log. */
void subscriber_end(struct subscriber *s, unsigned int code,
    const char *reason);

/* Ends it at once; reason for the log. */
void subscriber_close(struct subscriber *s, enum status_ending ending,
    const char *reason);

/* What is due by the clock: pings, limits, policies. */
void subscriber_tick(struct subscriber *s);

/* Bytes it is behind; UINT64_MAX: what it needs is gone. */
uint64_t subscriber_lag(const struct subscriber *s);

/*
 * Whether it is no further behind than limit bytes.  Who is getting what was
 * there when it came, which may be any amount, is not yet held to that.
 */
bool subscriber_is_within(struct subscriber *s, uint64_t limit);

/* The rest of a message whose block goes; see feed.h. */
void subscriber_keep_rest(struct cursor *c, const uint8_t *rest, size_t n);

#endif
