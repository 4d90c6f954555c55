/* SPDX-License-Identifier: ISC */

#include <stdlib.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "cli/signals.h"

static const int signals_all[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1,
	SIGUSR2, SIGTSTP, SIGCONT, SIGWINCH };

enum {
	SIGNALS_COUNT = sizeof(signals_all) / sizeof(signals_all[0]),
};

struct signals {
	struct event events[SIGNALS_COUNT];
	signals_cb *cb;
	void *arg;
};

static void
signals_event_cb(evutil_socket_t fd, short what, void *arg)
{
	struct signals *s = arg;

	(void)what;
	s->cb((int)fd, s->arg);
}

struct signals *
signals_open(struct event_base *base, const sigset_t *ignored,
    bool without_command, signals_cb *cb, void *arg)
{
	struct signals *s;
	size_t i;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->cb = cb;
	s->arg = arg;
	for (i = 0; i < SIGNALS_COUNT; i++) {
		if (signals_all[i] == SIGTSTP && without_command)
			continue;
		/* What was to be ignored, as by nohup(1), still is. */
		if (sigismember(ignored, signals_all[i]) == 1)
			continue;
		if (evsignal_assign(&s->events[i], base, signals_all[i],
			signals_event_cb, s) != 0 ||
		    event_add(&s->events[i], NULL) != 0) {
			signals_close(s);
			return NULL;
		}
	}
	return s;
}

void
signals_close(struct signals *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < SIGNALS_COUNT; i++)
		if (event_initialized(&s->events[i]))
			(void)event_del(&s->events[i]);
	free(s);
}
