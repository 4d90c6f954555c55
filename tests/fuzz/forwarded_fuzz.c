/* SPDX-License-Identifier: ISC */

/*
 * Whatever a client writes into the fields that say whom a proxy asks for, it
 * is the address that the proxy has added at the end which counts.  Each line
 * is a field; the first byte says which one.
 */

#include "core/address.h"
#include "core/forwarded.h"
#include "fuzz.h"

#define OWN "203.0.113.9" /* of the client, as the proxy says it */

static const struct slice plain_name = { "X-Forwarded-For", 15 };
static const struct slice paired_name = { "Forwarded", 9 };

static struct http_field
make_field(bool is_plain, const char *text, size_t size)
{
	struct http_field field = { is_plain ? plain_name : paired_name,
		slice_trim((struct slice){ text, size }) };

	return field;
}

/* is_sure: it must be found; else something may hide it, but no other be. */
static void
check_is_own(const struct http_request *request, bool is_sure)
{
	static struct network trusted;
	struct address found, own;
	static bool is_known;

	if (!is_known)
		is_known = network_parse("10.0.0.0/8", &trusted);
	CHECK(is_known);
	CHECK(address_parse((struct slice){ OWN, strlen(OWN) }, &own));
	if (!forwarded_find_client(request, &trusted, 1, &found)) {
		CHECK(!is_sure);
		return;
	}
	CHECK(found.family == own.family && found.port == 0 &&
	    memcmp(found.bytes, own.bytes, 4) == 0);
}

/* In a field of its own, and at the end of the last one. */
static void
check_added(struct http_request *request, bool is_plain)
{
	const char *added = is_plain ? OWN : "for=" OWN;
	struct http_field *last = &request->fields[request->field_count - 1];
	struct buffer joined = BUFFER_INIT;

	request->fields[request->field_count++] =
	    make_field(is_plain, added, strlen(added));
	check_is_own(request, true);
	request->field_count--;
	buffer_append(&joined, last->value.data, last->value.size);
	buffer_append_string(&joined, ", ");
	buffer_append_string(&joined, added);
	*last = make_field(is_plain, (char *)joined.data, joined.size);
	check_is_own(request, is_plain);
	buffer_clear(&joined);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_request request;
	struct slice rest = { (const char *)data, size }, line;
	struct address found;
	bool is_plain;

	if (size < 2)
		return 0;
	is_plain = (data[0] & 1) != 0;
	rest.data++;
	rest.size--;
	request.field_count = 0;
	while (rest.size > 0 && request.field_count < HTTP_FIELDS_MAX - 1) {
		line = take_until(&rest, '\n');
		request.fields[request.field_count++] =
		    make_field(is_plain, line.data, line.size);
	}
	(void)forwarded_find_client(&request, NULL, 0, &found);
	check_added(&request, is_plain);
	return 0;
}
