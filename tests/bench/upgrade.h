/* SPDX-License-Identifier: ISC */
#ifndef BENCH_UPGRADE_H
#define BENCH_UPGRADE_H

/*
 * The client's side of the opening handshake (RFC 6455 section 4.1).
 */

#include <stdbool.h>
#include <stddef.h>

struct target;

#define UPGRADE_REQUEST_MAX 4096
#define UPGRADE_ANSWER_MAX 8192
#define UPGRADE_TEXT_MAX 160 /* of what is wrong, of extensions; and NUL */

/* Writes a request and returns its size; ends the process if it is too long. */
size_t upgrade_write_request(char to[UPGRADE_REQUEST_MAX],
    const struct target *target, bool offers_deflate);

/* Looks for the end of the head in an answer so far; NULL: not there yet. */
const char *upgrade_find_end(const char *answer, size_t size);

/*
 * Judges the head of an answer, as a string.  NULL: it is what was asked for,
 * and extensions are those that it names, "" if none.  Else what is wrong,
 * valid until the next call.
 */
const char *upgrade_judge(const char *head, bool offers_deflate,
    char extensions[UPGRADE_TEXT_MAX]);

#endif
