/* SPDX-License-Identifier: ISC */
#ifndef BENCH_ARGUMENTS_H
#define BENCH_ARGUMENTS_H

/*
 * The command line of one of these tools, from a table.  Each row names the
 * variable that gets the value; what is in it before is the default, and
 * --help shows it.
 */

#include <stddef.h>

enum argument_kind {
	ARGUMENT_FLAG,	  /* bool */
	ARGUMENT_COUNT,	  /* uint64_t */
	ARGUMENT_SIZE,	  /* uint64_t; "64K" */
	ARGUMENT_DECIMAL, /* double; "2.5" */
	ARGUMENT_TEXT,	  /* const char * */
	ARGUMENT_WORD,	  /* int: one of the words of value, from 0 */
};

struct argument {
	int letter; /* 0: none */
	const char *name;
	const char *value; /* what --help calls it; NULL for flags */
	enum argument_kind kind;
	void *to; /* borrowed: the variable, of the type above */
	double min, max;
	const char *help;
};

struct arguments {
	const char *synopsis; /* what comes after the name of the tool */
	const char *about;    /* sentences for --help */
	const struct argument *rows;
	size_t count;
};

/*
 * Parses the options, which end at the first word that is none, and returns
 * the index of that word.  --help is answered and ends the process with 0; a
 * mistake is told in one line on stderr and ends it with 2.
 */
int arguments_parse(const struct arguments *a, int argc, char *argv[]);

#endif
