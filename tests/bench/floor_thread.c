/* SPDX-License-Identifier: ISC */

/*
 * A sender in a thread of its own.
 */

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <err.h>
#include <errno.h>
#include <unistd.h>

#include "floor_sender.h"

#define EVENTS_MAX 256

static void
tell(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) == -1 && errno != EAGAIN)
		err(1, "eventfd");
}

/* First the news, then the question: who asks does it the other way round. */
static void
sender_tell_low(struct floor_sender *s)
{
	uint64_t low = floor_sender_low(s);

	if (low == atomic_load_explicit(&s->low, memory_order_relaxed))
		return;
	atomic_store(&s->low, low);
	if (atomic_exchange(&s->room_is_wanted, false))
		tell(s->room_fd);
}

static void *
sender_run(void *sender)
{
	struct floor_sender *s = sender;
	struct epoll_event events[EVENTS_MAX];
	uint64_t news;
	int i, n;

	while (!atomic_load_explicit(&s->is_stopped, memory_order_acquire)) {
		n = epoll_wait(s->epoll, events, EVENTS_MAX, -1);
		news = 0;
		for (i = 0; i < n; i++) {
			if (events[i].data.ptr != NULL)
				floor_sender_event(s, events[i].data.ptr,
				    events[i].events);
			else if (read(s->wake_fd, &news, sizeof(news)) == -1)
				err(1, "eventfd");
		}
		if (news > 0)
			floor_sender_round(s);
		sender_tell_low(s);
	}
	return NULL;
}

void
floor_sender_start(struct floor_sender *s, int room_fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	s->room_fd = room_fd;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (s->epoll == -1 || s->wake_fd == -1 ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->wake_fd, &event) == -1)
		err(1, "epoll");
	if ((errno = pthread_create(&s->thread, NULL, sender_run, s)) != 0)
		err(1, "thread");
}

void
floor_sender_wake(const struct floor_sender *s)
{
	tell(s->wake_fd);
}

void
floor_sender_stop(struct floor_sender *s)
{
	atomic_store_explicit(&s->is_stopped, true, memory_order_release);
	tell(s->wake_fd);
	(void)pthread_join(s->thread, NULL);
	(void)close(s->epoll);
	(void)close(s->wake_fd);
}
