/* SPDX-License-Identifier: ISC */

/*
 * Sessions over a pair of sockets with a client of OpenSSL's own at the other
 * end: what is written arrives whole whatever the sockets take, and memory
 * that runs out somewhere ends a session, and nothing else.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "failing_memory.h"
#include "net/certificate.h"
#include "net/pem_file.h"
#include "net/settings.h"
#include "net/tls_session.h"

#define DAY_S 86400
#define MUCH 400000	 /* bytes, more than sockets take */
#define STEPS_MAX 100000 /* of a loop that must come to an end */
#define ALLOCATIONS_MAX 20000

static char path[] = "/tmp/wsexec-test-XXXXXX";
static struct settings settings = { .tls_cert = path };
static BIO_METHOD *method;
static SSL_CTX *client_context;
static bool is_scarce; /* the server's memory may run out */

/* A server's session and its client. */
struct pair {
	struct tls_session *session;
	SSL *client;
	int fds[2]; /* the server's, the client's */
};

/* Writes a certificate that is good from one day to another, and its key. */
static void
write_certificate(long from_days, long until_days)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_non_null(key);
	assert_non_null(certificate);
	X509_gmtime_adj(X509_getm_notBefore(certificate), from_days * DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(certificate), until_days * DAY_S);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
	    MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL,
			     NULL),
	    1);
	assert_int_equal(fclose(file), 0);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static int
setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd != -1);
	close(fd);
	write_certificate(-1, 1);
	method = tls_session_new_method();
	client_context = SSL_CTX_new(TLS_client_method());
	return method == NULL || client_context == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	BIO_meth_free(method);
	SSL_CTX_free(client_context);
	return unlink(path);
}

static SSL_CTX *
load(void)
{
	char why[CERTIFICATE_WHY_MAX];
	SSL_CTX *context = certificate_load(&settings, why);

	if (context == NULL)
		fail_msg("%s", why);
	return context;
}

static void
pair_open(struct pair *p, SSL_CTX *context)
{
	int size = 4096, i;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p->fds), 0);
	for (i = 0; i < 2; i++) {
		assert_int_equal(fcntl(p->fds[i], F_SETFL, O_NONBLOCK), 0);
		assert_int_equal(setsockopt(p->fds[i], SOL_SOCKET, SO_SNDBUF,
				     &size, sizeof(size)),
		    0);
	}
	p->client = SSL_new(client_context);
	assert_non_null(p->client);
	assert_int_equal(SSL_set_fd(p->client, p->fds[1]), 1);
	SSL_set_connect_state(p->client);
	memory.armed = is_scarce;
	p->session = tls_session_new(context, method, p->fds[0]);
	memory.armed = false;
}

static void
pair_close(struct pair *p)
{
	tls_session_free(p->session);
	SSL_free(p->client);
	close(p->fds[0]);
	close(p->fds[1]);
}

/* Both do what they can; what the server reads is dropped.  False: it failed. */
static bool
pair_step(struct pair *p)
{
	char bytes[1000];
	ssize_t n;

	memory.armed = is_scarce;
	(void)tls_session_note(p->session, EV_READ | EV_WRITE);
	n = tls_session_read(p->session, bytes, sizeof(bytes));
	memory.armed = false;
	if (n == 0 || (n == -1 && errno != EAGAIN))
		return false;
	(void)SSL_do_handshake(p->client);
	return true;
}

/* False: the session has failed, as it may when memory runs out. */
static bool
pair_shake_hands(struct pair *p)
{
	int steps;

	for (steps = 0; !tls_session_is_open(p->session) ||
	     !SSL_is_init_finished(p->client);
	     steps++) {
		if (!pair_step(p))
			return false;
		assert_true(steps < STEPS_MAX);
	}
	return true;
}

/* Writes bytes of which each says where it is, until all has arrived. */
static void
pair_pour(struct pair *p, size_t portion)
{
	static uint8_t wanted[MUCH], got[MUCH + 1];
	size_t put = 0, taken = 0, i, n;
	ssize_t sent;
	int received;

	for (i = 0; i < MUCH; i++)
		wanted[i] = (uint8_t)(i * 2654435761U >> 13);
	while (taken < MUCH) {
		n = MUCH - put < portion ? MUCH - put : portion;
		/* The portion changes while some of it waits. */
		portion = portion % 50000 + 1 + put % 7;
		sent = tls_session_write(p->session, wanted + put, n);
		if (sent == -1)
			assert_int_equal(errno, EAGAIN);
		else
			put += (size_t)sent;
		received = SSL_read(p->client, got + taken,
		    (int)(sizeof(got) - taken));
		if (received > 0)
			taken += (size_t)received;
	}
	assert_memory_equal(got, wanted, MUCH);
	assert_int_equal(tls_session_flush(p->session), 1);
	assert_true(tls_session_has_moved(p->session));
	assert_false(tls_session_has_moved(p->session));
}

static void
test_all_arrives_in_portions_of_any_size(void **state)
{
	static const size_t portions[] = { 1, 100, 16384, 16385, MUCH };
	SSL_CTX *context = load();
	struct pair p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(portions) / sizeof(portions[0]); i++) {
		pair_open(&p, context);
		assert_true(pair_shake_hands(&p));
		pair_pour(&p, portions[i]);
		pair_close(&p);
	}
	SSL_CTX_free(context);
}

static void
test_a_full_socket_is_given_one_record(void **state)
{
	static const char bytes[100000];
	SSL_CTX *context = load();
	struct pair p;
	ssize_t sent;

	(void)state;
	pair_open(&p, context);
	assert_true(pair_shake_hands(&p));
	sent = tls_session_write(p.session, bytes, sizeof(bytes));
	assert_true(sent > 0 && sent < (ssize_t)sizeof(bytes));
	assert_int_equal(sent % 16384, 0);
	assert_int_equal(tls_session_flush(p.session), 0);
	assert_int_equal(tls_session_write(p.session, bytes, 1), -1);
	assert_int_equal(errno, EAGAIN);
	pair_close(&p);
	SSL_CTX_free(context);
}

/* Who asks for new keys without end, and takes no answers, is not answered. */
static void
test_answers_to_who_takes_none_are_bounded(void **state)
{
	static const char bytes[100000];
	SSL_CTX *context = load();
	struct pair p;
	char got[100];
	int i, asked = 0;

	(void)state;
	pair_open(&p, context);
	assert_true(pair_shake_hands(&p));
	(void)tls_session_write(p.session, bytes, sizeof(bytes));
	for (i = 0; i < STEPS_MAX / 10; i++) {
		(void)SSL_key_update(p.client, SSL_KEY_UPDATE_REQUESTED);
		if (SSL_do_handshake(p.client) == 1)
			asked++;
		if (tls_session_read(p.session, got, sizeof(got)) == -1)
			assert_int_equal(errno, EAGAIN);
	}
	/* The sockets are full of what is not read. */
	assert_true(asked > 0 && asked < STEPS_MAX / 100);
	/* When answers can go, what comes is read again. */
	while (SSL_read(p.client, got, sizeof(got)) > 0)
		continue;
	assert_true((tls_session_note(p.session, EV_WRITE) & EV_READ) != 0);
	pair_close(&p);
	SSL_CTX_free(context);
}

static void
test_the_end_is_told(void **state)
{
	SSL_CTX *context = load();
	struct pair p;
	char got[10];

	(void)state;
	pair_open(&p, context);
	assert_true(pair_shake_hands(&p));
	tls_session_end(p.session);
	assert_int_equal(SSL_read(p.client, got, sizeof(got)), 0);
	assert_int_equal(SSL_get_error(p.client, 0), SSL_ERROR_ZERO_RETURN);
	/* The other direction stays open. */
	assert_int_equal(SSL_write(p.client, "x", 1), 1);
	assert_int_equal(tls_session_read(p.session, got, sizeof(got)), 1);
	(void)SSL_shutdown(p.client);
	assert_int_equal(tls_session_read(p.session, got, sizeof(got)), 0);
	assert_int_equal(tls_session_write(p.session, "x", 1), -1);
	pair_close(&p);
	SSL_CTX_free(context);
}

static void
test_certificates_have_their_time(void **state)
{
	char why[CERTIFICATE_WHY_MAX];

	(void)state;
	write_certificate(-2, -1);
	assert_null(certificate_load(&settings, why));
	assert_non_null(strstr(why, "of /CN=test has expired on "));
	write_certificate(1, 2);
	assert_null(certificate_load(&settings, why));
	assert_non_null(strstr(why, "of /CN=test is not valid before "));
	write_certificate(-1, 1);
	SSL_CTX_free(load());
}

/* False: something has failed, in the way that is promised. */
static bool
live(void)
{
	char why[CERTIFICATE_WHY_MAX];
	SSL_CTX *context;
	struct pair p;
	bool good;

	memory.armed = is_scarce;
	context = certificate_load(&settings, why);
	memory.armed = false;
	if (context == NULL) {
		assert_true(why[0] != '\0');
		return false;
	}
	pair_open(&p, context);
	good = p.session != NULL && pair_shake_hands(&p);
	pair_close(&p);
	SSL_CTX_free(context);
	return good;
}

static void
test_memory_that_runs_out(void **state)
{
	size_t n, failed = 0;

	(void)state;
	if (!memory_can_run_out())
		skip();
	assert_true(live());
	for (n = 1; n < ALLOCATIONS_MAX; n++) {
		is_scarce = true;
		memory.failures = 0;
		memory.left = n;
		if (!live())
			failed++;
		is_scarce = false;
		memory.left = 0;
		if (memory.failures == 0)
			break;
	}
	assert_true(n < ALLOCATIONS_MAX);
	assert_true(failed > 0);
	assert_true(live());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_arrives_in_portions_of_any_size),
		cmocka_unit_test(test_a_full_socket_is_given_one_record),
		cmocka_unit_test(test_answers_to_who_takes_none_are_bounded),
		cmocka_unit_test(test_the_end_is_told),
		cmocka_unit_test(test_certificates_have_their_time),
		cmocka_unit_test(test_memory_that_runs_out),
	};

	return cmocka_run_group_tests_name("tls_session", tests, setup,
	    teardown);
}
