/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_TEST_DESCRIPTORS_H
#define WSEXEC_TEST_DESCRIPTORS_H

/*
 * How many descriptors the test has open, to find those that leak.  To be
 * included after cmocka.h.
 */

#include <dirent.h>
#include <stddef.h>

/* Counts one more for the directory it reads, and for "." and "..". */
static inline size_t
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

#endif
