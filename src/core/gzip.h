/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_GZIP_H
#define WSEXEC_GZIP_H

/*
 * The body of an answer in the content coding gzip (RFC 1952), made while it
 * is sent: bytes of the body go in, bytes for the wire come out.
 *
 * It holds back what zlib needs to compress well, and has about 270 KB of
 * memory for that.  Beyond that its size is that of its output, which the
 * caller bounds: by handing over little while there is output to send.
 */

#include <stdbool.h>
#include <stddef.h>

struct buffer;
struct gzip;

/*
 * level is that of zlib, 1 to 9.  chunked: what comes out are chunks (RFC 9112
 * section 7.1) with the last one at the end.  NULL: out of memory.
 */
struct gzip *gzip_new(int level, bool chunked);
void gzip_free(struct gzip *g);

/*
 * Where the bytes for the wire are, or that there was no memory for them.  The
 * caller takes from its front what it has sent, and may put a head in before
 * the first gzip_append().
 */
struct buffer *gzip_output(struct gzip *g);

/* Compresses n bytes of the body; of them nothing may come out yet. */
void gzip_append(struct gzip *g, const void *bytes, size_t n);

/* The body is complete: the rest comes out.  False: this was said before. */
bool gzip_finish(struct gzip *g);

#endif
