/* SPDX-License-Identifier: ISC */

/*
 * Event callbacks note what has happened and ask for a turn; child_turn_cb()
 * alone decides what follows from it.  The states, each entered once:
 *
 *	running    the leader lives
 *	exited     it was waited for; output may still come
 *	ended      on_end was called, the group is being ended
 *	gone       the group was seen empty (this may come before ended); its
 *		   number may be given to others from now on
 */

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "cli/child.h"
#include "cli/feeder.h"
#include "cli/guard.h"
#include "cli/spawn.h"
#include "cli/timer.h"

#define CHILD_FAILED 125
#define CHILD_READ_BYTES 65536
#define CHILD_PIPE_BYTES (1 << 20)
#define CHILD_POLL_SECONDS 0.1	  /* processes not ours end in silence */
#define CHILD_GIVE_UP_SECONDS 2.0 /* after KILL, for what cannot die */

/* One of our ends of the command's output. */
struct output {
	struct event event;
	struct child *child; /* outlives it */
	int fd;		     /* owned; -1: closed */
	size_t rest;	     /* bytes to take at most after the drain time */
};

struct child {
	struct child_handlers handlers;
	struct guard guard;
	struct output outputs[2]; /* by enum wsexec_stream */
	struct feeder *feeder;	  /* owned; NULL: it is not written to */
	struct event reaper;	  /* on SIGCHLD */
	struct event turn;
	struct event drain_timer;
	struct event kill_timer;
	struct event group_timer;
	struct event retry_timer; /* pending: nobody has the terminal open */
	struct child_result result;
	pid_t pid; /* 0: never started; also the process group */
	bool pty;
	double started;	     /* monotonic, in seconds */
	double drain_left;   /* seconds of reading after the exit */
	double drain_since;  /* when the drain timer was set */
	double kill_seconds; /* from the first signal to KILL */
	bool paused;
	bool exited;
	bool drained; /* drain_left is used up */
	bool ended;
	bool killed; /* KILL was sent */
	bool gone;
	bool told; /* on_gone was called */
	char bytes[CHILD_READ_BYTES];
};

static double
child_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
child_want_turn(struct child *c)
{
	event_active(&c->turn, EV_TIMEOUT, 1);
}

static bool
child_has_output(const struct child *c)
{
	return c->outputs[WSEXEC_STDOUT].fd != -1 ||
	    c->outputs[WSEXEC_STDERR].fd != -1;
}

static void
child_stop_input(struct child *c)
{
	if (c->feeder != NULL)
		feeder_stop(c->feeder);
}

static void
child_close_end(struct output *o)
{
	if (o->fd == -1)
		return;
	/* All of a terminal is to go, so that it hangs up. */
	if (o->child->pty)
		child_stop_input(o->child);
	event_del(&o->event);
	close(o->fd);
	o->fd = -1;
	child_want_turn(o->child);
}

/* Output that cannot be waited for is lost, and said to be. */
static void
child_watch(struct output *o)
{
	if (o->fd == -1 || event_add(&o->event, NULL) == 0)
		return;
	o->child->result.cut = true;
	child_close_end(o);
}

/*
 * EIO is how a pseudoterminal says that nobody has it open.  Were it closed
 * now, the leader would get HUP, which may only be about to exit; and it may
 * open it again.
 */
static void
child_retry(struct output *o)
{
	event_del(&o->event);
	timer_set(&o->child->retry_timer, CHILD_POLL_SECONDS);
}

static void
child_retry_cb(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd;
	(void)what;
	evtimer_del(&c->retry_timer);
	if (!c->paused)
		child_watch(&c->outputs[WSEXEC_STDOUT]);
}

/* Reads once and returns how much; 0: nothing now, or it has ended. */
static size_t
child_read(struct output *o)
{
	struct child *c = o->child;
	enum wsexec_stream stream = WSEXEC_STDOUT;
	ssize_t n;

	if (o == &c->outputs[WSEXEC_STDERR])
		stream = WSEXEC_STDERR;
	n = read(o->fd, c->bytes, sizeof(c->bytes));
	if (n > 0) {
		c->handlers.on_output(stream, c->bytes, (size_t)n,
		    c->handlers.arg);
		return (size_t)n;
	}
	if (n == -1 && errno == EIO && c->pty && !c->exited)
		child_retry(o);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		child_close_end(o);
	return 0;
}

static void
child_read_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	child_read(arg);
}

/* Stops the clock while nobody reads: waiting for us is not being late. */
static void
child_run_drain_clock(struct child *c, bool run)
{
	if (!c->exited || c->drained || c->ended)
		return;
	if (run) {
		c->drain_since = child_now();
		timer_set(&c->drain_timer, c->drain_left);
	} else {
		c->drain_left -= child_now() - c->drain_since;
		evtimer_del(&c->drain_timer);
	}
}

static void
child_drain_cb(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd;
	(void)what;
	c->drained = true;
	for (int i = 0; i < 2; i++)
		c->outputs[i].rest = CHILD_PIPE_BYTES;
	child_want_turn(c);
}

/*
 * Takes what was written in time, at most a pipe full as somebody may write
 * for ever, and closes what is still open.
 */
static void
child_read_rest(struct child *c)
{
	struct output *o;
	size_t n;

	for (int i = 0; i < 2; i++) {
		o = &c->outputs[i];
		while (o->fd != -1 && !c->paused && o->rest > 0 &&
		    (n = child_read(o)) > 0)
			o->rest -= n < o->rest ? n : o->rest;
	}
	if (c->paused || !child_has_output(c))
		return;
	c->result.cut = true;
	child_close_end(&c->outputs[WSEXEC_STDOUT]);
	child_close_end(&c->outputs[WSEXEC_STDERR]);
}

static void
child_note_exit(struct child *c, int status)
{
	c->exited = true;
	c->result.seconds = child_now() - c->started;
	if (WIFSIGNALED(status))
		c->result.signal = WTERMSIG(status);
	else
		c->result.code = WEXITSTATUS(status);
	if (!c->paused)
		child_run_drain_clock(c, true);
	timer_set(&c->group_timer, CHILD_POLL_SECONDS);
	if (evtimer_pending(&c->retry_timer, NULL))
		child_retry_cb(-1, EV_TIMEOUT, c);
	child_want_turn(c);
}

static void
child_note_gone(struct child *c)
{
	c->gone = true;
	evtimer_del(&c->kill_timer);
	evtimer_del(&c->group_timer);
	guard_stop(&c->guard);
	child_want_turn(c);
}

/*
 * As long as the leader was not waited for its number cannot belong to
 * others.  Processes of another user that we may not signal do not count.
 */
static void
child_look_for_group(struct child *c)
{
	if (c->exited && !c->gone && kill(-c->pid, 0) == -1)
		child_note_gone(c);
}

static void
child_reap_cb(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;
	int status;
	pid_t pid;

	(void)fd;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == c->pid)
			child_note_exit(c, status);
		else if (pid == c->guard.pid)
			c->guard.pid = 0;
	}
	child_look_for_group(c);
}

static void
child_group_cb(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd;
	(void)what;
	timer_set(&c->group_timer, CHILD_POLL_SECONDS);
	child_look_for_group(c);
}

static void
child_kill_cb(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd;
	(void)what;
	if (c->ended && c->killed) {
		child_note_gone(c);
		return;
	}
	c->killed = true;
	kill(-c->pid, SIGKILL);
	timer_set(&c->kill_timer, CHILD_GIVE_UP_SECONDS);
}

static void
child_end(struct child *c)
{
	c->ended = true;
	evtimer_del(&c->drain_timer);
	child_stop_input(c);
	c->handlers.on_end(&c->result, c->handlers.arg);
	child_stop(c, SIGTERM);
}

static void
child_turn_cb(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd;
	(void)what;
	if (!c->exited)
		return;
	if (c->drained)
		child_read_rest(c);
	if (!c->ended && !child_has_output(c))
		child_end(c);
	if (!c->ended || !c->gone || c->told)
		return;
	c->told = true;
	c->handlers.on_gone(c->handlers.arg);
}

int
child_check(const struct child_config *config)
{
	return spawn_check(config);
}

static void
child_assign_events(struct child *c, struct event_base *base)
{
	evsignal_assign(&c->reaper, base, SIGCHLD, child_reap_cb, c);
	evtimer_assign(&c->turn, base, child_turn_cb, c);
	evtimer_assign(&c->drain_timer, base, child_drain_cb, c);
	evtimer_assign(&c->kill_timer, base, child_kill_cb, c);
	evtimer_assign(&c->group_timer, base, child_group_cb, c);
	evtimer_assign(&c->retry_timer, base, child_retry_cb, c);
}

static struct child *
child_new(struct event_base *base, const struct child_config *config,
    const struct child_handlers *handlers)
{
	struct child *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->handlers = *handlers;
	c->guard.fd = -1;
	c->pty = config->pty;
	c->drain_left = config->drain_seconds;
	c->kill_seconds = config->kill_seconds;
	child_assign_events(c, base);
	for (int i = 0; i < 2; i++) {
		c->outputs[i].child = c;
		c->outputs[i].fd = -1;
	}
	return c;
}

static void
child_room_cb(void *arg)
{
	struct child *c = arg;

	if (c->handlers.on_room != NULL)
		c->handlers.on_room(c->handlers.arg);
}

/* The pipe is as large as it may be, so that the command waits less for us. */
static int
child_open_output(struct output *o)
{
	if (o->fd == -1)
		return 0;
	fcntl(o->fd, F_SETPIPE_SZ, CHILD_PIPE_BYTES);
	if (evutil_make_socket_nonblocking(o->fd) == -1)
		return -1;
	return event_add(&o->event, NULL);
}

static void
child_take(struct child *c, const struct spawned *s)
{
	c->pid = s->pid;
	for (int i = 0; i < 2; i++) {
		c->outputs[i].fd = s->fds[i];
		event_assign(&c->outputs[i].event, event_get_base(&c->turn),
		    s->fds[i], EV_READ | EV_PERSIST, child_read_cb,
		    &c->outputs[i]);
	}
}

/* fd: -1, or our end of the command's stdin. */
static int
child_open_input(struct child *c, int fd)
{
	const struct feeder_handlers handlers = {
		.on_room = child_room_cb,
		.arg = c,
	};

	if (fd == -1)
		return 0;
	c->feeder =
	    feeder_open(event_get_base(&c->turn), fd, c->pty, &handlers);
	return c->feeder == NULL ? -1 : 0;
}

static int
child_launch(struct child *c, const struct child_config *config, char *why,
    size_t size)
{
	struct spawned s;
	int status;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1 ||
	    event_add(&c->reaper, NULL) == -1 ||
	    guard_start(&c->guard, c->kill_seconds) == -1) {
		snprintf(why, size, "cannot start a guard process: %s",
		    strerror(errno));
		return CHILD_FAILED;
	}
	c->started = child_now();
	if ((status = spawn_start(&s, config, &c->guard, why, size)) != 0)
		return status;
	child_take(c, &s);
	if (child_open_input(c, s.input) == 0 &&
	    child_open_output(&c->outputs[WSEXEC_STDOUT]) == 0 &&
	    child_open_output(&c->outputs[WSEXEC_STDERR]) == 0)
		return 0;
	snprintf(why, size, "cannot wait for the command: %s", strerror(errno));
	return CHILD_FAILED;
}

int
child_start(struct child **out, struct event_base *base,
    const struct child_config *config, const struct child_handlers *handlers,
    char *why, size_t size)
{
	struct child *c;
	sigset_t all, before;
	int status;

	if ((c = child_new(base, config, handlers)) == NULL) {
		snprintf(why, size, "%s", strerror(errno));
		return CHILD_FAILED;
	}
	/* No handler of ours may run in a process that was just forked. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	status = child_launch(c, config, why, size);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status == 0)
		*out = c;
	else
		child_free(c);
	return status;
}

pid_t
child_pid(const struct child *c)
{
	return c->pid;
}

bool
child_has_exited(const struct child *c)
{
	return c->exited;
}

void
child_write(struct child *c, const void *bytes, size_t n)
{
	if (c->feeder != NULL)
		feeder_write(c->feeder, bytes, n);
}

void
child_end_input(struct child *c)
{
	if (c->feeder != NULL)
		feeder_end(c->feeder);
}

bool
child_is_full(const struct child *c)
{
	return c->feeder != NULL && feeder_is_full(c->feeder);
}

void
child_pause(struct child *c)
{
	if (c->paused)
		return;
	c->paused = true;
	for (int i = 0; i < 2; i++)
		if (c->outputs[i].fd != -1)
			event_del(&c->outputs[i].event);
	child_run_drain_clock(c, false);
}

void
child_resume(struct child *c)
{
	if (!c->paused)
		return;
	c->paused = false;
	for (int i = 0; i < 2; i++)
		child_watch(&c->outputs[i]);
	child_run_drain_clock(c, true);
	child_want_turn(c);
}

void
child_close_output(struct child *c, enum wsexec_stream stream)
{
	child_close_end(&c->outputs[stream]);
}

void
child_stop(struct child *c, int signal)
{
	if (c->gone)
		return;
	kill(-c->pid, signal);
	/* Behind the signal, which is what is to end it if it can. */
	child_stop_input(c);
	/* Who is stopped takes note of no signal but this one and KILL. */
	if (signal == SIGTERM || signal == SIGHUP)
		kill(-c->pid, SIGCONT);
	if (!evtimer_pending(&c->kill_timer, NULL))
		timer_set(&c->kill_timer, c->kill_seconds);
}

void
child_signal(struct child *c, int signal)
{
	switch (signal) {
	case SIGINT:
	case SIGTERM:
	case SIGHUP:
	case SIGQUIT:
		child_stop(c, signal);
		break;
	default:
		if (!c->gone)
			kill(-c->pid, signal);
	}
}

void
child_resize(const struct child *c)
{
	if (c->pty && c->outputs[WSEXEC_STDOUT].fd != -1)
		spawn_resize(c->outputs[WSEXEC_STDOUT].fd);
}

/* Orphans of the group are our children by the time we see a parent end. */
static void
child_kill_group(const struct child *c)
{
	kill(-c->pid, SIGKILL);
	while (waitpid(-c->pid, NULL, 0) != -1 || errno == EINTR)
		continue;
}

void
child_free(struct child *c)
{
	if (c == NULL)
		return;
	if (c->pid != 0 && !c->gone)
		child_kill_group(c);
	guard_stop(&c->guard);
	while (c->guard.pid != 0 && waitpid(c->guard.pid, NULL, 0) == -1 &&
	    errno == EINTR)
		continue;
	child_close_end(&c->outputs[WSEXEC_STDOUT]);
	child_close_end(&c->outputs[WSEXEC_STDERR]);
	feeder_free(c->feeder);
	event_del(&c->reaper);
	event_del(&c->turn);
	event_del(&c->drain_timer);
	event_del(&c->kill_timer);
	event_del(&c->group_timer);
	event_del(&c->retry_timer);
	free(c);
}
