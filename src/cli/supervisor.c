/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdlib.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "cli/log.h"
#include "cli/source.h"
#include "cli/supervisor.h"
#include "cli/timer.h"
#include "wsexec.h"

#define SUPERVISOR_TIMED_OUT 124 /* exit status, as that of timeout(1) */
#define SUPERVISOR_SIGNALLED 128 /* added to the signal that ended it */

enum supervisor_state {
	SUPERVISOR_WAITING,
	SUPERVISOR_RUNNING,
	SUPERVISOR_DELAY,
	SUPERVISOR_ENDED,
};

struct supervisor {
	struct source *source; /* borrowed: outlives it */
	struct supervisor_config config;
	struct supervisor_handlers handlers;
	struct backoff backoff;
	struct event timeout_event;
	struct event restart_event;
	struct wsexec_end end; /* of the last run */
	uint64_t restarts;
	enum supervisor_state state;
	bool is_left; /* something of the last run */
};

/* The next run, when it is time and nothing of the last one is left. */
static void
supervisor_try_restart(struct supervisor *s)
{
	struct child_result failure = { 0 };

	if (s->state != SUPERVISOR_DELAY || s->is_left ||
	    evtimer_pending(&s->restart_event, NULL))
		return;
	if ((failure.code = supervisor_start(s)) != 0)
		supervisor_note_end(s, &failure);
	else
		log_verbose("restart %" PRIu64 ": the command is process %ld",
		    s->restarts, source_pid(s->source));
}

static void
supervisor_restart_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	supervisor_try_restart(arg);
}

/* Who has exited in time may still have its output taken. */
static void
supervisor_timeout_cb(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)fd;
	(void)what;
	if (source_has_exited(s->source))
		return;
	log_verbose("the time of --timeout is up");
	s->end.timed_out = true;
	source_stop(s->source, s->config.stop_signal);
}

struct supervisor *
supervisor_new(struct event_base *base, struct source *source,
    const struct supervisor_config *config,
    const struct supervisor_handlers *handlers)
{
	struct supervisor *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->source = source;
	s->config = *config;
	s->handlers = *handlers;
	backoff_init(&s->backoff, config->policy, config->first_delay);
	(void)evtimer_assign(&s->timeout_event, base, supervisor_timeout_cb, s);
	(void)evtimer_assign(&s->restart_event, base, supervisor_restart_cb, s);
	return s;
}

int
supervisor_start(struct supervisor *s)
{
	int status;

	s->end.timed_out = false;
	if ((status = source_start(s->source)) != 0)
		return status;
	s->state = SUPERVISOR_RUNNING;
	s->is_left = true;
	if (s->config.timeout > 0)
		timer_set(&s->timeout_event, s->config.timeout);
	s->handlers.on_start(source_pid(s->source), s->handlers.arg);
	return 0;
}

static void
supervisor_end(struct supervisor *s)
{
	s->state = SUPERVISOR_ENDED;
	(void)evtimer_del(&s->restart_event);
	s->handlers.on_end(&s->end, s->handlers.arg);
}

static void
supervisor_restart(struct supervisor *s, double delay)
{
	s->state = SUPERVISOR_DELAY;
	s->restarts++;
	timer_set(&s->restart_event, delay);
	log_verbose("the command ended with %s %d; restart %" PRIu64
		    " follows in %g s",
	    s->end.signal != 0 ? "signal" : "status",
	    s->end.signal != 0 ? s->end.signal : s->end.code, s->restarts,
	    delay);
	s->handlers.on_restart(&s->end, delay, s->handlers.arg);
}

void
supervisor_note_end(struct supervisor *s, const struct child_result *result)
{
	double delay;

	(void)evtimer_del(&s->timeout_event);
	s->end.code = result->code;
	s->end.signal = result->signal;
	s->end.seconds = result->seconds;
	if (!s->end.stopped &&
	    backoff_judge(&s->backoff, supervisor_status(s) != 0,
		result->seconds, &delay))
		supervisor_restart(s, delay);
	else
		supervisor_end(s);
}

void
supervisor_note_gone(struct supervisor *s)
{
	s->is_left = false;
	supervisor_try_restart(s);
}

void
supervisor_give_up(struct supervisor *s, int code, int signal)
{
	s->end.code = code;
	s->end.signal = signal;
	supervisor_end(s);
}

void
supervisor_stop(struct supervisor *s, int signal)
{
	s->end.stopped = true;
	switch (s->state) {
	case SUPERVISOR_WAITING:
		supervisor_give_up(s, 0, signal);
		break;
	case SUPERVISOR_RUNNING:
		source_stop(s->source, signal);
		break;
	case SUPERVISOR_DELAY:
		supervisor_end(s);
		break;
	case SUPERVISOR_ENDED:
		break;
	}
}

bool
supervisor_is_waiting(const struct supervisor *s)
{
	return s->state == SUPERVISOR_WAITING;
}

bool
supervisor_is_running(const struct supervisor *s)
{
	return s->state == SUPERVISOR_RUNNING;
}

bool
supervisor_has_ended(const struct supervisor *s)
{
	return s->state == SUPERVISOR_ENDED;
}

bool
supervisor_is_gone(const struct supervisor *s)
{
	return supervisor_has_ended(s) && !s->is_left;
}

uint64_t
supervisor_restarts(const struct supervisor *s)
{
	return s->restarts;
}

int
supervisor_status(const struct supervisor *s)
{
	if (s->end.timed_out)
		return SUPERVISOR_TIMED_OUT;
	return s->end.signal != 0 ? SUPERVISOR_SIGNALLED + s->end.signal :
				    s->end.code;
}

void
supervisor_free(struct supervisor *s)
{
	if (s == NULL)
		return;
	(void)event_del(&s->timeout_event);
	(void)event_del(&s->restart_event);
	free(s);
}
