/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/forward.h"
#include "cli/input.h"
#include "cli/log.h"
#include "cli/source.h"

#define SOURCE_FAILED 125 /* exit status for a failure of our own */

struct source {
	struct event_base *base;	   /* borrowed: outlives it */
	const struct child_config *config; /* borrowed: outlives it */
	struct source_handlers handlers;
	struct child *child;	 /* owned: of this run or the last; or NULL */
	struct input *input;	 /* owned; NULL: nothing is read */
	struct forward *forward; /* owned; NULL: the command needs none */
	struct timespec started;
	bool is_running; /* its end was not called back yet */
	bool is_paused;
	bool is_closed[2]; /* by enum wsexec_stream */
};

struct source *
source_new(struct event_base *base, const struct child_config *config,
    const struct source_handlers *handlers)
{
	struct source *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->base = base;
	s->config = config;
	s->handlers = *handlers;
	return s;
}

static void
source_output_cb(enum wsexec_stream stream, const void *bytes, size_t n,
    void *arg)
{
	struct source *s = arg;

	s->handlers.on_output(stream, bytes, n, s->handlers.arg);
}

static void
source_end_cb(const struct child_result *result, void *arg)
{
	struct source *s = arg;

	if (result->cut)
		log_warn("other processes still had the output open after "
			 "--drain; what they write is lost");
	s->is_running = false;
	forward_close(s->forward);
	s->forward = NULL;
	s->handlers.on_end(result, s->handlers.arg);
}

static void
source_gone_cb(void *arg)
{
	struct source *s = arg;

	s->handlers.on_gone(s->handlers.arg);
}

static void
source_input_cb(const void *bytes, size_t n, void *arg)
{
	source_output_cb(WSEXEC_STDOUT, bytes, n, arg);
}

/* Ends a run that is not that of a command. */
static void
source_end_input(struct source *s, int code, int signal)
{
	struct child_result result = { .code = code, .signal = signal };
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	result.seconds = (double)(now.tv_sec - s->started.tv_sec) +
	    (double)(now.tv_nsec - s->started.tv_nsec) / 1e9;
	source_end_cb(&result, s);
	source_gone_cb(s);
}

static void
source_input_end_cb(int error, void *arg)
{
	struct source *s = arg;

	if (!s->is_running)
		return;
	if (error != 0)
		log_warn("standard input: %s", strerror(error));
	source_end_input(s, error != 0 ? SOURCE_FAILED : 0, 0);
}

int
source_check(const struct source *s)
{
	int status;

	if (s->config->argv[0] == NULL)
		return 0;
	if ((status = child_check(s->config)) != 0)
		log_warn("%s: %s", s->config->argv[0], strerror(errno));
	return status;
}

static int
source_open_input(struct source *s)
{
	const struct input_handlers handlers = {
		.on_input = source_input_cb,
		.on_end = source_input_end_cb,
		.arg = s,
	};

	s->input = input_open(s->base, STDIN_FILENO, &handlers);
	if (s->input != NULL)
		return 0;
	log_warn("standard input: %s", strerror(errno));
	return SOURCE_FAILED;
}

static void
source_room_cb(void *arg)
{
	struct source *s = arg;

	if (s->forward != NULL)
		forward_resume(s->forward);
	else
		s->handlers.on_room(s->handlers.arg);
}

/* Only the process group in the foreground may read a terminal: that is us. */
static bool
source_forwards(const struct source *s)
{
	return s->config->input == CHILD_INPUT_OWN &&
	    (s->config->pty || isatty(STDIN_FILENO));
}

static void
source_open_forward(struct source *s)
{
	s->forward = forward_open(s->base, STDIN_FILENO, s->child);
	if (s->forward != NULL)
		return;
	log_warn("standard input: %s", strerror(errno));
	child_end_input(s->child);
}

static int
source_start_child(struct source *s)
{
	struct child_config config = *s->config;
	const struct child_handlers handlers = {
		.on_output = source_output_cb,
		.on_end = source_end_cb,
		.on_gone = source_gone_cb,
		.on_room = source_room_cb,
		.arg = s,
	};
	char why[512];
	int status;

	child_free(s->child);
	s->child = NULL;
	if (source_forwards(s))
		config.input = CHILD_INPUT_WRITTEN;
	if ((status = child_start(&s->child, s->base, &config, &handlers, why,
		 sizeof(why))) != 0) {
		log_warn("%s", why);
		return status;
	}
	/* As it is for the output of the run before. */
	for (int i = 0; i < 2; i++)
		if (s->is_closed[i])
			child_close_output(s->child, (enum wsexec_stream)i);
	if (source_forwards(s))
		source_open_forward(s);
	return 0;
}

int
source_start(struct source *s)
{
	int status;

	(void)clock_gettime(CLOCK_MONOTONIC, &s->started);
	status = s->config->argv[0] == NULL ? source_open_input(s) :
					      source_start_child(s);
	s->is_running = status == 0;
	if (s->is_running && s->is_paused)
		source_pause(s);
	return status;
}

long
source_pid(const struct source *s)
{
	return s->child != NULL ? (long)child_pid(s->child) : 0;
}

bool
source_has_exited(const struct source *s)
{
	return s->child != NULL && child_has_exited(s->child);
}

bool
source_write(struct source *s, const void *bytes, size_t n)
{
	if (child_is_full(s->child))
		return false;
	child_write(s->child, bytes, n);
	return true;
}

void
source_pause(struct source *s)
{
	s->is_paused = true;
	if (s->child != NULL)
		child_pause(s->child);
	else if (s->input != NULL)
		input_pause(s->input);
}

void
source_resume(struct source *s)
{
	s->is_paused = false;
	if (s->child != NULL)
		child_resume(s->child);
	else if (s->input != NULL)
		input_resume(s->input);
}

/* Whoever writes to it gets SIGPIPE, and the descriptor is not used anew. */
static void
source_drop_stdin(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return;
	(void)dup2(fd, STDIN_FILENO);
	close(fd);
}

void
source_close_output(struct source *s, enum wsexec_stream stream)
{
	s->is_closed[stream] = true;
	if (s->child != NULL) {
		child_close_output(s->child, stream);
	} else if (s->input != NULL && s->is_running) {
		input_close(s->input);
		s->input = NULL;
		source_drop_stdin();
		source_end_input(s, 0, SIGPIPE);
	}
}

void
source_stop(struct source *s, int signal)
{
	if (s->child != NULL) {
		child_stop(s->child, signal);
	} else if (s->is_running) {
		input_pause(s->input);
		source_end_input(s, 0, signal);
	}
}

void
source_signal(struct source *s, int signal)
{
	if (s->child == NULL)
		return;
	if (signal == SIGWINCH)
		child_resize(s->child);
	else
		child_signal(s->child, signal);
}

void
source_free(struct source *s)
{
	if (s == NULL)
		return;
	forward_close(s->forward);
	child_free(s->child);
	input_close(s->input);
	free(s);
}
