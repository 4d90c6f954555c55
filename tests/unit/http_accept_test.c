/* SPDX-License-Identifier: ISC */

/*
 * What clients say that they take, or have.  Each value is in memory of just
 * its size, so that a read past its end is found.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/http.h"
#include "seed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FIELDS 2 /* of a name, in one request */
#define ETAG "\"0123456789abcdef-gzip\""

/* A request with fields of one name; values that are NULL are left out. */
static void
request_init(struct http_request *request, const char *name,
    const char *const values[FIELDS])
{
	struct slice *value;
	size_t i;

	memset(request, 0, sizeof(*request));
	for (i = 0; i < FIELDS && values[i] != NULL; i++) {
		request->fields[i].name = (struct slice){ name, strlen(name) };
		value = &request->fields[i].value;
		value->size = strlen(values[i]);
		value->data =
		    memcpy(malloc(value->size), values[i], value->size);
		request->field_count++;
	}
}

static void
request_clear(struct http_request *request)
{
	size_t i;

	for (i = 0; i < request->field_count; i++)
		free((void *)(uintptr_t)request->fields[i].value.data);
}

static enum http_gzip
accepts_gzip(const char *value, const char *second)
{
	const char *const values[FIELDS] = { value, second };
	struct http_request request;
	enum http_gzip gzip;

	request_init(&request, "accept-ENCODING", values);
	gzip = http_accepts_gzip(&request);
	request_clear(&request);
	return gzip;
}

static const struct {
	enum http_gzip gzip;
	const char *value;
} encodings[] = {
	{ HTTP_GZIP_REFUSED, NULL },
	{ HTTP_GZIP_REFUSED, "" },
	{ HTTP_GZIP_REFUSED, "," },
	{ HTTP_GZIP_REFUSED, "identity" },
	{ HTTP_GZIP_REFUSED, "deflate, br, zstd" },
	{ HTTP_GZIP_REFUSED, "gzipped, agzip, gzi" },

	/* What is sent by browsers, curl, aiohttp and Python. */
	{ HTTP_GZIP_WANTED, "gzip, deflate, br, zstd" },
	{ HTTP_GZIP_WANTED, "deflate, gzip, br, zstd" },
	{ HTTP_GZIP_WANTED, "gzip, deflate" },
	{ HTTP_GZIP_WANTED, "gzip" },
	{ HTTP_GZIP_WANTED, "GZip" },
	{ HTTP_GZIP_WANTED, "x-gzip" },
	{ HTTP_GZIP_WANTED, "deflate,gzip;q=1.0,*;q=0.5" },
	{ HTTP_GZIP_WANTED, "br;q=1.0, gzip;q=0.8, *;q=0.1" },
	{ HTTP_GZIP_WANTED, " ,, \tgzip\t, ," },

	/* Any weight but 0 will do, where identity has none. */
	{ HTTP_GZIP_WANTED, "gzip;q=0.001" },
	{ HTTP_GZIP_WANTED, "br, gzip;q=0.5" },
	{ HTTP_GZIP_WANTED, "gzip ; \tQ=0.5" },
	{ HTTP_GZIP_REFUSED, "gzip;q=0" },
	{ HTTP_GZIP_REFUSED, "gzip;q=0." },
	{ HTTP_GZIP_REFUSED, "gzip;q=0.0" },
	{ HTTP_GZIP_REFUSED, "gzip;q=0.000" },
	{ HTTP_GZIP_WANTED, "gzip;q=1." },
	{ HTTP_GZIP_WANTED, "gzip;q=1.000" },

	/* What is wanted more comes first, and gzip if that is the same. */
	{ HTTP_GZIP_WANTED, "gzip, identity" },
	{ HTTP_GZIP_WANTED, "identity, gzip" },
	{ HTTP_GZIP_WANTED, "identity;q=0.5, gzip;q=0.501" },
	{ HTTP_GZIP_REFUSED, "identity;q=0.501, gzip;q=0.5" },
	{ HTTP_GZIP_REFUSED, "identity, gzip;q=0.999" },
	{ HTTP_GZIP_WANTED, "identity;q=0, gzip;q=0.1" },
	{ HTTP_GZIP_REFUSED, "identity;q=0" },
	{ HTTP_GZIP_REFUSED, "identity;q=0, gzip;q=0" },

	/* The asterisk is for what is not in the list. */
	{ HTTP_GZIP_ALLOWED, "*" },
	{ HTTP_GZIP_ALLOWED, "*;q=0.1" },
	{ HTTP_GZIP_ALLOWED, "br, *;q=0.1" },
	{ HTTP_GZIP_ALLOWED, "identity;q=0.5, *" },
	{ HTTP_GZIP_REFUSED, "*;q=0" },
	{ HTTP_GZIP_REFUSED, "identity, *;q=0.5" },
	{ HTTP_GZIP_REFUSED, "identity, *;q=0" },
	{ HTTP_GZIP_REFUSED, "gzip;q=0, *" },
	{ HTTP_GZIP_REFUSED, "gzip;q=0.5, *;q=0.6" },
	{ HTTP_GZIP_WANTED, "gzip;q=0.5, *;q=0.5" },
	{ HTTP_GZIP_WANTED, "gzip, *;q=0" },
	{ HTTP_GZIP_WANTED, "*;q=0, gzip" },
	{ HTTP_GZIP_WANTED, "*, identity;q=0" },

	/* What is malformed is not there; of two the first counts. */
	{ HTTP_GZIP_REFUSED, "gzip;q=2" },
	{ HTTP_GZIP_REFUSED, "gzip;q=1.001" },
	{ HTTP_GZIP_REFUSED, "gzip;q=0.1234" },
	{ HTTP_GZIP_REFUSED, "gzip;q=-1" },
	{ HTTP_GZIP_REFUSED, "gzip;q=.5" },
	{ HTTP_GZIP_REFUSED, "gzip;q=1x" },
	{ HTTP_GZIP_REFUSED, "gzip;q=0,5" },
	{ HTTP_GZIP_REFUSED, "gzip;q=0.5;q=1" },
	{ HTTP_GZIP_REFUSED, "gzip;q =1" },
	{ HTTP_GZIP_REFUSED, "gzip;q= 1" },
	{ HTTP_GZIP_REFUSED, "gzip;q=" },
	{ HTTP_GZIP_REFUSED, "gzip;q" },
	{ HTTP_GZIP_REFUSED, "gzip;" },
	{ HTTP_GZIP_REFUSED, "gzip;level=9" },
	{ HTTP_GZIP_REFUSED, "gzip deflate" },
	{ HTTP_GZIP_REFUSED, "\"gzip\"" },
	{ HTTP_GZIP_REFUSED, "\"br, gzip" },
	{ HTTP_GZIP_WANTED, "gzip;q=x, gzip" },
	{ HTTP_GZIP_REFUSED, "gzip;q=0, gzip" },
	{ HTTP_GZIP_WANTED, "gzip, gzip;q=0" },
};

static void
test_accept_encoding(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(encodings); i++)
		if (accepts_gzip(encodings[i].value, NULL) != encodings[i].gzip)
			fail_msg("wrong: %s", encodings[i].value);
}

static void
test_two_fields_are_one_list(void **state)
{
	(void)state;
	assert_int_equal(accepts_gzip("br", "gzip"), HTTP_GZIP_WANTED);
	assert_int_equal(accepts_gzip("gzip", "identity"), HTTP_GZIP_WANTED);
	assert_int_equal(accepts_gzip("identity", "gzip;q=0.5"),
	    HTTP_GZIP_REFUSED);
	assert_int_equal(accepts_gzip("gzip", "gzip;q=0"), HTTP_GZIP_WANTED);
	assert_int_equal(accepts_gzip("*", "identity;q=0.1"),
	    HTTP_GZIP_ALLOWED);
}

static void
test_other_fields_say_nothing_of_it(void **state)
{
	const char *const values[FIELDS] = { "gzip" };
	struct http_request request;

	(void)state;
	request_init(&request, "Accept-Encodings", values);
	assert_int_equal(http_accepts_gzip(&request), HTTP_GZIP_REFUSED);
	request_clear(&request);
	request_init(&request, "TE", values);
	assert_int_equal(http_accepts_gzip(&request), HTTP_GZIP_REFUSED);
	request_clear(&request);
}

/* The weight of text/html; named: one more. */
static int
media_weight(const char *value, const char *second)
{
	const char *const values[FIELDS] = { value, second };
	struct http_request request;
	bool is_named;
	int weight;

	request_init(&request, "ACCEPT", values);
	weight = http_media_weight(&request, "text/html", &is_named);
	request_clear(&request);
	assert_true(weight >= 0 && weight <= 1000);
	return weight + is_named;
}

static const struct {
	int weight;
	const char *value;
} media[] = {
	{ 1000, NULL },
	{ 1000, "" },
	{ 1000, " , " },
	{ 1000, "*/*" },
	{ 1000, "*" },
	{ 1000, "text/*" },
	{ 1001, "text/html" },
	{ 1001, "TEXT/Html" },
	{ 0, "text/htm" },
	{ 0, "text/htmls" },
	{ 0, "text" },
	{ 0, "text/" },
	{ 0, "tex/*" },
	{ 0, "texts/*" },
	{ 0, "html/*" },
	{ 0, "*/html" },
	{ 0, "text/**" },
	{ 0, "image/png, text/plain" },
	{ 0, "application/json" },

	/* The most precise one counts, wherever it is. */
	{ 501, "*/*, text/*;q=0.8, text/html;q=0.5" },
	{ 501, "text/html;q=0.5, text/*;q=0.8, */*" },
	{ 800, "text/*;q=0.8, */*" },
	{ 800, "*/*, text/*;q=0.8" },
	{ 100, "image/*, */*;q=0.1" },
	{ 1, "text/html;q=0, */*" },
	{ 0, "text/*;q=0, */*" },
	{ 0, "*/*;q=0" },
	{ 301, "text/html;q=0.3, text/html" },

	/* Of parameters only the weight is looked at. */
	{ 1001, "text/html;charset=utf-8" },
	{ 701, "text/html ; level=1 ; q=0.7" },
	{ 701, "text/html;Q=0.7;ext=1" },
	{ 701, "text/html;a=\";q=0.1,\";q=0.7" },
	{ 1001, "text/html;" },
	{ 1001, "text/html;q" },
	{ 1001, "text/html;qq=0" },

	/* What is malformed counts for nothing. */
	{ 1000, "text/html;q=2" },
	{ 1000, "text/html;q=.5" },
	{ 1000, "*/*;q=x" },
	{ 0, "text/html;q=2, image/png" },
	{ 201, "text/html;q=1.001, text/html;q=0.2" },

	/* What is sent by Firefox, Chromium, an EventSource, Java. */
	{ 1001,
	    "text/html,application/xhtml+xml,application/xml;q=0.9,"
	    "*/*;q=0.8" },
	{ 1001,
	    "text/html,application/xhtml+xml,application/xml;q=0.9,"
	    "image/avif,image/webp,image/apng,*/*;q=0.8,"
	    "application/signed-exchange;v=b3;q=0.7" },
	{ 0, "text/event-stream" },
	{ 1001, "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2" },
};

static void
test_media(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(media); i++)
		if (media_weight(media[i].value, NULL) != media[i].weight)
			fail_msg("%d: %s", media_weight(media[i].value, NULL),
			    media[i].value);
	assert_int_equal(media_weight("*/*;q=0.4", "text/html;q=0.6"), 601);
	assert_int_equal(media_weight("text/html;q=0.6", "*/*;q=0.4"), 601);
	assert_int_equal(media_weight("image/png", "bad;q=x"), 0);
}

static bool
has_copy(const char *value, const char *second)
{
	const char *const values[FIELDS] = { value, second };
	struct http_request request;
	bool has;

	request_init(&request, "If-none-match", values);
	has = http_has_copy(&request, ETAG);
	request_clear(&request);
	return has;
}

static const struct {
	bool has;
	const char *value;
} copies[] = {
	{ false, NULL },
	{ false, "" },
	{ false, "\"\"" },
	{ true, ETAG },
	{ true, "W/" ETAG },
	{ true, "*" },
	{ true, "\"\", " ETAG },
	{ true, "\"a\",W/\"b\"," ETAG },
	{ true, "\"a\" , W/" ETAG " , \"c\"" },
	{ true, ",, \t" ETAG },
	/* Neither a comma nor a backslash in a tag means anything. */
	{ true, "\"a, b\", " ETAG },
	{ true, "\"a\\\", " ETAG },
	{ false, "\"0123456789abcdef\"" },
	{ false, "\"0123456789ABCDEF-gzip\"" },
	{ false, "\"0123456789abcdef-gzip \"" },
	{ false, "0123456789abcdef-gzip" },
	{ false, "\"0123456789abcdef-gzip" },
	{ false, "0123456789abcdef-gzip\"" },
	{ false, "w/" ETAG },
	{ false, "W /" ETAG },
	{ false, "W/ " ETAG },
	{ false, "W/" },
	{ false, "W" },
	{ false, "\"" },
	{ false, "W/\"" },
	{ false, "\"*\"" },
	{ false, "**" },
	{ false, "*, " ETAG },
	{ false, "a, " ETAG },
};

static void
test_copies(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(copies); i++)
		if (has_copy(copies[i].value, NULL) != copies[i].has)
			fail_msg("wrong: %s", copies[i].value);
	assert_true(has_copy("\"a\"", ETAG));
	assert_true(has_copy("bad", ETAG));
	assert_false(has_copy("\"a\"", "\"b\""));
}

/* Whatever comes, nothing outside of it is read, and nothing is made up. */
static void
test_noise(void **state)
{
	static const char bytes[] = ",;=q*01.5\" \tW/gzipa-\\\xff";
	char value[32];
	size_t size;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		size = (size_t)random() % (sizeof(value) - 1);
		value[size] = '\0';
		while (size-- > 0)
			value[size] =
			    bytes[(size_t)random() % (sizeof(bytes) - 1)];
		if (accepts_gzip(value, NULL) == HTTP_GZIP_WANTED)
			assert_non_null(strstr(value, "gzip"));
		if (accepts_gzip(value, NULL) == HTTP_GZIP_ALLOWED)
			assert_non_null(strchr(value, '*'));
		if (has_copy(value, NULL))
			assert_string_equal(value, "*");
		(void)media_weight(value, NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept_encoding),
		cmocka_unit_test(test_two_fields_are_one_list),
		cmocka_unit_test(test_other_fields_say_nothing_of_it),
		cmocka_unit_test(test_media),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_noise),
	};

	seed_random();
	return cmocka_run_group_tests_name("http_accept", tests, NULL, NULL);
}
