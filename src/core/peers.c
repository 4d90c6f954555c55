/* SPDX-License-Identifier: ISC */

#include <sys/queue.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "core/address.h"
#include "core/peers.h"

#define PEERS_INTERVAL_US (1000000 / PEERS_REQUESTS_RATE)
#define PEERS_BUCKET_BITS 12
#define PEERS_PREFIX_SIZE 8 /* bytes of an IPv6 address that count */

struct peer {
	LIST_ENTRY(peer) node;	/* in its bucket */
	TAILQ_ENTRY(peer) link; /* in quiet, while it has no client */
	uint64_t prefix;
	uint8_t family;
	uint8_t failures;
	size_t clients;
	int64_t failures_us; /* when the first of them was */
	int64_t requests_us; /* when all its requests will have been due */
};

LIST_HEAD(peer_bucket, peer);
TAILQ_HEAD(peer_list, peer);

struct peers {
	struct peer_bucket *buckets; /* owned: 1 << PEERS_BUCKET_BITS */
	uint64_t seed[2];	     /* random; [1] is odd */
	struct peer_list quiet;	     /* without clients, oldest first */
	size_t quiet_count;
	size_t count;
};

/* The one list that has it, in a place that nobody can guess. */
static struct peer_bucket *
peers_bucket(const struct peers *p, const struct peer *key)
{
	uint64_t hash = (key->prefix ^ p->seed[0]) * p->seed[1] + key->family;

	hash ^= hash >> 32;
	return &p->buckets[hash * p->seed[1] >> (64 - PEERS_BUCKET_BITS)];
}

static struct peer *
peers_look_up(const struct peers *p, const struct peer *key)
{
	struct peer *peer;

	LIST_FOREACH(peer, peers_bucket(p, key), node) {
		if (peer->prefix == key->prefix && peer->family == key->family)
			return peer;
	}
	return NULL;
}

/* False: nothing is to be known of this address. */
static bool
peers_make_key(const struct address *given, struct peer *key)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	struct address a = *given;

	address_normalize(&a);
	*key = (struct peer){ .family = a.family };
	if (a.family == AF_INET) {
		memcpy(&key->prefix, a.bytes, sizeof(struct in_addr));
		return a.bytes[0] != IN_LOOPBACKNET;
	}
	memcpy(&key->prefix, a.bytes, PEERS_PREFIX_SIZE);
	return a.family == AF_INET6 &&
	    memcmp(a.bytes, loopback, sizeof(loopback)) != 0;
}

static void
peers_forget(struct peers *p, struct peer *peer)
{
	TAILQ_REMOVE(&p->quiet, peer, link);
	p->quiet_count--;
	p->count--;
	LIST_REMOVE(peer, node);
	free(peer);
}

static struct peer *
peers_find(const struct peers *p, const struct address *a)
{
	struct peer key;

	return peers_make_key(a, &key) ? peers_look_up(p, &key) : NULL;
}

/* The peer of an address, made if need be.  NULL: nothing is known of it. */
static struct peer *
peers_know(struct peers *p, const struct address *a)
{
	struct peer key, *peer;

	if (!peers_make_key(a, &key))
		return NULL;
	if ((peer = peers_look_up(p, &key)) != NULL) {
		if (peer->clients == 0) {
			TAILQ_REMOVE(&p->quiet, peer, link);
			TAILQ_INSERT_TAIL(&p->quiet, peer, link);
		}
		return peer;
	}
	if ((peer = malloc(sizeof(*peer))) == NULL)
		return NULL;
	*peer = key;
	LIST_INSERT_HEAD(peers_bucket(p, peer), peer, node);
	TAILQ_INSERT_TAIL(&p->quiet, peer, link);
	p->count++;
	if (++p->quiet_count > PEERS_QUIET_MAX)
		peers_forget(p, TAILQ_FIRST(&p->quiet));
	return peer;
}

struct peers *
peers_new(void)
{
	struct peers *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->buckets = calloc(1U << PEERS_BUCKET_BITS, sizeof(*p->buckets));
	if (p->buckets == NULL) {
		free(p);
		return NULL;
	}
	arc4random_buf(p->seed, sizeof(p->seed));
	p->seed[1] |= 1;
	TAILQ_INIT(&p->quiet);
	return p;
}

void
peers_free(struct peers *p)
{
	struct peer *peer;
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < 1U << PEERS_BUCKET_BITS; i++) {
		while ((peer = LIST_FIRST(&p->buckets[i])) != NULL) {
			LIST_REMOVE(peer, node);
			free(peer);
		}
	}
	free(p->buckets);
	free(p);
}

bool
peers_take_request(struct peers *p, const struct address *a, int64_t now_us)
{
	struct peer *peer = peers_know(p, a);

	if (peer == NULL)
		return true;
	if (peer->requests_us < now_us)
		peer->requests_us = now_us;
	if (peer->requests_us - now_us >=
	    (int64_t)PEERS_REQUESTS_BURST * PEERS_INTERVAL_US)
		return false;
	peer->requests_us += PEERS_INTERVAL_US;
	return true;
}

static bool
peer_has_failed(const struct peer *peer, int64_t now_us)
{
	return peer->failures > 0 &&
	    now_us - peer->failures_us < (int64_t)PEERS_FAILURES_MS * 1000;
}

bool
peers_may_show(const struct peers *p, const struct address *a, int64_t now_us)
{
	const struct peer *peer = peers_find(p, a);

	return peer == NULL || !peer_has_failed(peer, now_us) ||
	    peer->failures < PEERS_FAILURES_MAX;
}

void
peers_note_failure(struct peers *p, const struct address *a, int64_t now_us)
{
	struct peer *peer = peers_know(p, a);

	if (peer == NULL)
		return;
	if (!peer_has_failed(peer, now_us)) {
		peer->failures = 0;
		peer->failures_us = now_us;
	}
	if (peer->failures < PEERS_FAILURES_MAX)
		peer->failures++;
}

bool
peers_have_room(const struct peers *p, const struct address *a, size_t max)
{
	const struct peer *peer = peers_find(p, a);

	return max == 0 || peer == NULL || peer->clients < max;
}

void
peers_add_client(struct peers *p, const struct address *a)
{
	struct peer *peer = peers_know(p, a);

	if (peer == NULL || peer->clients++ > 0)
		return;
	TAILQ_REMOVE(&p->quiet, peer, link);
	p->quiet_count--;
}

void
peers_remove_client(struct peers *p, const struct address *a)
{
	struct peer *peer = peers_find(p, a);

	if (peer == NULL || peer->clients == 0 || --peer->clients > 0)
		return;
	TAILQ_INSERT_TAIL(&p->quiet, peer, link);
	p->quiet_count++;
}

void
peers_expire(struct peers *p, int64_t now_us)
{
	struct peer *peer;

	/* They are in the order in which something was heard of them. */
	while ((peer = TAILQ_FIRST(&p->quiet)) != NULL &&
	    peer->requests_us <= now_us && !peer_has_failed(peer, now_us))
		peers_forget(p, peer);
}

size_t
peers_count(const struct peers *p)
{
	return p->count;
}
