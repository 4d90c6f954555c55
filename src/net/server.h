/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_SERVER_H
#define WSEXEC_SERVER_H

/*
 * What the modules of net/ know of the server: the owner of everything.
 *
 *	wsexec_server owns  journal, encoder, splitters
 *	                    feeds (one per format, carrier and streams)
 *	                    listeners
 *	                    connections, each of which owns
 *	                        an exchange (while it speaks HTTP) or
 *	                        a subscriber (while it gets output)
 *	                    the newest document of /status
 *
 * Callbacks note facts and mark subscribers ready; the turn, in server.c,
 * does all work that touches more than one of them.
 */

#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "core/format.h"
#include "core/http.h"
#include "core/runs.h"
#include "core/status.h"
#include "net/settings.h"
#include "wsexec.h"

struct checker;
struct connection;
struct document;
struct hold;
struct listener;
struct peers;
struct query;
struct subscriber;
struct tls;

TAILQ_HEAD(connection_list, connection);
TAILQ_HEAD(subscriber_list, subscriber);
TAILQ_HEAD(listener_list, listener);
TAILQ_HEAD(hold_list, hold);

#define SERVER_STREAMS_MAX 4 /* sets of streams a feed can be for */
#define SERVER_GZIP_MAX 64   /* downloads compressed at the same time */
#define TICKS_A_SECOND 4     /* how often deadlines are looked at */

/*
 * Bytes of output compressed a second, some 15 % of a core's time.  What is
 * more than that is sent as it is: no compression holds up the command, and
 * whoever can take so much has no need of it.
 */
#define SERVER_DEFLATE_RATE (8 * 1024 * 1024)

/* What is known of the unfinished line of a stream; see net/partial.h. */
struct partial {
	uint64_t lines;	      /* finished so far */
	uint64_t noted_lines; /* when the timer began */
	uint64_t told_last;   /* the last record when it was last told */
	size_t told_size;     /* bytes of it that were told */
};

struct wsexec_server {
	struct event_base *base; /* borrowed: outlives the server */
	struct settings settings;
	struct journal *journal;
	struct splitter *splitters[STREAM_COUNT];
	struct encoder *encoder;
	struct feed *feeds[FORMAT_COUNT][CARRIER_COUNT][SERVER_STREAMS_MAX];
	struct websocket_input *input; /* owned: lent while idle, or NULL */

	struct tls *tls;	 /* owned; NULL: sockets speak none */
	struct checker *checker; /* owned; NULL: no file has users */

	struct peers *peers; /* owned: addresses that clients come from */
	struct listener_list listeners;
	struct connection_list pending; /* speak HTTP; oldest first */
	struct connection_list streams; /* have a subscriber */
	struct connection_list dead;	/* to be freed by the turn */
	size_t pending_count;
	size_t connection_count; /* of pending and streams */
	size_t subscriber_count; /* those who get output */
	size_t watcher_count;	 /* those who get the status */
	size_t gzip_count;	 /* those of them who get it compressed */
	size_t made_bytes;	 /* of bodies that were made to be sent */

	struct subscriber_list ready;	/* the turn is to serve them */
	size_t ready_count;		/* how many those are */
	struct subscriber_list waiting; /* nothing to send until news come */

	struct hold_list holds; /* whose message waits; longest first */
	bool input_is_full;	/* on_input has not taken one */

	struct event turn_event; /* work for the turn */
	struct event tick_event; /* deadlines, TICKS_A_SECOND */
	bool turn_is_due;

	struct runs runs;
	int64_t start_us;   /* when the run began, since 1970; 0: not yet, but
			     * after a restart when that was told */
	int64_t began_us;   /* when that was, monotonic */
	bool is_restarting; /* the next run has not begun */
	int64_t written_us; /* when output last came, since 1970 */
	long pid;	    /* 0: none, or between two runs */
	bool unfinished[STREAM_COUNT]; /* no newline came behind the output */
	bool ended;
	struct wsexec_end end; /* how, once it has ended */
	bool stopped;	       /* no more clients are taken */
	bool drained_is_told;

	uint64_t news_bytes;   /* written since the last sweep began */
	bool news;	       /* whether anything is new since then */
	int64_t sweep_us;      /* when it began */
	int64_t sweep_cost_us; /* work it took to reach everybody */
	size_t sweep_left;     /* how many it has not reached yet */
	int64_t deflate_left;  /* bytes to compress until the next tick */
	bool paused;	       /* input is held back for slow clients */
	struct connection *paused_for; /* one of those, or NULL */
	uint64_t judged_until; /* bytes written, up to which nobody is slow */
	bool clients_changed;  /* their number, since it was last told */
	int64_t progress_us;   /* when a client last took a byte */
	int64_t now_us;	       /* monotonic, as of this callback */
	int64_t date_s;	       /* what date is for, since 1970 */
	char date[HTTP_DATE_MAX];

	struct event partial_event; /* to tell of unfinished lines */
	bool partial_is_due;	    /* it will come */
	struct partial partials[STREAM_COUNT];

	struct status_counters counters;
	struct event status_event; /* to make the next document */
	struct document *document; /* held while there are watchers, or NULL */
	int64_t document_us;	   /* when it was made */
	int64_t document_cost_us;  /* how long that took */
	bool status_changed;	   /* since then */
};

/* Updates and returns now_us. */
int64_t server_now(struct wsexec_server *s);

/* Seconds since 1970. */
double server_time(void);

/* The date and time, as answers have them. */
const char *server_date(struct wsexec_server *s);

/* Sees to it that the turn runs after the callbacks of this iteration. */
void server_need_turn(struct wsexec_server *s);

/* Frees the connections that were closed. */
void server_reap(struct wsexec_server *s);

/* Whether it only waits for its last clients to leave. */
bool server_is_leaving(const struct wsexec_server *s);

/* Tells the owner of the server. */
void server_tell(struct wsexec_server *s, enum wsexec_event event);

/* The feed for a format, carrier and set of streams; NULL: out of memory. */
struct feed *server_feed(struct wsexec_server *s, enum format format,
    enum carrier carrier, unsigned int streams);

/* Bytes of encoded blocks in all feeds. */
uint64_t server_feed_bytes(const struct wsexec_server *s);

/* Whether one more may come to so many of its kind. */
bool server_has_room(const struct wsexec_server *s, size_t count);

/* A request is answered with this status. */
void server_count_answer(struct wsexec_server *s, int status);

/* Whether there is time to compress some more before the next tick. */
bool server_may_deflate(struct wsexec_server *s);

/* The oldest record a late joiner may get. */
uint64_t server_history_first(const struct wsexec_server *s);

/* Logs a line; level 0 is a warning, 1 is verbose. */
void server_log(struct wsexec_server *s, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
