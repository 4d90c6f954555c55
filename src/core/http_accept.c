/* SPDX-License-Identifier: ISC */

/*
 * What a client accepts of an answer: its type, its coding, and whether it has
 * it already.  What is malformed counts for nothing.
 */

#include <string.h>

#include "core/http.h"

#define WEIGHT_MAX 1000	 /* weights are thousandths */
#define WEIGHT_NONE (-1) /* what has none is not in the list */

/* RFC 9110 section 12.4.2: "0.125" is 125. */
static int
weight_parse(struct slice text)
{
	int weight, unit = WEIGHT_MAX;
	size_t i;

	if (text.size == 0 || text.size > strlen("0.123") ||
	    (text.data[0] != '0' && text.data[0] != '1') ||
	    (text.size > 1 && text.data[1] != '.'))
		return WEIGHT_NONE;
	weight = (text.data[0] - '0') * unit;
	for (i = 2; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return WEIGHT_NONE;
		unit /= 10;
		weight += (text.data[i] - '0') * unit;
	}
	return weight > WEIGHT_MAX ? WEIGHT_NONE : weight;
}

/* Splits "gzip;q=0.5", of which the weight may be missing. */
static int
weight_take(struct slice *item)
{
	const char *end = item->data + item->size, *mark;
	struct slice weight;

	if ((mark = memchr(item->data, ';', item->size)) == NULL) {
		*item = slice_trim(*item);
		return WEIGHT_MAX;
	}
	item->size = (size_t)(mark - item->data);
	*item = slice_trim(*item);
	weight.data = mark + 1;
	weight.size = (size_t)(end - weight.data);
	weight = slice_trim(weight);
	if (weight.size < 2 ||
	    (weight.data[0] != 'q' && weight.data[0] != 'Q') ||
	    weight.data[1] != '=')
		return WEIGHT_NONE;
	weight.data += 2;
	weight.size -= 2;
	return weight_parse(weight);
}

/* The weight of a coding in Accept-Encoding; the first one counts. */
static int
coding_weight(const struct http_request *request, const char *coding)
{
	const struct http_field *field = request->fields;
	struct slice list, item;
	size_t i;
	int weight;

	for (i = 0; i < request->field_count; i++, field++) {
		if (!slice_equals_nocase(field->name, "Accept-Encoding"))
			continue;
		list = field->value;
		while (list.size > 0) {
			item = http_take_item(&list, ',');
			weight = weight_take(&item);
			if (weight != WEIGHT_NONE &&
			    slice_equals_nocase(item, coding))
				return weight;
		}
	}
	return WEIGHT_NONE;
}

enum http_gzip
http_accepts_gzip(const struct http_request *request)
{
	int others = coding_weight(request, "*");
	int identity = coding_weight(request, "identity");
	int gzip = coding_weight(request, "gzip");
	bool is_named;

	if (gzip == WEIGHT_NONE)
		gzip = coding_weight(request, "x-gzip"); /* section 8.4.1.3 */
	is_named = gzip != WEIGHT_NONE;
	if (!is_named)
		gzip = others;
	/* Where nothing is said of identity, it is the last that is wanted. */
	if (identity == WEIGHT_NONE)
		identity = others;
	if (gzip <= 0 || gzip < identity)
		return HTTP_GZIP_REFUSED;
	return is_named || identity == 0 ? HTTP_GZIP_WANTED : HTTP_GZIP_ALLOWED;
}

/* Takes "text/html" out of "text/html;level=1;q=0.5"; returns its weight. */
static int
range_take_weight(struct slice *item)
{
	struct slice rest = *item, parameter;

	*item = slice_trim(http_take_item(&rest, ';'));
	while (rest.size > 0) {
		parameter = slice_trim(http_take_item(&rest, ';'));
		if (parameter.size < 2 || parameter.data[1] != '=' ||
		    (parameter.data[0] != 'q' && parameter.data[0] != 'Q'))
			continue;
		parameter.data += 2;
		parameter.size -= 2;
		return weight_parse(parameter);
	}
	return WEIGHT_MAX;
}

enum precedence {
	PRECEDENCE_NONE, /* it is not in the range */
	PRECEDENCE_ALL,	 /* of the range of all types */
	PRECEDENCE_SOME, /* of the types that begin with the same word */
	PRECEDENCE_NAME,
};

static enum precedence
range_precedence(struct slice range, const char *type)
{
	struct slice front = { type, strcspn(type, "/") + 1 };

	if (slice_equals_nocase(range, type))
		return PRECEDENCE_NAME;
	/* Java has long sent a single asterisk. */
	if (slice_equals(range, "*/*") || slice_equals(range, "*"))
		return PRECEDENCE_ALL;
	if (range.size != front.size + 1 || range.data[front.size] != '*')
		return PRECEDENCE_NONE;
	range.size = front.size;
	return slice_equals_slice_nocase(range, front) ? PRECEDENCE_SOME :
							 PRECEDENCE_NONE;
}

int
http_media_weight(const struct http_request *request, const char *type,
    bool *is_named)
{
	enum precedence found = PRECEDENCE_NONE, precedence;
	const struct http_field *field = request->fields;
	struct slice list, range;
	int weight, result = WEIGHT_NONE;
	size_t i;

	for (i = 0; i < request->field_count; i++, field++) {
		list = field->value;
		if (!slice_equals_nocase(field->name, "Accept"))
			continue;
		while (list.size > 0) {
			range = http_take_item(&list, ',');
			weight = range_take_weight(&range);
			if (weight == WEIGHT_NONE || range.size == 0)
				continue;
			if (result == WEIGHT_NONE)
				result = 0;
			precedence = range_precedence(range, type);
			if (precedence <= found)
				continue;
			found = precedence;
			result = weight;
		}
	}
	*is_named = found == PRECEDENCE_NAME;
	/* Who says nothing takes everything. */
	return result == WEIGHT_NONE ? WEIGHT_MAX : result;
}

/*
 * A list of entity tags is no list like others: a backslash in a tag stands
 * for itself (RFC 9110 section 8.8.3).  Weak and strong ones compare equal.
 */
static bool
etag_list_has(struct slice list, const char *etag)
{
	const char *at = list.data, *end = list.data + list.size, *quote;
	struct slice tag;

	while (at < end) {
		if (*at == ' ' || *at == '\t' || *at == ',') {
			at++;
			continue;
		}
		if (end - at > 2 && at[0] == 'W' && at[1] == '/')
			at += 2;
		if (*at != '"' ||
		    (quote = memchr(at + 1, '"', (size_t)(end - at - 1))) ==
			NULL)
			return false;
		tag.data = at;
		tag.size = (size_t)(quote + 1 - at);
		if (slice_equals(tag, etag))
			return true;
		at = quote + 1;
	}
	return false;
}

bool
http_has_copy(const struct http_request *request, const char *etag)
{
	const struct http_field *field = request->fields;
	size_t i;

	for (i = 0; i < request->field_count; i++, field++)
		if (slice_equals_nocase(field->name, "If-None-Match") &&
		    (slice_equals(field->value, "*") ||
			etag_list_has(field->value, etag)))
			return true;
	return false;
}
