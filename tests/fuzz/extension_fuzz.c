/* SPDX-License-Identifier: ISC */

/*
 * Offers of extensions, a field in each line: several fields mean the same as
 * one with their values behind one another (RFC 9110 section 5.3).
 */

#include "core/extension.h"
#include "fuzz.h"

static bool
is_offered(const struct slice *values, size_t count)
{
	static struct http_request request;
	size_t i;

	request.field_count = count;
	for (i = 0; i < count; i++) {
		request.fields[i].name =
		    (struct slice){ "sec-websocket-extensions", 24 };
		request.fields[i].value = slice_trim(values[i]);
	}
	return extension_deflate_is_offered(&request);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data, size };
	struct slice values[HTTP_FIELDS_MAX], joined;
	struct buffer all = BUFFER_INIT;
	size_t count = 0;
	bool offered;

	if (size == 0)
		return 0;
	while (rest.size > 0 && count < HTTP_FIELDS_MAX) {
		values[count] = take_until(&rest, '\n');
		if (count > 0)
			buffer_append_string(&all, ", ");
		buffer_append(&all, values[count].data, values[count].size);
		count++;
	}
	buffer_append_byte(&all, ' ');
	offered = is_offered(values, count);
	joined = (struct slice){ (char *)all.data, all.size };
	/* But not what is quoted across fields. */
	if (memchr(data, '"', size) == NULL)
		CHECK(is_offered(&joined, 1) == offered);
	CHECK(!offered || memmem(data, size, "permessage-deflate", 18) != NULL);
	buffer_clear(&all);
	return 0;
}
