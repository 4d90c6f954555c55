/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "core/buffer.h"
#include "net/tls_session.h"

#define TLS_SESSION_RECORD_MAX 16384 /* bytes in a record */

struct tls_session {
	SSL *ssl;	     /* owned */
	struct buffer rest;  /* of records, that the socket did not take */
	unsigned long error; /* OpenSSL's, of the last EPROTO */
	int fd;
	int socket_error; /* errno of the socket, if that has failed */
	bool is_begun;	  /* it was read from */
	bool is_writing;  /* rest may grow: it is of one record at most */
	bool has_moved;	  /* see tls_session_has_moved() */
	bool read_waits;  /* for the socket to be written */
	bool write_waits; /* for the socket to be read */
	bool has_failed;  /* nothing may be sent any more */
};

/* As send(2), but never waits, and 0 if nothing is taken. */
static ssize_t
tls_session_send(struct tls_session *t, const void *bytes, size_t n)
{
	ssize_t sent;

	t->socket_error = 0;
	do {
		sent = send(t->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent == -1 && errno == EINTR);
	if (sent == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (sent == -1)
		t->socket_error = errno;
	else if (sent > 0)
		t->has_moved = true;
	return sent;
}

int
tls_session_flush(struct tls_session *t)
{
	ssize_t sent;

	if (t->rest.size == 0)
		return 1;
	sent = tls_session_send(t, t->rest.data, t->rest.size);
	if (sent == -1)
		return -1;
	buffer_shift(&t->rest, (size_t)sent);
	if (t->rest.size > 0)
		return 0;
	buffer_clear(&t->rest);
	return 1;
}

static int
tls_session_bio_write_cb(BIO *bio, const char *bytes, size_t n, size_t *taken)
{
	struct tls_session *t = BIO_get_data(bio);
	ssize_t sent = 0;

	BIO_clear_retry_flags(bio);
	switch (tls_session_flush(t)) {
	case 1:
		sent = tls_session_send(t, bytes, n);
		break;
	case 0:
		/* A peer that takes none is not answered without bound. */
		if (t->is_writing)
			break;
		BIO_set_retry_write(bio);
		return 0;
	default:
		return 0;
	}
	/* Without memory in the kernel it is to be tried again as well. */
	if (sent == -1 && t->socket_error != ENOBUFS &&
	    t->socket_error != ENOMEM)
		return 0;
	if (sent == -1)
		sent = 0;
	buffer_append(&t->rest, bytes + sent, n - (size_t)sent);
	if (t->rest.failed)
		return 0;
	*taken = n;
	return 1;
}

static int
tls_session_bio_read_cb(BIO *bio, char *bytes, size_t n, size_t *got)
{
	struct tls_session *t = BIO_get_data(bio);
	ssize_t received;

	t->socket_error = 0;
	BIO_clear_retry_flags(bio);
	do {
		received = recv(t->fd, bytes, n, MSG_DONTWAIT);
	} while (received == -1 && errno == EINTR);
	if (received > 0) {
		*got = (size_t)received;
		return 1;
	}
	if (received == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	else if (errno == EAGAIN || errno == EWOULDBLOCK)
		BIO_set_retry_read(bio);
	else
		t->socket_error = errno;
	return 0;
}

static long
tls_session_bio_ctrl_cb(BIO *bio, int command, long number, void *pointer)
{
	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_FLUSH: /* what is left goes by itself */
		return 1;
	case BIO_CTRL_EOF:
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	default:
		return 0;
	}
}

struct bio_method_st *
tls_session_new_method(void)
{
	BIO_METHOD *method =
	    BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wsexec");

	if (method == NULL)
		return NULL;
	if (BIO_meth_set_write_ex(method, tls_session_bio_write_cb) != 1 ||
	    BIO_meth_set_read_ex(method, tls_session_bio_read_cb) != 1 ||
	    BIO_meth_set_ctrl(method, tls_session_bio_ctrl_cb) != 1) {
		BIO_meth_free(method);
		return NULL;
	}
	return method;
}

struct tls_session *
tls_session_new(struct ssl_ctx_st *context, const struct bio_method_st *method,
    int fd)
{
	struct tls_session *t;
	BIO *bio;

	ERR_clear_error();
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->fd = fd;
	t->ssl = SSL_new(context);
	bio = t->ssl == NULL ? NULL : BIO_new(method);
	if (bio == NULL) {
		tls_session_free(t);
		return NULL;
	}
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_accept_state(t->ssl);
	return t;
}

void
tls_session_free(struct tls_session *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	buffer_clear(&t->rest);
	free(t);
	ERR_clear_error();
}

/* What OpenSSL's answer, which is no number of bytes, is for a socket. */
static ssize_t
tls_session_fail(struct tls_session *t, int answer)
{
	switch (SSL_get_error(t->ssl, answer)) {
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	}
	t->has_failed = true;
	t->error = ERR_peek_error();
	if (t->error != 0 || t->rest.failed)
		errno = EPROTO;
	else
		errno = t->socket_error != 0 ? t->socket_error : ECONNRESET;
	return -1;
}

/* Bytes that one call of OpenSSL is given: a record, or less. */
static int
tls_session_portion(size_t n)
{
	return n < TLS_SESSION_RECORD_MAX ? (int)n : TLS_SESSION_RECORD_MAX;
}

ssize_t
tls_session_read(struct tls_session *t, void *bytes, size_t n)
{
	ssize_t got;
	int answer;

	ERR_clear_error();
	t->is_begun = true;
	t->read_waits = false;
	answer = SSL_read(t->ssl, bytes, tls_session_portion(n));
	if (answer > 0)
		return answer;
	got = tls_session_fail(t, answer);
	t->read_waits = SSL_want_write(t->ssl);
	return got;
}

/* Writes a record: how many bytes are in it, or -1. */
static ssize_t
tls_session_write_record(struct tls_session *t, const char *bytes, size_t n)
{
	int answer;

	ERR_clear_error();
	t->is_writing = true;
	answer = SSL_write(t->ssl, bytes, tls_session_portion(n));
	t->is_writing = false;
	if (answer > 0)
		return answer;
	if (tls_session_fail(t, answer) == 0)
		errno = EPIPE; /* it was ended before */
	t->write_waits = SSL_want_read(t->ssl);
	return -1;
}

ssize_t
tls_session_write(struct tls_session *t, const void *bytes, size_t n)
{
	size_t done = 0;
	ssize_t put;
	int flushed;

	t->write_waits = false;
	if ((flushed = tls_session_flush(t)) != 1) {
		errno = flushed == 0 ? EAGAIN : t->socket_error;
		return -1;
	}
	while (done < n && t->rest.size == 0) {
		put = tls_session_write_record(t, (const char *)bytes + done,
		    n - done);
		if (put == -1)
			return done > 0 ? (ssize_t)done : -1;
		done += (size_t)put;
	}
	return (ssize_t)done;
}

bool
tls_session_is_begun(const struct tls_session *t)
{
	return t->is_begun;
}

bool
tls_session_is_open(const struct tls_session *t)
{
	return SSL_is_init_finished(t->ssl) == 1;
}

bool
tls_session_has_moved(struct tls_session *t)
{
	const bool moved = t->has_moved;

	t->has_moved = false;
	return moved;
}

void
tls_session_end(struct tls_session *t)
{
	ERR_clear_error();
	if (tls_session_is_open(t) && !t->has_failed)
		(void)SSL_shutdown(t->ssl);
}

short
tls_session_note(struct tls_session *t, short what)
{
	short more = 0;

	/* What fails now does so again when bytes are read or written. */
	if ((what & EV_WRITE) != 0)
		(void)tls_session_flush(t);
	if ((what & EV_WRITE) != 0 && t->read_waits)
		more |= EV_READ;
	if ((what & EV_READ) != 0 && t->write_waits)
		more |= EV_WRITE;
	return (short)(what | more);
}

const char *
tls_session_why(struct tls_session *t)
{
	const long verified = SSL_get_verify_result(t->ssl);
	const char *reason = ERR_reason_error_string(t->error);

	if (t->rest.failed)
		return "out of memory";
	if (ERR_GET_REASON(t->error) == SSL_R_CERTIFICATE_VERIFY_FAILED &&
	    verified != X509_V_OK)
		return X509_verify_cert_error_string(verified);
	return reason != NULL ? reason : "it failed";
}

const char *
tls_session_describe(const struct tls_session *t,
    char text[TLS_SESSION_TEXT_MAX])
{
	const X509 *certificate = SSL_get0_peer_certificate(t->ssl);
	char subject[TLS_SESSION_TEXT_MAX / 2];

	if (certificate == NULL) {
		(void)strlcpy(text, SSL_get_version(t->ssl),
		    TLS_SESSION_TEXT_MAX);
		return text;
	}
	(void)X509_NAME_oneline(X509_get_subject_name(certificate), subject,
	    sizeof(subject));
	(void)snprintf(text, TLS_SESSION_TEXT_MAX,
	    "%s, with a certificate of %s", SSL_get_version(t->ssl), subject);
	return text;
}
