/* SPDX-License-Identifier: ISC */

/*
 * A string, read again by the rules of RFC 8259, is the string it was; and so
 * is the data of an event, read by those of an event stream.
 */

#include "core/format_encoders.h"
#include "core/json.h"
#include "fuzz.h"
#include "reference.h"

static unsigned int
hex_digit(uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit = memchr(digits, byte, 16);

	CHECK(digit != NULL);
	return (unsigned int)(digit - digits);
}

/* What follows a backslash; returns how many bytes that takes. */
static size_t
read_escape(struct buffer *out, const uint8_t *s, size_t n)
{
	static const char letters[] = "bfnrt\"\\/";
	static const char bytes[] = "\b\f\n\r\t\"\\/";
	const char *letter;
	unsigned int code = 0;
	size_t i;

	CHECK(n > 0);
	if (s[0] != 'u') {
		letter = memchr(letters, s[0], sizeof(letters) - 1);
		CHECK(letter != NULL);
		buffer_append_byte(out, (uint8_t)bytes[letter - letters]);
		return 1;
	}
	CHECK(n >= 5);
	for (i = 1; i < 5; i++)
		code = code * 16 + hex_digit(s[i]);
	CHECK(code < 0x20);
	buffer_append_byte(out, (uint8_t)code);
	return 5;
}

static void
read_string(struct buffer *out, const uint8_t *s, size_t n)
{
	size_t i = 1;

	CHECK(n >= 2 && s[0] == '"' && s[n - 1] == '"');
	while (i < n - 1) {
		CHECK(s[i] >= 0x20 && s[i] != '"');
		if (s[i] != '\\')
			buffer_append_byte(out, s[i++]);
		else
			i += 1 + read_escape(out, s + i + 1, n - 2 - i);
	}
}

static void
check_string(const uint8_t *data, size_t size)
{
	struct buffer json = BUFFER_INIT, again = BUFFER_INIT;
	struct buffer wanted = BUFFER_INIT;

	json_append_string(&json, data, size);
	read_string(&again, json.data, json.size);
	reference_repair(&wanted, data, size);
	CHECK(buffers_are_equal(&again, &wanted));
	buffer_clear(&json);
	buffer_clear(&again);
	buffer_clear(&wanted);
}

/* Lines end at \n, \r or both; all are data but the last, which is empty. */
static void
read_event(struct buffer *out, struct slice stream)
{
	static const char name[] = "data: ";
	struct slice line;
	bool is_first = true;
	size_t i;

	CHECK(stream.size > 0 && stream.data[stream.size - 1] == '\n');
	for (i = 0; i < stream.size; i++)
		CHECK(stream.data[i] != '\r');
	while ((line = take_until(&stream, '\n')).size > 0) {
		CHECK(line.size >= sizeof(name) - 1 &&
		    memcmp(line.data, name, sizeof(name) - 1) == 0);
		if (!is_first)
			buffer_append_byte(out, '\n');
		buffer_append(out, line.data + sizeof(name) - 1,
		    line.size - (sizeof(name) - 1));
		is_first = false;
	}
	CHECK(stream.size == 0);
}

/* size: without newlines, which no line has. */
static void
check_event(const uint8_t *data, size_t size)
{
	const struct format_event event = { .type = NULL };
	struct buffer stream = BUFFER_INIT, again = BUFFER_INIT;
	size_t i;

	format_event(&stream, &event, data, size);
	read_event(&again, (struct slice){ (char *)stream.data, stream.size });
	CHECK(again.size == size);
	for (i = 0; i < size; i++)
		CHECK(again.data[i] == (data[i] == '\r' ? '\n' : data[i]));
	buffer_clear(&stream);
	buffer_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;

	check_string(data, size);
	check_event(data, newline != NULL ? (size_t)(newline - data) : size);
	return 0;
}
