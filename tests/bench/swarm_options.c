/* SPDX-License-Identifier: ISC */

#include <err.h>
#include <stddef.h>

#include "arguments.h"
#include "swarm_lines.h"
#include "swarm_options.h"

#define SECONDS_MAX 1e6

static struct swarm_options o = {
	.url = "ws://127.0.0.1:8080/",
	.clients = 1,
	.workers = 1,
	.inflight = 256,
	.inflate = 1,
	.sample = 1,
	.duration_s = 60,
	.settle_s = 0.2,
	.connect_timeout_s = 60,
};

static const struct argument rows[] = {
	{ 'u', "url", "URL", ARGUMENT_TEXT, &o.url, 0, 0,
	    "ws://ADDRESS:PORT/PATH" },
	{ 'n', "clients", "N", ARGUMENT_COUNT, &o.clients, 0, 1e6,
	    "clients that read" },
	{ 's', "stalled", "N", ARGUMENT_COUNT, &o.stalled, 0, 1e6,
	    "more of them, which stop reading after the handshake" },
	{ 0, "stall-after", "SIZE", ARGUMENT_SIZE, &o.stall_after_bytes, 0,
	    1e15, "those read so much first" },
	{ 'j', "workers", "N", ARGUMENT_COUNT, &o.workers, 1, 64,
	    "processes that share the clients" },
	{ 0, "inflight", "N", ARGUMENT_COUNT, &o.inflight, 1, 1e6,
	    "handshakes under way at once, in each of them" },
	{ 'm', "mode", "frame|lines|stream", ARGUMENT_WORD, &o.mode, 0, 0,
	    "a message is a line; or several; or they go on in the next" },
	{ 0, "raw", NULL, ARGUMENT_FLAG, &o.raw, 0, 0,
	    "no WebSocket: lines as they are, without asking" },
	{ 0, "deflate", NULL, ARGUMENT_FLAG, &o.deflate, 0, 0,
	    "offer permessage-deflate; a message must be a line" },
	{ 0, "inflate", "N", ARGUMENT_COUNT, &o.inflate, 0, 1e6,
	    "so many clients inflate, the others only count messages" },
	{ 0, "expect", "N", ARGUMENT_COUNT, &o.expect_lines, 0, 1e15,
	    "end when all have so many lines, from 0 on; 0: not known" },
	{ 0, "line-bytes", "N", ARGUMENT_COUNT, &o.line_bytes, 0, 1e9,
	    "the length each must have; 0: any" },
	{ 0, "verify", NULL, ARGUMENT_FLAG, &o.verify, 0, 0,
	    "compare every byte with what emit writes" },
	{ 0, "sample", "N", ARGUMENT_COUNT, &o.sample, 1, 1e15,
	    "take the latency of every so many lines" },
	{ 0, "idle", NULL, ARGUMENT_FLAG, &o.idle, 0, 0,
	    "stay connected for the whole duration" },
	{ 0, "duration", "S", ARGUMENT_DECIMAL, &o.duration_s, 0, SECONDS_MAX,
	    "end after so many seconds at the latest" },
	{ 0, "settle", "S", ARGUMENT_DECIMAL, &o.settle_s, 0, SECONDS_MAX,
	    "wait so long when all are connected, then be ready" },
	{ 0, "connect-timeout", "S", ARGUMENT_DECIMAL, &o.connect_timeout_s, 0,
	    SECONDS_MAX, "do without those that are not connected then" },
	{ 0, "drain", "S", ARGUMENT_DECIMAL, &o.drain_s, 0, SECONDS_MAX,
	    "at the end let those that stalled read for so long" },
	{ 0, "ready-file", "FILE", ARGUMENT_TEXT, &o.ready_file, 0, 0,
	    "make this file when ready" },
	{ 0, "talk-file", "FILE", ARGUMENT_TEXT, &o.talk_file, 0, 0,
	    "when this file appears, each client sends a short message; when "
	    "all have, it is removed" },
};

static const struct arguments arguments = {
	.synopsis = "[options]",
	.about =
	    "Opens WebSocket connections, checks that each gets the lines of "
	    "emit\ncompletely and in order, and prints what it saw as JSON.  "
	    "The exit status is\n0 whatever it saw, but 1 if nobody was "
	    "connected.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

const struct swarm_options *
swarm_options_parse(int argc, char *argv[])
{
	int used = arguments_parse(&arguments, argc, argv);

	if (used != argc)
		errx(2, "'%s': there are only options", argv[used]);
	if (o.raw)
		o.mode = LINES_STREAM;
	else if (o.deflate && o.mode != LINES_FRAME)
		errx(2, "--deflate: only with --mode frame");
	if (o.raw && (o.deflate || o.talk_file != NULL))
		errx(2, "--raw: not with --deflate or --talk-file");
	return &o;
}
