/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_OPTION_ROW_H
#define WSEXEC_OPTION_ROW_H

/*
 * The table of the options: what is parsed, shown by --help and completed by
 * shells.  Defaults and ranges stand in it as text, as a user would type them.
 */

#include <stdbool.h>
#include <stddef.h>

enum option_kind {
	KIND_FLAG,
	KIND_COUNT,
	KIND_INTEGER,
	KIND_SIZE,
	KIND_MODE, /* of a file, octal */
	KIND_SECONDS,
	KIND_FOREVER, /* seconds, or HUGE_VAL */
	KIND_MILLISECONDS,
	KIND_STRING,
	KIND_SECRET, /* a string that is copied, and gone from argv */
	KIND_BASE_PATH,
	KIND_LIST,
	KIND_CHOICE, /* of the words of the argument, counted from 0 */
	KIND_SIGNAL,
	KIND_HELP,
	KIND_VERSION,
	KIND_COMPLETION, /* a choice that is answered, as the two before */
};

struct option_row {
	int letter; /* 0: none */
	const char *name;
	const char *argument; /* NULL: it has none */
	enum option_kind kind;
	const char *min;
	const char *max;
	const char *unit;
	const char *initial; /* default; NULL: the field is zero */
	const char *help;
	const char *heading; /* of the group this row begins; NULL: none */
	size_t offset;	     /* of the field in struct options */
	size_t size;
	size_t given; /* offset of a bool: it was there; 0: nobody asks */
	bool (*accept)(const char *value); /* of strings; NULL: any */
	const char *looks_like;
	const char *alias; /* another name, for who knows it; NULL: none */
};

extern const struct option_row option_rows[]; /* the last has no name */

#endif
