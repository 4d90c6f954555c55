/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/feed.h"
#include "net/client.h"
#include "net/connection.h"
#include "net/exchange.h"
#include "net/server.h"
#include "net/subscriber.h"
#include "net/tls.h"
#include "net/tls_session.h"

#define CONNECTION_READ_MAX 8192      /* bytes taken in one callback */
#define CONNECTION_NOTSENT_MAX 16384  /* unsent bytes the kernel may hold */
#define CONNECTION_UNIX_MAX 65536     /* bytes it holds of a Unix socket */
#define CONNECTION_WHY_MAX 128	      /* bytes of why TLS failed, and NUL */
#define CONNECTION_KEEPALIVE_S 60     /* silence before the kernel asks */
#define CONNECTION_KEEPALIVE_GAP_S 15 /* between its questions */
#define CONNECTION_KEEPALIVE_COUNT 4  /* questions without an answer */

static void connection_event_cb(evutil_socket_t fd, short what, void *arg);

static void
connection_set_option(int fd, int level, int name, int value)
{
	/* Each only makes things better; a socket without is still one. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

static void
connection_set_options(int fd, sa_family_t family)
{
	if (family == AF_UNIX) {
		connection_set_option(fd, SOL_SOCKET, SO_SNDBUF,
		    CONNECTION_UNIX_MAX);
		return;
	}
	connection_set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	connection_set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT,
	    CONNECTION_NOTSENT_MAX);
	connection_set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	connection_set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE,
	    CONNECTION_KEEPALIVE_S);
	connection_set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL,
	    CONNECTION_KEEPALIVE_GAP_S);
	connection_set_option(fd, IPPROTO_TCP, TCP_KEEPCNT,
	    CONNECTION_KEEPALIVE_COUNT);
}

/* With all that it owns; Unix sockets have permissions in place of TLS. */
static struct connection *
connection_new(const struct wsexec_server *s, int fd, sa_family_t family)
{
	const bool accounts = s->settings.on_access != NULL;
	const bool speaks_tls = s->tls != NULL && family != AF_UNIX;
	struct connection *c;

	if ((c = calloc(1, sizeof(*c) + account_size(accounts))) == NULL)
		return NULL;
	c->exchange = exchange_new();
	if (speaks_tls)
		c->tls = tls_begin(s->tls, fd);
	if (c->exchange == NULL || (speaks_tls && c->tls == NULL)) {
		exchange_free(c->exchange);
		tls_session_free(c->tls);
		free(c);
		return NULL;
	}
	return c;
}

void
connection_open(struct wsexec_server *s, int fd, const struct sockaddr *peer)
{
	struct connection *c;

	s->counters.accepted++;
	if ((c = connection_new(s, fd, peer->sa_family)) == NULL) {
		server_log(s, 0, "out of memory: a connection is refused");
		close(fd);
		return;
	}
	connection_set_options(fd, peer->sa_family);
	c->server = s;
	client_set(c, fd, peer);
	(void)event_assign(&c->event, s->base, fd,
	    EV_READ | EV_WRITE | EV_ET | EV_PERSIST, connection_event_cb, c);
	connection_enter(c, CONNECTION_HEAD, CONNECTION_HEAD_MS);
	if (s->pending_count >= CONNECTION_PENDING_MAX)
		connection_close(TAILQ_FIRST(&s->pending),
		    "too many connections have not become streams");
	TAILQ_INSERT_TAIL(&s->pending, c, link);
	s->pending_count++;
	s->connection_count++;
	c->reads = true;
	if (event_add(&c->event, NULL) == -1)
		connection_close(c, "the loop does not take it");
}

/* Whether it has got all of what it was to get, and may be told so. */
static bool
connection_is_whole(const struct connection *c)
{
	return c->state == CONNECTION_HEAD || c->state == CONNECTION_CLOSING;
}

void
connection_close(struct connection *c, const char *reason)
{
	struct wsexec_server *s = c->server;
	char peer[CLIENT_NAME_MAX];

	if (c->state == CONNECTION_DEAD)
		return;
	server_log(s, 1, "%s: closed: %s", client_name(c, peer), reason);
	if (c->tls != NULL && connection_is_whole(c))
		tls_session_end(c->tls);
	(void)event_del(&c->event);
	close(event_get_fd(&c->event));
	c->state = CONNECTION_DEAD;
	if (s->paused_for == c)
		s->paused_for = NULL;
	if (connection_is_stream(c)) {
		TAILQ_REMOVE(&s->streams, c, link);
		client_leave(c);
		subscriber_leave(&c->subscriber);
	} else {
		TAILQ_REMOVE(&s->pending, c, link);
		s->pending_count--;
		exchange_drop_body(c);
		exchange_cancel(c);
	}
	TAILQ_INSERT_TAIL(&s->dead, c, link);
	s->connection_count--;
	account_end(c);
	server_need_turn(s);
}

void
connection_free(struct connection *c)
{
	subscriber_clear(&c->subscriber);
	exchange_free(c->exchange);
	tls_session_free(c->tls);
	free(c);
}

bool
connection_is_stream(const struct connection *c)
{
	return c->exchange == NULL;
}

void
connection_become_stream(struct connection *c)
{
	struct wsexec_server *s = c->server;

	client_enter(c);
	TAILQ_REMOVE(&s->pending, c, link);
	s->pending_count--;
	TAILQ_INSERT_TAIL(&s->streams, c, link);
	connection_enter(c, CONNECTION_STREAM, 0);
	c->exchange = NULL; /* whoever serves it frees it */
}

void
connection_enter(struct connection *c, enum connection_state state,
    int64_t timeout_ms)
{
	c->state = (uint8_t)state;
	c->deadline_us = timeout_ms == 0 ?
	    INT64_MAX :
	    server_now(c->server) + timeout_ms * 1000;
}

void
connection_want_read(struct connection *c, bool wanted)
{
	c->reads = wanted;
	if (wanted && c->readable && c->state != CONNECTION_DEAD)
		event_active(&c->event, EV_READ, 0);
}

void
connection_want_write(struct connection *c, bool wanted)
{
	c->writes = wanted;
}

static ssize_t
connection_send_plain(struct connection *c, const void *bytes, size_t n)
{
	evutil_socket_t fd = event_get_fd(&c->event);
	ssize_t sent;

	do {
		sent = send(fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent == -1 && errno == EINTR);
	return sent;
}

static void
connection_close_tls(struct connection *c)
{
	char why[CONNECTION_WHY_MAX];

	(void)snprintf(why, sizeof(why), "TLS: %s", tls_session_why(c->tls));
	connection_close(c, why);
}

/* What errno of a send means: 0: later; -1: it had to be closed. */
static int
connection_judge_send(struct connection *c)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 0;
	if (errno == ENOBUFS || errno == ENOMEM) {
		/* Nobody will tell when there is some again. */
		event_active(&c->event, EV_WRITE, 0);
		return 0;
	}
	if (errno == EPROTO && c->tls != NULL)
		connection_close_tls(c);
	else
		connection_close(c, "the peer is gone");
	return -1;
}

ssize_t
connection_send(struct connection *c, const void *bytes, size_t n)
{
	ssize_t sent = c->tls == NULL ? connection_send_plain(c, bytes, n) :
					tls_session_write(c->tls, bytes, n);

	if (sent == -1)
		return connection_judge_send(c);
	c->server->counters.sent_bytes += (uint64_t)sent;
	c->subscriber.sent_bytes += (uint64_t)sent;
	account_sent(c, (size_t)sent);
	return sent;
}

bool
connection_flush(struct connection *c)
{
	int flushed;

	if (c->tls == NULL || (flushed = tls_session_flush(c->tls)) == 1)
		return true;
	if (flushed == -1)
		(void)connection_judge_send(c);
	return false;
}

bool
connection_has_moved(const struct connection *c)
{
	return c->tls != NULL && tls_session_has_moved(c->tls);
}

/* The end of our side, when there is nothing before it any more. */
static void
connection_shut(struct connection *c)
{
	const bool flushed = connection_flush(c);

	if (c->state == CONNECTION_DEAD)
		return;
	connection_want_write(c, !flushed);
	if (flushed && shutdown(event_get_fd(&c->event), SHUT_WR) == -1)
		connection_close(c, "the peer is gone");
}

void
connection_linger(struct connection *c)
{
	account_end(c);
	if (c->tls != NULL)
		tls_session_end(c->tls);
	connection_enter(c, CONNECTION_LINGER, CONNECTION_LINGER_MS);
	connection_shut(c);
}

/*
 * What comes is no TLS that we speak, or is no more.  The peer was told, and
 * gets time to read that, unless others wait for this to be over.
 */
static void
connection_fail_tls(struct connection *c)
{
	char peer[CLIENT_NAME_MAX];

	if (connection_is_stream(c) || c->state == CONNECTION_LINGER) {
		connection_close_tls(c);
		return;
	}
	server_log(c->server, 1, "%s: refused: TLS: %s", client_name(c, peer),
	    tls_session_why(c->tls));
	tls_session_free(c->tls);
	c->tls = NULL;
	connection_linger(c);
}

/*
 * Who begins with a letter speaks HTTP and no TLS, the records of which begin
 * with the byte 22: it is answered in kind.
 */
static void
connection_look_for_plain(struct connection *c)
{
	char first;

	if (tls_session_is_begun(c->tls) ||
	    recv(event_get_fd(&c->event), &first, 1, MSG_PEEK | MSG_DONTWAIT) !=
		1 ||
	    first < 'A' || first > 'Z')
		return;
	tls_session_free(c->tls);
	c->tls = NULL;
	c->lacks_tls = true;
}

/* As recv(2). */
static ssize_t
connection_receive(struct connection *c, void *bytes, size_t n)
{
	char peer[CLIENT_NAME_MAX], text[TLS_SESSION_TEXT_MAX];
	bool was_open;
	ssize_t got;

	if (c->tls != NULL)
		connection_look_for_plain(c);
	if (c->tls == NULL)
		return recv(event_get_fd(&c->event), bytes, n, MSG_DONTWAIT);
	was_open = tls_session_is_open(c->tls);
	got = tls_session_read(c->tls, bytes, n);
	if (!was_open && tls_session_is_open(c->tls))
		server_log(c->server, 1, "%s: speaks %s", client_name(c, peer),
		    tls_session_describe(c->tls, text));
	return got;
}

static void
connection_read(struct connection *c)
{
	char bytes[CONNECTION_READ_MAX];
	ssize_t n;

	n = connection_receive(c, bytes, sizeof(bytes));
	if (n == -1) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			c->readable = false;
		else if (errno == EPROTO && c->tls != NULL)
			connection_fail_tls(c);
		else if (errno != EINTR)
			connection_close(c, "the peer is gone");
		return;
	}
	if (n == 0) {
		connection_close(c, "the peer has left");
		return;
	}
	switch ((enum connection_state)c->state) {
	case CONNECTION_HEAD:
	case CONNECTION_CHECK:
	case CONNECTION_REPLY:
		exchange_read(c, bytes, (size_t)n);
		break;
	case CONNECTION_STREAM:
	case CONNECTION_CLOSING:
		subscriber_read(&c->subscriber, bytes, (size_t)n);
		break;
	case CONNECTION_LINGER:
	case CONNECTION_DEAD:
		break;
	}
}

static void
connection_event_cb(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)server_now(c->server);
	if (c->tls != NULL)
		what = tls_session_note(c->tls, what);
	if ((what & EV_READ) != 0)
		c->readable = true;
	if (c->readable && c->reads && c->state != CONNECTION_DEAD)
		connection_read(c);
	/* Of what is left nobody will tell; but first others have their turn. */
	connection_want_read(c, c->reads);
	if ((what & EV_WRITE) == 0 || !c->writes || c->state == CONNECTION_DEAD)
		return;
	if (connection_is_stream(c))
		subscriber_make_ready(&c->subscriber);
	else if (c->state == CONNECTION_REPLY)
		exchange_write(c);
	else if (c->state == CONNECTION_LINGER)
		connection_shut(c);
	else
		connection_want_write(c, false);
}

void
connection_check_deadline(struct connection *c)
{
	if (c->server->now_us < c->deadline_us)
		return;
	switch ((enum connection_state)c->state) {
	case CONNECTION_HEAD:
		if (c->tls != NULL && !tls_session_is_open(c->tls))
			connection_close(c,
			    "the TLS handshake was not complete in time");
		else
			exchange_time_out(c);
		break;
	case CONNECTION_CHECK:
		connection_close(c, "its password was not checked in time");
		break;
	case CONNECTION_REPLY:
		connection_close(c, "the answer was not taken in time");
		break;
	case CONNECTION_CLOSING:
		connection_close(c, "the end was not taken in time");
		break;
	case CONNECTION_LINGER:
		connection_close(c, "all is sent");
		break;
	case CONNECTION_STREAM:
	case CONNECTION_DEAD:
		break;
	}
}
