/* SPDX-License-Identifier: ISC */

/* The raw format: the bytes as the command wrote them, and nothing else. */

#include "core/format_encoders.h"

struct format_payload
format_raw_line(const struct record *r)
{
	return (struct format_payload){ r->text, r->size, !r->continued };
}
