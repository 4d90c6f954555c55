/* SPDX-License-Identifier: ISC */

#include <sys/stat.h>

#include <stddef.h>

#include "cli/log.h"
#include "cli/options.h"
#include "cli/secret_file.h"

/* What cannot be looked at is told of by whoever reads it. */
static void
secret_file_look_at(const char *option, const char *path)
{
	struct stat st;

	if (path != NULL && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & (S_IRGRP | S_IROTH)) != 0)
		log_warn("%s: %s: others may read it; chmod 600 it", option,
		    path);
}

void
secret_file_look(const struct options *o)
{
	secret_file_look_at("--token-file", o->token_file);
	secret_file_look_at("--read-token-file", o->read_token_file);
	secret_file_look_at("--write-token-file", o->write_token_file);
	secret_file_look_at("--credential-file", o->credential_file);
}
