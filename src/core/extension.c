/* SPDX-License-Identifier: ISC */

/*
 * The grammar is that of RFC 6455 section 9.1: a list of offers, with commas
 * between them, each a token with parameters behind semicolons; a value is a
 * token, or quoted and then a token.  White space may be around all of them.
 */

#include <stddef.h>
#include <string.h>

#include "core/deflate.h"
#include "core/extension.h"
#include "core/http.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

_Static_assert(DEFLATE_WINDOW_BITS == 12, "EXTENSION_DEFLATE says 12");

#define VALUE_MAX 8 /* bytes of a value that is looked at, and its NUL */

struct scanner {
	const char *at;
	const char *end;
};

struct parameter {
	struct slice name;
	char value[VALUE_MAX]; /* cut; empty: there is none */
};

/*
 * What an offer may have that we can take (section 7.1).  The stream is one
 * for all clients: so there is no server_no_context_takeover here.
 */
static const struct rule {
	const char *name;
	bool without_value;
	const char *values[9]; /* up to NULL */
} deflate_rules[] = {
	{ "server_max_window_bits", false, { "12", "13", "14", "15" } },
	{ "client_max_window_bits", true,
	    { "8", "9", "10", "11", "12", "13", "14", "15" } },
	{ "client_no_context_takeover", true, { NULL } },
};

static void
skip_white_space(struct scanner *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t'))
		s->at++;
}

/* Takes a byte and the white space around it, if it is there. */
static bool
take_byte(struct scanner *s, char byte)
{
	skip_white_space(s);
	if (s->at == s->end || *s->at != byte)
		return false;
	s->at++;
	skip_white_space(s);
	return true;
}

static bool
take_token(struct scanner *s, struct slice *token)
{
	skip_white_space(s);
	token->data = s->at;
	while (s->at < s->end && http_is_token_byte(*s->at))
		s->at++;
	token->size = (size_t)(s->at - token->data);
	return token->size > 0;
}

/* Appends a byte of a value; false: a value cannot have it. */
static bool
parameter_add(struct parameter *p, size_t index, char byte)
{
	if (index < VALUE_MAX - 1)
		p->value[index] = byte;
	return http_is_token_byte(byte);
}

/* Takes a value up to the quote at its end; false: it is malformed. */
static bool
take_quoted(struct scanner *s, struct parameter *p)
{
	size_t n = 0;

	for (; s->at < s->end && *s->at != '"'; s->at++, n++) {
		if (*s->at == '\\' && ++s->at == s->end)
			return false;
		if (!parameter_add(p, n, *s->at))
			return false;
	}
	return n > 0 && take_byte(s, '"');
}

static bool
take_value(struct scanner *s, struct parameter *p)
{
	struct slice token;
	size_t i;

	if (s->at < s->end && *s->at == '"') {
		s->at++;
		return take_quoted(s, p);
	}
	if (!take_token(s, &token))
		return false;
	for (i = 0; i < token.size; i++)
		(void)parameter_add(p, i, token.data[i]);
	return true;
}

static bool
take_parameter(struct scanner *s, struct parameter *p)
{
	*p = (struct parameter){ 0 };
	return take_token(s, &p->name) &&
	    (!take_byte(s, '=') || take_value(s, p));
}

static bool
value_is_good(const struct rule *rule, const char *value)
{
	size_t i;

	if (value[0] == '\0')
		return rule->without_value;
	for (i = 0; rule->values[i] != NULL; i++)
		if (strcmp(value, rule->values[i]) == 0)
			return true;
	return false;
}

/* Notes in seen that it was there; a second one is not good. */
static bool
parameter_is_good(const struct parameter *p, unsigned int *seen)
{
	size_t i;
	unsigned int bit;

	for (i = 0; i < COUNT(deflate_rules); i++) {
		bit = 1U << i;
		if (!slice_equals(p->name, deflate_rules[i].name))
			continue;
		if ((*seen & bit) != 0)
			return false;
		*seen |= bit;
		return value_is_good(&deflate_rules[i], p->value);
	}
	return false;
}

/* Takes an offer with its parameters; false: it is malformed. */
static bool
take_offer(struct scanner *s, bool *is_good)
{
	struct slice name;
	struct parameter p;
	unsigned int seen = 0;

	if (!take_token(s, &name))
		return false;
	*is_good = slice_equals(name, "permessage-deflate");
	while (take_byte(s, ';')) {
		if (!take_parameter(s, &p))
			return false;
		if (!parameter_is_good(&p, &seen))
			*is_good = false;
	}
	return true;
}

/* Whether it is well-formed; *found becomes true if it has a good offer. */
static bool
list_is_well_formed(struct slice list, bool *found)
{
	struct scanner s = { list.data, list.data + list.size };
	bool is_good;

	do {
		/* Elements of a list may be empty (RFC 9110 section 5.6.1). */
		while (take_byte(&s, ','))
			continue;
		if (s.at == s.end)
			return true;
		if (!take_offer(&s, &is_good))
			return false;
		*found = *found || is_good;
	} while (take_byte(&s, ','));
	return s.at == s.end;
}

bool
extension_deflate_is_offered(const struct http_request *request)
{
	const struct http_field *field = request->fields;
	bool found = false;
	size_t i;

	for (i = 0; i < request->field_count; i++, field++)
		if (slice_equals_nocase(field->name,
			"Sec-WebSocket-Extensions") &&
		    !list_is_well_formed(field->value, &found))
			return false;
	return found;
}
