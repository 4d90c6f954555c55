/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_LOG_H
#define WSEXEC_LOG_H

/*
 * Messages for whoever started wsexec, on stderr: one line each, beginning
 * "wsexec: ".  Bytes from outside are made visible with vis(3).  Never waits:
 * what stderr does not take at once is dropped, and the next line that gets
 * out comes with a count of those.  errno is kept.
 */

/* 0: log_verbose() is silent. */
void log_set_verbose(int verbose);
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Only with -v. */
void log_verbose(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
