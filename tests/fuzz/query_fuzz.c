/* SPDX-License-Identifier: ISC */

/*
 * A token never gets through what makes addresses fit to be written down, in
 * whatever encoding it is given; and what is left says that there was one.
 */

#include "core/query.h"
#include "core/redact.h"
#include "fuzz.h"

#define TOKEN "0123456789abcdef"

static const char *const tokens[] = { TOKEN, NULL };

static void
check_redacted(struct slice text, const struct query *q, bool is_good)
{
	struct buffer address = BUFFER_INIT, out = BUFFER_INIT;
	struct slice rest;
	struct query again;
	char why[128];

	buffer_append_string(&address, "/?");
	buffer_append(&address, text.data, text.size);
	redact_append(&out,
	    (struct slice){ (char *)address.data, address.size }, tokens);
	CHECK(!out.failed && out.size <= address.size + text.size);
	CHECK(memmem(out.data, out.size, TOKEN, strlen(TOKEN)) == NULL);
	rest = (struct slice){ (char *)out.data + 2, out.size - 2 };
	/* The token may have stood anywhere: then all may be different. */
	if (is_good &&
	    memmem(text.data, text.size, TOKEN, strlen(TOKEN)) == NULL) {
		CHECK(query_parse(rest, &again, why, sizeof(why)));
		CHECK(strcmp(again.token, "-") == 0 ||
		    (again.token[0] == '\0' && q->token[0] == '\0'));
	}
	buffer_clear(&address);
	buffer_clear(&out);
}

/* What is handed on instead of it has all but the token. */
static void
check_public(struct slice text, const struct query *q)
{
	struct buffer out = BUFFER_INIT;
	struct slice rest;
	struct query again;
	char why[128];

	query_append_public(&out, text);
	CHECK(!out.failed && (out.size == 0 || out.data[0] == '?'));
	rest = (struct slice){ (char *)out.data, out.size };
	(void)take_until(&rest, '?');
	CHECK(query_parse(rest, &again, why, sizeof(why)));
	CHECK(again.token[0] == '\0');
	CHECK(again.has_after == q->has_after && again.after == q->after);
	CHECK(again.has_tail == q->has_tail && again.tail == q->tail);
	CHECK(again.has_format == q->has_format && again.format == q->format);
	CHECK(again.follow == q->follow && again.limit == q->limit);
	CHECK(strcmp(again.run, q->run) == 0);
	buffer_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct query q;
	char why[128] = "";
	bool is_good;

	if (size == 0)
		return 0;
	is_good = query_parse(text, &q, why, sizeof(why));
	CHECK(is_good == (why[0] == '\0'));
	check_redacted(text, &q, is_good);
	if (is_good) {
		check_public(text, &q);
		query_set_event_id(&q, text);
		CHECK(strlen(q.run) <= QUERY_RUN_MAX);
	}
	return 0;
}
