/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_SETTINGS_H
#define WSEXEC_SETTINGS_H

/*
 * A server's configuration with all defaults filled in and all strings copied.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sanitize.h"
#include "net/keys.h"
#include "wsexec.h"

struct network;

struct settings {
	char *title;	 /* owned */
	char **command;	 /* owned, NULL-terminated; empty: not told */
	char *base_path; /* owned: "" or "/..." */
	char **origins;	 /* owned, NULL-terminated */
	char **hosts;	 /* owned, NULL-terminated; has the own host name */
	struct keys keys;
	char *credential_file;	 /* owned; NULL: none */
	char *tls_cert;		 /* owned; NULL: no TLS */
	char *tls_key;		 /* owned; NULL: in the same file */
	char *tls_client_ca;	 /* owned; NULL: any client */
	struct network *proxies; /* owned */
	size_t proxy_count;
	uint64_t history_bytes; /* for late joiners */
	uint64_t kept_bytes;	/* at least that; what the journal holds */
	uint64_t client_buffer_bytes; /* never more than kept_bytes */
	enum wsexec_slow slow;
	enum sanitize sanitize;
	uint32_t max_line_bytes;
	size_t max_clients;
	size_t max_clients_per_address; /* 0: no limit */
	size_t max_streams; /* clients and watchers, for want of descriptors */
	int64_t latency_us;
	int compression; /* level of zlib, 1 to 9; 0: none */
	int64_t stall_ms;
	int64_t drain_ms;
	int64_t ping_ms;
	void (*on_event)(enum wsexec_event event, void *arg);
	void (*on_log)(int level, const char *line, void *arg);
	void (*on_access)(const struct wsexec_access *access, void *arg);
	bool (*on_input)(const void *bytes, size_t n, void *arg);
	void *arg;
};

/* Whether all addresses in a configuration are addresses. */
bool settings_check(const struct wsexec_config *config);

/*
 * Fills to (all zero before) from a good configuration.  False: out of memory; to
 * still wants settings_clear().
 */
bool settings_copy(struct settings *to, const struct wsexec_config *from);
void settings_clear(struct settings *settings);

#endif
