/* SPDX-License-Identifier: ISC */

/*
 * Sockets in a directory of the test's own.  Each test leaves no descriptor
 * behind, and in the directory what it says.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "descriptors.h"
#include "net/unix_socket.h"
#include "wsexec.h"

#define RUN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define BACKLOG 8

struct place {
	char directory[64];
	char path[96];
	struct wsexec_unix_socket config; /* path, and the default mode */
	size_t descriptors;
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	*state = p;
	strlcpy(p->directory, "/tmp/wsexec-test-XXXXXX", sizeof(p->directory));
	assert_non_null(mkdtemp(p->directory));
	strlcpy(p->path, p->directory, sizeof(p->path));
	strlcat(p->path, "/socket", sizeof(p->path));
	p->config.path = p->path;
	p->descriptors = count_descriptors();
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	assert_int_equal(count_descriptors(), p->descriptors);
	assert_int_equal(rmdir(p->directory), 0);
	free(p);
	return 0;
}

static void
let_go(struct unix_socket *u, int fd)
{
	unix_socket_remove(u);
	close(fd);
}

/* As a process that was killed leaves it. */
static void
leave_stale(const struct place *p)
{
	struct unix_socket u;
	int fd = unix_socket_open(&u, &p->config, BACKLOG);

	assert_int_not_equal(fd, -1);
	close(fd);
	free(u.path);
}

static int
try_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), error = 0;

	assert_int_not_equal(fd, -1);
	strlcpy(address.sun_path, path, sizeof(address.sun_path));
	if (connect(fd, (void *)&address, sizeof(address)) == -1)
		error = errno;
	close(fd);
	return error;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode;
}

static void
expect_failure(const struct place *p, int error)
{
	struct unix_socket u;

	assert_int_equal(unix_socket_open(&u, &p->config, BACKLOG), -1);
	assert_int_equal(errno, error);
	assert_null(u.path);
}

static void
test_listens_and_is_removed(void **state)
{
	struct place *p = *state;
	struct unix_socket u;
	int fd = unix_socket_open(&u, &p->config, BACKLOG);

	assert_int_not_equal(fd, -1);
	assert_int_equal(try_connect(p->path), 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	let_go(&u, fd);
	assert_int_equal(access(p->path, F_OK), -1);
	assert_null(u.path);
}

static void
test_the_mode_is_exact_whatever_the_umask(void **state)
{
	static const unsigned int modes[] = { 0, 0600, 0660, 0666, 0777, 0200 };
	struct place *p = *state;
	const mode_t saved = umask(0);
	struct unix_socket u;
	int fd;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		for (mode_t mask = 0; mask <= 0777; mask += 0077) {
			umask(mask);
			p->config.mode = modes[i];
			fd = unix_socket_open(&u, &p->config, BACKLOG);
			assert_int_not_equal(fd, -1);
			assert_int_equal(mode_of(p->path),
			    S_IFSOCK | (modes[i] != 0 ? modes[i] : 0600));
			assert_int_equal(umask(mask), mask);
			let_go(&u, fd);
		}
	}
	umask(saved);
}

static void
test_an_owner_of_ours_can_be_set(void **state)
{
	struct place *p = *state;
	struct unix_socket u;
	struct stat st;
	int fd;

	p->config.has_owner = true;
	p->config.uid = (uid_t)-1;
	p->config.gid = getegid();
	fd = unix_socket_open(&u, &p->config, BACKLOG);
	assert_int_not_equal(fd, -1);
	assert_int_equal(lstat(p->path, &st), 0);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(st.st_gid, getegid());
	let_go(&u, fd);
}

static void
test_an_owner_that_cannot_be_set_leaves_nothing(void **state)
{
	struct place *p = *state;

	if (geteuid() == 0)
		skip();
	p->config.has_owner = true;
	p->config.uid = 0;
	p->config.gid = (gid_t)-1;
	expect_failure(p, EPERM);
	assert_int_equal(access(p->path, F_OK), -1);
}

static void
test_a_stale_one_is_replaced(void **state)
{
	struct place *p = *state;
	struct unix_socket u;
	int fd;

	leave_stale(p);
	assert_int_equal(try_connect(p->path), ECONNREFUSED);
	fd = unix_socket_open(&u, &p->config, BACKLOG);
	assert_int_not_equal(fd, -1);
	assert_int_equal(try_connect(p->path), 0);
	let_go(&u, fd);
}

static void
test_one_that_answers_is_left_alone(void **state)
{
	struct place *p = *state;
	struct unix_socket u;
	int fd = unix_socket_open(&u, &p->config, BACKLOG);

	assert_int_not_equal(fd, -1);
	expect_failure(p, EADDRINUSE);
	assert_int_equal(try_connect(p->path), 0);
	let_go(&u, fd);
}

/* More wait than the kernel queues, so that connect() does not succeed. */
static void
test_one_that_is_busy_is_left_alone(void **state)
{
	struct place *p = *state;
	struct unix_socket u;
	int fd = unix_socket_open(&u, &p->config, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(try_connect(p->path), 0);
	assert_int_equal(try_connect(p->path), EAGAIN);
	expect_failure(p, EADDRINUSE);
	assert_true(S_ISSOCK(mode_of(p->path)));
	let_go(&u, fd);
}

static void
test_what_is_no_socket_is_left_alone(void **state)
{
	struct place *p = *state;
	int fd = open(p->path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_int_not_equal(fd, -1);
	close(fd);
	expect_failure(p, EEXIST);
	assert_true(S_ISREG(mode_of(p->path)));
	assert_int_equal(unlink(p->path), 0);

	assert_int_equal(mkdir(p->path, 0700), 0);
	expect_failure(p, EEXIST);
	assert_int_equal(rmdir(p->path), 0);
}

/* Neither followed nor replaced, wherever it leads. */
static void
test_a_link_is_left_alone(void **state)
{
	struct place *p = *state;
	struct place other = *p;

	strlcat(other.path, "-other", sizeof(other.path));
	other.config.path = other.path;
	leave_stale(&other);
	assert_int_equal(symlink(other.path, p->path), 0);
	expect_failure(p, EEXIST);
	assert_true(S_ISLNK(mode_of(p->path)));
	assert_int_equal(unlink(other.path), 0);
	expect_failure(p, EEXIST);
	assert_int_equal(unlink(p->path), 0);
}

static void
test_only_our_own_is_removed(void **state)
{
	struct place *p = *state;
	struct unix_socket ours, other;
	int fd = unix_socket_open(&ours, &p->config, BACKLOG), fd2;

	assert_int_not_equal(fd, -1);
	assert_int_equal(unlink(p->path), 0);
	fd2 = unix_socket_open(&other, &p->config, BACKLOG);
	assert_int_not_equal(fd2, -1);
	let_go(&ours, fd);
	assert_int_equal(try_connect(p->path), 0);
	let_go(&other, fd2);
	assert_int_equal(access(p->path, F_OK), -1);
}

static void
test_paths_that_will_not_do(void **state)
{
	struct place *p = *state;
	char path[256];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	p->config.path = path;
	expect_failure(p, ENAMETOOLONG);
	p->config.path = "";
	expect_failure(p, ENOENT);
	p->config.path = "/nowhere/at/all";
	expect_failure(p, ENOENT);
	p->config.path = "/dev/null/socket";
	expect_failure(p, ENOTDIR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(test_listens_and_is_removed),
		RUN(test_the_mode_is_exact_whatever_the_umask),
		RUN(test_an_owner_of_ours_can_be_set),
		RUN(test_an_owner_that_cannot_be_set_leaves_nothing),
		RUN(test_a_stale_one_is_replaced),
		RUN(test_one_that_answers_is_left_alone),
		RUN(test_one_that_is_busy_is_left_alone),
		RUN(test_what_is_no_socket_is_left_alone),
		RUN(test_a_link_is_left_alone),
		RUN(test_only_our_own_is_removed),
		RUN(test_paths_that_will_not_do),
	};

	return cmocka_run_group_tests_name("unix_socket", tests, NULL, NULL);
}
