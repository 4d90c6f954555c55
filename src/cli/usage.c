/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <string.h>

#include "cli/option_row.h"
#include "cli/usage.h"

#define USAGE_WIDTH 79
#define USAGE_INDENT 28 /* where the sentences begin */

/*
 * Prints words from column on, and goes on in the same column.  What is in
 * parentheses stays together.
 */
static void
print_wrapped(const char *text, int column)
{
	int at = column, length;

	for (;; text += length + 1) {
		length = (int)strcspn(text, *text == '(' ? ")" : " ");
		length += text[length] == ')';
		if (at > column && at + 1 + length > USAGE_WIDTH) {
			printf("\n%*s", column, "");
			at = column;
		}
		at += printf("%s%.*s", at > column ? " " : "", length, text);
		if (text[length] == '\0')
			break;
	}
	putchar('\n');
}

static void
print_row(const struct option_row *row)
{
	char text[256];
	int at;

	if (row->heading != NULL)
		printf("\n%s:\n", row->heading);
	at = row->letter != 0 ? printf("  -%c, --%s", row->letter, row->name) :
				printf("      --%s", row->name);
	if (row->argument != NULL)
		at += printf(" %s", row->argument);
	if (at + 2 > USAGE_INDENT)
		printf("\n%*s", USAGE_INDENT, "");
	else
		printf("%*s", USAGE_INDENT - at, "");
	if (row->initial == NULL)
		snprintf(text, sizeof(text), "%s", row->help);
	else
		snprintf(text, sizeof(text), "%s (default %s)", row->help,
		    row->initial);
	print_wrapped(text, USAGE_INDENT);
}

void
usage_print(void)
{
	const struct option_row *row;

	fputs("usage: wsexec [option ...] [--] command [argument ...]\n"
	      "       command | wsexec [option ...]\n"
	      "Runs a command once, or reads its output from stdin, and lets "
	      "everybody watch\n"
	      "it live, with its history, in browsers and WebSocket and HTTP "
	      "clients.\n",
	    stdout);
	for (row = option_rows; row->name != NULL; row++)
		print_row(row);
	fputs("\nS is in seconds and MS in milliseconds, both may have a "
	      "fraction; SIZE is in\n"
	      "bytes or ends in K, M or G (powers of 1024).  More is in "
	      "wsexec(1).\n",
	    stdout);
}
