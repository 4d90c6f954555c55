/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_COMPLETION_H
#define WSEXEC_COMPLETION_H

/*
 * What makes a shell complete the options of wsexec, from the table of them:
 * their names, the words that some take, files, directories and signals, and
 * behind the options a command.
 */

#include <stdio.h>

enum completion_shell {
	COMPLETION_BASH,
	COMPLETION_ZSH,
};

void completion_print(FILE *out, enum completion_shell shell);

#endif
