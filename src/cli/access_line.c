/* SPDX-License-Identifier: ISC */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/access_line.h"

/* For what stands behind the strings, which are cut before that. */
#define ACCESS_LINE_RESERVE 128

struct line {
	char *bytes; /* borrowed: the caller's */
	size_t size;
};

static void __attribute__((format(printf, 2, 3)))
line_append_format(struct line *l, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(l->bytes + l->size, ACCESS_LINE_MAX - l->size, format,
	    ap);
	va_end(ap);
	if (n > 0 && (size_t)n < ACCESS_LINE_MAX - l->size)
		l->size += (size_t)n;
}

static void
line_append_escaped(struct line *l, const char *text)
{
	const size_t most = ACCESS_LINE_MAX - ACCESS_LINE_RESERVE;

	for (; *text != '\0' && l->size + strlen("\\xff") < most; text++) {
		if (*text == '"' || *text == '\\')
			line_append_format(l, "\\%c", *text);
		else if (*text < ' ' || *text > '~')
			line_append_format(l, "\\x%02x", (unsigned char)*text);
		else
			l->bytes[l->size++] = *text;
	}
}

static void
line_append_quoted(struct line *l, const char *text)
{
	line_append_format(l, " \"");
	line_append_escaped(l, text != NULL ? text : "-");
	line_append_format(l, "\"");
}

/* A name, which is to be one word. */
static void
line_append_user(struct line *l, const char *user)
{
	char word[2] = "";

	line_append_format(l, " - ");
	if (user == NULL)
		user = "-";
	for (; *user != '\0'; user++) {
		word[0] = *user;
		if (*user == ' ')
			line_append_format(l, "\\x20");
		else
			line_append_escaped(l, word);
	}
}

static void
line_append_time(struct line *l, double time)
{
	const time_t seconds = (time_t)time;
	struct tm local;
	char text[64] = "-";

	if (localtime_r(&seconds, &local) != NULL)
		(void)strftime(text, sizeof(text), "%d/%b/%Y:%H:%M:%S %z",
		    &local);
	line_append_format(l, " [%s]", text);
}

size_t
access_line_format(char line[ACCESS_LINE_MAX],
    const struct wsexec_access *access, enum access_format format)
{
	struct line l = { line, 0 };

	line_append_escaped(&l, access->client);
	line_append_user(&l, access->user);
	line_append_time(&l, access->time);
	if (access->method != NULL) {
		line_append_format(&l, " \"%s ", access->method);
		line_append_escaped(&l, access->target);
		line_append_format(&l, " %s\"", access->protocol);
	} else {
		line_append_quoted(&l, NULL);
	}
	line_append_format(&l, " %d %llu", access->status,
	    (unsigned long long)access->bytes);
	if (format == ACCESS_COMBINED) {
		line_append_quoted(&l, access->referer);
		line_append_quoted(&l, access->user_agent);
	}
	line_append_format(&l, " %.3f\n", access->seconds);
	return l.size;
}
