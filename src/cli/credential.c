/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "cli/credential.h"
#include "cli/log.h"
#include "cli/value.h"

#define CREDENTIAL_VARIABLE "WSEXEC_CREDENTIAL"

bool
credential_find(struct options *o)
{
	const char *given = getenv(CREDENTIAL_VARIABLE);

	if (o->credential[0] != '\0' || given == NULL)
		return true;
	if (!value_is_credential(given)) {
		log_warn("%s: what it has is not USER:PASS",
		    CREDENTIAL_VARIABLE);
		return false;
	}
	(void)strlcpy(o->credential, given, sizeof(o->credential));
	return true;
}

bool
credential_is_asked_for(const struct options *o)
{
	return o->credential[0] != '\0' || o->credential_file != NULL;
}
