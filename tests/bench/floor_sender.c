/* SPDX-License-Identifier: ISC */

#include <sys/epoll.h>
#include <sys/socket.h>

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "floor_sender.h"

static void
sender_adopt(struct floor_sender *s, struct floor_client *c)
{
	size_t capacity = s->capacity == 0 ? 64 : 2 * s->capacity;

	if (s->count == s->capacity) {
		s->clients = reallocarray(s->clients, capacity,
		    sizeof(struct floor_client *));
		if (s->clients == NULL)
			err(1, NULL);
		s->capacity = capacity;
	}
	c->sender = s;
	/* Not the head: only what is after at is sure to be there still. */
	c->at = s->at;
	c->index = s->count;
	s->clients[s->count++] = c;
}

static void
client_free(struct floor_client *c)
{
	(void)close(c->fd);
	free(c->request);
	free(c);
}

static void
sender_drop(struct floor_sender *s, struct floor_client *c)
{
	s->clients[c->index] = s->clients[--s->count];
	s->clients[c->index]->index = c->index;
	client_free(c);
}

/* After a short send the loop will tell when there is room again. */
static void
sender_push(struct floor_sender *s, struct floor_client *c)
{
	size_t wanted = (size_t)(s->at - c->at);
	ssize_t n = send(c->fd, floor_ring_at(s->ring, c->at), wanted,
	    MSG_NOSIGNAL | MSG_DONTWAIT);

	s->sends++;
	if (n == -1 && errno != EAGAIN && errno != ENOBUFS) {
		c->at = UINT64_MAX;
		return;
	}
	if (n > 0) {
		c->at += (uint64_t)n;
		s->bytes += (uint64_t)n;
	}
	if (n == (ssize_t)wanted)
		return;
	s->short_sends++;
	c->is_blocked = true;
}

void
floor_sender_round(struct floor_sender *s)
{
	struct floor_client *c;
	size_t i;

	s->rounds++;
	s->at = atomic_load_explicit(&s->ring->head, memory_order_acquire);
	for (i = 0; i < s->count; i++) {
		c = s->clients[i];
		if (!c->is_blocked && c->at < s->at)
			sender_push(s, c);
	}
}

uint64_t
floor_sender_low(const struct floor_sender *s)
{
	uint64_t low = s->at;
	size_t i;

	for (i = 0; i < s->count; i++)
		if (s->clients[i]->at < low)
			low = s->clients[i]->at;
	return low;
}

void
floor_sender_event(struct floor_sender *s, struct floor_client *c,
    uint32_t events)
{
	char bytes[512];

	if (c->sender == NULL)
		sender_adopt(s, c);
	if ((events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) {
		sender_drop(s, c);
		return;
	}
	if ((events & EPOLLIN) != 0)
		while (recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			continue;
	if ((events & EPOLLOUT) == 0 || !c->is_blocked)
		return;
	c->is_blocked = false;
	if (c->at < s->at)
		sender_push(s, c);
}

void
floor_sender_clear(struct floor_sender *s)
{
	while (s->count > 0)
		client_free(s->clients[--s->count]);
	free(s->clients);
}
