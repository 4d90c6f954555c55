/* SPDX-License-Identifier: ISC */

/*
 * Which feed a subscriber reads.  With compression agreed on that is the
 * compressed one, from the next epoch on: until then, after each gap or record
 * for it alone, and while more is compressed than the server has time for, it
 * is the plain one, which is always allowed (RFC 7692 section 6).
 */

#include "net/connection.h"
#include "net/server.h"
#include "net/subscriber.h"

static enum carrier
subscriber_feed_carrier(const struct subscriber *s)
{
	return s->deflated ? CARRIER_WEBSOCKET_DEFLATE : s->carrier;
}

struct feed *
subscriber_feed(const struct subscriber *s)
{
	return s->connection->server
	    ->feeds[s->format][subscriber_feed_carrier(s)][s->streams];
}

bool
subscriber_enter(struct subscriber *s, uint64_t seq)
{
	uint64_t stop = s->cursor.stop;
	struct feed *feed = server_feed(s->connection->server, s->format,
	    subscriber_feed_carrier(s), s->streams);

	if (feed == NULL)
		return false;
	feed_seek(feed, &s->cursor, seq);
	s->cursor.stop = stop;
	return true;
}

/* Without memory for another feed it stays where it is. */
static bool
subscriber_move(struct subscriber *s, bool deflated, uint64_t seq)
{
	enum carrier carrier =
	    deflated ? CARRIER_WEBSOCKET_DEFLATE : s->carrier;

	if (server_feed(s->connection->server, s->format, carrier,
		s->streams) == NULL)
		return false;
	feed_leave(subscriber_feed(s), &s->cursor);
	s->deflated = deflated;
	return subscriber_enter(s, seq);
}

bool
subscriber_seek(struct subscriber *s, uint64_t seq)
{
	return subscriber_move(s, false, seq);
}

/* Whether it shall go on with compressed records; until it can, *n ends there. */
static bool
subscriber_may_begin_epoch(const struct subscriber *s, size_t *n)
{
	size_t plain = feed_to_epoch(&s->cursor);

	if (plain > 0 && plain < *n)
		*n = plain;
	return plain == 0 && server_may_deflate(s->connection->server);
}

enum feed_result
subscriber_peek(struct subscriber *s, const uint8_t **bytes, size_t *n)
{
	enum feed_result result;

	if (s->deflated && feed_rest(&s->cursor) == 0 &&
	    !server_may_deflate(s->connection->server))
		(void)subscriber_seek(s, feed_next(&s->cursor));
	result = feed_peek(subscriber_feed(s), &s->cursor, bytes, n);
	if (result != FEED_BYTES || !s->deflates || s->deflated ||
	    !subscriber_may_begin_epoch(s, n))
		return result;
	if (!subscriber_move(s, true, feed_next(&s->cursor)))
		return result;
	return feed_peek(subscriber_feed(s), &s->cursor, bytes, n);
}
