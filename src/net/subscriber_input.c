/* SPDX-License-Identifier: ISC */

/*
 * What a subscriber sends.  Clients only watch: their messages are checked
 * and dropped, their control frames are answered.
 */

#include "core/websocket.h"
#include "net/connection.h"
#include "net/server.h"
#include "net/subscriber.h"

static bool
subscriber_message_cb(void *arg, const struct websocket_message *message)
{
	struct subscriber *s = arg;

	s->pings = 0;
	switch (message->event) {
	case WEBSOCKET_EVENT_MESSAGE: /* clients only watch */
	case WEBSOCKET_EVENT_PONG:
		return true;
	case WEBSOCKET_EVENT_PING:
		if (s->closing)
			return true;
		websocket_append_frame(&s->out, WEBSOCKET_PONG,
		    message->payload, message->size);
		subscriber_make_ready(s);
		return true;
	case WEBSOCKET_EVENT_CLOSE:
		s->close_received = true;
		subscriber_end(s, message->code, "");
		break;
	case WEBSOCKET_EVENT_ERROR:
		s->deaf = true;
		subscriber_end(s, message->code, message->reason);
		break;
	}
	subscriber_make_ready(s);
	return false;
}

static void
subscriber_count_frames(struct subscriber *s, unsigned int frames)
{
	if (frames <= s->frames_left) {
		s->frames_left -= (uint8_t)frames;
		return;
	}
	s->frames_left = 0;
	s->deaf = true;
	subscriber_end(s, WEBSOCKET_POLICY, "too many frames");
	subscriber_make_ready(s);
}

void
subscriber_read(struct subscriber *s, const void *bytes, size_t n)
{
	struct wsexec_server *server = s->connection->server;
	struct websocket_input *in = s->input;
	bool alive;

	if (s->carrier != CARRIER_WEBSOCKET || s->close_received || s->deaf)
		return; /* there is nothing to say any more */
	if (in == NULL) {
		in = server->input;
		server->input = NULL;
	}
	if (in == NULL &&
	    (in = websocket_input_new(SUBSCRIBER_MESSAGE_MAX)) == NULL) {
		connection_close(s->connection, "out of memory");
		return;
	}
	alive = websocket_input_write(in, bytes, n, s->deflates,
	    subscriber_message_cb, s);
	subscriber_count_frames(s, websocket_input_take_frames(in));
	s->input = NULL;
	if (!alive || (server->input != NULL && websocket_input_is_idle(in)))
		websocket_input_free(in);
	else if (websocket_input_is_idle(in))
		server->input = in;
	else
		s->input = in;
}
