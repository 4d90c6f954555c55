/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_JSON_H
#define WSEXEC_JSON_H

/*
 * Values of JSON (RFC 8259), appended to a buffer; a failure is out->failed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

/* value with its last places (1 to 6) behind the decimal point. */
void json_append_decimal(struct buffer *out, int64_t value,
    unsigned int places);

/* With milliseconds; what is negative or no number is 0. */
void json_append_seconds(struct buffer *out, double seconds);

void json_append_bool(struct buffer *out, bool value);

/* Any bytes: U+FFFD stands for what is not UTF-8. */
void json_append_string(struct buffer *out, const uint8_t *s, size_t n);
void json_append_c_string(struct buffer *out, const char *s);

/* An array of them, up to the NULL. */
void json_append_strings(struct buffer *out, const char *const *strings);

#endif
