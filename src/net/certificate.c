/* SPDX-License-Identifier: ISC */

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "net/certificate.h"
#include "net/pem_file.h"
#include "net/settings.h"

/*
 * Of TLS 1.2 only what is safe still: keys that are gone after the session, and
 * encryption that authenticates (RFC 9325 section 4.2).
 */
#define CERTIFICATE_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

/* The files as they are read, one after the other. */
struct loading {
	SSL_CTX *context; /* owned until all is good */
	const char *path; /* of the file that is looked at */
	struct pem_file file;
	char *why; /* CERTIFICATE_WHY_MAX bytes */
};

static bool __attribute__((format(printf, 2, 3)))
certificate_fail(struct loading *l, const char *format, ...)
{
	va_list ap;
	int n;

	n = snprintf(l->why, CERTIFICATE_WHY_MAX, "%s: ", l->path);
	if (n < 0 || n >= CERTIFICATE_WHY_MAX)
		return false;
	va_start(ap, format);
	(void)vsnprintf(l->why + n, CERTIFICATE_WHY_MAX - (size_t)n, format,
	    ap);
	va_end(ap);
	return false;
}

/* What OpenSSL says of the last thing that failed. */
static bool
certificate_fail_openssl(struct loading *l, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return certificate_fail(l, "%s: %s", what,
	    reason != NULL ? reason : "it says no more");
}

/* Whether the last PEM that was looked for was not there, all others good. */
static bool
certificate_is_at_end(void)
{
	const unsigned long error = ERR_peek_last_error();

	return ERR_GET_LIB(error) == ERR_LIB_PEM &&
	    ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static bool
certificate_open_file(struct loading *l, const char *path)
{
	const char *why;

	l->path = path;
	if (!pem_file_read(&l->file, path, &why))
		return certificate_fail(l, "%s", why);
	return true;
}

static bool
certificate_fail_date(struct loading *l, const X509 *certificate,
    const char *what, const ASN1_TIME *date)
{
	char name[128], day[32] = "?";
	struct tm tm;

	if (ASN1_TIME_to_tm(date, &tm) == 1)
		(void)strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S UTC", &tm);
	(void)X509_NAME_oneline(X509_get_subject_name(certificate), name,
	    sizeof(name));
	return certificate_fail(l, "the certificate of %s %s %s", name, what,
	    day);
}

static bool
certificate_is_current(struct loading *l, const X509 *certificate)
{
	const ASN1_TIME *from = X509_get0_notBefore(certificate);
	const ASN1_TIME *until = X509_get0_notAfter(certificate);

	if (X509_cmp_current_time(until) < 0)
		return certificate_fail_date(l, certificate, "has expired on",
		    until);
	if (X509_cmp_current_time(from) > 0)
		return certificate_fail_date(l, certificate,
		    "is not valid before", from);
	return true;
}

/* The first one is the server's own, the others lead to one that is known. */
static bool
certificate_take_chain(struct loading *l)
{
	BIO *bio = BIO_new_mem_buf(l->file.bytes, (int)l->file.size);
	X509 *each = NULL;
	bool good = bio != NULL;
	int taken, count = 0;

	while (
	    good && (each = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		good = certificate_is_current(l, each);
		if (!good)
			break;
		taken = count++ == 0 ?
		    SSL_CTX_use_certificate(l->context, each) :
		    (int)SSL_CTX_add1_chain_cert(l->context, each);
		if (taken != 1)
			good = certificate_fail_openssl(l,
			    "the certificate is not taken");
		X509_free(each);
		each = NULL;
	}
	X509_free(each);
	BIO_free(bio);
	if (!good)
		return l->why[0] != '\0' ? false :
					   certificate_fail(l, "out of memory");
	if (!certificate_is_at_end())
		return certificate_fail_openssl(l,
		    "a certificate cannot be read");
	return count > 0 || certificate_fail(l, "it has no certificate in PEM");
}

/* OpenSSL does not tell a key that is missing from one that is broken. */
static bool
certificate_has_key(const struct loading *l)
{
	static const char end[] = "PRIVATE KEY-----";

	return memmem(l->file.bytes, l->file.size, end, sizeof(end) - 1) !=
	    NULL;
}

/* A passphrase is wanted, which nobody is asked for. */
static int
certificate_passphrase_cb(char *out, int size, int is_writing, void *arg)
{
	bool *is_encrypted = arg;

	(void)out;
	(void)size;
	(void)is_writing;
	*is_encrypted = true;
	return -1;
}

static bool
certificate_use_key(struct loading *l, EVP_PKEY *key)
{
	const X509 *certificate = SSL_CTX_get0_certificate(l->context);

	if (X509_check_private_key(certificate, key) != 1)
		return certificate_fail(l,
		    "the key is not that of the certificate");
	if (SSL_CTX_use_PrivateKey(l->context, key) != 1)
		return certificate_fail_openssl(l, "the key is not taken");
	return true;
}

static bool
certificate_take_key(struct loading *l)
{
	bool is_encrypted = false, is_good;
	EVP_PKEY *key = NULL;
	BIO *bio;

	if (!certificate_has_key(l))
		return certificate_fail(l, "it has no key in PEM");
	ERR_clear_error();
	if ((bio = BIO_new_mem_buf(l->file.bytes, (int)l->file.size)) == NULL)
		return certificate_fail(l, "out of memory");
	key = PEM_read_bio_PrivateKey(bio, NULL, certificate_passphrase_cb,
	    &is_encrypted);
	BIO_free(bio);
	if (is_encrypted && key == NULL)
		return certificate_fail(l,
		    "the key is encrypted, and nobody is asked for the "
		    "passphrase; have it without");
	if (key == NULL)
		return certificate_fail_openssl(l, "the key cannot be read");
	/* Of a file without a key nobody minds who reads it. */
	is_good = l->file.secret_why == NULL ?
	    certificate_use_key(l, key) :
	    certificate_fail(l, "%s", l->file.secret_why);
	EVP_PKEY_free(key);
	return is_good;
}

/* Clients need a certificate that one of these has signed. */
static bool
certificate_take_authorities(struct loading *l)
{
	X509_STORE *store = SSL_CTX_get_cert_store(l->context);
	BIO *bio = BIO_new_mem_buf(l->file.bytes, (int)l->file.size);
	X509 *each;
	int count = 0;
	bool good = bio != NULL;

	ERR_clear_error();
	while (
	    good && (each = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		good = X509_STORE_add_cert(store, each) == 1 &&
		    SSL_CTX_add_client_CA(l->context, each) == 1;
		X509_free(each);
		count++;
	}
	BIO_free(bio);
	if (!good)
		return certificate_fail(l, "out of memory");
	if (!certificate_is_at_end())
		return certificate_fail_openssl(l,
		    "a certificate cannot be read");
	if (count == 0)
		return certificate_fail(l, "it has no certificate in PEM");
	SSL_CTX_set_verify(l->context,
	    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return true;
}

/* The file of certificates may have the key as well. */
static bool
certificate_take_files(struct loading *l, const struct settings *settings)
{
	bool taken;

	if (!certificate_open_file(l, settings->tls_cert))
		return false;
	taken = certificate_take_chain(l) &&
	    (settings->tls_key != NULL || certificate_take_key(l));
	pem_file_clear(&l->file);
	if (taken && settings->tls_key != NULL) {
		if (!certificate_open_file(l, settings->tls_key))
			return false;
		taken = certificate_take_key(l);
		pem_file_clear(&l->file);
	}
	if (taken && settings->tls_client_ca != NULL) {
		if (!certificate_open_file(l, settings->tls_client_ca))
			return false;
		taken = certificate_take_authorities(l);
		pem_file_clear(&l->file);
	}
	return taken;
}

/* Of what a client speaks only HTTP/1.1 can be served, HTTP/1.0 as well. */
static int
certificate_alpn_cb(SSL *ssl, const unsigned char **out, unsigned char *size,
    const unsigned char *offers, unsigned int offers_size, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *selected;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&selected, size, ours, sizeof(ours) - 1,
		offers, offers_size) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = selected;
	return SSL_TLSEXT_ERR_OK;
}

/*
 * Neither tickets nor a cache: connections last, so that resuming sessions
 * would spare little; keys of tickets would have to be changed all the time;
 * and who resumes does not show its certificate again.
 */
static SSL_CTX *
certificate_new_context(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (context == NULL)
		return NULL;
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(context, CERTIFICATE_CIPHERS) != 1 ||
	    SSL_CTX_set_num_tickets(context, 0) != 1) {
		SSL_CTX_free(context);
		return NULL;
	}
	(void)SSL_CTX_set_options(context,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
		SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(context,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(context, certificate_alpn_cb, NULL);
	return context;
}

struct ssl_ctx_st *
certificate_load(const struct settings *settings, char why[CERTIFICATE_WHY_MAX])
{
	struct loading l = { .why = why, .path = settings->tls_cert };

	why[0] = '\0';
	ERR_clear_error();
	if ((l.context = certificate_new_context()) == NULL) {
		(void)certificate_fail_openssl(&l, "no TLS");
	} else if (!certificate_take_files(&l, settings)) {
		SSL_CTX_free(l.context);
		l.context = NULL;
	}
	ERR_clear_error();
	return l.context;
}
