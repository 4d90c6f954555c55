/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_HTTP_H
#define WSEXEC_HTTP_H

/*
 * A strict parser for HTTP/1 request heads (RFC 9112), pure: bytes in, slices
 * of those bytes out.  Requests have no bodies here, so there is nothing that
 * two parsers could disagree about.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX 8192   /* bytes of a head; more is 431 */
#define HTTP_TARGET_MAX 2048 /* bytes of a request target; more is 414 */
#define HTTP_FIELDS_MAX 64   /* fields of a head; more is 431 */
#define HTTP_METHOD_MAX 16   /* bytes of a method; more is 501 */
#define HTTP_DATE_MAX 30     /* bytes of a date, and NUL */
#define HTTP_STATUSES_MAX 32 /* that are used here */

struct slice {
	const char *data; /* borrowed: the head that was parsed */
	size_t size;
};

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
};

struct http_field {
	struct slice name;
	struct slice value; /* without white space around it */
};

struct http_request {
	enum http_method method;
	int minor;	     /* HTTP/1.minor: 0 or 1 */
	struct slice target; /* origin-form, as sent */
	struct slice path;   /* up to '?' */
	struct slice query;  /* after '?', may be empty */
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t field_count;
	bool keep_alive; /* the client expects another answer after this */
	int status;	 /* after an error: the status to answer with */
	const char *why; /* after an error: one line, static */
};

enum http_result {
	HTTP_MORE,  /* so far so good, the head is not complete */
	HTTP_DONE,  /* *used bytes were the head */
	HTTP_ERROR, /* request->status and ->why; close after answering */
};

/*
 * Parses the head at the start of data.  A proper prefix of a head that is
 * accepted always gives HTTP_MORE.  Slices point into data.
 */
enum http_result http_parse_head(const char *data, size_t size,
    struct http_request *request, size_t *used);

/* The first field of that name (any case), or NULL. */
const struct slice *http_field(const struct http_request *request,
    const char *name);

/*
 * Whether the comma-separated lists of all fields of that name have the
 * token, in any case; parameters after ';' are not looked at.
 */
bool http_field_has_token(const struct http_request *request, const char *name,
    const char *token);

/* Whether a token may have it (RFC 9110 section 5.6.2). */
bool http_is_token_byte(char c);

/*
 * Takes an item, which may be empty, from the front of a list: what is before
 * the next separator (a comma, a semicolon) that is not in a quoted string.
 */
struct slice http_take_item(struct slice *list, char separator);

/* What Accept-Encoding says of gzip (RFC 9110 section 12.5.3). */
enum http_gzip {
	HTTP_GZIP_REFUSED, /* not acceptable, or less wanted than none */
	HTTP_GZIP_ALLOWED, /* acceptable, but not asked for: "*" */
	HTTP_GZIP_WANTED,  /* asked for by its name, or nothing else will do */
};

enum http_gzip http_accepts_gzip(const struct http_request *request);

/*
 * What Accept says of a media type (RFC 9110 section 12.5.1): its weight in
 * thousandths, 0: not acceptable.  is_named: by its name, not by a range.
 */
int http_media_weight(const struct http_request *request, const char *type,
    bool *is_named);

/*
 * Whether the client has what the entity tag (with its quotes, strong) is of:
 * If-None-Match (RFC 9110 section 13.1.2).
 */
bool http_has_copy(const struct http_request *request, const char *etag);

struct slice slice_trim(struct slice s); /* of white space around it */
bool slice_equals(struct slice s, const char *string);
bool slice_equals_nocase(struct slice s, const char *string);
bool slice_equals_slice_nocase(struct slice a, struct slice b);

/*
 * "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7) for seconds since
 * 1970, up to the year 9999.
 */
void http_date(int64_t seconds, char text[HTTP_DATE_MAX]);

/* "Not Found" for 404; "Unknown" for what is not used here. */
const char *http_status_text(int status);

/*
 * The statuses that are used here have places from 0 on: the place of one, or
 * HTTP_STATUSES_MAX if it is not used; and which one has a place, or 0.
 */
size_t http_status_index(int status);
int http_status_at(size_t index);

#endif
