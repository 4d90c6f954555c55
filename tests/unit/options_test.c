/* SPDX-License-Identifier: ISC */

/*
 * The command line.  A case is written as one would type it: words with
 * blanks between them, "~" for an empty word.
 */

#include <sys/wait.h>

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/options.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS_MAX 256

/* An argv of "wsexec" and these words; they are in memory that can change. */
struct words {
	char *argv[WORDS_MAX + 1];
	int argc;
	char text[4096];
};

static void
words_split(struct words *w, const char *line)
{
	char *rest = w->text, *word;

	assert_true((size_t)snprintf(w->text, sizeof(w->text), "wsexec %s",
			line) < sizeof(w->text));
	w->argc = 0;
	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word == '\0')
			continue;
		assert_true(w->argc < WORDS_MAX);
		w->argv[w->argc++] = strcmp(word, "~") == 0 ? word + 1 : word;
	}
	w->argv[w->argc] = NULL;
}

/* The parsed options point into *w. */
static enum options_result
parse(struct options *o, struct words *w, const char *line, char *message,
    size_t size)
{
	words_split(w, line);
	/* Not even what is never set may be read. */
	memset(o, 0x5a, sizeof(*o));
	return options_try_parse(o, w->argc, w->argv, message, size);
}

static void
parse_well(struct options *o, struct words *w, const char *line)
{
	char message[512] = "";

	if (parse(o, w, line, message, sizeof(message)) != OPTIONS_OK)
		fail_msg("'%s': %s", line, message);
}

static void
test_defaults_are_those_of_the_manual(void **state)
{
	struct options o;
	struct words w;

	(void)state;
	parse_well(&o, &w, "");
	assert_string_equal(o.addresses[0], "127.0.0.1");
	assert_null(o.addresses[1]);
	assert_int_equal(o.port, 8080);
	assert_false(o.tcp_is_given);
	assert_null(o.unix_sockets[0]);
	assert_int_equal(o.unix_socket_mode, 0600);
	assert_null(o.unix_socket_owner);
	assert_int_equal(o.ready_fd, 0);
	assert_string_equal(o.base_path, "");
	assert_false(o.pty);
	assert_null(o.cwd);
	assert_null(o.user);
	assert_null(o.group);
	assert_null(o.env[0]);
	assert_false(o.quiet);
	assert_int_equal(o.stop_signal, SIGTERM);
	assert_true(o.kill_after_s == 10);
	assert_int_equal(o.max_clients, 0);
	assert_int_equal(o.max_clients_per_address, 1024);
	assert_int_equal(o.history_bytes, 64 * 1024 * 1024);
	assert_int_equal(o.client_buffer_bytes, 0);
	assert_int_equal(o.slow, WSEXEC_SLOW_SKIP);
	assert_int_equal(o.sanitize, WSEXEC_SANITIZE_NONE);
	assert_true(o.stall_timeout_s == 60);
	assert_int_equal(o.max_line_bytes, 64 * 1024);
	assert_true(o.latency_ms == 5);
	assert_int_equal(o.compression, 6);
	assert_true(o.linger_s == 0);
	assert_true(o.drain_s == 5);
	assert_int_equal(o.wait_clients, 0);
	assert_int_equal(o.restart, RESTART_NEVER);
	assert_true(o.restart_delay_s == 1);
	assert_true(o.timeout_s == 0);
	assert_false(o.once);
	assert_null(o.output);
	assert_false(o.token);
	assert_null(o.token_file);
	assert_false(o.no_auth);
	assert_string_equal(o.credential, "");
	assert_null(o.credential_file);
	assert_null(o.origins[0]);
	assert_null(o.allowed_hosts[0]);
	assert_false(o.hide_command);
	assert_true(o.ping_interval_s == 25);
	assert_null(o.proxies[0]);
	assert_null(o.tls_cert);
	assert_null(o.tls_key);
	assert_null(o.tls_client_ca);
	assert_null(o.title);
	assert_null(o.access_log);
	assert_int_equal(o.access_log_format, ACCESS_COMMON);
	assert_int_equal(o.verbose, 0);
	assert_null(o.command[0]);
}

#define OR_DASH(text) ((text) != NULL ? (text) : "-")

/* What one field is after parsing, as text. */
#define SHOW(function, format, ...)                                            \
	static void show_##function(const struct options *o, char *text,       \
	    size_t size)                                                       \
	{                                                                      \
		snprintf(text, size, format, __VA_ARGS__);                     \
	}

SHOW(port, "%d", (int)o->port)
SHOW(ready_fd, "%d", (int)o->ready_fd)
SHOW(base_path, "%s", o->base_path)
SHOW(signal, "%d", o->stop_signal)
SHOW(kill_after, "%g", o->kill_after_s)
SHOW(history, "%llu", (unsigned long long)o->history_bytes)
SHOW(client_buffer, "%llu", (unsigned long long)o->client_buffer_bytes)
SHOW(max_line, "%u", o->max_line_bytes)
SHOW(max_clients, "%u", o->max_clients)
SHOW(wait_clients, "%u", o->wait_clients)
SHOW(restart, "%d %g", (int)o->restart, o->restart_delay_s)
SHOW(timeout, "%g", o->timeout_s)
SHOW(once, "%d", o->once)
SHOW(slow, "%d", (int)o->slow)
SHOW(identity, "%s %s", o->user, o->group)
SHOW(sanitize, "%d", (int)o->sanitize)
SHOW(stall, "%g", o->stall_timeout_s)
SHOW(latency, "%g", o->latency_ms)
SHOW(compression, "%d", o->compression)
SHOW(linger, "%g", o->linger_s)
SHOW(drain, "%g", o->drain_s)
SHOW(ping, "%g", o->ping_interval_s)
SHOW(verbose, "%d", o->verbose)
SHOW(tls, "%s|%s|%s", o->tls_cert, o->tls_key ? o->tls_key : "-",
    o->tls_client_ca ? o->tls_client_ca : "-")
SHOW(hide_command, "%d", o->hide_command)
SHOW(flags, "%d%d%d%d", o->pty, o->quiet, o->no_auth, o->token)
SHOW(input, "%d%d", o->writable, o->own_stdin)
SHOW(browser, "%d", o->browser)
SHOW(apart, "%d%s%d%s", o->read_token, OR_DASH(o->read_token_file),
    o->write_token, OR_DASH(o->write_token_file))
SHOW(credential, "%s %s", o->credential, OR_DASH(o->credential_file))
SHOW(strings, "%s|%s|%s|%s", o->cwd, o->output, o->title, o->token_file)
SHOW(access_log, "%s %d", o->access_log, (int)o->access_log_format)
SHOW(addresses, "%s %s", o->addresses[0] == NULL ? "none" : o->addresses[0],
    o->addresses[0] == NULL || o->addresses[1] == NULL ? "-" : o->addresses[1])
SHOW(unix_sockets, "%s %s %o %s", o->unix_sockets[0],
    o->unix_sockets[1] == NULL ? "-" : o->unix_sockets[1], o->unix_socket_mode,
    o->unix_socket_owner)
SHOW(env, "%s %s %s", o->env[0], o->env[1], o->env[2] == NULL ? "-" : o->env[2])
SHOW(origins, "%s %s", o->origins[0], o->origins[1])
SHOW(proxies, "%s %s", o->proxies[0], o->proxies[1])
SHOW(hosts, "%s %s", o->allowed_hosts[0], o->allowed_hosts[1])
SHOW(command, "%s %s", o->command[0],
    o->command[0] == NULL || o->command[1] == NULL ? "-" : o->command[1])

static const struct {
	const char *line;
	void (*show)(const struct options *o, char *text, size_t size);
	const char *expected;
} good[] = {
	{ "-p 0", show_port, "0" },
	{ "-p65535", show_port, "65535" },
	{ "--port 0080", show_port, "80" },
	{ "--port=81", show_port, "81" },
	{ "--port 1 -p 2 --port 3", show_port, "3" },
	{ "--ready-fd 3", show_ready_fd, "3" },
	{ "-b /", show_base_path, "" },
	{ "-b /a", show_base_path, "/a" },
	{ "-b /a/b/", show_base_path, "/a/b" },
	{ "-b /a/ -b /", show_base_path, "" },
	{ "-s KILL", show_signal, "9" },
	{ "-s SIGINT", show_signal, "2" },
	{ "-s sigHup", show_signal, "1" },
	{ "-s usr1", show_signal, "10" },
	{ "-s 64", show_signal, "64" },
	{ "-k 0", show_kill_after, "0" },
	{ "-k 2.5", show_kill_after, "2.5" },
	{ "-k .25", show_kill_after, "0.25" },
	{ "--history 0", show_history, "0" },
	{ "--history 1", show_history, "1" },
	{ "--history 3k", show_history, "3072" },
	{ "--history 5M", show_history, "5242880" },
	{ "--history 8G", show_history, "8589934592" },
	{ "--history 1024G", show_history, "1099511627776" },
	{ "--client-buffer 256K", show_client_buffer, "262144" },
	{ "--max-line 1K", show_max_line, "1024" },
	{ "--max-line 16777216", show_max_line, "16777216" },
	{ "-m 4294967295", show_max_clients, "4294967295" },
	{ "--wait-clients 2", show_wait_clients, "2" },
	{ "--restart on-failure", show_restart, "1 1" },
	{ "--restart always --restart-delay 0.25", show_restart, "2 0.25" },
	{ "--restart always --restart never", show_restart, "0 1" },
	{ "--timeout 1.5", show_timeout, "1.5" },
	{ "--once", show_once, "1" },
	{ "--slow skip", show_slow, "0" },
	{ "--slow disconnect", show_slow, "1" },
	{ "--slow block", show_slow, "2" },
	{ "--sanitize color", show_sanitize, "1" },
	{ "--sanitize all", show_sanitize, "2" },
	{ "--sanitize none", show_sanitize, "0" },
	{ "--stall-timeout 0.5", show_stall, "0.5" },
	{ "--latency 0", show_latency, "0" },
	{ "--latency 0.5", show_latency, "0.5" },
	{ "--latency 1000", show_latency, "1000" },
	{ "--compression 0", show_compression, "0" },
	{ "--compression 9", show_compression, "9" },
	{ "--linger 1.5", show_linger, "1.5" },
	{ "--linger forever", show_linger, "inf" },
	{ "--linger forever --linger 2", show_linger, "2" },
	{ "--drain 0", show_drain, "0" },
	{ "-P 31536000", show_ping, "3.1536e+07" },
	{ "-v -v", show_verbose, "2" },
	{ "-tq", show_flags, "1100" },
	{ "--pty --no-auth", show_flags, "1010" },
	{ "--quiet --token", show_flags, "0101" },
	{ "--credential a:b -c c:d:", show_credential, "c:d: -" },
	{ "--credential-file F", show_credential, " F" },
	{ "--read-token --write-token-file W", show_apart, "1-0W" },
	{ "--read-token-file R --write-token", show_apart, "0R1-" },
	{ "--hide-command", show_hide_command, "1" },
	{ "-B", show_browser, "1" },
	{ "--browser", show_browser, "1" },
	{ "-q", show_browser, "0" },
	{ "-W cat", show_input, "10" },
	{ "--writable cat", show_input, "10" },
	{ "--stdin cat", show_input, "01" },
	{ "--stdin", show_input, "01" },
	{ "-w /x -o f --title T --token-file F", show_strings, "/x|f|T|F" },
	{ "--user nobody --group 42", show_identity, "nobody 42" },
	{ "--cwd= -o - --title --port --token-file=", show_strings,
	    "|-|--port|" },
	{ "--trust-proxy 10.0.0.0/8 --trust-proxy ::1", show_proxies,
	    "10.0.0.0/8 ::1" },
	{ "--trust-proxy unix --trust-proxy ::", show_proxies, "unix ::" },
	{ "--trust-proxy 0.0.0.0/0 --trust-proxy 2001:db8::/128", show_proxies,
	    "0.0.0.0/0 2001:db8::/128" },
	{ "--tls-cert c", show_tls, "c|-|-" },
	{ "--tls-client-ca a --tls-key k --tls-cert c", show_tls, "c|k|a" },
	{ "--ssl-cert=c --ssl-key k --ssl-client-ca a", show_tls, "c|k|a" },
	{ "--access-log -", show_access_log, "- 0" },
	{ "--access-log f --access-log-format combined", show_access_log,
	    "f 1" },
	{ "-a ::1", show_addresses, "::1 -" },
	{ "-a ::1 --address localhost", show_addresses, "::1 localhost" },
	{ "--unix-socket /s", show_addresses, "none -" },
	{ "--unix-socket /s -p 0", show_addresses, "127.0.0.1 -" },
	{ "-a ::1 --unix-socket /s", show_addresses, "::1 -" },
	{ "--unix-socket /s --unix-socket t --unix-socket-mode 0660 "
	  "--unix-socket-owner a:b",
	    show_unix_sockets, "/s t 660 a:b" },
	{ "--unix-socket s --unix-socket-mode 777 --unix-socket-owner=",
	    show_unix_sockets, "s - 777 " },
	{ "-e A=1 --env B= ls", show_env, "A=1 B= -" },
	{ "-e A=b=c -e A=2", show_env, "A=b=c A=2 -" },
	{ "--origin http://a --origin HTTPS://b.c-d_e:65535", show_origins,
	    "http://a HTTPS://b.c-d_e:65535" },
	{ "--origin http://[::1] --origin http://[fe80::1]:80", show_origins,
	    "http://[::1] http://[fe80::1]:80" },
	{ "--allowed-host a.example --allowed-host [::1]:80", show_hosts,
	    "a.example [::1]:80" },
	{ "make -j8", show_command, "make -j8" },
	{ "make --port x", show_command, "make --port" },
	{ "-p 1 -- --port x", show_command, "--port x" },
	{ "-- make", show_command, "make -" },
	{ "- x", show_command, "- x" },
	{ "-q make -- x", show_command, "make --" },
	{ "~ x", show_command, " x" },
};

static void
test_values_arrive(void **state)
{
	struct options o;
	struct words w;
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		parse_well(&o, &w, good[i].line);
		good[i].show(&o, text, sizeof(text));
		if (strcmp(text, good[i].expected) != 0)
			fail_msg("'%s': is '%s', not '%s'", good[i].line, text,
			    good[i].expected);
	}
}

static const struct {
	const char *line;
	const char *message;
} bad[] = {
	{ "--port 70000", "--port: 70000 is not in 0..65535" },
	{ "-p -1", "--port: -1 is not in 0..65535" },
	{ "-p 99999999999999999999",
	    "--port: 99999999999999999999 is not in 0..65535" },
	{ "-c secret",
	    "--credential: the value is not USER:PASS, of at most "
	    "512 bytes" },
	{ "-p abc", "--port: 'abc' is not a whole number" },
	{ "-p 80x", "--port: '80x' is not a whole number" },
	{ "-p +80", "--port: '+80' is not a whole number" },
	{ "-p 8.5", "--port: '8.5' is not a whole number" },
	{ "-p ~", "--port: '' is not a whole number" },
	{ "-p -", "--port: '-' is not a whole number" },
	{ "-p 1 -p x -p 2", "--port: 'x' is not a whole number" },
	{ "--unix-socket-mode 0", "--unix-socket-mode: 0 is not in 1..777" },
	{ "--unix-socket-mode 1000",
	    "--unix-socket-mode: 1000 is not in 1..777" },
	{ "--unix-socket-mode 9999999999999999999999",
	    "--unix-socket-mode: '9999999999999999999999' is not an octal "
	    "mode such as 660" },
	{ "--unix-socket-mode 7777777777777777777777777777",
	    "--unix-socket-mode: 7777777777777777777777777777 is not in "
	    "1..777" },
	{ "--unix-socket-mode 68",
	    "--unix-socket-mode: '68' is not an octal mode such as 660" },
	{ "--unix-socket-mode -6",
	    "--unix-socket-mode: '-6' is not an octal mode such as 660" },
	{ "--unix-socket-mode ~",
	    "--unix-socket-mode: '' is not an octal mode such as 660" },
	{ "--unix-socket-mode u=rw",
	    "--unix-socket-mode: 'u=rw' is not an octal mode such as 660" },
	{ "--ready-fd 2", "--ready-fd: 2 is not in 3..65535" },
	{ "--ready-fd x", "--ready-fd: 'x' is not a whole number" },
	{ "--port", "--port: needs a value N" },
	{ "-q -p", "--port: needs a value N" },
	{ "--slow", "--slow: needs a value skip|disconnect|block" },
	{ "--prot", "unknown option --prot (see wsexec --help)" },
	{ "--prot=1", "unknown option --prot (see wsexec --help)" },
	{ "-q --prot 1", "unknown option --prot (see wsexec --help)" },
	{ "-x", "unknown option -x (see wsexec --help)" },
	{ "-qx1", "unknown option -x (see wsexec --help)" },
	{ "-:", "unknown option -: (see wsexec --help)" },
	{ "--pty=yes", "--pty: takes no value" },
	{ "--writable=yes", "--writable: takes no value" },
	{ "-W", "--writable: there is no command to write to" },
	{ "-W --stdin --", "--writable: there is no command to write to" },
	{ "-W --stdin cat",
	    "--writable and --stdin: the command has one standard input, "
	    "choose one" },
	{ "--no-auth=", "--no-auth: takes no value" },
	{ "--ssl-cert", "--tls-cert: needs a value F" },
	{ "--tls-key k", "--tls-key: needs --tls-cert as well" },
	{ "--tls-client-ca a", "--tls-client-ca: needs --tls-cert as well" },
	{ "--hide-command=1", "--hide-command: takes no value" },
	{ "--history abc", "--history: 'abc' is not a size such as 64M" },
	{ "--history 1.5M", "--history: '1.5M' is not a size such as 64M" },
	{ "--history M", "--history: 'M' is not a size such as 64M" },
	{ "--history 1KB", "--history: '1KB' is not a size such as 64M" },
	{ "--history 1T", "--history: '1T' is not a size such as 64M" },
	{ "--history ~", "--history: '' is not a size such as 64M" },
	{ "--history -1K", "--history: -1K is not in 0..1024G" },
	{ "--history 1025G", "--history: 1025G is not in 0..1024G" },
	{ "--history 18446744073709551617",
	    "--history: 18446744073709551617 is not in 0..1024G" },
	{ "--history 9223372036854775807G",
	    "--history: 9223372036854775807G is not in 0..1024G" },
	{ "--max-line 1023", "--max-line: 1023 is not in 1K..16M" },
	{ "--max-line 16777217", "--max-line: 16777217 is not in 1K..16M" },
	{ "-m 4294967296",
	    "--max-clients: 4294967296 is not in "
	    "0..4294967295" },
	{ "--compression 10", "--compression: 10 is not in 0..9" },
	{ "--latency 1000.1",
	    "--latency: 1000.1 is not in 0..1000 "
	    "milliseconds" },
	{ "--latency x",
	    "--latency: 'x' is not a number of milliseconds "
	    "such as 2.5" },
	{ "-k -0.5", "--kill-after: -0.5 is not in 0..31536000 seconds" },
	{ "-k 1e3",
	    "--kill-after: '1e3' is not a number of seconds such as "
	    "2.5" },
	{ "-k inf",
	    "--kill-after: 'inf' is not a number of seconds such as "
	    "2.5" },
	{ "-k 0x1",
	    "--kill-after: '0x1' is not a number of seconds such as "
	    "2.5" },
	{ "-k 1.2.3",
	    "--kill-after: '1.2.3' is not a number of seconds such "
	    "as 2.5" },
	{ "-k .",
	    "--kill-after: '.' is not a number of seconds such as "
	    "2.5" },
	{ "-k forever",
	    "--kill-after: 'forever' is not a number of seconds "
	    "such as 2.5" },
	{ "--stall-timeout 0",
	    "--stall-timeout: 0 is not in 0.1..31536000 "
	    "seconds" },
	{ "-P 0", "--ping-interval: 0 is not in 0.1..31536000 seconds" },
	{ "--linger never",
	    "--linger: 'never' is not a number of seconds or "
	    "\"forever\"" },
	{ "--completion fish", "--completion: 'fish' is not bash|zsh" },
	{ "--completion", "--completion: needs a value bash|zsh" },
	{ "--slow quick", "--slow: 'quick' is not skip|disconnect|block" },
	{ "--sanitize colour", "--sanitize: 'colour' is not none|color|all" },
	{ "--restart failure",
	    "--restart: 'failure' is not never|on-failure|always" },
	{ "--restart-delay -1",
	    "--restart-delay: -1 is not in 0..31536000 seconds" },
	{ "--access-log-format json",
	    "--access-log-format: 'json' is not common|combined" },
	{ "--trust-proxy unix/8",
	    "--trust-proxy: 'unix/8' is not an address or network such as "
	    "10.0.0.0/8" },
	{ "--trust-proxy proxy.example",
	    "--trust-proxy: 'proxy.example' is not an address or network "
	    "such as 10.0.0.0/8" },
	{ "--trust-proxy 10.0.0.0/33",
	    "--trust-proxy: '10.0.0.0/33' is not an address or network "
	    "such as 10.0.0.0/8" },
	{ "--trust-proxy ::/129",
	    "--trust-proxy: '::/129' is not an address or network "
	    "such as 10.0.0.0/8" },
	{ "--trust-proxy 10.0.0.0/",
	    "--trust-proxy: '10.0.0.0/' is not an address or network "
	    "such as 10.0.0.0/8" },
	{ "--trust-proxy 10.0.0.0/0008",
	    "--trust-proxy: '10.0.0.0/0008' is not an address or network "
	    "such as 10.0.0.0/8" },
	{ "--trust-proxy 10.0.0/8",
	    "--trust-proxy: '10.0.0/8' is not an address or network "
	    "such as 10.0.0.0/8" },
	{ "--trust-proxy ~",
	    "--trust-proxy: '' is not an address or network "
	    "such as 10.0.0.0/8" },
	{ "--slow ski", "--slow: 'ski' is not skip|disconnect|block" },
	{ "--slow skip|block",
	    "--slow: 'skip|block' is not "
	    "skip|disconnect|block" },
	{ "--slow ~", "--slow: '' is not skip|disconnect|block" },
	{ "-s FOO", "--signal: 'FOO' is not a signal such as TERM" },
	{ "-s SIG", "--signal: 'SIG' is not a signal such as TERM" },
	{ "-s ~", "--signal: '' is not a signal such as TERM" },
	{ "-s 0", "--signal: 0 is not in 1..64" },
	{ "-s 65", "--signal: 65 is not in 1..64" },
	{ "-b logs", "--base-path: 'logs' is not a path such as /logs" },
	{ "-b ~", "--base-path: '' is not a path such as /logs" },
	{ "-b /a?b", "--base-path: '/a?b' is not a path such as /logs" },
	{ "-b /a#b", "--base-path: '/a#b' is not a path such as /logs" },
	{ "-b /a%20", "--base-path: '/a%20' is not a path such as /logs" },
	{ "-b //a", "--base-path: '//a' is not a path such as /logs" },
	{ "-b /\177", "--base-path: '/\177' is not a path such as /logs" },
	{ "-b /\303\244",
	    "--base-path: '/\303\244' is not a path such as "
	    "/logs" },
	{ "-e NAME", "--env: 'NAME' is not NAME=VALUE" },
	{ "-e =VALUE", "--env: '=VALUE' is not NAME=VALUE" },
	{ "--origin null",
	    "--origin: 'null' is not an origin such as "
	    "https://example.org" },
	{ "--origin ftp://a",
	    "--origin: 'ftp://a' is not an origin such as "
	    "https://example.org" },
	{ "--origin http://",
	    "--origin: 'http://' is not an origin such as "
	    "https://example.org" },
	{ "--origin http://a/",
	    "--origin: 'http://a/' is not an origin such "
	    "as https://example.org" },
	{ "--origin http://a:",
	    "--origin: 'http://a:' is not an origin such "
	    "as https://example.org" },
	{ "--origin http://a:65536",
	    "--origin: 'http://a:65536' is not an "
	    "origin such as https://example.org" },
	{ "--origin http://u@a",
	    "--origin: 'http://u@a' is not an origin "
	    "such as https://example.org" },
	{ "--origin http://[::1",
	    "--origin: 'http://[::1' is not an origin "
	    "such as https://example.org" },
	{ "--origin http://[]",
	    "--origin: 'http://[]' is not an origin such "
	    "as https://example.org" },
	{ "--allowed-host a/b",
	    "--allowed-host: 'a/b' is not a host name "
	    "such as example.org" },
	{ "--allowed-host ~",
	    "--allowed-host: '' is not a host name such as "
	    "example.org" },
};

static void
test_mistakes_are_told(void **state)
{
	struct options o;
	struct words w;
	char message[256];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		message[0] = '\0';
		if (parse(&o, &w, bad[i].line, message, sizeof(message)) !=
		    OPTIONS_BAD)
			fail_msg("'%s' is taken", bad[i].line);
		if (strcmp(message, bad[i].message) != 0)
			fail_msg("'%s': '%s', not '%s'", bad[i].line, message,
			    bad[i].message);
	}
}

static void
test_long_values_do_not_overflow(void **state)
{
	struct options o;
	struct words w;
	char line[600], message[64];

	(void)state;
	memset(line, '1', sizeof(line));
	memcpy(line, "--history ", 10);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(parse(&o, &w, line, message, sizeof(message)),
	    OPTIONS_BAD);
	assert_int_equal(strlen(message), sizeof(message) - 1);
	memcpy(line, "--unknown-", 10);
	assert_int_equal(parse(&o, &w, line, message, sizeof(message)),
	    OPTIONS_BAD);
	memcpy(line, "--drain   ", 10);
	assert_int_equal(parse(&o, &w, line, message, sizeof(message)),
	    OPTIONS_BAD);
}

static void
test_lists_hold_64(void **state)
{
	struct options o;
	struct words w;
	char line[2048] = "", message[128];

	(void)state;
	for (size_t i = 0; i < OPTIONS_LIST_MAX; i++)
		strlcat(line, "-e A=1 ", sizeof(line));
	parse_well(&o, &w, line);
	assert_non_null(o.env[OPTIONS_LIST_MAX - 1]);
	assert_null(o.env[OPTIONS_LIST_MAX]);
	strlcat(line, "-e A=1", sizeof(line));
	assert_int_equal(parse(&o, &w, line, message, sizeof(message)),
	    OPTIONS_BAD);
	assert_string_equal(message, "--env: may be given only 64 times");
}

/* Random words never crash, and are either taken or told about. */
static void
test_random_words(void **state)
{
	static const char *const parts[] = { "-", "--", "port", "history", "=",
		"p", "64", "M", "e", "A=1", "-1", ".", "/", "slow", "skip",
		"origin", "http://", "[", "]", "t", "\n", "\377", "SIG", ":" };
	struct options o;
	struct words w;
	char line[512], message[64];
	enum options_result result;
	unsigned seed = arc4random();

	(void)state;
	print_message("seed %u\n", seed);
	srandom(seed);
	for (int i = 0; i < 20000; i++) {
		line[0] = '\0';
		for (long n = random() % 12; n >= 0; n--) {
			strlcat(line, parts[(size_t)random() % COUNT(parts)],
			    sizeof(line));
			if (random() % 3 == 0)
				strlcat(line, " ", sizeof(line));
		}
		message[0] = '\0';
		result = parse(&o, &w, line, message, sizeof(message));
		assert_int_equal(message[0] != '\0', result == OPTIONS_BAD);
		if (result == OPTIONS_OK)
			assert_non_null(o.addresses[0]);
	}
}

/* Runs options_parse(); the exit status, -1: it returned. */
static int
run(const char *line, char *output, size_t size)
{
	struct options o;
	struct words w;
	size_t n = 0;
	ssize_t got;
	pid_t pid;
	int fds[2], status;

	words_split(&w, line);
	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		options_parse(&o, w.argc, w.argv);
		_exit(99);
	}
	close(fds[1]);
	while ((got = read(fds[0], output + n, size - 1 - n)) > 0)
		n += (size_t)got;
	output[n] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == 99 ? -1 : WEXITSTATUS(status);
}

static void
test_a_mistake_is_one_line_and_ends_with_125(void **state)
{
	char output[1024];

	(void)state;
	assert_int_equal(run("-p x\n\033[31m", output, sizeof(output)), 125);
	assert_string_equal(output,
	    "wsexec: --port: 'x\\n\\033[31m' is not a whole number\n");
	assert_int_equal(run("-p 1 --prot", output, sizeof(output)), 125);
	assert_string_equal(output,
	    "wsexec: unknown option --prot (see wsexec --help)\n");
	assert_int_equal(run("-p 1 ls", output, sizeof(output)), -1);
	assert_string_equal(output, "");
}

static void
test_completion_is_shown(void **state)
{
	char output[16384];

	(void)state;
	assert_int_equal(run("--completion bash", output, sizeof(output)), 0);
	assert_non_null(strstr(output, "complete -F _wsexec wsexec\n"));
	assert_int_equal(run("-q --completion=zsh -x", output, sizeof(output)),
	    0);
	assert_memory_equal(output, "#compdef wsexec\n", 16);
}

static void
test_version(void **state)
{
	char output[1024];
	static const char first[] = "wsexec " WSEXEC_VERSION "\nlibevent 2.";

	(void)state;
	assert_int_equal(run("-p 1 -V", output, sizeof(output)), 0);
	assert_memory_equal(output, first, sizeof(first) - 1);
	assert_int_equal(run("--version --prot", output, sizeof(output)), 0);
	assert_int_equal(run("--prot --version", output, sizeof(output)), 125);
}

static void
test_help_is_readable(void **state)
{
	static const char *const lines[] = {
		"  -p, --port N              listen on this port; 0 picks ",
		"      --slow skip|disconnect|block\n",
		"  -t, --pty                 ",
		"\n  -h, --help                show this help\n",
	};
	char output[8192], *rest = output, *line;

	(void)state;
	assert_int_equal(run("-h", output, sizeof(output)), 0);
	assert_memory_equal(output, "usage: wsexec ", 14);
	for (size_t i = 0; i < COUNT(lines); i++)
		if (strstr(output, lines[i]) == NULL)
			fail_msg("there is no '%s'", lines[i]);
	while ((line = strsep(&rest, "\n")) != NULL) {
		assert_true(strlen(line) < 80);
		assert_true(*line == '\0' || line[strlen(line) - 1] != ' ');
	}
}

static void
test_help_that_cannot_be_written_is_a_failure(void **state)
{
	struct options o;
	struct words w;
	pid_t pid;
	int status;

	(void)state;
	words_split(&w, "--help");
	fflush(NULL);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		if (freopen("/dev/full", "w", stdout) == NULL ||
		    freopen("/dev/null", "w", stderr) == NULL)
			_exit(98);
		options_parse(&o, w.argc, w.argv);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 125);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_those_of_the_manual),
		cmocka_unit_test(test_values_arrive),
		cmocka_unit_test(test_mistakes_are_told),
		cmocka_unit_test(test_long_values_do_not_overflow),
		cmocka_unit_test(test_lists_hold_64),
		cmocka_unit_test(test_random_words),
		cmocka_unit_test(test_a_mistake_is_one_line_and_ends_with_125),
		cmocka_unit_test(test_completion_is_shown),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_help_is_readable),
		cmocka_unit_test(test_help_that_cannot_be_written_is_a_failure),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
