/* SPDX-License-Identifier: ISC */

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/status.h"
#include "net/process.h"

#define PROCESS_FILE_MAX 1024  /* bytes read of a file, and NUL */
#define PROCESS_START_FIELD 22 /* of stat: ticks from boot to start */
#define PROCESS_STATE_FIELD 3  /* the one behind the name */
#define PROCESS_FDS "/proc/self/fd"

/* The beginning of a file, or nothing. */
static void
process_read_file(const char *path, char text[PROCESS_FILE_MAX])
{
	ssize_t n;
	int fd;

	text[0] = '\0';
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return;
	if ((n = read(fd, text, PROCESS_FILE_MAX - 1)) < 0)
		n = 0;
	text[n] = '\0';
	close(fd);
}

static void
process_read_memory(struct status_process *process)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t total = 0, resident = 0;
	char text[PROCESS_FILE_MAX];

	process_read_file("/proc/self/statm", text);
	(void)sscanf(text, "%" SCNu64 " %" SCNu64, &total, &resident);
	process->virtual_bytes = total * page;
	process->resident_bytes = resident * page;
}

static void
process_read_start(struct status_process *process)
{
	char text[PROCESS_FILE_MAX];
	struct timespec now, boot;
	const char *at;
	int field;

	process_read_file("/proc/self/stat", text);
	/* The name before this may have any bytes in it. */
	if ((at = strrchr(text, ')')) == NULL)
		return;
	for (field = PROCESS_STATE_FIELD - 1; field < PROCESS_START_FIELD;
	     field++)
		if ((at = strchr(at + 1, ' ')) == NULL)
			return;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	process->start_seconds = (double)(now.tv_sec - boot.tv_sec) +
	    (double)(now.tv_nsec - boot.tv_nsec) / 1e9 +
	    strtod(at + 1, NULL) / (double)sysconf(_SC_CLK_TCK);
}

/* Linux has told their number since 6.2; before, they are to be counted. */
static uint64_t
process_count_fds(void)
{
	uint64_t count = 0;
	struct stat status;
	DIR *directory;

	if (stat(PROCESS_FDS, &status) == 0 && status.st_size > 0)
		return (uint64_t)status.st_size;
	if ((directory = opendir(PROCESS_FDS)) == NULL)
		return 0;
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	/* Neither "." and ".." nor that of the directory. */
	return count > 3 ? count - 3 : 0;
}

static double
process_seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

void
process_read(struct status_process *process)
{
	struct rusage usage = { 0 };
	struct rlimit limit = { 0 };

	memset(process, 0, sizeof(*process));
	(void)getrusage(RUSAGE_SELF, &usage);
	process->cpu_seconds =
	    process_seconds(&usage.ru_utime) + process_seconds(&usage.ru_stime);
	process_read_memory(process);
	process_read_start(process);
	process->open_fds = process_count_fds();
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	process->max_fds = limit.rlim_cur;
}
