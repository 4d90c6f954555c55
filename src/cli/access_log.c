/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "cli/access_log.h"
#include "cli/log.h"
#include "cli/terminal.h"

#define ACCESS_LOG_END_S 2 /* how long a file is waited for at the end */

struct access_log {
	struct event_base *base;   /* borrowed: outlives it */
	struct terminal *terminal; /* owned */
	const char *path;	   /* borrowed: of the options */
	enum access_format format;
	unsigned long lost; /* lines, since that was last told */
	bool ended;
	bool too_late; /* waiting for the end has taken long enough */
};

static void
access_log_tell_lost(struct access_log *log)
{
	if (log->lost > 0)
		log_warn("--access-log: %s: %lu lines are left out, as it did "
			 "not take them",
		    log->path, log->lost);
	log->lost = 0;
}

static void
access_log_room_cb(void *arg)
{
	access_log_tell_lost(arg);
}

static void
access_log_end_cb(int error, void *arg)
{
	struct access_log *log = arg;

	log->ended = true;
	if (error != 0)
		log_warn("--access-log: %s: %s; it ends here", log->path,
		    strerror(error));
}

struct access_log *
access_log_open(struct event_base *base, const char *path,
    enum access_format format)
{
	const bool is_stderr = strcmp(path, "-") == 0;
	struct terminal_handlers handlers = { .on_room = access_log_room_cb,
		.on_end = access_log_end_cb };
	struct access_log *log;
	int fd = STDERR_FILENO;

	if ((log = calloc(1, sizeof(*log))) == NULL) {
		log_warn("out of memory");
		return NULL;
	}
	tzset(); /* it reads a file, for which the loop is not to wait */
	log->base = base;
	log->path = is_stderr ? "standard error" : path;
	log->format = format;
	handlers.arg = log;
	if (!is_stderr)
		fd =
		    open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd != -1)
		log->terminal = terminal_open(base, fd, !is_stderr, &handlers);
	if (log->terminal != NULL)
		return log;
	log_warn("--access-log: %s: %s", log->path, strerror(errno));
	if (fd != -1 && !is_stderr)
		close(fd);
	free(log);
	return NULL;
}

void
access_log_write(struct access_log *log, const struct wsexec_access *access)
{
	char line[ACCESS_LINE_MAX];
	size_t size;

	if (log->ended)
		return;
	if (terminal_is_full(log->terminal)) {
		log->lost++;
		return;
	}
	size = access_line_format(line, access, log->format);
	if (!terminal_write(log->terminal, line, size))
		log->lost++;
}

static void
access_log_too_late_cb(evutil_socket_t fd, short what, void *arg)
{
	struct access_log *log = arg;

	(void)fd;
	(void)what;
	log->too_late = true;
}

void
access_log_close(struct access_log *log)
{
	const struct timeval patience = { .tv_sec = ACCESS_LOG_END_S };
	struct event *timer;

	if (log == NULL)
		return;
	terminal_finish(log->terminal);
	timer = evtimer_new(log->base, access_log_too_late_cb, log);
	if (timer != NULL && evtimer_add(timer, &patience) == 0)
		while (!log->ended && !log->too_late &&
		    event_base_loop(log->base, EVLOOP_ONCE) == 0)
			continue;
	if (timer != NULL)
		event_free(timer);
	access_log_tell_lost(log);
	if (!log->ended)
		log_warn("--access-log: %s: the last lines are not there, as "
			 "it did not take them",
		    log->path);
	terminal_free(log->terminal);
	free(log);
}
