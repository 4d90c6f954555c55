/* SPDX-License-Identifier: ISC */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/pem_file.h"

/*
 * Why a file of this mode is no place for a key.  Root may give a group leave
 * to read it, as it does with those of /etc/ssl/private: whom root puts into a
 * group is meant to.  The group of others is mostly one that all users are in.
 */
static const char *
pem_file_secret_why(const struct stat *st)
{
	if ((st->st_mode & S_IRWXO) != 0)
		return "everybody may read or change the key; chmod 600 it";
	if ((st->st_mode & (S_IWGRP | S_IXGRP)) != 0)
		return "its group may change the key; chmod 600 it";
	if ((st->st_mode & S_IRGRP) != 0 && st->st_uid != 0)
		return "its group may read the key, and root is not its owner; "
		       "chmod 600 it";
	return NULL;
}

/* As read(2), but until there is no more; false: errno says why. */
static bool
pem_file_read_bytes(int fd, struct pem_file *file)
{
	size_t got = 0;
	ssize_t n;

	while (got < file->size) {
		n = read(fd, file->bytes + got, file->size - got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return false;
		if (n == 0)
			break; /* it has become shorter */
		got += (size_t)n;
	}
	file->size = got;
	return true;
}

static bool
pem_file_take(struct pem_file *file, int fd, const char **why)
{
	struct stat st;

	if (fstat(fd, &st) == -1) {
		*why = strerror(errno);
		return false;
	}
	/* Of what is no file, such as a pipe, one would have to wait. */
	if (!S_ISREG(st.st_mode)) {
		*why = "it is not a regular file";
		return false;
	}
	if (st.st_size > PEM_FILE_MAX) {
		*why = "it is longer than 1 MiB";
		return false;
	}
	file->size = (size_t)st.st_size;
	file->secret_why = pem_file_secret_why(&st);
	if ((file->bytes = malloc(file->size + 1)) == NULL) {
		*why = "out of memory";
		return false;
	}
	if (!pem_file_read_bytes(fd, file)) {
		*why = strerror(errno);
		pem_file_clear(file);
		return false;
	}
	return true;
}

bool
pem_file_read(struct pem_file *file, const char *path, const char **why)
{
	bool taken;
	int fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1) {
		*why = strerror(errno);
		return false;
	}
	taken = pem_file_take(file, fd, why);
	close(fd);
	return taken;
}

void
pem_file_clear(struct pem_file *file)
{
	explicit_bzero(file->bytes, file->size);
	free(file->bytes);
	file->bytes = NULL;
	file->size = 0;
}
