/* SPDX-License-Identifier: ISC */

#include <event2/event.h>

#include "core/journal.h"
#include "core/splitter.h"
#include "net/partial.h"
#include "net/server.h"
#include "net/subscriber.h"
#include "net/turn.h"

static const unsigned int partial_due[STREAM_COUNT] = {
	[STREAM_STDOUT] = SUBSCRIBER_DUE_STDOUT,
	[STREAM_STDERR] = SUBSCRIBER_DUE_STDERR,
};

/* Whether a stream has an unfinished line that is not told as it is now. */
static bool
partial_is_untold(const struct wsexec_server *s, enum stream stream)
{
	const struct partial *p = &s->partials[stream];
	size_t size;

	(void)splitter_pending(s->splitters[stream], &size);
	return size != 0 &&
	    (size != p->told_size || journal_last(s->journal) != p->told_last);
}

static void
partial_tell(struct wsexec_server *s, enum stream stream)
{
	struct partial *p = &s->partials[stream];

	(void)splitter_pending(s->splitters[stream], &p->told_size);
	p->told_last = journal_last(s->journal);
	turn_tell_all(s, partial_due[stream]);
}

void
partial_note(struct wsexec_server *s)
{
	static const struct timeval wait = { .tv_usec = PARTIAL_WAIT_US };
	enum stream stream;

	if (s->partial_is_due ||
	    !(partial_is_untold(s, STREAM_STDOUT) ||
		partial_is_untold(s, STREAM_STDERR)))
		return;
	for (stream = 0; stream < STREAM_COUNT; stream++)
		s->partials[stream].noted_lines = s->partials[stream].lines;
	s->partial_is_due = evtimer_add(&s->partial_event, &wait) == 0;
}

void
partial_cb(evutil_socket_t fd, short what, void *arg)
{
	struct wsexec_server *s = arg;
	enum stream stream;

	(void)fd;
	(void)what;
	s->partial_is_due = false;
	(void)server_now(s);
	for (stream = 0; stream < STREAM_COUNT; stream++) {
		/* If it is a younger one it has not waited for long enough. */
		if (s->partials[stream].noted_lines ==
			s->partials[stream].lines &&
		    partial_is_untold(s, stream))
			partial_tell(s, stream);
	}
	partial_note(s);
}
