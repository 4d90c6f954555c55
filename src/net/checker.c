/* SPDX-License-Identifier: ISC */

#include <sys/eventfd.h>
#include <sys/queue.h>

#include <crypt.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "core/basic.h"
#include "core/passwords.h"
#include "core/secret.h"
#include "net/checker.h"
#include "net/connection.h"
#include "net/exchange.h"
#include "net/pem_file.h"
#include "net/server.h"

#define CHECKER_WAITING_MAX 64	  /* that the thread has not begun */
#define CHECKER_REMEMBERED_MAX 64 /* the oldest is forgotten */
#define CHECKER_SALT_SIZE 32

struct check {
	TAILQ_ENTRY(check) link;	 /* in waiting or done */
	struct connection *owner;	 /* borrowed; NULL: it is gone */
	const struct password *password; /* borrowed: the checker's */
	bool is_known;			 /* there is such a user */
	bool is_right;
	struct secret digest;	  /* of the name and the password, salted */
	char text[BASIC_MAX + 1]; /* the password */
};

TAILQ_HEAD(check_list, check);

struct remembered {
	struct secret digest;
	const struct password *password; /* NULL: nothing yet */
};

struct checker {
	struct wsexec_server *server; /* borrowed: owns it */
	struct passwords passwords;
	char salt[CHECKER_SALT_SIZE];
	struct secret seed; /* who stands in for whom */
	struct remembered remembered[CHECKER_REMEMBERED_MAX];
	size_t oldest; /* of those */

	int fd; /* owned, an eventfd: something is done */
	struct event event;
	pthread_t thread;
	bool has_thread;

	pthread_mutex_t mutex; /* holds for what follows */
	pthread_cond_t news;   /* for the thread */
	struct check_list waiting;
	struct check_list done;
	size_t waiting_count;
	bool stops;

	struct crypt_data data; /* of the thread; big */
};

static void
check_free(struct check *check)
{
	freezero(check, sizeof(*check));
}

/* The next to do, or NULL at the end. */
static struct check *
checker_wait(struct checker *k)
{
	struct check *check;

	(void)pthread_mutex_lock(&k->mutex);
	while (!k->stops && TAILQ_EMPTY(&k->waiting))
		(void)pthread_cond_wait(&k->news, &k->mutex);
	check = k->stops ? NULL : TAILQ_FIRST(&k->waiting);
	if (check != NULL) {
		TAILQ_REMOVE(&k->waiting, check, link);
		k->waiting_count--;
	}
	(void)pthread_mutex_unlock(&k->mutex);
	return check;
}

static void *
checker_run(void *arg)
{
	const uint64_t one = 1;
	struct checker *k = arg;
	struct check *check;

	while ((check = checker_wait(k)) != NULL) {
		check->is_right =
		    password_is(check->password, check->text, &k->data) &&
		    check->is_known;
		(void)pthread_mutex_lock(&k->mutex);
		TAILQ_INSERT_TAIL(&k->done, check, link);
		(void)pthread_mutex_unlock(&k->mutex);
		if (write(k->fd, &one, sizeof(one)) == -1)
			break; /* it cannot be: the count is far from full */
	}
	return NULL;
}

/* Late, so that it is not there when user and group are given up. */
static bool
checker_start(struct checker *k)
{
	sigset_t all, before;

	if (k->has_thread)
		return true;
	/* Signals are for the threads that were here before. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	k->has_thread = pthread_create(&k->thread, NULL, checker_run, k) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return k->has_thread;
}

static void
checker_digest(const struct checker *k, const struct basic *basic,
    struct secret *digest)
{
	char text[CHECKER_SALT_SIZE + BASIC_MAX];

	memcpy(text, k->salt, CHECKER_SALT_SIZE);
	memcpy(text + CHECKER_SALT_SIZE, basic->text, basic->size);
	secret_set(digest,
	    (struct slice){ text, CHECKER_SALT_SIZE + basic->size });
	explicit_bzero(text, sizeof(text));
}

static bool
checker_is_same(const struct secret *a, const struct secret *b)
{
	/* Salted: the time tells nothing of what it was made from. */
	return memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

static const char *
checker_recall(const struct checker *k, const struct secret *digest)
{
	size_t i;

	for (i = 0; i < CHECKER_REMEMBERED_MAX; i++)
		if (k->remembered[i].password != NULL &&
		    checker_is_same(&k->remembered[i].digest, digest))
			return k->remembered[i].password->name;
	return NULL;
}

static void
checker_remember(struct checker *k, const struct check *check)
{
	struct remembered *r = &k->remembered[k->oldest];

	if (checker_recall(k, &check->digest) != NULL)
		return;
	r->digest = check->digest;
	r->password = check->password;
	k->oldest = (k->oldest + 1) % CHECKER_REMEMBERED_MAX;
}

/* Those who wait for the same, such as a page for its parts, have it too. */
static void
checker_settle_alike(struct checker *k, const struct check *done,
    struct check_list *list)
{
	struct check *check, *next;

	(void)pthread_mutex_lock(&k->mutex);
	TAILQ_FOREACH_SAFE(check, &k->waiting, link, next) {
		if (!checker_is_same(&check->digest, &done->digest))
			continue;
		check->is_right = done->is_right;
		TAILQ_REMOVE(&k->waiting, check, link);
		k->waiting_count--;
		TAILQ_INSERT_TAIL(list, check, link);
	}
	(void)pthread_mutex_unlock(&k->mutex);
}

static void
checker_tell(struct checker *k, struct check *check)
{
	struct connection *owner = check->owner;
	const bool is_right = check->is_right;
	const char *user = check->password->name;

	if (is_right)
		checker_remember(k, check);
	check_free(check);
	if (owner != NULL)
		exchange_resume(owner, is_right ? CHECKER_RIGHT : CHECKER_WRONG,
		    is_right ? user : NULL);
}

static void
checker_cb(evutil_socket_t fd, short what, void *arg)
{
	struct check_list list = TAILQ_HEAD_INITIALIZER(list);
	struct checker *k = arg;
	struct check *check;
	uint64_t count;

	(void)what;
	(void)server_now(k->server);
	if (read(fd, &count, sizeof(count)) == -1)
		return;
	(void)pthread_mutex_lock(&k->mutex);
	TAILQ_CONCAT(&list, &k->done, link);
	(void)pthread_mutex_unlock(&k->mutex);
	while ((check = TAILQ_FIRST(&list)) != NULL) {
		checker_settle_alike(k, check, &list);
		TAILQ_REMOVE(&list, check, link);
		checker_tell(k, check);
	}
}

/* False: too many wait. */
static bool
checker_add(struct checker *k, struct check *check)
{
	bool has_room;

	(void)pthread_mutex_lock(&k->mutex);
	if ((has_room = k->waiting_count < CHECKER_WAITING_MAX)) {
		TAILQ_INSERT_TAIL(&k->waiting, check, link);
		k->waiting_count++;
		(void)pthread_cond_signal(&k->news);
	}
	(void)pthread_mutex_unlock(&k->mutex);
	return has_room;
}

enum checker_verdict
checker_ask(struct connection *c, const struct basic *basic, const char **user,
    struct check **check)
{
	struct checker *k = c->server->checker;
	const struct slice name = { basic->text, basic->name_size };
	struct secret digest;
	struct check *new;

	checker_digest(k, basic, &digest);
	if ((*user = checker_recall(k, &digest)) != NULL)
		return CHECKER_RIGHT;
	if (!checker_start(k) || (new = calloc(1, sizeof(*new))) == NULL)
		return CHECKER_FULL;
	new->owner = c;
	new->digest = digest;
	new->password =
	    passwords_find(&k->passwords, name, &k->seed, &new->is_known);
	(void)strlcpy(new->text, basic->text + basic->name_size + 1,
	    sizeof(new->text));
	if (!checker_add(k, new)) {
		check_free(new);
		return CHECKER_FULL;
	}
	*check = new;
	return CHECKER_WAITS;
}

void
checker_cancel(struct check *check)
{
	if (check != NULL)
		check->owner = NULL;
}

static bool
checker_load(struct checker *k, const char *path, char why[CHECKER_WHY_MAX])
{
	char line[CHECKER_WHY_MAX / 2];
	const char *reason = line;
	struct pem_file file;
	bool loaded = false;

	if (pem_file_read(&file, path, &reason)) {
		loaded = passwords_parse(&k->passwords,
		    (struct slice){ file.bytes, file.size }, line,
		    sizeof(line));
		pem_file_clear(&file);
	}
	(void)snprintf(why, CHECKER_WHY_MAX, "%s: %s", path, reason);
	return loaded;
}

static bool
checker_prepare(struct checker *k, struct wsexec_server *s)
{
	k->server = s;
	TAILQ_INIT(&k->waiting);
	TAILQ_INIT(&k->done);
	(void)pthread_mutex_init(&k->mutex, NULL);
	(void)pthread_cond_init(&k->news, NULL);
	arc4random_buf(k->salt, sizeof(k->salt));
	arc4random_buf(&k->seed, sizeof(k->seed));
	k->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return k->fd != -1 &&
	    event_assign(&k->event, s->base, k->fd, EV_READ | EV_PERSIST,
		checker_cb, k) == 0 &&
	    event_add(&k->event, NULL) == 0;
}

int
checker_open(struct wsexec_server *s)
{
	char why[CHECKER_WHY_MAX];

	if (s->settings.credential_file == NULL)
		return WSEXEC_OK;
	if ((s->checker = calloc(1, sizeof(*s->checker))) == NULL)
		return WSEXEC_ERR_MEMORY;
	if (!checker_prepare(s->checker, s))
		return WSEXEC_ERR_SYSTEM;
	if (checker_load(s->checker, s->settings.credential_file, why))
		return WSEXEC_OK;
	server_log(s, 0, "%s", why);
	return WSEXEC_ERR_CREDENTIAL;
}

static void
checker_stop(struct checker *k)
{
	(void)pthread_mutex_lock(&k->mutex);
	k->stops = true;
	(void)pthread_cond_signal(&k->news);
	(void)pthread_mutex_unlock(&k->mutex);
	if (k->has_thread)
		(void)pthread_join(k->thread, NULL);
}

void
checker_free(struct checker *k)
{
	struct check *check;

	if (k == NULL)
		return;
	checker_stop(k);
	TAILQ_CONCAT(&k->waiting, &k->done, link);
	while ((check = TAILQ_FIRST(&k->waiting)) != NULL) {
		TAILQ_REMOVE(&k->waiting, check, link);
		check_free(check);
	}
	if (event_initialized(&k->event))
		(void)event_del(&k->event);
	if (k->fd != -1)
		close(k->fd);
	passwords_clear(&k->passwords);
	(void)pthread_mutex_destroy(&k->mutex);
	(void)pthread_cond_destroy(&k->news);
	freezero(k, sizeof(*k));
}
