/* SPDX-License-Identifier: ISC */

#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "cli/completion.h"
#include "cli/option_row.h"

/* What can be the value of an option, as far as a shell can know. */
enum value_kind {
	VALUE_ANY,
	VALUE_FILE,
	VALUE_DIRECTORY,
	VALUE_SIGNAL,
	VALUE_WORD, /* those of the argument that are not in capitals */
};

/*
 * bash cuts what is typed at "=" and ":" as well, which is undone first: what
 * has no blank before it belongs to the word before.
 */
static const char bash_begin[] =
    "# Completion of wsexec(1) for bash; \"wsexec --completion bash\" made it.\n"
    "\n"
    "_wsexec()\n"
    "{\n"
    "\tlocal line=$COMP_LINE rest piece i option='' head cur\n"
    "\tlocal -a words=() begins=()\n"
    "\n"
    "\tCOMPREPLY=()\n"
    "\tfor ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "\t\tpiece=${COMP_WORDS[i]}\n"
    "\t\trest=${line#\"${line%%[![:space:]]*}\"}\n"
    "\t\tif [[ $i == 0 || $rest != \"$line\" ]]; then\n"
    "\t\t\twords+=(\"$piece\")\n"
    "\t\t\tbegins+=(\"$i\")\n"
    "\t\telse\n"
    "\t\t\twords[-1]+=$piece\n"
    "\t\tfi\n"
    "\t\tline=${rest#\"$piece\"}\n"
    "\tdone\n"
    "\n";

/* Whether there is an option that the word to complete is the value of. */
static const char bash_walk[] =
    "\tcur=${words[-1]}\n"
    "\tfor ((i = 1; i < ${#words[@]} - 1; i++)); do\n"
    "\t\tpiece=${words[i]}\n"
    "\t\tif [[ -n $option ]]; then\n"
    "\t\t\toption=\n"
    "\t\telif [[ $piece == -- ]]; then\n"
    "\t\t\t_wsexec_command \"${begins[i + 1]}\"\n"
    "\t\t\treturn\n"
    "\t\telif [[ $piece != -?* ]]; then\n"
    "\t\t\t_wsexec_command \"${begins[i]}\"\n"
    "\t\t\treturn\n"
    "\t\telif [[ $piece == --* ]]; then\n"
    "\t\t\t[[ $valued == *\" $piece \"* ]] && option=$piece\n"
    "\t\telif [[ $piece =~ ^-[$flags]*[$letters]$ ]]; then\n"
    "\t\t\toption=-${piece: -1}\n"
    "\t\tfi\n"
    "\tdone\n"
    "\tif [[ -z $option && $cur == --*=* ]]; then\n"
    "\t\toption=${cur%%=*}\n"
    "\t\tcur=${cur#*=}\n"
    "\telif [[ -z $option && $cur != -* ]]; then\n"
    "\t\t_wsexec_command \"${begins[-1]}\"\n"
    "\t\treturn\n"
    "\tfi\n"
    "\n"
    "\tcase $option in\n"
    "\t'') mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\") ;;\n";

/* readline puts the answer where the last piece begins. */
static const char bash_end[] =
    "\tesac\n"
    "\tpiece=${COMP_WORDS[COMP_CWORD]}\n"
    "\t[[ $piece == *[!:=]* ]] || piece=\n"
    "\thead=${cur%\"$piece\"}\n"
    "\tCOMPREPLY=(\"${COMPREPLY[@]#\"$head\"}\")\n"
    "}\n"
    "\n"
    "# What is behind the options, as it would be without them.\n"
    "_wsexec_command()\n"
    "{\n"
    "\tif declare -F _command_offset >/dev/null; then\n"
    "\t\t_command_offset \"$1\"\n"
    "\telif (($1 == COMP_CWORD)); then\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$cur\")\n"
    "\telse\n"
    "\t\tcompopt -o default\n"
    "\tfi\n"
    "}\n"
    "\n"
    "complete -F _wsexec wsexec\n";

static const char zsh_begin[] =
    "#compdef wsexec\n"
    "# Completion of wsexec(1) for zsh; \"wsexec --completion zsh\" made it.\n"
    "\n"
    "_arguments -s -S -A '-*' \\\n";

static const char zsh_end[] = "    '(-)1:command:_command_names -e' \\\n"
			      "    '*::arguments:_normal'\n";

/* The next word of an argument such as "S|forever"; NULL: there is none. */
static const char *
next_word(const char *argument, size_t *size)
{
	static const char small[] = "abcdefghijklmnopqrstuvwxyz-";

	while (*argument != '\0') {
		*size = strcspn(argument, "|");
		if (strspn(argument, small) >= *size)
			return argument;
		argument += *size;
		argument += strspn(argument, "|");
	}
	return NULL;
}

static enum value_kind
value_kind(const struct option_row *row)
{
	size_t size;

	if (row->kind == KIND_SIGNAL)
		return VALUE_SIGNAL;
	if (strcmp(row->argument, "FILE") == 0 ||
	    strcmp(row->argument, "F") == 0 ||
	    (strcmp(row->argument, "PATH") == 0 && row->kind == KIND_LIST))
		return VALUE_FILE;
	if (strcmp(row->argument, "DIR") == 0)
		return VALUE_DIRECTORY;
	return next_word(row->argument, &size) != NULL ? VALUE_WORD : VALUE_ANY;
}

/* The words there are to choose from, with blanks between them. */
static void
print_words(FILE *out, const struct option_row *row)
{
	const char *word = row->argument, *name, *blank = "";
	size_t size;
	int i;

	if (row->kind == KIND_SIGNAL) {
		for (i = 1; i < NSIG; i++) {
			if ((name = sigabbrev_np(i)) == NULL)
				continue;
			fprintf(out, "%s%s", blank, name);
			blank = " ";
		}
		return;
	}
	while ((word = next_word(word, &size)) != NULL) {
		fprintf(out, "%s%.*s", blank, (int)size, word);
		blank = " ";
		word += size;
		word += strspn(word, "|");
	}
}

/* The letters of those that take a value, or of the others. */
static void
bash_print_letters(FILE *out, bool valued)
{
	const struct option_row *row;

	for (row = option_rows; row->name != NULL; row++)
		if (row->letter != 0 && (row->argument != NULL) == valued)
			putc(row->letter, out);
}

static void
bash_print_lists(FILE *out)
{
	const struct option_row *row;

	fputs("\tlocal options='", out);
	for (row = option_rows; row->name != NULL; row++) {
		if (row->letter != 0)
			fprintf(out, "-%c ", row->letter);
		fprintf(out, "--%s ", row->name);
	}
	fputs("'\n\tlocal valued=' ", out);
	for (row = option_rows; row->name != NULL; row++)
		if (row->argument != NULL)
			fprintf(out, "--%s ", row->name);
	fputs("'\n\tlocal flags=", out);
	bash_print_letters(out, false);
	fputs(" letters=", out);
	bash_print_letters(out, true);
	fputs("\n\n", out);
}

static void
bash_print_values(FILE *out, const struct option_row *row)
{
	const enum value_kind kind = value_kind(row);

	if (kind == VALUE_ANY)
		return;
	fprintf(out, "\t--%s", row->name);
	if (row->letter != 0)
		fprintf(out, " | -%c", row->letter);
	fputs(")\n", out);
	if (kind == VALUE_FILE || kind == VALUE_DIRECTORY) {
		fprintf(out,
		    "\t\tcompopt -o filenames 2>/dev/null\n"
		    "\t\tmapfile -t COMPREPLY < <(compgen -%c -- \"$cur\")\n",
		    kind == VALUE_FILE ? 'f' : 'd');
	} else {
		fputs("\t\tmapfile -t COMPREPLY < <(compgen -W '", out);
		print_words(out, row);
		fputs("' -- \"$cur\")\n", out);
	}
	fputs("\t\t;;\n", out);
}

static void
bash_print(FILE *out)
{
	const struct option_row *row;

	fputs(bash_begin, out);
	bash_print_lists(out);
	fputs(bash_walk, out);
	for (row = option_rows; row->name != NULL; row++)
		if (row->argument != NULL)
			bash_print_values(out, row);
	fputs(bash_end, out);
}

/* Text in single quotes, of which these characters mean something to zsh. */
static void
zsh_print_text(FILE *out, const char *text, const char *special)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			fputs("'\\''", out);
			continue;
		}
		if (strchr(special, *text) != NULL)
			putc('\\', out);
		putc(*text, out);
	}
}

static void
zsh_print_value(FILE *out, const struct option_row *row)
{
	putc(':', out);
	zsh_print_text(out, row->argument, ":\\");
	putc(':', out);
	switch (value_kind(row)) {
	case VALUE_ANY:
		break;
	case VALUE_FILE:
		fputs("_files", out);
		break;
	case VALUE_DIRECTORY:
		fputs("_files -/", out);
		break;
	case VALUE_SIGNAL:
	case VALUE_WORD:
		putc('(', out);
		print_words(out, row);
		putc(')', out);
		break;
	}
}

/* '(-p --port)'{-p+,--port=}'[what it does]:N:' */
static void
zsh_print_row(FILE *out, const struct option_row *row)
{
	const bool valued = row->argument != NULL;

	fputs("    '", out);
	if (row->kind == KIND_LIST || row->kind == KIND_COUNT)
		putc('*', out);
	else if (row->letter != 0)
		fprintf(out, "(-%c --%s)", row->letter, row->name);
	if (row->letter != 0)
		fprintf(out, "'{-%c%s,--%s%s}'", row->letter, valued ? "+" : "",
		    row->name, valued ? "=" : "");
	else
		fprintf(out, "--%s%s", row->name, valued ? "=" : "");
	putc('[', out);
	zsh_print_text(out, row->help, "[]\\");
	putc(']', out);
	if (valued)
		zsh_print_value(out, row);
	fputs("' \\\n", out);
}

static void
zsh_print(FILE *out)
{
	const struct option_row *row;

	fputs(zsh_begin, out);
	for (row = option_rows; row->name != NULL; row++)
		zsh_print_row(out, row);
	fputs(zsh_end, out);
}

void
completion_print(FILE *out, enum completion_shell shell)
{
	switch (shell) {
	case COMPLETION_BASH:
		bash_print(out);
		break;
	case COMPLETION_ZSH:
		zsh_print(out);
		break;
	}
}
