/* SPDX-License-Identifier: ISC */

#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "cli/value.h"

#define ROWS_MAX 40
#define NOT_A_LETTER 256 /* what getopt returns for row 0 */
#define HELP_WIDTH 79
#define HELP_INDENT 25 /* where the sentences begin */

/* What a value must be; of words, those. */
static const char *const looks_like[] = {
	[ARGUMENT_COUNT] = "a whole number",
	[ARGUMENT_SIZE] = "a size such as 64K",
	[ARGUMENT_DECIMAL] = "a number such as 2.5",
};

static bool
scan_number(const struct argument *row, const char *text, double *number)
{
	switch (row->kind) {
	case ARGUMENT_COUNT:
		return value_scan_integer(text, number);
	case ARGUMENT_SIZE:
		return value_scan_size(text, number);
	case ARGUMENT_WORD:
		return value_scan_choice(row->value, text, number);
	default:
		return value_scan_decimal(text, number);
	}
}

static void
set_number(const struct argument *row, const char *text)
{
	double number;

	if (!scan_number(row, text, &number))
		errx(2, "--%s: '%s' is not %s", row->name, text,
		    row->kind == ARGUMENT_WORD ? row->value :
						 looks_like[row->kind]);
	if (row->kind == ARGUMENT_WORD) {
		*(int *)row->to = (int)number;
		return;
	}
	if (number < row->min || number > row->max)
		errx(2, "--%s: %s is not in %.10g..%.10g", row->name, text,
		    row->min, row->max);
	if (row->kind == ARGUMENT_DECIMAL)
		*(double *)row->to = number;
	else
		*(uint64_t *)row->to = (uint64_t)number;
}

static void
set_value(const struct argument *row, const char *text)
{
	if (row->kind == ARGUMENT_FLAG)
		*(bool *)row->to = true;
	else if (row->kind == ARGUMENT_TEXT)
		*(const char **)row->to = text;
	else
		set_number(row, text);
}

/* The help of a row, with its default; to be freed. */
static char *
describe(const struct argument *row)
{
	char *text = NULL;
	int n;

	if (row->kind == ARGUMENT_DECIMAL)
		n = asprintf(&text, "%s (%g)", row->help,
		    *(const double *)row->to);
	else if (row->kind == ARGUMENT_COUNT || row->kind == ARGUMENT_SIZE)
		n = asprintf(&text, "%s (%" PRIu64 ")", row->help,
		    *(const uint64_t *)row->to);
	else if (row->kind == ARGUMENT_TEXT &&
	    *(const char *const *)row->to != NULL)
		n = asprintf(&text, "%s (%s)", row->help,
		    *(const char *const *)row->to);
	else
		n = asprintf(&text, "%s", row->help);
	if (n == -1)
		err(1, NULL);
	return text;
}

/* Prints words, and goes on in the same column when a line is full. */
static void
print_wrapped(char *text)
{
	int at = HELP_INDENT;
	char *word;

	for (word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
		if (at + 1 + (int)strlen(word) > HELP_WIDTH)
			at = printf("\n%*s", HELP_INDENT, "") - 1;
		at += printf("%s%s", at > HELP_INDENT ? " " : "", word);
	}
	putchar('\n');
}

static void
print_row(const struct argument *row)
{
	char *text = describe(row);
	int at;

	if (row->letter != 0)
		at = printf("  -%c, --%s", row->letter, row->name);
	else
		at = printf("      --%s", row->name);
	if (row->value != NULL)
		at += printf(" %s", row->value);
	if (at + 2 > HELP_INDENT)
		at = printf("\n") - 1;
	printf("%*s", HELP_INDENT - at, "");
	print_wrapped(text);
	free(text);
}

static void
print_help(const struct arguments *a)
{
	size_t i;

	printf("usage: %s %s\n\n%s\n\n", getprogname(), a->synopsis, a->about);
	for (i = 0; i < a->count; i++)
		print_row(&a->rows[i]);
}

/* Makes what getopt_long() wants; letters has room for two a row and two. */
static void
fill_getopt(const struct arguments *a, struct option *options, char *letters)
{
	size_t i;

	*letters++ = '+';
	for (i = 0; i < a->count; i++) {
		options[i].name = a->rows[i].name;
		options[i].has_arg = a->rows[i].value != NULL;
		options[i].val = NOT_A_LETTER + (int)i;
		if (a->rows[i].letter == 0)
			continue;
		*letters++ = (char)a->rows[i].letter;
		if (a->rows[i].value != NULL)
			*letters++ = ':';
	}
	options[a->count].name = "help";
	options[a->count].val = 'h';
	*letters = '\0';
}

static const struct argument *
find_row(const struct arguments *a, int option)
{
	const struct argument *row = a->rows;

	if (option >= NOT_A_LETTER)
		return row + (option - NOT_A_LETTER);
	while (row->letter != option)
		row++;
	return row;
}

int
arguments_parse(const struct arguments *a, int argc, char *argv[])
{
	struct option options[ROWS_MAX + 2] = { { 0 } };
	char letters[2 * ROWS_MAX + 2];
	int option;

	if (a->count > ROWS_MAX)
		errx(1, "more options than there is room for");
	fill_getopt(a, options, letters);
	while (
	    (option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		if (option == 'h') {
			print_help(a);
			exit(fflush(stdout) == EOF);
		}
		if (option == '?')
			exit(2);
		set_value(find_row(a, option), optarg);
	}
	return optind;
}
