/* SPDX-License-Identifier: ISC */

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "net/certificate.h"
#include "net/server.h"
#include "net/tls.h"
#include "net/tls_session.h"

#define TLS_LOOK_US 1000000 /* between two looks at the files */
#define TLS_FILES 3

/*
 * What tells a file from another that is put in its place, also by a symbolic
 * link somewhere on its path.  All zero: there is none.
 */
struct tls_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed; /* its bytes */
	struct timespec touched; /* also its mode and owner */
};

struct tls {
	SSL_CTX *context;		   /* owned: of sessions to come */
	BIO_METHOD *method;		   /* owned */
	struct tls_stamp tried[TLS_FILES]; /* when they were last read */
	struct tls_stamp seen[TLS_FILES];  /* at the last look */
	int64_t look_us;		   /* when the next one is due */
};

static void
tls_look(const struct settings *settings, struct tls_stamp stamps[TLS_FILES])
{
	const char *const paths[TLS_FILES] = { settings->tls_cert,
		settings->tls_key, settings->tls_client_ca };
	struct stat st;
	size_t i;

	memset(stamps, 0, TLS_FILES * sizeof(*stamps));
	for (i = 0; i < TLS_FILES; i++) {
		if (paths[i] == NULL || stat(paths[i], &st) == -1)
			continue;
		stamps[i].device = st.st_dev;
		stamps[i].inode = st.st_ino;
		stamps[i].size = st.st_size;
		stamps[i].changed = st.st_mtim;
		stamps[i].touched = st.st_ctim;
	}
}

static bool
tls_is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
tls_are_same(const struct tls_stamp *a, const struct tls_stamp *b)
{
	size_t i;

	for (i = 0; i < TLS_FILES; i++)
		if (a[i].device != b[i].device || a[i].inode != b[i].inode ||
		    a[i].size != b[i].size ||
		    !tls_is_same_time(&a[i].changed, &b[i].changed) ||
		    !tls_is_same_time(&a[i].touched, &b[i].touched))
			return false;
	return true;
}

/* Takes the files as they are now; if they are not good, all stays. */
static bool
tls_load(struct tls *t, const struct settings *settings,
    char why[CERTIFICATE_WHY_MAX])
{
	SSL_CTX *context;

	/* Looked at first: what changes meanwhile has changed. */
	tls_look(settings, t->tried);
	memcpy(t->seen, t->tried, sizeof(t->seen));
	if ((context = certificate_load(settings, why)) == NULL)
		return false;
	SSL_CTX_free(t->context);
	t->context = context;
	return true;
}

int
tls_open(struct wsexec_server *s)
{
	char why[CERTIFICATE_WHY_MAX];

	if (s->settings.tls_cert == NULL)
		return WSEXEC_OK;
	if ((s->tls = calloc(1, sizeof(*s->tls))) == NULL ||
	    (s->tls->method = tls_session_new_method()) == NULL)
		return WSEXEC_ERR_MEMORY;
	if (tls_load(s->tls, &s->settings, why))
		return WSEXEC_OK;
	server_log(s, 0, "%s", why);
	return WSEXEC_ERR_TLS;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->context);
	BIO_meth_free(t->method);
	free(t);
}

struct tls_session *
tls_begin(const struct tls *t, int fd)
{
	return tls_session_new(t->context, t->method, fd);
}

int
wsexec_server_reload_tls(struct wsexec_server *s)
{
	char why[CERTIFICATE_WHY_MAX];

	if (s->tls == NULL)
		return WSEXEC_ERR_TLS;
	if (!tls_load(s->tls, &s->settings, why)) {
		server_log(s, 0, "%s; the certificate from before stays", why);
		return WSEXEC_ERR_TLS;
	}
	server_log(s, 1, "the certificate is loaded anew");
	return WSEXEC_OK;
}

void
tls_tick(struct wsexec_server *s)
{
	struct tls_stamp now[TLS_FILES];
	struct tls *t = s->tls;
	bool have_settled;

	if (t == NULL || s->now_us < t->look_us)
		return;
	t->look_us = s->now_us + TLS_LOOK_US;
	tls_look(&s->settings, now);
	have_settled = tls_are_same(now, t->seen);
	memcpy(t->seen, now, sizeof(t->seen));
	if (have_settled && !tls_are_same(now, t->tried))
		(void)wsexec_server_reload_tls(s);
}
