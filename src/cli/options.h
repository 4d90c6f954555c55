/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_OPTIONS_H
#define WSEXEC_OPTIONS_H

/*
 * The command line.  One table in options.c has every option with its letter,
 * argument, kind, range, default and help sentence; getopt's string, --help
 * and the messages about bad values come from it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/access_line.h"
#include "cli/completion.h"
#include "cli/backoff.h"
#include "cli/value.h"
#include "wsexec.h"

#define OPTIONS_LIST_MAX 64 /* how often a repeatable option may be given */

struct options {
	/* NULL-terminated; empty if there are other sockets only */
	const char *addresses[OPTIONS_LIST_MAX + 1];
	uint16_t port;
	bool tcp_is_given; /* an address or a port was */
	const char *unix_sockets[OPTIONS_LIST_MAX + 1]; /* NULL-terminated */
	uint32_t unix_socket_mode;
	const char *unix_socket_owner; /* NULL: whoever makes it */
	uint16_t ready_fd;	       /* 0: none */
	bool browser;
	const char *base_path; /* "" or "/..." without a slash at the end */
	bool pty;
	const char *cwd;		       /* NULL: as it is */
	const char *user;		       /* NULL: who we are */
	const char *group;		       /* NULL: that of user */
	const char *env[OPTIONS_LIST_MAX + 1]; /* NULL-terminated */
	bool writable;
	bool own_stdin;
	bool quiet;
	int stop_signal;
	double kill_after_s;
	uint32_t max_clients;		  /* 0: as many as descriptors allow */
	uint32_t max_clients_per_address; /* 0: as max_clients */
	uint64_t history_bytes;
	uint64_t client_buffer_bytes; /* 0: the whole history */
	enum wsexec_slow slow;
	enum wsexec_sanitize sanitize;
	double stall_timeout_s;
	uint32_t max_line_bytes;
	double latency_ms;
	uint16_t compression; /* a zlib level; 0: none */
	double linger_s;      /* HUGE_VAL: forever */
	double drain_s;
	uint32_t wait_clients;
	enum restart_policy restart;
	double restart_delay_s;
	double timeout_s; /* 0: none */
	bool once;
	const char *output; /* NULL: none */
	bool token;
	const char *token_file; /* NULL: none */
	bool read_token;
	const char *read_token_file; /* NULL: none */
	bool write_token;
	const char *write_token_file; /* NULL: none */
	bool no_auth;
	char credential[VALUE_CREDENTIAL_MAX + 1];	 /* "": none */
	const char *credential_file;			 /* NULL: none */
	const char *origins[OPTIONS_LIST_MAX + 1];	 /* NULL-terminated */
	const char *allowed_hosts[OPTIONS_LIST_MAX + 1]; /* NULL-terminated */
	bool hide_command;
	const char *tls_cert;	   /* NULL: no TLS */
	const char *tls_key;	   /* NULL: with the certificate */
	const char *tls_client_ca; /* NULL: any client */
	double ping_interval_s;
	const char *title;			   /* NULL: the command */
	const char *proxies[OPTIONS_LIST_MAX + 1]; /* NULL-terminated */
	const char *access_log;			   /* NULL: none */
	enum access_format access_log_format;
	int verbose;
	enum completion_shell completion; /* after OPTIONS_COMPLETION */
	char **command; /* NULL-terminated; command[0] NULL: read stdin */
};

enum options_result {
	OPTIONS_OK,
	OPTIONS_HELP,	    /* --help was given */
	OPTIONS_VERSION,    /* --version was given */
	OPTIONS_COMPLETION, /* --completion was given, o->completion is set */
	OPTIONS_BAD,	    /* a mistake, told in the message */
};

/*
 * Parses argv.  On OPTIONS_BAD message is one line that names the option, the
 * value and the range, cut to size.  Strings in *o point into argv, of which
 * slashes at the end of --base-path are cut; but --credential is copied, and its
 * place in argv overwritten, as others can read that in /proc.
 */
enum options_result options_try_parse(struct options *o, int argc, char **argv,
    char *message, size_t size);

/*
 * The same for main(): --help and the like are answered on stdout and end
 * the process with 0; a mistake is told on stderr and ends it with 125.
 */
void options_parse(struct options *o, int argc, char **argv);

#endif
