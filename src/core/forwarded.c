/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "core/address.h"
#include "core/forwarded.h"
#include "core/http.h"

/* What has been found in the fields so far, from left to right. */
struct finder {
	const struct network *trusted;
	size_t count;
	struct address *client;
	bool found;
};

bool
forwarded_is_trusted(const struct network *trusted, size_t count,
    const struct address *a)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (network_has(&trusted[i], a))
			return true;
	return false;
}

static bool
is_token(struct slice s)
{
	size_t i;

	for (i = 0; i < s.size; i++)
		if (!http_is_token_byte(s.data[i]))
			return false;
	return s.size > 0;
}

/*
 * Takes the quotes off.  False: there are some that are not around all of it,
 * as when a client has left one open to hide what a proxy adds.
 */
static bool
unquote(struct slice *s)
{
	size_t i;

	if (s->size < 2 || s->data[0] != '"')
		return s->size == 0 || memchr(s->data, '"', s->size) == NULL;
	for (i = 1; i < s->size && s->data[i] != '"'; i++)
		if (s->data[i] == '\\')
			i++;
	if (i != s->size - 1)
		return false;
	s->data++;
	s->size -= 2;
	return true;
}

/* The value of "for" in "for=192.0.2.1;proto=http"; empty: it has none. */
static struct slice
find_for(struct slice element)
{
	const struct slice none = { NULL, 0 };
	struct slice pair, name, value, found = none;
	const char *mark;

	while (element.size > 0) {
		pair = slice_trim(http_take_item(&element, ';'));
		if (pair.size == 0)
			continue;
		if ((mark = memchr(pair.data, '=', pair.size)) == NULL)
			return none;
		name = (struct slice){ pair.data, (size_t)(mark - pair.data) };
		value = (struct slice){ mark + 1, pair.size - name.size - 1 };
		if (!is_token(name) || !unquote(&value))
			return none;
		if (slice_equals_nocase(name, "for"))
			found = value;
	}
	return found;
}

/* There are no quotes in X-Forwarded-For. */
static struct slice
take_address(struct slice *list)
{
	const char *end = memchr(list->data, ',', list->size);
	struct slice item = *list;

	if (end == NULL) {
		list->size = 0;
		return item;
	}
	item.size = (size_t)(end - item.data);
	list->data += item.size + 1;
	list->size -= item.size + 1;
	return item;
}

static void
finder_take(struct finder *f, struct slice text)
{
	struct address a;

	if (!address_parse(text, &a)) {
		f->found = false;
		return;
	}
	if (f->found && forwarded_is_trusted(f->trusted, f->count, &a))
		return;
	*f->client = a;
	f->found = true;
}

/* Takes all fields of a name; false: there are none. */
static bool
finder_take_fields(struct finder *f, const struct http_request *request,
    const char *name, bool has_pairs)
{
	struct slice list, item;
	bool is_there = false;
	size_t i;

	for (i = 0; i < request->field_count; i++) {
		if (!slice_equals_nocase(request->fields[i].name, name))
			continue;
		is_there = true;
		list = request->fields[i].value;
		while (list.size > 0) {
			item =
			    slice_trim(has_pairs ? http_take_item(&list, ',') :
						   take_address(&list));
			if (item.size > 0)
				finder_take(f,
				    has_pairs ? find_for(item) : item);
		}
	}
	return is_there;
}

bool
forwarded_find_client(const struct http_request *request,
    const struct network *trusted, size_t count, struct address *client)
{
	struct finder f = { trusted, count, client, false };

	if (!finder_take_fields(&f, request, "x-forwarded-for", false))
		(void)finder_take_fields(&f, request, "forwarded", true);
	return f.found;
}
