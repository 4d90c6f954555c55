/* SPDX-License-Identifier: ISC */

/*
 * Heads of requests, and all that is read out of their fields.
 */

#include "core/address.h"
#include "core/extension.h"
#include "core/forwarded.h"
#include "core/http.h"
#include "core/origin.h"
#include "core/query.h"
#include "core/websocket.h"
#include "fuzz.h"
#include "net/keys.h"

#define TOKEN "0123456789abcdef"
#define TOKEN_PROTOCOL "wsexec.token.MDEyMzQ1Njc4OWFiY2RlZg"

static bool
is_text(struct slice s)
{
	size_t i;

	for (i = 0; i < s.size; i++)
		if ((s.data[i] < ' ' && s.data[i] != '\t' && s.data[i] >= 0) ||
		    s.data[i] == 0x7f)
			return false;
	return true;
}

static bool
is_within(struct slice s, const uint8_t *head, size_t size)
{
	const char *begin = (const char *)head;

	return s.size == 0 ||
	    (s.data >= begin && s.size <= size &&
		(size_t)(s.data - begin) <= size - s.size);
}

static void
check_slices(const struct http_request *r, const uint8_t *head, size_t size)
{
	size_t i, j;

	CHECK(r->minor == 0 || r->minor == 1);
	CHECK(is_within(r->target, head, size) && is_text(r->target));
	CHECK(is_within(r->path, head, size));
	CHECK(is_within(r->query, head, size));
	CHECK(r->path.size + r->query.size <= r->target.size);
	CHECK(r->target.size > 0 && r->target.size <= HTTP_TARGET_MAX);
	CHECK(r->field_count <= HTTP_FIELDS_MAX);
	for (i = 0; i < r->field_count; i++) {
		CHECK(is_within(r->fields[i].name, head, size));
		CHECK(is_within(r->fields[i].value, head, size));
		CHECK(is_text(r->fields[i].value));
		CHECK(r->fields[i].name.size > 0);
		for (j = 0; j < r->fields[i].name.size; j++)
			CHECK(http_is_token_byte(r->fields[i].name.data[j]));
	}
}

static void
check_upgrade(const struct http_request *r)
{
	char key[WEBSOCKET_KEY_MAX];
	const char *why = NULL;
	int status = websocket_check_handshake(r, &why);

	CHECK(status == 0 || status == 400 || status == 426);
	CHECK((status == 0) == (why == NULL));
	(void)extension_deflate_is_offered(r);
	if (status != 0)
		return;
	CHECK(websocket_is_asked_for(r));
	websocket_accept_key(r, key);
	CHECK(strlen(key) == WEBSOCKET_KEY_MAX - 1);
}

static bool
has_text(const uint8_t *head, size_t size, const char *text)
{
	return memmem(head, size, text, strlen(text)) != NULL;
}

/* Nothing opens but what has the token in it, in one form or the other. */
static void
check_keys(const struct http_request *r, const uint8_t *head, size_t size)
{
	static struct keys keys;
	static char cookie[SECRET_COOKIE_SIZE];
	char name[KEYS_COOKIE_NAME_MAX], why[128];
	struct query q;

	if (keys.count == 0) {
		CHECK(keys_add(&keys, TOKEN, KEY_ALL));
		secret_make_cookie(TOKEN, cookie);
	}
	(void)query_parse(r->query, &q, why, sizeof(why));
	if (keys_find(&keys, r, &q, KEY_BY_COOKIE).rights != 0)
		CHECK(has_text(head, size, cookie));
	if (keys_find(&keys, r, &q, KEY_BY_OTHERS).rights != 0)
		CHECK(has_text(head, size, TOKEN) ||
		    has_text(head, size, TOKEN_PROTOCOL) ||
		    strcmp(q.token, TOKEN) == 0);
	keys_cookie_name(r, name);
	CHECK(strncmp(name, "wsexec", 6) == 0);
	CHECK(strlen(name) < KEYS_COOKIE_NAME_MAX);
}

static void
check_fields(const struct http_request *r)
{
	static const char *const types[] = { "text/html", "text/plain",
		"text/event-stream", "application/json" };
	const struct slice *host = http_field(r, "host");
	const struct slice *origin = http_field(r, "origin");
	struct address client;
	bool named;
	size_t i;
	int weight;

	(void)http_accepts_gzip(r);
	(void)http_has_copy(r, "\"tag\"");
	(void)http_field_has_token(r, "connection", "upgrade");
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		weight = http_media_weight(r, types[i], &named);
		CHECK(weight >= 0 && weight <= 1000);
	}
	if (host != NULL && origin != NULL)
		(void)origin_is_allowed(*origin, *host, NULL, false);
	(void)forwarded_find_client(r, NULL, 0, &client);
}

/* Part of a head is never wrong, and what follows one changes nothing. */
static void
check_prefixes(const uint8_t *data, size_t size, size_t used)
{
	static struct http_request r;
	struct portions p = portions_of(data, size);
	size_t part = portions_choose(&p, used), again;
	uint8_t *copy = copy_exactly(data, part);

	CHECK(http_parse_head((char *)copy, part, &r, &again) == HTTP_MORE);
	free(copy);
	copy = copy_exactly(data, used);
	CHECK(http_parse_head((char *)copy, used, &r, &again) == HTTP_DONE);
	CHECK(again == used);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_request r;
	size_t used = 0;

	switch (http_parse_head((const char *)data, size, &r, &used)) {
	case HTTP_MORE:
		CHECK(size < HTTP_HEAD_MAX + 1);
		break;
	case HTTP_ERROR:
		CHECK(http_status_index(r.status) < HTTP_STATUSES_MAX);
		CHECK(r.why != NULL && r.why[0] != '\0');
		break;
	case HTTP_DONE:
		CHECK(used > 0 && used <= size && used <= HTTP_HEAD_MAX);
		check_slices(&r, data, used);
		check_fields(&r);
		check_upgrade(&r);
		check_keys(&r, data, used);
		check_prefixes(data, size, used);
		break;
	}
	return 0;
}
