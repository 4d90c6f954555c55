/* SPDX-License-Identifier: ISC */

/*
 * Many clients of one wsexec in one process.
 *
 *	client [options] ADDRESS:PORT <plan
 *
 * Each line of the plan is one client:
 *
 *	FORMAT DELAY_MS LEAVE_BYTES stay|drop|close
 *
 * FORMAT is text or json (WebSocket) or raw (HTTP, chunked).  It joins after
 * DELAY_MS and, unless it stays, leaves when it has LEAVE_BYTES of payload:
 * by closing the connection or, over WebSocket, with a close frame.
 *
 * At the end there is a JSON object a line for each, in the order of the
 * plan: what it got (see tally.h) and how that ended: "close 1000 exit 0",
 * "last chunk", "left", "left, close 1000", "end of file", "refused",
 * "timeout", "error: ...".
 *
 * Nothing is judged here, but bytes can be compared with a file (--compare),
 * which is faster than to hash them (--no-digest).
 */

#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stream.h"

#define READ_MAX 262144
#define EVENTS_MAX 256
#define PROGRESS_MS 50
#define TIMEOUT_S 600

struct client {
	struct stream stream;
	int64_t delay_ms;
	bool has_joined;
};

struct crowd {
	struct tally_config config;
	struct client *clients; /* owned; in the order of the plan */
	size_t count;
	size_t over; /* how many of them have ended */
	struct sockaddr_in address;
	const char *host; /* borrowed: "address:port" */
	int64_t timeout_ms;
	int64_t next_join_ms;
	int64_t told_ms; /* when progress was last shown */
	int epoll;
	bool holds; /* joins, but reads nothing until SIGUSR1 */
	bool tells_progress;
};

static volatile sig_atomic_t is_released;

static void
release_cb(int signal)
{
	(void)signal;
	is_released = 1;
}

static int64_t
now_ms(void)
{
	static time_t base;
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	if (base == 0)
		base = t.tv_sec;
	return (int64_t)(t.tv_sec - base) * 1000 + t.tv_nsec / 1000000;
}

static void
crowd_watch(struct crowd *crowd, struct client *c)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

	if (epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, c->stream.fd, &event) == -1)
		err(1, "epoll_ctl");
}

static void
crowd_join(struct crowd *crowd, struct client *c)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		err(1, "socket");
	c->has_joined = true;
	c->stream.fd = fd;
	if (connect(fd, (const struct sockaddr *)&crowd->address,
		sizeof(crowd->address)) == -1) {
		stream_end(&c->stream,
		    errno == ECONNREFUSED ? "refused" : strerror(errno));
		(void)close(fd);
		crowd->over++;
		return;
	}
	stream_ask(&c->stream, fd, crowd->host);
	if (!crowd->holds)
		crowd_watch(crowd, c);
}

static void
crowd_read(struct crowd *crowd, struct client *c)
{
	static uint8_t bytes[READ_MAX];
	struct stream *s = &c->stream;
	ssize_t n = recv(s->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	char why[STREAM_ENDED_MAX];

	if (n > 0) {
		stream_read(s, bytes, (size_t)n);
	} else if (n == 0) {
		stream_end(s, "end of file");
	} else if (errno != EAGAIN && errno != EINTR) {
		(void)snprintf(why, sizeof(why), "error: %s", strerror(errno));
		stream_end(s, why);
	}
	if (s->state == STREAM_OVER) {
		(void)close(s->fd);
		crowd->over++;
	}
}

/* Lets those join whose time has come. */
static void
crowd_join_due(struct crowd *crowd)
{
	struct client *c;

	if (now_ms() < crowd->next_join_ms)
		return;
	crowd->next_join_ms = INT64_MAX;
	for (c = crowd->clients; c < crowd->clients + crowd->count; c++) {
		if (!c->has_joined && c->delay_ms <= now_ms())
			crowd_join(crowd, c);
		else if (!c->has_joined && c->delay_ms < crowd->next_join_ms)
			crowd->next_join_ms = c->delay_ms;
	}
}

static void
crowd_release(struct crowd *crowd)
{
	struct client *c;

	crowd->holds = false;
	for (c = crowd->clients; c < crowd->clients + crowd->count; c++)
		if (c->has_joined && c->stream.state != STREAM_OVER)
			crowd_watch(crowd, c);
}

/* How far the slowest is that is still there. */
static void
crowd_tell_progress(struct crowd *crowd)
{
	uint64_t least = UINT64_MAX;
	const struct client *c;

	if (!crowd->tells_progress || now_ms() - crowd->told_ms < PROGRESS_MS)
		return;
	crowd->told_ms = now_ms();
	for (c = crowd->clients; c < crowd->clients + crowd->count; c++)
		if (c->stream.state != STREAM_OVER &&
		    c->stream.tally.bytes < least)
			least = c->stream.tally.bytes;
	printf("progress %" PRIu64 "\n", least);
	(void)fflush(stdout);
}

static void
crowd_run(struct crowd *crowd, const sigset_t *signals)
{
	struct epoll_event events[EVENTS_MAX];
	int64_t wait;
	int i, n;

	while (crowd->over < crowd->count && now_ms() < crowd->timeout_ms) {
		crowd_join_due(crowd);
		wait = crowd->next_join_ms - now_ms();
		if (wait > PROGRESS_MS)
			wait = PROGRESS_MS;
		n = epoll_pwait(crowd->epoll, events, EVENTS_MAX,
		    wait > 0 ? (int)wait : 0, signals);
		if (n == -1 && errno != EINTR)
			err(1, "epoll_pwait");
		for (i = 0; i < n; i++)
			crowd_read(crowd, events[i].data.ptr);
		if (is_released && crowd->holds)
			crowd_release(crowd);
		crowd_tell_progress(crowd);
	}
}

static void
crowd_report(struct crowd *crowd)
{
	struct client *c;
	const char *at;

	for (c = crowd->clients; c < crowd->clients + crowd->count; c++) {
		stream_end(&c->stream, "timeout");
		fputs("{\"ended\":\"", stdout);
		for (at = c->stream.ended; *at != '\0'; at++)
			putchar(*at < ' ' || strchr("\"\\\x7f", *at) != NULL ?
				'?' :
				*at);
		fputs("\",", stdout);
		tally_print(&c->stream.tally, stdout);
		fputs("}\n", stdout);
	}
	if (fflush(stdout) == EOF)
		err(1, "standard output");
}

static enum tally_format
parse_format(const char *name)
{
	if (strcmp(name, "text") == 0)
		return TALLY_TEXT;
	if (strcmp(name, "json") == 0)
		return TALLY_JSON;
	if (strcmp(name, "raw") == 0)
		return TALLY_RAW;
	errx(2, "no such format: %s", name);
}

static void
crowd_read_plan(struct crowd *crowd)
{
	char format[8], how[8];
	int64_t delay_ms;
	uint64_t leave;
	struct client *c;
	int n;

	while ((n = scanf("%7s %" SCNd64 " %" SCNu64 " %7s", format, &delay_ms,
		    &leave, how)) == 4) {
		crowd->clients = reallocarray(crowd->clients, crowd->count + 1,
		    sizeof(*crowd->clients));
		if (crowd->clients == NULL)
			err(1, NULL);
		c = &crowd->clients[crowd->count++];
		memset(c, 0, sizeof(*c));
		c->delay_ms = delay_ms;
		c->stream.says_goodbye = strcmp(how, "close") == 0;
		tally_init(&c->stream.tally, &crowd->config,
		    parse_format(format), strcmp(how, "stay") == 0 ? 0 : leave);
	}
	if (n != EOF)
		errx(2, "client %zu of the plan is no plan", crowd->count + 1);
}

static void
crowd_parse_address(struct crowd *crowd, const char *host)
{
	const char *colon = strrchr(host, ':');
	char address[INET_ADDRSTRLEN];

	crowd->host = host;
	crowd->address.sin_family = AF_INET;
	if (colon == NULL || (size_t)(colon - host) >= sizeof(address))
		errx(2, "not an address and port: %s", host);
	memcpy(address, host, (size_t)(colon - host));
	address[colon - host] = '\0';
	crowd->address.sin_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(AF_INET, address, &crowd->address.sin_addr) != 1)
		errx(2, "not an address: %s", address);
}

static void
map_file(struct tally_config *config, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd == -1 || fstat(fd, &st) == -1)
		err(1, "%s", path);
	config->expected_size = (size_t)st.st_size;
	map = mmap(NULL, config->expected_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		err(1, "%s", path);
	config->expected = map;
	(void)close(fd);
}

static const char usage[] =
    "usage: client [--pieces N] [--compare FILE [--line-size N]]\n"
    "              [--no-digest] [--hold] [--progress] [--timeout S]\n"
    "              ADDRESS:PORT <plan\n";

static void
crowd_parse_options(struct crowd *crowd, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "pieces", required_argument, NULL, 'p' },
		{ "compare", required_argument, NULL, 'c' },
		{ "line-size", required_argument, NULL, 'l' },
		{ "no-digest", no_argument, NULL, 'n' },
		{ "hold", no_argument, NULL, 'h' },
		{ "progress", no_argument, NULL, 'P' },
		{ "timeout", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			crowd->config.piece_size = strtoul(optarg, NULL, 10);
			break;
		case 'c':
			map_file(&crowd->config, optarg);
			break;
		case 'l':
			crowd->config.line_size = strtoul(optarg, NULL, 10);
			break;
		case 'n':
			crowd->config.digest = false;
			break;
		case 'h':
			crowd->holds = true;
			break;
		case 'P':
			crowd->tells_progress = true;
			break;
		case 't':
			crowd->timeout_ms = strtol(optarg, NULL, 10) * 1000;
			break;
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (argc - optind != 1) {
		fputs(usage, stderr);
		exit(2);
	}
	crowd_parse_address(crowd, argv[optind]);
}

int
main(int argc, char *argv[])
{
	const struct sigaction action = { .sa_handler = release_cb };
	struct crowd crowd = { .config.digest = true,
		.timeout_ms = TIMEOUT_S * 1000 };
	sigset_t blocked, before;

	/* Only while it waits, so that the signal is not missed. */
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &blocked, &before);
	(void)sigaction(SIGUSR1, &action, NULL);
	crowd_parse_options(&crowd, argc, argv);
	crowd_read_plan(&crowd);
	if ((crowd.epoll = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, "epoll_create1");
	crowd_run(&crowd, &before);
	crowd_report(&crowd);
	free(crowd.clients);
	return 0;
}
