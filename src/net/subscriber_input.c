/* SPDX-License-Identifier: ISC */

/*
 * What a subscriber sends.  Control frames are answered.  Messages of those
 * who may write go to the command, one after the other; of all others they
 * are checked and dropped.
 *
 * While the command takes none, whoever sends one is held: the message and
 * what was read behind it wait, and the socket is not read.  Those who send
 * nothing notice nothing.  There is nobody held unless input_is_full, or the
 * command is yet to start.
 */

#include <stdlib.h>
#include <string.h>

#include "core/websocket.h"
#include "net/connection.h"
#include "net/server.h"
#include "net/subscriber.h"

struct hold {
	TAILQ_ENTRY(hold) link;
	struct subscriber *subscriber; /* borrowed: forgets it when it leaves */
};

/* Some bytes of a client that are taken apart. */
struct reading {
	struct subscriber *subscriber;
	unsigned int messages; /* for the command, that were begun */
	bool again;	       /* the next message was offered before */
};

/* What is sent before it starts, also for another run, waits. */
static bool
subscriber_command_runs(const struct wsexec_server *server)
{
	return server->start_us != 0 && !server->is_restarting;
}

/* A line, or the bytes of a binary message. */
static bool
subscriber_pass_on(struct wsexec_server *server,
    const struct websocket_message *message)
{
	uint8_t bytes[SUBSCRIBER_MESSAGE_MAX + 1];
	size_t n = message->size;

	memcpy(bytes, message->payload, n);
	if (message->opcode == WEBSOCKET_TEXT &&
	    (n == 0 || bytes[n - 1] != '\n'))
		bytes[n++] = '\n';
	return n == 0 ||
	    server->settings.on_input(bytes, n, server->settings.arg);
}

static enum websocket_answer
subscriber_offer(struct reading *r, const struct websocket_message *message)
{
	struct subscriber *s = r->subscriber;
	struct wsexec_server *server = s->connection->server;
	bool again = r->again;

	r->again = false;
	if (!s->writable)
		return WEBSOCKET_GO_ON;
	/* Without a byte for the command it is one of too many frames. */
	if (!again && (message->opcode == WEBSOCKET_TEXT || message->size > 0))
		r->messages++;
	if (s->closing || server->ended)
		return WEBSOCKET_GO_ON;
	if (!subscriber_command_runs(server) || server->input_is_full)
		return WEBSOCKET_HOLD;
	if (subscriber_pass_on(server, message))
		return WEBSOCKET_GO_ON;
	server->input_is_full = true;
	return WEBSOCKET_HOLD;
}

static enum websocket_answer
subscriber_message_cb(void *arg, const struct websocket_message *message)
{
	struct reading *r = arg;
	struct subscriber *s = r->subscriber;

	s->pings = 0;
	switch (message->event) {
	case WEBSOCKET_EVENT_MESSAGE:
		return subscriber_offer(r, message);
	case WEBSOCKET_EVENT_PONG:
		return WEBSOCKET_GO_ON;
	case WEBSOCKET_EVENT_PING:
		if (s->closing)
			return WEBSOCKET_GO_ON;
		websocket_append_frame(&s->out, WEBSOCKET_PONG,
		    message->payload, message->size);
		subscriber_make_ready(s);
		return WEBSOCKET_GO_ON;
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
	return WEBSOCKET_STOP;
}

static void
subscriber_count_frames(struct subscriber *s, unsigned int frames,
    unsigned int messages)
{
	unsigned int allowed = s->frames_left + messages;

	if (frames <= allowed) {
		allowed -= frames;
		s->frames_left = allowed < SUBSCRIBER_FRAMES_BURST ?
		    (uint8_t)allowed :
		    SUBSCRIBER_FRAMES_BURST;
		return;
	}
	s->frames_left = 0;
	s->deaf = true;
	subscriber_end(s, WEBSOCKET_POLICY, "too many frames");
	subscriber_make_ready(s);
}

void
subscriber_judge_reading(struct subscriber *s)
{
	/* Who does not take its answers is not listened to until it does. */
	connection_want_read(s->connection,
	    !s->held && s->out.size - s->out_sent <= SUBSCRIBER_ANSWERS_MAX);
}

static void
subscriber_hold(struct subscriber *s)
{
	struct hold *h;

	if ((h = malloc(sizeof(*h))) == NULL) {
		connection_close(s->connection, "out of memory");
		return;
	}
	h->subscriber = s;
	TAILQ_INSERT_TAIL(&s->connection->server->holds, h, link);
	s->held = true;
}

static void
subscriber_let_go(struct subscriber *s)
{
	struct hold_list *holds = &s->connection->server->holds;
	struct hold *h;

	TAILQ_FOREACH(h, holds, link) {
		if (h->subscriber == s)
			break;
	}
	if (h != NULL)
		TAILQ_REMOVE(holds, h, link);
	free(h);
	s->held = false;
}

/* Puts an input, which has been written to, where it belongs then. */
static void
subscriber_end_reading(struct reading *r, struct websocket_input *in,
    bool alive)
{
	struct subscriber *s = r->subscriber;
	struct wsexec_server *server = s->connection->server;

	subscriber_count_frames(s, websocket_input_take_frames(in),
	    r->messages);
	s->input = NULL;
	if (!alive || s->deaf ||
	    (server->input != NULL && websocket_input_is_idle(in)))
		websocket_input_free(in);
	else if (websocket_input_is_idle(in))
		server->input = in;
	else
		s->input = in;
	if (s->input != NULL && websocket_input_is_held(in))
		subscriber_hold(s);
	subscriber_judge_reading(s);
}

void
subscriber_read(struct subscriber *s, const void *bytes, size_t n)
{
	struct wsexec_server *server = s->connection->server;
	struct websocket_input *in = s->input;
	struct reading r = { .subscriber = s };
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
	    subscriber_message_cb, &r);
	subscriber_end_reading(&r, in, alive);
}

static void
subscriber_resume_input(struct subscriber *s)
{
	struct websocket_input *in = s->input;
	struct reading r = { .subscriber = s, .again = true };
	bool alive;

	subscriber_let_go(s);
	s->input = NULL;
	alive =
	    websocket_input_resume(in, s->deflates, subscriber_message_cb, &r);
	subscriber_end_reading(&r, in, alive);
}

void
subscriber_resume_inputs(struct wsexec_server *server)
{
	struct hold *h;

	server->input_is_full = false;
	if (!subscriber_command_runs(server) && !server->ended)
		return;
	while (
	    !server->input_is_full && (h = TAILQ_FIRST(&server->holds)) != NULL)
		subscriber_resume_input(h->subscriber);
}

void
subscriber_forget_held(struct subscriber *s)
{
	if (!s->held)
		return;
	if (s->connection->state == CONNECTION_DEAD)
		subscriber_let_go(s);
	else
		subscriber_resume_input(s);
}
