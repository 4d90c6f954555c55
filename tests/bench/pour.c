/* SPDX-License-Identifier: ISC */

#include <err.h>
#include <stdio.h>
#include <string.h>

#include "pour.h"

static const char help[] =
    "usage: pour serve [options]\n"
    "       pour drain [options] ADDRESS:PORT [PATH]\n"
    "\n"
    "Sends bytes from memory, or drops what a server sends, as fast as they\n"
    "go.  Each has its own --help.\n";

int
main(int argc, char *argv[])
{
	const char *name = argc > 1 ? argv[1] : "";

	/* What getopt() says begins with the name of the program. */
	if (argc > 1)
		argv[1] = argv[0];
	if (strcmp(name, "serve") == 0)
		return pour_serve(argc - 1, argv + 1);
	if (strcmp(name, "drain") == 0)
		return pour_drain(argc - 1, argv + 1);
	if (strcmp(name, "--help") != 0 && strcmp(name, "-h") != 0)
		errx(2, "'%s' is neither serve nor drain: see --help", name);
	return fputs(help, stdout) == EOF || fflush(stdout) == EOF;
}
