/* SPDX-License-Identifier: ISC */

/*
 * The parser walks the head once, from left to right, and judges every byte
 * by those before it.  So it says the same however the head was cut on its
 * way, and says no at the first byte that cannot be part of a good head.
 */

#include <string.h>

#include "core/http.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TLS_HANDSHAKE 0x16 /* the first byte of a TLS connection */

struct parser {
	const char *data; /* borrowed: the caller's */
	size_t size;
	size_t position;
	struct http_request *request; /* borrowed: the caller's */
};

static const struct method {
	const char *name;
	int status; /* 0: served */
	enum http_method method;
} methods[] = {
	{ "GET", 0, HTTP_GET },
	{ "HEAD", 0, HTTP_HEAD },
	{ "POST", 405, HTTP_GET },
	{ "PUT", 405, HTTP_GET },
	{ "DELETE", 405, HTTP_GET },
	{ "OPTIONS", 405, HTTP_GET },
	{ "PATCH", 405, HTTP_GET },
	{ "CONNECT", 405, HTTP_GET },
	{ "TRACE", 405, HTTP_GET },
};

/* Fields of which a second one would leave open which of them counts. */
static const struct {
	const char *name;
	const char *why;
} single_fields[] = {
	{ "Host", "more than one Host field" },
	{ "Origin", "more than one Origin field" },
	{ "Authorization", "more than one Authorization field" },
	{ "Content-Length", "more than one Content-Length field" },
	{ "Sec-WebSocket-Key", "more than one Sec-WebSocket-Key field" },
	{ "Sec-WebSocket-Version",
	    "more than one Sec-WebSocket-Version field" },
};

static const struct {
	int status;
	const char *text;
} status_texts[] = {
	{ 101, "Switching Protocols" },
	{ 200, "OK" },
	{ 204, "No Content" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 426, "Upgrade Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

/* Not tolower(), which depends on the locale of the program. */
static char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
slice_equals(struct slice s, const char *string)
{
	return s.size == strlen(string) &&
	    (s.size == 0 || memcmp(s.data, string, s.size) == 0);
}

bool
slice_equals_slice_nocase(struct slice a, struct slice b)
{
	size_t i;

	if (a.size != b.size)
		return false;
	for (i = 0; i < a.size; i++)
		if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
			return false;
	return true;
}

bool
slice_equals_nocase(struct slice s, const char *string)
{
	struct slice other = { string, strlen(string) };

	return slice_equals_slice_nocase(s, other);
}

static bool
is_white_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_visible(char c)
{
	return c > ' ' && c < 0x7f;
}

bool
http_is_token_byte(char c)
{
	return is_visible(c) && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
}

static bool
is_value_byte(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

struct slice
slice_trim(struct slice s)
{
	while (s.size > 0 && is_white_space(s.data[s.size - 1]))
		s.size--;
	while (s.size > 0 && is_white_space(s.data[0])) {
		s.data++;
		s.size--;
	}
	return s;
}

static bool
parser_is_at_end(const struct parser *p)
{
	return p->position == p->size;
}

static char
parser_peek(const struct parser *p)
{
	return p->data[p->position];
}

/* Takes the bytes from here on that are of a kind, maybe none. */
static struct slice
parser_take(struct parser *p, bool (*is_of_kind)(char))
{
	struct slice taken = { p->data + p->position, 0 };

	while (!parser_is_at_end(p) && is_of_kind(parser_peek(p)))
		p->position++;
	taken.size = (size_t)(p->data + p->position - taken.data);
	return taken;
}

static enum http_result
http_fail(struct http_request *request, int status, const char *why)
{
	request->status = status;
	request->why = why;
	return HTTP_ERROR;
}

/*
 * Below, HTTP_DONE says that one part of the head is there and good, and
 * that the position is behind it.
 */

static enum http_result
http_parse_byte(struct parser *p, char byte, const char *why)
{
	if (parser_is_at_end(p))
		return HTTP_MORE;
	if (parser_peek(p) != byte)
		return http_fail(p->request, 400, why);
	p->position++;
	return HTTP_DONE;
}

static enum http_result
http_parse_line_end(struct parser *p)
{
	const char *why = "a control character, or a line without CR LF";
	enum http_result result;

	if ((result = http_parse_byte(p, '\r', why)) != HTTP_DONE)
		return result;
	return http_parse_byte(p, '\n', why);
}

static enum http_result
http_check_method(struct http_request *request, struct slice name)
{
	const struct method *m;

	for (m = methods; m < methods + COUNT(methods); m++) {
		if (!slice_equals(name, m->name))
			continue;
		if (m->status != 0)
			return http_fail(request, m->status,
			    "method not allowed, use GET or HEAD");
		request->method = m->method;
		return HTTP_DONE;
	}
	return http_fail(request, 501, "unknown method, use GET or HEAD");
}

static enum http_result
http_parse_method(struct parser *p)
{
	struct slice name;
	enum http_result result;

	if (!parser_is_at_end(p) && parser_peek(p) == TLS_HANDSHAKE)
		return http_fail(p->request, 400, "TLS on a plain port");
	name = parser_take(p, http_is_token_byte);
	if (name.size > HTTP_METHOD_MAX)
		return http_fail(p->request, 501,
		    "method too long, use GET or HEAD");
	if (name.size == 0 && !parser_is_at_end(p))
		return http_fail(p->request, 400,
		    "the request does not begin with a method");
	result = http_parse_byte(p, ' ', "no space behind the method");
	if (result != HTTP_DONE)
		return result;
	return http_check_method(p->request, name);
}

static void
http_split_target(struct http_request *request, struct slice target)
{
	const char *end = target.data + target.size;
	const char *mark = memchr(target.data, '?', target.size);
	const char *path_end = mark == NULL ? end : mark;
	const char *query = mark == NULL ? end : mark + 1;

	request->target = target;
	request->path.data = target.data;
	request->path.size = (size_t)(path_end - target.data);
	request->query.data = query;
	request->query.size = (size_t)(end - query);
}

static enum http_result
http_parse_target(struct parser *p)
{
	struct slice target = parser_take(p, is_visible);
	enum http_result result;

	if (target.size > 0 ? target.data[0] != '/' : !parser_is_at_end(p))
		return http_fail(p->request, 400,
		    "the request target does not begin with /");
	if (target.size > HTTP_TARGET_MAX)
		return http_fail(p->request, 414,
		    "the request target is longer than 2048 bytes");
	result = http_parse_byte(p, ' ',
	    "the request target has a byte that is not visible ASCII, or no "
	    "HTTP version follows it");
	if (result == HTTP_DONE)
		http_split_target(p->request, target);
	return result;
}

static enum http_result
http_parse_version(struct parser *p)
{
	static const char form[] = "HTTP/0.0"; /* 0: any digit */
	const char *why = "not an HTTP version, use HTTP/1.1";
	const char *version = p->data + p->position;
	enum http_result result;
	bool is_good;
	size_t i;

	for (i = 0; i < sizeof(form) - 1; i++, p->position++) {
		if (parser_is_at_end(p))
			return HTTP_MORE;
		is_good = form[i] == '0' ? is_digit(version[i]) :
					   version[i] == form[i];
		if (!is_good)
			return http_fail(p->request, 400, why);
	}
	if ((result = http_parse_line_end(p)) != HTTP_DONE)
		return result;
	if (version[5] != '1' || version[7] > '1')
		return http_fail(p->request, 505,
		    "HTTP version not supported, use HTTP/1.1");
	p->request->minor = version[7] - '0';
	return HTTP_DONE;
}

static enum http_result
http_add_field(struct http_request *request, struct slice name,
    struct slice value)
{
	struct http_field *field;
	size_t i;

	for (i = 0; i < COUNT(single_fields); i++)
		if (slice_equals_nocase(name, single_fields[i].name) &&
		    http_field(request, single_fields[i].name) != NULL)
			return http_fail(request, 400, single_fields[i].why);
	if (slice_equals_nocase(name, "Content-Length") &&
	    !slice_equals(value, "0"))
		return http_fail(request, 413,
		    "requests with a body are not served");
	if (slice_equals_nocase(name, "Transfer-Encoding"))
		return http_fail(request, 501,
		    "Transfer-Encoding is not served in requests");
	if (slice_equals_nocase(name, "Expect"))
		return http_fail(request, 417, "Expect is not served");

	field = &request->fields[request->field_count++];
	field->name = name;
	field->value = value;
	return HTTP_DONE;
}

static enum http_result
http_parse_field(struct parser *p)
{
	struct slice name, value;
	enum http_result result;

	if (p->request->field_count == HTTP_FIELDS_MAX)
		return http_fail(p->request, 431, "more than 64 fields");
	if (is_white_space(parser_peek(p)))
		return http_fail(p->request, 400,
		    "a field is folded over lines");
	name = parser_take(p, http_is_token_byte);
	if (name.size == 0)
		return http_fail(p->request, 400,
		    "a field does not begin with a name");
	result = http_parse_byte(p, ':', "no colon behind a field name");
	if (result != HTTP_DONE)
		return result;
	value = slice_trim(parser_take(p, is_value_byte));
	if ((result = http_parse_line_end(p)) != HTTP_DONE)
		return result;
	return http_add_field(p->request, name, value);
}

/* All fields and the empty line behind them. */
static enum http_result
http_parse_fields(struct parser *p)
{
	enum http_result result;

	while (!parser_is_at_end(p) && parser_peek(p) != '\r')
		if ((result = http_parse_field(p)) != HTTP_DONE)
			return result;
	return http_parse_line_end(p);
}

static enum http_result
http_check_head(struct http_request *request)
{
	static const char connection[] = "Connection";
	bool is_wanted = request->minor == 1 ||
	    http_field_has_token(request, connection, "keep-alive");

	if (request->minor == 1 && http_field(request, "Host") == NULL)
		return http_fail(request, 400, "no Host field");
	request->keep_alive =
	    is_wanted && !http_field_has_token(request, connection, "close");
	return HTTP_DONE;
}

enum http_result
http_parse_head(const char *data, size_t size, struct http_request *request,
    size_t *used)
{
	struct parser p = { data, size, 0, request };
	enum http_result result;

	memset(request, 0, sizeof(*request));
	if (size == 0)
		return HTTP_MORE;
	if (size > HTTP_HEAD_MAX)
		p.size = HTTP_HEAD_MAX;
	if ((result = http_parse_method(&p)) == HTTP_DONE &&
	    (result = http_parse_target(&p)) == HTTP_DONE &&
	    (result = http_parse_version(&p)) == HTTP_DONE &&
	    (result = http_parse_fields(&p)) == HTTP_DONE &&
	    (result = http_check_head(request)) == HTTP_DONE)
		*used = p.position;
	if (result == HTTP_MORE && p.size == HTTP_HEAD_MAX)
		return http_fail(request, 431,
		    "the request head is longer than 8192 bytes");
	return result;
}

const struct slice *
http_field(const struct http_request *request, const char *name)
{
	size_t i;

	for (i = 0; i < request->field_count; i++)
		if (slice_equals_nocase(request->fields[i].name, name))
			return &request->fields[i].value;
	return NULL;
}

struct slice
http_take_item(struct slice *list, char separator)
{
	struct slice item = { list->data, 0 };
	bool is_quoted = false, is_escaped = false;
	size_t i;

	for (i = 0; i < list->size; i++) {
		char c = list->data[i];

		if (c == separator && !is_quoted)
			break;
		if (c == '"' && !is_escaped)
			is_quoted = !is_quoted;
		is_escaped = is_quoted && c == '\\' && !is_escaped;
	}
	item.size = i;
	if (i < list->size)
		i++;
	list->data += i;
	list->size -= i;
	return item;
}

static bool
list_has_token(struct slice list, const char *token)
{
	struct slice item;
	const char *parameters;

	while (list.size > 0) {
		item = http_take_item(&list, ',');
		parameters = memchr(item.data, ';', item.size);
		if (parameters != NULL)
			item.size = (size_t)(parameters - item.data);
		if (slice_equals_nocase(slice_trim(item), token))
			return true;
	}
	return false;
}

bool
http_field_has_token(const struct http_request *request, const char *name,
    const char *token)
{
	const struct http_field *field = request->fields;
	size_t i;

	for (i = 0; i < request->field_count; i++, field++)
		if (slice_equals_nocase(field->name, name) &&
		    list_has_token(field->value, token))
			return true;
	return false;
}

size_t
http_status_index(int status)
{
	size_t i;

	_Static_assert(COUNT(status_texts) <= HTTP_STATUSES_MAX,
	    "there are more than can be counted");
	for (i = 0; i < COUNT(status_texts); i++)
		if (status_texts[i].status == status)
			return i;
	return HTTP_STATUSES_MAX;
}

int
http_status_at(size_t index)
{
	return index < COUNT(status_texts) ? status_texts[index].status : 0;
}

const char *
http_status_text(int status)
{
	size_t i = http_status_index(status);

	return i < COUNT(status_texts) ? status_texts[i].text : "Unknown";
}
