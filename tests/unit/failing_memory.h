/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_TEST_FAILING_MEMORY_H
#define WSEXEC_TEST_FAILING_MEMORY_H

/*
 * Memory that runs out when a test says so, by a malloc() of our own, which
 * sanitizers let pass.  Valgrind puts its own in its place: tests that need
 * this ask memory_can_run_out() first.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#endif

#ifdef ADDRESS_SANITIZER
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif

void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t n, size_t size);
void *REAL(realloc)(void *old, size_t size);

/* Compilers take it that malloc() looks at nothing of ours. */
static volatile struct {
	bool armed;	 /* the code under test runs */
	size_t left;	 /* allocations until one fails; 0: none fails */
	size_t failures; /* so far */
} memory;

static bool
memory_runs_out(void)
{
	if (!memory.armed || memory.left == 0 || --memory.left > 0)
		return false;
	memory.failures++;
	return true;
}

/* Not inline, where gcc would warn of each NULL that a test rules out. */
__attribute__((noinline)) void *
malloc(size_t size)
{
	return memory_runs_out() ? NULL : REAL(malloc)(size);
}

__attribute__((noinline)) void *
calloc(size_t n, size_t size)
{
	return memory_runs_out() ? NULL : REAL(calloc)(n, size);
}

__attribute__((noinline)) void *
realloc(void *old, size_t size)
{
	return memory_runs_out() ? NULL : REAL(realloc)(old, size);
}

/* Whether allocations fail when told to; not so in valgrind. */
static bool
memory_can_run_out(void)
{
	void *volatile got;

	memory.armed = true;
	memory.left = 1;
	got = malloc(1);
	memory.armed = false;
	memory.left = 0;
	free(got);
	return got == NULL;
}

#endif
