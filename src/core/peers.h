/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_PEERS_H
#define WSEXEC_PEERS_H

/*
 * What is known of the addresses that clients come from, so that one of them
 * cannot take what is there for all: how many clients it has, how many requests
 * it makes, and how often it has shown something wrong.
 *
 * An IPv6 address is known by its first 64 bits, since whoever has one mostly
 * has all of them.  Nothing is known, and nothing refused, of the addresses of
 * this machine itself.
 *
 * Those without clients are forgotten when they have been quiet for long
 * enough, or others need the room.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address;
struct peers;

#define PEERS_REQUESTS_RATE 100 /* a second */
#define PEERS_REQUESTS_BURST 400
#define PEERS_FAILURES_MAX 10 /* in the time that follows */
#define PEERS_FAILURES_MS 60000
#define PEERS_QUIET_MAX 16384 /* that have no client are known */

/* NULL: out of memory. */
struct peers *peers_new(void);
void peers_free(struct peers *p);

/* Each time is in microseconds, of a clock that only goes forward. */

/*
 * A request comes.  False: there were more than PEERS_REQUESTS_RATE a second
 * of late, but for PEERS_REQUESTS_BURST at once.
 */
bool peers_take_request(struct peers *p, const struct address *a,
    int64_t now_us);

/*
 * Whether something that is shown may be looked at: not after
 * PEERS_FAILURES_MAX wrong ones in PEERS_FAILURES_MS.
 */
bool peers_may_show(const struct peers *p, const struct address *a,
    int64_t now_us);
void peers_note_failure(struct peers *p, const struct address *a,
    int64_t now_us);

/* Whether it has less than max clients (0: no limit). */
bool peers_have_room(const struct peers *p, const struct address *a,
    size_t max);

/* A client comes, and goes. */
void peers_add_client(struct peers *p, const struct address *a);
void peers_remove_client(struct peers *p, const struct address *a);

/* Forgets who has been quiet; to be called now and then. */
void peers_expire(struct peers *p, int64_t now_us);

/* How many are known. */
size_t peers_count(const struct peers *p);

#endif
