/* SPDX-License-Identifier: ISC */

/*
 * One write a line, and none that waits.  stderr is shared with other
 * programs, so it is not set to O_NONBLOCK: a terminal or a pipe is opened
 * once more, as a description of our own.  Asking poll(2) first is not enough
 * there: it promises room for some bytes, not for a line, and the relay may
 * take that room, or the terminal's lock, before we do.
 */

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIBBSD_NETBSD_VIS
#include <vis.h>

#include "cli/log.h"

/*
 * Four times as many bytes when all must be made visible, and the rest of the
 * line, are still less than PIPE_BUF: a pipe takes a line whole or not at all.
 */
#define LOG_TEXT_SIZE 1000
#define LOG_LINE_SIZE 4096

static int log_verbosity;
static int log_fd = -1; /* stderr, opened once more */
static bool log_fd_tried;
static unsigned long log_lost; /* messages since the last that got out */
static bool log_cut;	       /* that one lacks its end */

static int
log_reopen(void)
{
	struct stat st;

	/* Opened anew, a file would be overwritten from its beginning. */
	if (!isatty(STDERR_FILENO) &&
	    (fstat(STDERR_FILENO, &st) == -1 || !S_ISFIFO(st.st_mode)))
		return -1;
	return open("/proc/self/fd/2",
	    O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* write(2), but never waits. */
static ssize_t
log_write(const char *bytes, size_t size)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t n;

	if (!log_fd_tried) {
		log_fd_tried = true;
		log_fd = log_reopen();
	}
	if (log_fd != -1)
		return write(log_fd, bytes, size);
	n = send(STDERR_FILENO, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n != -1 || errno != ENOTSOCK)
		return n;
	if (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0)
		return -1;
	return write(STDERR_FILENO, bytes, size);
}

static void
log_line(const char *text)
{
	char line[LOG_LINE_SIZE];
	int told = 0, size;
	ssize_t n;

	if (log_lost > 0 || log_cut)
		told = snprintf(line, sizeof(line),
		    "%swsexec: messages lost: %lu (stderr was full)\n",
		    log_cut ? "\n" : "", log_lost);
	size = told +
	    snprintf(line + told, sizeof(line) - (size_t)told, "wsexec: %s\n",
		text);
	if ((n = log_write(line, (size_t)size)) <= 0) {
		log_lost++;
		return;
	}
	/* A terminal may take a part. */
	log_cut = n < size;
	if (n >= told)
		log_lost = 0;
	if (log_cut)
		log_lost++;
}

static void __attribute__((format(printf, 1, 0)))
log_message(const char *format, va_list ap)
{
	char text[LOG_TEXT_SIZE], visible[LOG_TEXT_SIZE * 4];
	int saved = errno;

	vsnprintf(text, sizeof(text), format, ap);
	if (strnvisx(visible, sizeof(visible), text, strlen(text),
		VIS_CSTYLE | VIS_OCTAL | VIS_TAB | VIS_NL | VIS_NOLOCALE) < 0)
		log_lost++;
	else
		log_line(visible);
	errno = saved;
}

void
log_set_verbose(int verbose)
{
	log_verbosity = verbose;
}

void
log_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_message(format, ap);
	va_end(ap);
}

void
log_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_message(format, ap);
	va_end(ap);
}

void
log_verbose(const char *format, ...)
{
	va_list ap;

	if (log_verbosity == 0)
		return;
	va_start(ap, format);
	log_message(format, ap);
	va_end(ap);
}
