/* SPDX-License-Identifier: ISC */

#include <sys/mman.h>

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "floor_ring.h"

#define SIZE_MIN 65536
#define FINAL_TEXT 0x81

void
floor_ring_open(struct floor_ring *r, size_t size)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);
	int protection = PROT_READ | PROT_WRITE;
	int flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE;

	for (r->size = SIZE_MIN; r->size < size;)
		r->size *= 2;
	if (fd == -1 || ftruncate(fd, (off_t)r->size) == -1)
		err(1, "memory for the ring");
	/* Reserves addresses for both. */
	r->bytes = mmap(NULL, 2 * r->size, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (r->bytes == MAP_FAILED ||
	    mmap(r->bytes, r->size, protection, flags, fd, 0) == MAP_FAILED ||
	    mmap(r->bytes + r->size, r->size, protection, flags, fd, 0) ==
		MAP_FAILED)
		err(1, "mmap");
	(void)close(fd);
	if ((r->input = malloc(r->size)) == NULL)
		err(1, NULL);
}

void
floor_ring_close(struct floor_ring *r)
{
	(void)munmap(r->bytes, 2 * r->size);
	free(r->input);
}

/* A line of no bytes, which came as a newline, becomes a frame of two. */
bool
floor_ring_has_room(const struct floor_ring *r, uint64_t low, size_t chunk)
{
	uint64_t used =
	    atomic_load_explicit(&r->head, memory_order_relaxed) - low;

	return used + r->input_size + 2 * chunk <= r->size;
}

/* Not wslay's: floor is to have nothing in it that it is a measure for. */
static char *
put_header(char *to, size_t size)
{
	*to++ = (char)FINAL_TEXT;
	if (size < 126) {
		*to++ = (char)size;
		return to;
	}
	*to++ = size <= UINT16_MAX ? 126 : 127;
	for (int shift = size <= UINT16_MAX ? 8 : 56; shift >= 0; shift -= 8)
		*to++ = (char)((uint64_t)size >> shift);
	return to;
}

/* Frames all whole lines of the input; its first searched have no newline. */
static void
ring_frame(struct floor_ring *r, size_t searched)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	char *begin = r->bytes + (head & (r->size - 1)), *to = begin;
	char *line = r->input, *from = line + searched;
	char *end = line + r->input_size, *newline;

	while ((newline = memchr(from, '\n', (size_t)(end - from))) != NULL) {
		to = put_header(to, (size_t)(newline - line));
		memcpy(to, line, (size_t)(newline - line));
		to += newline - line;
		line = from = newline + 1;
		r->lines++;
	}
	r->input_size = (size_t)(end - line);
	memmove(r->input, line, r->input_size);
	atomic_store_explicit(&r->head, head + (uint64_t)(to - begin),
	    memory_order_release);
}

bool
floor_ring_read(struct floor_ring *r, int fd, size_t chunk)
{
	size_t had = r->input_size;
	ssize_t n;

	if (had + 2 * chunk > r->size)
		errx(1, "a line does not fit into the ring");
	n = read(fd, r->input + had, chunk);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	r->reads++;
	r->input_size += (size_t)n;
	ring_frame(r, had);
	return true;
}
