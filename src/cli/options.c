/* SPDX-License-Identifier: ISC */

/*
 * The table below is the only place that knows the options.  Defaults and
 * ranges stand in it as text, as a user would type them: the same text is
 * parsed, shown by --help and named in messages.
 */

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "cli/log.h"
#include "cli/option_row.h"
#include "cli/options.h"
#include "cli/usage.h"
#include "cli/value.h"

#define EXIT_BAD_OPTION 125
#define NOT_A_LETTER 256 /* getopt's value of row 0; more than any letter */

/* What a value must be, for messages; the row may say it better. */
static const char *const kind_looks_like[] = {
	[KIND_INTEGER] = "a whole number",
	[KIND_SIZE] = "a size such as 64M",
	[KIND_MODE] = "an octal mode such as 660",
	[KIND_SECONDS] = "a number of seconds such as 2.5",
	[KIND_FOREVER] = "a number of seconds or \"forever\"",
	[KIND_MILLISECONDS] = "a number of milliseconds such as 2.5",
	[KIND_SIGNAL] = "a signal such as TERM",
	[KIND_COMPLETION] = NULL, /* a choice: its argument says it */
};

enum value_result {
	VALUE_OK,
	VALUE_MALFORMED,
	VALUE_OUT_OF_RANGE,
	VALUE_TOO_MANY,
};

#define FIELD(name)                                                            \
	.offset = offsetof(struct options, name),                              \
	.size = sizeof(((struct options *)NULL)->name)
#define RANGE(least, most) .min = (least), .max = (most)
#define RANGE_SECONDS(least) RANGE(least, "31536000"), .unit = " seconds"
#define RANGE_COUNT RANGE("0", "4294967295")
#define RANGE_SIZE RANGE("0", "1024G")

const struct option_row option_rows[] = {
	{ 'p', "port", "N", KIND_INTEGER, FIELD(port), RANGE("0", "65535"),
	    .given = offsetof(struct options, tcp_is_given), .initial = "8080",
	    .heading = "Where to serve",
	    .help = "listen on this port; 0 picks one" },
	{ 'a', "address", "ADDR", KIND_LIST, FIELD(addresses),
	    .given = offsetof(struct options, tcp_is_given),
	    .initial = "127.0.0.1",
	    .help = "listen on this address; may be repeated" },
	{ 0, "unix-socket", "PATH", KIND_LIST, FIELD(unix_sockets),
	    .help = "listen on a Unix socket here; may be repeated" },
	{ 0, "unix-socket-mode", "MODE", KIND_MODE, FIELD(unix_socket_mode),
	    RANGE("1", "777"), .initial = "600",
	    .help = "give Unix sockets these permissions" },
	{ 0, "unix-socket-owner", "USER[:GROUP]", KIND_STRING,
	    FIELD(unix_socket_owner),
	    .help = "give Unix sockets to this user and group" },
	{ 0, "ready-fd", "N", KIND_INTEGER, FIELD(ready_fd),
	    RANGE("3", "65535"),
	    .help = "write the addresses to this descriptor, then close it" },
	{ 'B', "browser", NULL, KIND_FLAG, FIELD(browser),
	    .help = "open the page in your browser" },
	{ 'b', "base-path", "PATH", KIND_BASE_PATH, FIELD(base_path),
	    .initial = "/", .accept = value_is_base_path,
	    .looks_like = "a path such as /logs",
	    .help = "serve everything below this path" },

	{ 't', "pty", NULL, KIND_FLAG, FIELD(pty), .heading = "The command",
	    .help = "run it on a terminal of its own" },
	{ 'W', "writable", NULL, KIND_FLAG, FIELD(writable),
	    .help = "let clients write to its standard input" },
	{ 0, "stdin", NULL, KIND_FLAG, FIELD(own_stdin),
	    .help = "let it read the standard input of wsexec" },
	{ 'w', "cwd", "DIR", KIND_STRING, FIELD(cwd),
	    .help = "run it in this directory" },
	{ 'e', "env", "NAME=VALUE", KIND_LIST, FIELD(env),
	    .accept = value_is_assignment, .looks_like = "NAME=VALUE",
	    .help = "add this to its environment; may be repeated" },
	{ 0, "user", "USER", KIND_STRING, FIELD(user),
	    .help = "be this user, as it is, when the sockets are open" },
	{ 0, "group", "GROUP", KIND_STRING, FIELD(group),
	    .help = "with this group instead of the user's own" },
	{ 's', "signal", "SIG", KIND_SIGNAL, FIELD(stop_signal),
	    RANGE("1", "64"), .initial = "TERM",
	    .help = "stop it with this signal" },
	{ 'k', "kill-after", "S", KIND_SECONDS, FIELD(kill_after_s),
	    RANGE_SECONDS("0"), .initial = "10",
	    .help = "send KILL when it goes on after the signal" },
	{ 0, "wait-clients", "N", KIND_INTEGER, FIELD(wait_clients),
	    RANGE_COUNT, .initial = "0",
	    .help = "start it when this many clients are there" },
	{ 0, "timeout", "S", KIND_SECONDS, FIELD(timeout_s), RANGE_SECONDS("0"),
	    .initial = "0",
	    .help = "stop it after so long, and exit with 124; 0: never" },
	{ 0, "restart", "never|on-failure|always", KIND_CHOICE, FIELD(restart),
	    .initial = "never", .help = "run it again when it has ended" },
	{ 0, "restart-delay", "S", KIND_SECONDS, FIELD(restart_delay_s),
	    RANGE_SECONDS("0"), .initial = "1",
	    .help = "before that wait so long, and twice as long each further "
		    "time" },

	{ 'q', "quiet", NULL, KIND_FLAG, FIELD(quiet),
	    .heading = "Local copies of the output",
	    .help = "do not show the output here" },
	{ 'o', "output", "FILE", KIND_STRING, FIELD(output),
	    .help = "also write the output to this file" },

	{ 0, "history", "SIZE", KIND_SIZE, FIELD(history_bytes), RANGE_SIZE,
	    .initial = "64M", .heading = "History and slow clients",
	    .help = "keep this much output for latecomers; 0 keeps none" },
	{ 0, "client-buffer", "SIZE", KIND_SIZE, FIELD(client_buffer_bytes),
	    RANGE_SIZE, .initial = "0",
	    .help = "how far a client may fall behind; 0: as far as the "
		    "history reaches" },
	{ 0, "slow", "skip|disconnect|block", KIND_CHOICE, FIELD(slow),
	    .initial = "skip",
	    .help = "what becomes of a client that falls further behind" },
	{ 0, "stall-timeout", "S", KIND_SECONDS, FIELD(stall_timeout_s),
	    RANGE_SECONDS("0.1"), .initial = "60",
	    .help = "close a client that takes nothing for so long" },
	{ 0, "max-line", "SIZE", KIND_SIZE, FIELD(max_line_bytes),
	    RANGE("1K", "16M"), .initial = "64K",
	    .help = "cut longer lines into pieces" },
	{ 0, "latency", "MS", KIND_MILLISECONDS, FIELD(latency_ms),
	    RANGE("0", "1000"), .unit = " milliseconds", .initial = "5",
	    .help = "collect lines for so long while they keep coming" },

	{ 0, "compression", "LEVEL", KIND_INTEGER, FIELD(compression),
	    RANGE("0", "9"), .initial = "6",
	    .help = "compress for who can take it: 1 is fastest, 9 is "
		    "smallest, 0 does not" },

	{ 0, "sanitize", "none|color|all", KIND_CHOICE, FIELD(sanitize),
	    .initial = "none", .heading = "Access",
	    .help = "make visible what the terminals of clients obey; color: "
		    "but for colours" },
	{ 0, "token", NULL, KIND_FLAG, FIELD(token),
	    .help = "make a token, which clients must show" },
	{ 0, "token-file", "F", KIND_STRING, FIELD(token_file),
	    .help = "the token is the first line of this file" },
	{ 0, "read-token", NULL, KIND_FLAG, FIELD(read_token),
	    .help = "with --writable: make a token for who only watches" },
	{ 0, "read-token-file", "F", KIND_STRING, FIELD(read_token_file),
	    .help = "that one is the first line of this file" },
	{ 0, "write-token", NULL, KIND_FLAG, FIELD(write_token),
	    .help = "with --writable: make a token for who may also write" },
	{ 0, "write-token-file", "F", KIND_STRING, FIELD(write_token_file),
	    .help = "that one is the first line of this file" },
	{ 'c', "credential", "USER:PASS", KIND_SECRET, FIELD(credential),
	    .accept = value_is_credential,
	    .looks_like = "USER:PASS, of at most 512 bytes",
	    .help = "let in who shows this user name and password" },
	{ 0, "credential-file", "F", KIND_STRING, FIELD(credential_file),
	    .help = "let in who is in this file of users and hashes" },
	{ 0, "no-auth", NULL, KIND_FLAG, FIELD(no_auth),
	    .help = "serve other machines without a token" },
	{ 0, "origin", "ORIGIN", KIND_LIST, FIELD(origins),
	    .accept = value_is_origin,
	    .looks_like = "an origin such as https://example.org",
	    .help = "let pages of this origin connect; may be repeated" },
	{ 0, "allowed-host", "NAME", KIND_LIST, FIELD(allowed_hosts),
	    .accept = value_is_host,
	    .looks_like = "a host name such as example.org",
	    .help = "serve under this name, too; may be repeated" },
	{ 0, "tls-cert", "F", KIND_STRING, FIELD(tls_cert), .alias = "ssl-cert",
	    .help = "speak TLS, with the certificate in this file" },
	{ 0, "tls-key", "F", KIND_STRING, FIELD(tls_key), .alias = "ssl-key",
	    .help = "its key is in this file" },
	{ 0, "tls-client-ca", "F", KIND_STRING, FIELD(tls_client_ca),
	    .alias = "ssl-client-ca",
	    .help = "serve who has a certificate that one in this file has "
		    "signed" },
	{ 0, "trust-proxy", "ADDR[/BITS]|unix", KIND_LIST, FIELD(proxies),
	    .accept = value_is_network,
	    .looks_like = "an address or network such as 10.0.0.0/8",
	    .help = "believe proxies there whom they ask for, in logs; may be "
		    "repeated" },
	{ 0, "hide-command", NULL, KIND_FLAG, FIELD(hide_command),
	    .help = "do not tell clients the command line" },
	{ 'm', "max-clients", "N", KIND_INTEGER, FIELD(max_clients),
	    RANGE_COUNT, .initial = "0",
	    .help = "refuse more clients than this; 0: as many as there are "
		    "descriptors for" },
	{ 0, "max-clients-per-address", "N", KIND_INTEGER,
	    FIELD(max_clients_per_address), RANGE_COUNT, .initial = "1024",
	    .help = "refuse more clients than this from one other machine; "
		    "0: no limit" },
	{ 'P', "ping-interval", "S", KIND_SECONDS, FIELD(ping_interval_s),
	    RANGE_SECONDS("0.1"), .initial = "25",
	    .help = "ping clients this often; close who answers none" },

	{ 0, "linger", "S|forever", KIND_FOREVER, FIELD(linger_s),
	    RANGE_SECONDS("0"), .initial = "0", .heading = "The end",
	    .help = "go on serving when the command has ended" },
	{ 0, "once", NULL, KIND_FLAG, FIELD(once),
	    .help = "end when the last client has left" },
	{ 0, "drain", "S", KIND_SECONDS, FIELD(drain_s), RANGE_SECONDS("0"),
	    .initial = "5",
	    .help = "wait so long for late output and slow clients" },

	{ 0, "title", "TEXT", KIND_STRING, FIELD(title),
	    .heading = "Everything else",
	    .help = "show this instead of the command" },
	{ 0, "access-log", "F", KIND_STRING, FIELD(access_log),
	    .help = "add a line to this file for each request; -: to stderr" },
	{ 0, "access-log-format", "common|combined", KIND_CHOICE,
	    FIELD(access_log_format), .initial = "common",
	    .help = "how those lines look" },
	{ 'v', "verbose", NULL, KIND_COUNT, FIELD(verbose),
	    .help = "say more on stderr" },
	{ 'V', "version", NULL, KIND_VERSION, .help = "show the version" },
	{ 'h', "help", NULL, KIND_HELP, .help = "show this help" },
	{ 0, "completion", "bash|zsh", KIND_COMPLETION, FIELD(completion),
	    .help = "show what makes this shell complete options" },
	{ 0 },
};

#define ROWS (sizeof(option_rows) / sizeof(option_rows[0]) - 1)

static bool
scan_number(const struct option_row *row, const char *text, double *number)
{
	switch (row->kind) {
	case KIND_INTEGER:
		return value_scan_integer(text, number);
	case KIND_SIZE:
		return value_scan_size(text, number);
	case KIND_MODE:
		return value_scan_mode(text, number);
	case KIND_SIGNAL:
		return value_scan_signal(text, number);
	case KIND_CHOICE:
	case KIND_COMPLETION:
		return value_scan_choice(row->argument, text, number);
	default:
		return value_scan_decimal(text, number);
	}
}

static void
store_number(const struct option_row *row, void *field, double number)
{
	switch (row->kind) {
	case KIND_INTEGER:
	case KIND_SIZE:
	case KIND_MODE:
		if (row->size == sizeof(uint16_t))
			*(uint16_t *)field = (uint16_t)number;
		else if (row->size == sizeof(uint32_t))
			*(uint32_t *)field = (uint32_t)number;
		else
			*(uint64_t *)field = (uint64_t)number;
		break;
	case KIND_CHOICE:
	case KIND_COMPLETION:
		/* What enums without negative values are for gcc and clang. */
		*(unsigned int *)field = (unsigned int)number;
		break;
	case KIND_SIGNAL:
		*(int *)field = (int)number;
		break;
	default:
		*(double *)field = number;
	}
}

static enum value_result
set_number(const struct option_row *row, void *field, const char *value)
{
	double number, min, max;

	if (row->kind == KIND_FOREVER && strcmp(value, "forever") == 0) {
		store_number(row, field, HUGE_VAL);
		return VALUE_OK;
	}
	if (!scan_number(row, value, &number))
		return VALUE_MALFORMED;
	if (row->min != NULL && scan_number(row, row->min, &min) &&
	    scan_number(row, row->max, &max) && (number < min || number > max))
		return VALUE_OUT_OF_RANGE;
	store_number(row, field, number);
	return VALUE_OK;
}

static enum value_result
append_to_list(const char **list, const char *value)
{
	size_t n = 0;

	while (list[n] != NULL)
		n++;
	if (n == OPTIONS_LIST_MAX)
		return VALUE_TOO_MANY;
	list[n] = value;
	return VALUE_OK;
}

/* The only one stays: see finish_defaults(). */
static void
cut_last_slash(char *path)
{
	size_t n = strlen(path);

	if (n > 1 && path[n - 1] == '/')
		path[n - 1] = '\0';
}

/* Others can read argv in /proc, as long as the process is there. */
static void
take_secret(char *field, size_t size, char *value)
{
	(void)strlcpy(field, value, size);
	memset(value, '*', strlen(value));
}

static enum value_result
set_value(const struct option_row *row, struct options *o, char *value)
{
	void *field = (char *)o + row->offset;

	if (row->accept != NULL && !row->accept(value))
		return VALUE_MALFORMED;
	if (row->given != 0)
		*(bool *)((char *)o + row->given) = true;
	switch (row->kind) {
	case KIND_FLAG:
		*(bool *)field = true;
		return VALUE_OK;
	case KIND_COUNT:
		++*(int *)field;
		return VALUE_OK;
	case KIND_BASE_PATH:
		cut_last_slash(value);
		*(const char **)field = value;
		return VALUE_OK;
	case KIND_STRING:
		*(const char **)field = value;
		return VALUE_OK;
	case KIND_SECRET:
		take_secret(field, row->size, value);
		return VALUE_OK;
	case KIND_LIST:
		return append_to_list(field, value);
	default:
		return set_number(row, field, value);
	}
}

/* Lists get theirs afterwards, if nothing was put in. */
static void
set_default(const struct option_row *row, struct options *o)
{
	void *field = (char *)o + row->offset;

	if (row->kind == KIND_STRING || row->kind == KIND_BASE_PATH)
		*(const char **)field = row->initial;
	else if (row->initial != NULL && row->kind != KIND_LIST)
		set_number(row, field, row->initial);
}

static void
finish_defaults(struct options *o)
{
	const struct option_row *row;
	const char **list;

	for (row = option_rows; row->name != NULL; row++) {
		list = (const char **)(void *)((char *)o + row->offset);
		if (row->kind == KIND_LIST && list[0] == NULL)
			list[0] = row->initial;
	}
	if (o->unix_sockets[0] != NULL && !o->tcp_is_given)
		o->addresses[0] = NULL;
	if (strcmp(o->base_path, "/") == 0)
		o->base_path = "";
}

/* The row for what getopt_long() returned or left in optopt; or NULL. */
static const struct option_row *
find_row(int value)
{
	if (value >= NOT_A_LETTER)
		return &option_rows[value - NOT_A_LETTER];
	for (size_t i = 0; i < ROWS; i++)
		if (option_rows[i].letter == value && value != 0)
			return &option_rows[i];
	return NULL;
}

static void
describe_value(const struct option_row *row, enum value_result result,
    const char *value, char *message, size_t size)
{
	const char *looks_like = row->looks_like;

	if (looks_like == NULL)
		looks_like = kind_looks_like[row->kind];
	if (looks_like == NULL)
		looks_like = row->argument;
	if (row->kind == KIND_SECRET)
		snprintf(message, size, "--%s: the value is not %s", row->name,
		    looks_like);
	else if (result == VALUE_MALFORMED)
		snprintf(message, size, "--%s: '%s' is not %s", row->name,
		    value, looks_like);
	else if (result == VALUE_OUT_OF_RANGE)
		snprintf(message, size, "--%s: %s is not in %s..%s%s",
		    row->name, value, row->min, row->max,
		    row->unit == NULL ? "" : row->unit);
	else
		snprintf(message, size, "--%s: may be given only %d times",
		    row->name, OPTIONS_LIST_MAX);
}

/* What getopt_long() did not understand; it has left the value in optopt. */
static void
describe_mistake(int returned, const char *word, char *message, size_t size)
{
	const struct option_row *row = find_row(optopt);

	if (returned == ':' && row != NULL)
		snprintf(message, size, "--%s: needs a value %s", row->name,
		    row->argument);
	else if (row != NULL)
		snprintf(message, size, "--%s: takes no value", row->name);
	else if (optopt != 0)
		snprintf(message, size,
		    "unknown option -%c (see wsexec --help)", optopt);
	else
		snprintf(message, size,
		    "unknown option %.*s (see wsexec --help)",
		    (int)strcspn(word, "="), word);
}

static struct option
make_long_option(const char *name, size_t row)
{
	return (struct option){
		.name = name,
		.has_arg = option_rows[row].argument == NULL ?
		    no_argument :
		    required_argument,
		.val = NOT_A_LETTER + (int)row,
	};
}

/*
 * Makes what getopt_long() wants; there is room for two names a row and one,
 * and for two letters a row and three.
 */
static void
fill_getopt(struct option *long_options, char *letters)
{
	*letters++ = '+'; /* the command's options are its own */
	*letters++ = ':'; /* tell a missing value from an unknown option */
	for (size_t i = 0; i < ROWS; i++) {
		const struct option_row *row = &option_rows[i];

		*long_options++ = make_long_option(row->name, i);
		if (row->alias != NULL)
			*long_options++ = make_long_option(row->alias, i);
		if (row->letter != 0)
			*letters++ = (char)row->letter;
		if (row->letter != 0 && row->argument != NULL)
			*letters++ = ':';
	}
	*long_options = (struct option){ 0 };
	*letters = '\0';
}

/* What none of them can tell by itself. */
static bool
options_agree(const struct options *o, char *message, size_t size)
{
	const char *mistake = NULL;

	if (o->writable && o->command[0] == NULL)
		mistake = "--writable: there is no command to write to";
	else if (o->writable && o->own_stdin)
		mistake = "--writable and --stdin: the command has one "
			  "standard input, choose one";
	else if (o->tls_key != NULL && o->tls_cert == NULL)
		mistake = "--tls-key: needs --tls-cert as well";
	else if (o->tls_client_ca != NULL && o->tls_cert == NULL)
		mistake = "--tls-client-ca: needs --tls-cert as well";
	if (mistake != NULL)
		(void)strlcpy(message, mistake, size);
	return mistake == NULL;
}

enum options_result
options_try_parse(struct options *o, int argc, char **argv, char *message,
    size_t size)
{
	struct option long_options[2 * ROWS + 1];
	char letters[2 * ROWS + 3];
	const struct option_row *row;
	enum value_result result;
	int c;

	memset(o, 0, sizeof(*o));
	for (size_t i = 0; i < ROWS; i++)
		set_default(&option_rows[i], o);
	fill_getopt(long_options, letters);
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while (
	    (c = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		if (c == '?' || c == ':' || (row = find_row(c)) == NULL) {
			describe_mistake(c, argv[optind - 1], message, size);
			return OPTIONS_BAD;
		}
		if (row->kind == KIND_HELP)
			return OPTIONS_HELP;
		if (row->kind == KIND_VERSION)
			return OPTIONS_VERSION;
		if ((result = set_value(row, o, optarg)) != VALUE_OK) {
			describe_value(row, result, optarg, message, size);
			return OPTIONS_BAD;
		}
		if (row->kind == KIND_COMPLETION)
			return OPTIONS_COMPLETION;
	}
	finish_defaults(o);
	o->command = argv + optind;
	return options_agree(o, message, size) ? OPTIONS_OK : OPTIONS_BAD;
}

void
options_parse(struct options *o, int argc, char **argv)
{
	char message[512];

	switch (options_try_parse(o, argc, argv, message, sizeof(message))) {
	case OPTIONS_OK:
		return;
	case OPTIONS_HELP:
		usage_print();
		break;
	case OPTIONS_COMPLETION:
		completion_print(stdout, o->completion);
		break;
	case OPTIONS_VERSION:
		printf("wsexec %s\nlibevent %s\n", WSEXEC_VERSION,
		    event_get_version());
		break;
	case OPTIONS_BAD:
		log_warn("%s", message);
		exit(EXIT_BAD_OPTION);
	}
	if (fflush(stdout) == EOF || ferror(stdout)) {
		log_warn("stdout: %s", strerror(errno));
		exit(EXIT_BAD_OPTION);
	}
	exit(0);
}
