/* SPDX-License-Identifier: ISC */

/*
 * Two lines, a Host and an Origin.  What is let in is held against a second
 * opinion, which compares text.
 */

#include <ctype.h>

#include "core/origin.h"
#include "fuzz.h"

#define NAME "example.org"

static const char *const names[] = { NAME, NULL };
static const char *const origins[] = { "https://" NAME, NULL };

static bool
ends_with(const struct buffer *b, const char *end)
{
	size_t n = strlen(end);

	return b->size >= n && memcmp(b->data + b->size - n, end, n) == 0;
}

static bool
is_text(const struct buffer *b, const char *text)
{
	return b->size == strlen(text) && ends_with(b, text);
}

/* Where the port begins, with its colon; size: there is none. */
static size_t
find_port(struct slice s)
{
	size_t i = s.size;

	while (i > 0 && isdigit((unsigned char)s.data[i - 1]))
		i--;
	return i > 0 && i < s.size && s.data[i - 1] == ':' ? i - 1 : s.size;
}

/* "name:port" in small letters, without the last dot of the name. */
static void
append_normal(struct buffer *out, struct slice s, unsigned long port)
{
	size_t end = find_port(s), i;

	if (end < s.size)
		port = 0;
	for (i = end + 1; i < s.size; i++)
		port = port * 10 + (unsigned long)(s.data[i] - '0');
	if (end > 0 && s.data[end - 1] == '.')
		end--;
	for (i = 0; i < end; i++)
		buffer_append_byte(out,
		    (uint8_t)tolower((unsigned char)s.data[i]));
	buffer_append_format(out, ":%lu", port);
}

static void
check_host(struct slice host)
{
	struct buffer name = BUFFER_INIT;
	size_t i;

	append_normal(&name, host, 0);
	CHECK(name.size > 0);
	while (name.data[name.size - 1] != ':')
		name.size--;
	name.size--;
	/* What is no address is a name, and has to be one of ours. */
	for (i = 0; i < name.size && strchr("0123456789.", name.data[i]); i++)
		;
	if (i < name.size && name.data[0] != '[')
		CHECK(is_text(&name, "localhost") ||
		    ends_with(&name, ".localhost") || is_text(&name, NAME));
	buffer_clear(&name);
}

static void
check_origin(struct slice origin, struct slice host, bool over_tls)
{
	struct buffer own = BUFFER_INIT, asked = BUFFER_INIT;
	bool is_tls =
	    origin.size > 4 && (origin.data[4] == 's' || origin.data[4] == 'S');
	size_t skip = is_tls ? 8 : 7;

	CHECK(origin.size > skip && (is_tls || !over_tls));
	CHECK(strncasecmp(origin.data, "https://", is_tls ? 8 : 4) == 0);
	CHECK(memcmp(origin.data + skip - 3, "://", 3) == 0);
	origin.data += skip;
	origin.size -= skip;
	append_normal(&own, host, is_tls ? 443 : 80);
	append_normal(&asked, origin, is_tls ? 443 : 80);
	CHECK(buffers_are_equal(&own, &asked));
	buffer_clear(&own);
	buffer_clear(&asked);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data, size };
	struct slice host = take_until(&rest, '\n');
	struct slice origin = take_until(&rest, '\n');

	if (origin_host_is_allowed(host, names))
		check_host(host);
	if (origin_is_allowed(origin, host, NULL, false))
		check_origin(origin, host, false);
	if (origin_is_allowed(origin, host, NULL, true))
		check_origin(origin, host, true);
	(void)origin_is_allowed(origin, host, origins, false);
	return 0;
}
