/* SPDX-License-Identifier: ISC */

/*
 * What a client sends after its handshake, given whole, in portions, and to
 * one who holds messages back: the events are the same.  The first byte of the
 * input says how much a message may have, and whether compression was agreed
 * on.
 */

#include "core/utf8.h"
#include "core/websocket.h"
#include "fuzz.h"

struct recorder {
	struct buffer events;
	size_t max_message;
	bool holds; /* the next message is to wait */
	bool ended;
};

static void
check_message(const struct websocket_message *m, size_t max_message)
{
	CHECK(m->opcode == WEBSOCKET_TEXT || m->opcode == WEBSOCKET_BINARY);
	CHECK(m->size <= max_message);
	CHECK(m->opcode == WEBSOCKET_BINARY ||
	    utf8_is_valid(m->payload, m->size));
}

static void
check_end(const struct websocket_message *m)
{
	CHECK(m->code >= 1000 && m->code <= 4999);
	if (m->event == WEBSOCKET_EVENT_ERROR)
		CHECK(m->reason != NULL && m->size == 0);
	else
		CHECK(m->size <= 123 && utf8_is_valid(m->payload, m->size));
}

static enum websocket_answer
record_cb(void *arg, const struct websocket_message *m)
{
	struct recorder *r = arg;

	CHECK(!r->ended);
	switch (m->event) {
	case WEBSOCKET_EVENT_MESSAGE:
		check_message(m, r->max_message);
		r->holds = !r->holds;
		if (!r->holds)
			break;
		return WEBSOCKET_HOLD;
	case WEBSOCKET_EVENT_PING:
	case WEBSOCKET_EVENT_PONG:
		CHECK(m->size <= 125);
		break;
	case WEBSOCKET_EVENT_CLOSE:
	case WEBSOCKET_EVENT_ERROR:
		check_end(m);
		r->ended = true;
		break;
	}
	buffer_append_format(&r->events, "%d %d %u %zu %s\n", (int)m->event,
	    m->event == WEBSOCKET_EVENT_MESSAGE ? (int)m->opcode : 0, m->code,
	    m->size, m->reason != NULL ? m->reason : "");
	buffer_append(&r->events, m->payload, m->size);
	return WEBSOCKET_GO_ON;
}

/* Never holds anything. */
static enum websocket_answer
record_at_once_cb(void *arg, const struct websocket_message *m)
{
	struct recorder *r = arg;

	r->holds = true;
	return record_cb(arg, m);
}

/* Returns how many frames there were. */
static unsigned int
receive(struct recorder *r, const uint8_t *data, size_t size, bool deflates,
    bool in_portions, websocket_message_cb *cb)
{
	struct portions p = portions_of(data, size);
	struct websocket_input *in = websocket_input_new(r->max_message);
	unsigned int frames;
	bool goes_on = true;
	size_t n;

	CHECK(in != NULL);
	for (; goes_on && size > 0; data += n, size -= n) {
		n = in_portions ? portions_next(&p, size) : size;
		goes_on = websocket_input_write(in, data, n, deflates, cb, r);
		/* Some are held longer than to the next portion. */
		while (goes_on && websocket_input_is_held(in) &&
		    (n == size || portions_choose(&p, 2) == 0))
			goes_on = websocket_input_resume(in, deflates, cb, r);
	}
	CHECK(goes_on != r->ended);
	frames = websocket_input_take_frames(in);
	websocket_input_free(in);
	return frames;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recorder whole = { .events = BUFFER_INIT };
	struct recorder parts = whole, held = whole;
	unsigned int frames;
	bool deflates;

	if (size == 0)
		return 0;
	deflates = (data[0] & 1) != 0;
	whole.max_message = (size_t)(data[0] >> 1) * 8;
	parts.max_message = held.max_message = whole.max_message;
	data++;
	size--;
	frames =
	    receive(&whole, data, size, deflates, false, record_at_once_cb);
	CHECK(receive(&parts, data, size, deflates, true, record_at_once_cb) ==
	    frames);
	CHECK(receive(&held, data, size, deflates, true, record_cb) == frames);
	CHECK(buffers_are_equal(&whole.events, &parts.events));
	CHECK(buffers_are_equal(&whole.events, &held.events));
	buffer_clear(&whole.events);
	buffer_clear(&parts.events);
	buffer_clear(&held.events);
	return 0;
}
