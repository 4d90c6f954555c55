/* SPDX-License-Identifier: ISC */

/*
 * UTF-8 against a slow reference.
 */

#include "core/utf8.h"
#include "fuzz.h"
#include "reference.h"

/* Where the first thing that is no character begins. */
static size_t
find_bad(const uint8_t *s, size_t n)
{
	size_t i = 0, length;

	while (i < n && (length = reference_character(s + i, n - i)) > 0)
		i += length;
	return i;
}

static void
check_portions(const uint8_t *s, size_t n)
{
	struct portions p = portions_of(s, n);
	size_t bad = find_bad(s, n), whole = 0, at = 0, size;
	uint32_t state = 0;
	bool wanted, good = true;

	while (good && at < n) {
		size = portions_next(&p, n - at);
		good = utf8_check_next(&state, s + at, size);
		at += size;
		wanted = bad >= at || reference_is_beginning(s + bad, at - bad);
		CHECK(good == wanted);
		whole += find_bad(s + whole, at - whole);
		CHECK(!good || (state == 0) == (whole == at));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer repaired = BUFFER_INIT, wanted = BUFFER_INIT;
	size_t bad = find_bad(data, size);

	CHECK(utf8_valid_prefix(data, size) == bad);
	CHECK(utf8_is_valid(data, size) == (bad == size));
	utf8_append_repaired(&repaired, data, size);
	reference_repair(&wanted, data, size);
	CHECK(buffers_are_equal(&repaired, &wanted));
	CHECK(utf8_is_valid(repaired.data, repaired.size));
	check_portions(data, size);
	buffer_clear(&repaired);
	buffer_clear(&wanted);
	return 0;
}
