/* SPDX-License-Identifier: ISC */

#include <sys/resource.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/address.h"
#include "core/journal.h"
#include "net/settings.h"

#define SETTINGS_PER_ADDRESS 1024	     /* clients */
#define SETTINGS_LINE_MAX (16 * 1024 * 1024) /* bytes of a line */
#define SETTINGS_RESERVE 64 /* descriptors that are not for clients */

static char **
copy_list(const char *const *list, size_t extra)
{
	char **copy;
	size_t n = 0, i;

	while (list != NULL && list[n] != NULL)
		n++;
	if ((copy = calloc(n + extra + 1, sizeof(*copy))) == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		if ((copy[i] = strdup(list[i])) == NULL) {
			while (i > 0)
				free(copy[--i]);
			free(copy);
			return NULL;
		}
	}
	return copy;
}

static void
free_list(char **list)
{
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

/* The command as a person would read it, for a title. */
static char *
join_words(char *const *words)
{
	size_t size = 1, i;
	char *text;

	for (i = 0; words[i] != NULL; i++)
		size += strlen(words[i]) + 1;
	if ((text = calloc(1, size)) == NULL)
		return NULL;
	for (i = 0; words[i] != NULL; i++) {
		if (i > 0)
			(void)strlcat(text, " ", size);
		(void)strlcat(text, words[i], size);
	}
	return text;
}

void
settings_clear(struct settings *settings)
{
	free(settings->title);
	free(settings->base_path);
	free(settings->credential_file);
	free(settings->tls_cert);
	free(settings->tls_key);
	free(settings->tls_client_ca);
	keys_clear(&settings->keys);
	free_list(settings->command);
	free_list(settings->origins);
	free_list(settings->hosts);
	free(settings->proxies);
}

/* NULL: out of memory. */
static char *
settings_title(const struct settings *to, const struct wsexec_config *from)
{
	const char *program = from->command != NULL ? from->command[0] : NULL;

	if (from->title != NULL)
		return strdup(from->title);
	if (!from->hide_command || program == NULL)
		return join_words(to->command);
	/* Nor does anybody need to know where it is. */
	return strdup(strrchr(program, '/') != NULL ?
		strrchr(program, '/') + 1 :
		program);
}

/* As strdup(3), but NULL is copied as well. */
static bool
copy_string(char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return (*to == NULL) == (from == NULL);
}

static bool
settings_copy_strings(struct settings *to, const struct wsexec_config *from)
{
	char name[256] = "";
	size_t n = 0;

	to->command = copy_list(from->hide_command ? NULL : from->command, 0);
	to->origins = copy_list(from->origins, 0);
	to->hosts = copy_list(from->hosts, 1);
	to->base_path = strdup(from->base_path != NULL ? from->base_path : "");
	if (!copy_string(&to->credential_file, from->credential_file) ||
	    !copy_string(&to->tls_cert, from->tls_cert) ||
	    !copy_string(&to->tls_key, from->tls_key) ||
	    !copy_string(&to->tls_client_ca, from->tls_client_ca))
		return false;
	if (to->command == NULL || to->origins == NULL || to->hosts == NULL ||
	    to->base_path == NULL)
		return false;
	to->title = settings_title(to, from);
	while (to->hosts[n] != NULL)
		n++;
	(void)gethostname(name, sizeof(name) - 1);
	to->hosts[n] = strdup(name);
	return to->title != NULL && to->hosts[n] != NULL;
}

static bool
settings_copy_keys(struct settings *to, const struct wsexec_config *from)
{
	to->keys.takes_users =
	    from->credential != NULL || from->credential_file != NULL;
	return keys_add(&to->keys, from->token, KEY_ALL) &&
	    keys_add(&to->keys, from->read_token, KEY_READ) &&
	    keys_add(&to->keys, from->write_token, KEY_ALL) &&
	    keys_set_credential(&to->keys, from->credential);
}

static bool
settings_copy_proxies(struct settings *to, const struct wsexec_config *from)
{
	size_t n = 0, i;

	while (from->proxies != NULL && from->proxies[n] != NULL)
		n++;
	if ((to->proxies = calloc(n + 1, sizeof(*to->proxies))) == NULL)
		return false;
	for (i = 0; i < n; i++)
		(void)network_parse(from->proxies[i], &to->proxies[i]);
	to->proxy_count = n;
	return true;
}

bool
settings_check(const struct wsexec_config *config)
{
	const char *const *proxy = config->proxies;
	struct network ignored;

	for (; proxy != NULL && *proxy != NULL; proxy++)
		if (!network_parse(*proxy, &ignored))
			return false;
	return true;
}

static size_t
settings_max_streams(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	return limit.rlim_cur > 2 * SETTINGS_RESERVE ?
	    limit.rlim_cur - SETTINGS_RESERVE :
	    limit.rlim_cur / 2;
}

static int64_t
to_ms(double seconds, double fallback)
{
	if (seconds < 0)
		return 0;
	return (int64_t)((seconds > 0 ? seconds : fallback) * 1000);
}

static enum sanitize
settings_sanitize(enum wsexec_sanitize level)
{
	switch (level) {
	case WSEXEC_SANITIZE_NONE:
		return SANITIZE_NONE;
	case WSEXEC_SANITIZE_COLOR:
		return SANITIZE_COLOR;
	case WSEXEC_SANITIZE_ALL:
		break;
	}
	return SANITIZE_ALL;
}

bool
settings_copy(struct settings *to, const struct wsexec_config *from)
{
	to->history_bytes =
	    from->history_bytes != 0 ? from->history_bytes : 64 * 1024 * 1024;
	if (from->no_history)
		to->history_bytes = 0;
	to->kept_bytes = to->history_bytes > JOURNAL_LIVE_BYTES ?
	    to->history_bytes :
	    JOURNAL_LIVE_BYTES;
	to->client_buffer_bytes = from->client_buffer_bytes;
	if (to->client_buffer_bytes == 0 ||
	    to->client_buffer_bytes > to->kept_bytes)
		to->client_buffer_bytes = to->kept_bytes;
	to->slow = from->slow;
	to->sanitize = settings_sanitize(from->sanitize);
	to->max_line_bytes =
	    from->max_line_bytes != 0 ? from->max_line_bytes : 65536;
	if (to->max_line_bytes > SETTINGS_LINE_MAX)
		to->max_line_bytes = SETTINGS_LINE_MAX;
	to->max_streams = settings_max_streams();
	to->max_clients_per_address = from->max_clients_per_address != 0 ?
	    from->max_clients_per_address :
	    SETTINGS_PER_ADDRESS;
	if (from->no_max_clients_per_address)
		to->max_clients_per_address = 0;
	to->max_clients =
	    from->max_clients != 0 ? from->max_clients : to->max_streams;
	to->latency_us = from->latency_us != 0 ? from->latency_us : 5000;
	if (from->no_latency)
		to->latency_us = 0;
	to->compression =
	    from->compression_level != 0 ? from->compression_level : 6;
	if (to->compression > 9)
		to->compression = 9;
	if (from->no_compression)
		to->compression = 0;
	to->stall_ms = to_ms(from->stall_seconds, 60);
	to->drain_ms = to_ms(from->drain_seconds, 5);
	to->ping_ms = to_ms(from->ping_seconds, 25);
	to->on_event = from->on_event;
	to->on_log = from->on_log;
	to->on_access = from->on_access;
	to->on_input = from->on_input;
	to->arg = from->arg;
	return settings_copy_strings(to, from) &&
	    settings_copy_keys(to, from) && settings_copy_proxies(to, from);
}
