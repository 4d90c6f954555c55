/* SPDX-License-Identifier: ISC */

#include <err.h>
#include <stdio.h>
#include <string.h>

#include "target.h"
#include "upgrade.h"

/* The key of RFC 6455 section 1.3, so that the answer is known. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define DEFLATE "permessage-deflate"

size_t
upgrade_write_request(char to[UPGRADE_REQUEST_MAX], const struct target *target,
    bool offers_deflate)
{
	int n = snprintf(to, UPGRADE_REQUEST_MAX,
	    "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n"
	    "Sec-WebSocket-Version: 13\r\n%s\r\n",
	    target->path, target->host,
	    offers_deflate ? "Sec-WebSocket-Extensions: " DEFLATE
			     "; client_max_window_bits\r\n" :
			     "");

	if (n >= UPGRADE_REQUEST_MAX)
		errx(2, "the path is too long");
	return (size_t)n;
}

const char *
upgrade_find_end(const char *answer, size_t size)
{
	const char *end = memmem(answer, size, "\r\n\r\n", 4);

	return end == NULL ? NULL : end + 4;
}

/* Copies the value of a field, cut to size; "" if there is none. */
static void
copy_field(const char *head, const char *name, char *to, size_t size)
{
	size_t name_size = strlen(name), n;
	const char *line = head;

	*to = '\0';
	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, name, name_size) != 0 ||
		    line[name_size] != ':')
			continue;
		line += name_size + 1;
		line += strspn(line, " \t");
		n = strcspn(line, "\r");
		if (n >= size)
			n = size - 1;
		memcpy(to, line, n);
		to[n] = '\0';
		return;
	}
}

const char *
upgrade_judge(const char *head, bool offers_deflate,
    char extensions[UPGRADE_TEXT_MAX])
{
	static char wrong[UPGRADE_TEXT_MAX];
	char key[sizeof(ACCEPT) + 1];

	if (strncmp(head, "HTTP/1.1 101 ", 13) != 0) {
		snprintf(wrong, sizeof(wrong), "refused: %.*s",
		    (int)strcspn(head, "\r\n"), head);
		return wrong;
	}
	copy_field(head, "Sec-WebSocket-Accept", key, sizeof(key));
	if (strcmp(key, ACCEPT) != 0)
		return "wrong Sec-WebSocket-Accept";
	copy_field(head, "Sec-WebSocket-Extensions", extensions,
	    UPGRADE_TEXT_MAX);
	if (*extensions != '\0' &&
	    (!offers_deflate ||
		strncasecmp(extensions, DEFLATE, strlen(DEFLATE)) != 0))
		return "an extension that was not offered";
	return NULL;
}
