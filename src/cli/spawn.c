/* SPDX-License-Identifier: ISC */

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/child.h"
#include "cli/guard.h"
#include "cli/spawn.h"

#define SPAWN_REPORT_FD 3
#define SPAWN_FAILED 125
#define SPAWN_NOT_EXECUTABLE 126
#define SPAWN_NOT_FOUND 127

/* Where execvp() looks when PATH is not set. */
#define SPAWN_DEFAULT_PATH "/bin:/usr/bin"

/* Variables that are for us alone: secrets, and what a manager tells us. */
static const char *const spawn_ours[] = {
	"WSEXEC_TOKEN=",
	"WSEXEC_READ_TOKEN=",
	"WSEXEC_WRITE_TOKEN=",
	"WSEXEC_CREDENTIAL=",
	"LISTEN_PID=",
	"LISTEN_FDS=",
	"LISTEN_FDNAMES=",
	"NOTIFY_SOCKET=",
};

enum spawn_step {
	SPAWN_STEP_GROUP,
	SPAWN_STEP_DIRECTORY,
	SPAWN_STEP_EXEC,
};

/* The last words of a process that could not become the command. */
struct spawn_report {
	enum spawn_step step;
	int error;
};

/* Everything made before the fork; every descriptor is owned or -1. */
struct launch {
	const struct child_config *config;
	const struct guard *guard;
	const char **environment; /* owned, the strings are not */
	int theirs[3];		  /* the command's descriptors 0 to 2 */
	int ours[2];		  /* as struct spawned has them */
	int input;		  /* the same */
	int report[2];		  /* a pipe that closes on exec */
};

static bool
spawn_is_same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=") + 1;

	return strncmp(a, b, n) == 0;
}

/* The last entry in list for the variable that entry is for, or NULL. */
static const char *
spawn_find(const char *const *list, const char *entry)
{
	const char *found = NULL;

	for (; list != NULL && *list != NULL; list++)
		if (spawn_is_same_name(entry, *list))
			found = *list;
	return found;
}

static bool
spawn_is_for_us(const char *entry)
{
	const size_t n = sizeof(spawn_ours) / sizeof(spawn_ours[0]);

	for (size_t i = 0; i < n; i++)
		if (spawn_is_same_name(spawn_ours[i], entry))
			return true;
	return false;
}

static size_t
spawn_count(const char *const *list)
{
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	return n;
}

/* Ours without what is for us, then what is added; of several the last one holds. */
static const char **
spawn_environment(const char *const *added)
{
	const char *const *own = (const char *const *)environ;
	size_t n_own = spawn_count(own), n_added = spawn_count(added), n = 0;
	const char **list;

	list = calloc(n_own + n_added + 1, sizeof(*list));
	if (list == NULL)
		return NULL;
	for (size_t i = 0; i < n_own; i++)
		if (!spawn_is_for_us(own[i]) &&
		    spawn_find(added, own[i]) == NULL)
			list[n++] = own[i];
	for (size_t i = 0; i < n_added; i++)
		if (spawn_find(added, added[i]) == added[i])
			list[n++] = added[i];
	return list;
}

/* 0, or an errno. */
static int
spawn_try(int directory, const char *path)
{
	struct stat st;

	if (fstatat(directory, path, &st, 0) == -1)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	if (faccessat(directory, path, X_OK, AT_EACCESS) == -1)
		return errno;
	return 0;
}

/* As execvp() looks for it: a file that may not be run does not end it. */
static int
spawn_search(int directory, const char *name, const char *search)
{
	char path[PATH_MAX];
	int error = ENOENT, n;
	size_t part;

	for (;; search += part + 1) {
		part = strcspn(search, ":");
		n = snprintf(path, sizeof(path), "%.*s%s%s", (int)part, search,
		    part == 0 ? "" : "/", name);
		switch (n < PATH_MAX ? spawn_try(directory, path) : ENOENT) {
		case 0:
			return 0;
		case EACCES:
			error = EACCES;
			break;
		}
		if (search[part] == '\0')
			return error;
	}
}

static int
spawn_status(int error)
{
	return error == ENOENT ? SPAWN_NOT_FOUND : SPAWN_NOT_EXECUTABLE;
}

int
spawn_check(const struct child_config *config)
{
	const char *name = config->argv[0], *path;
	int directory = AT_FDCWD, error;

	if (config->cwd != NULL) {
		directory = open(config->cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (directory == -1)
			return SPAWN_FAILED;
	}
	if ((path = spawn_find(config->env, "PATH=")) != NULL)
		path += strlen("PATH=");
	else if ((path = getenv("PATH")) == NULL)
		path = SPAWN_DEFAULT_PATH;

	if (name[0] == '\0')
		error = ENOENT;
	else if (strchr(name, '/') != NULL)
		error = spawn_try(directory, name);
	else
		error = spawn_search(directory, name, path);
	if (directory != AT_FDCWD)
		close(directory);
	errno = error;
	return error == 0 ? 0 : spawn_status(error);
}

void
spawn_resize(int master)
{
	static const int own[] = { STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO };
	struct winsize size;

	for (size_t i = 0; i < 3; i++)
		if (ioctl(own[i], TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
			ioctl(master, TIOCSWINSZ, &size);
			return;
		}
	size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	ioctl(master, TIOCSWINSZ, &size);
}

/* Clients get what the command writes: the terminal must not touch it. */
static int
spawn_open_terminal(struct launch *l)
{
	struct termios mode;
	int master, slave;

	if ((master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1)
		return -1;
	l->ours[0] = master;
	if (grantpt(master) == -1 || unlockpt(master) == -1)
		return -1;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	l->theirs[0] = slave;
	if (slave == -1 || tcgetattr(slave, &mode) == -1)
		return -1;
	mode.c_oflag &= ~(tcflag_t)OPOST;
	mode.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(slave, TCSANOW, &mode) == -1)
		return -1;
	spawn_resize(master);
	if (l->config->input == CHILD_INPUT_WRITTEN &&
	    (l->input = fcntl(master, F_DUPFD_CLOEXEC, 3)) == -1)
		return -1;
	for (int i = 1; i < 3; i++)
		if ((l->theirs[i] = fcntl(slave, F_DUPFD_CLOEXEC, 3)) == -1)
			return -1;
	return 0;
}

/* The command's end, or -1. */
static int
spawn_open_input(struct launch *l)
{
	int fds[2];

	switch (l->config->input) {
	case CHILD_INPUT_OWN:
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	case CHILD_INPUT_WRITTEN:
		if (pipe2(fds, O_CLOEXEC) == -1)
			return -1;
		l->input = fds[1];
		return fds[0];
	case CHILD_INPUT_NONE:
		break;
	}
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int
spawn_open_pipes(struct launch *l)
{
	int fds[2];

	if ((l->theirs[0] = spawn_open_input(l)) == -1)
		return -1;
	for (int i = 0; i < 2; i++) {
		if (pipe2(fds, O_CLOEXEC) == -1)
			return -1;
		l->ours[i] = fds[0];
		l->theirs[i + 1] = fds[1];
	}
	return 0;
}

static int
spawn_prepare(struct launch *l)
{
	l->environment = spawn_environment(l->config->env);
	if (l->environment == NULL || pipe2(l->report, O_CLOEXEC) == -1)
		return -1;
	return l->config->pty ? spawn_open_terminal(l) : spawn_open_pipes(l);
}

static void
spawn_close(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i] != -1)
			close(fds[i]);
		fds[i] = -1;
	}
}

static _Noreturn void
spawn_fail(int fd, enum spawn_step step)
{
	struct spawn_report report = { step, errno };

	_exit(write(fd, &report, sizeof(report)) == -1 ? SPAWN_FAILED : 0);
}

/* A leader of a session also leads a process group. */
static int
spawn_lead_group(const struct launch *l)
{
	if (!l->config->pty)
		return setpgid(0, 0);
	if (setsid() == -1)
		return -1;
	return ioctl(l->theirs[0], TIOCSCTTY, 0);
}

/* An ignored signal stays ignored after exec, and a blocked one blocked. */
static void
spawn_reset_signals(const sigset_t *ignored)
{
	sigset_t none;

	for (int i = 1; i <= SIGRTMAX; i++)
		signal(i, sigismember(ignored, i) == 1 ? SIG_IGN : SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
spawn_reset_limit(unsigned int resource, rlim_t soft)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) == -1)
		return;
	limit.rlim_cur = soft;
	setrlimit(resource, &limit);
}

/* In the new process: becomes the command, or reports why not. */
static _Noreturn void
spawn_become(const struct launch *l)
{
	const struct child_config *config = l->config;

	if (spawn_lead_group(l) == -1 || guard_register(l->guard) == -1)
		spawn_fail(l->report[1], SPAWN_STEP_GROUP);
	for (int i = 0; i < 3; i++)
		dup2(l->theirs[i], i);
	if (l->report[1] != SPAWN_REPORT_FD)
		dup3(l->report[1], SPAWN_REPORT_FD, O_CLOEXEC);
	closefrom(SPAWN_REPORT_FD + 1);
	spawn_reset_limit(RLIMIT_NOFILE, config->descriptor_limit);
	spawn_reset_limit(RLIMIT_CORE, config->core_limit);
	if (config->cwd != NULL && chdir(config->cwd) == -1)
		spawn_fail(SPAWN_REPORT_FD, SPAWN_STEP_DIRECTORY);
	environ = (char **)l->environment;
	spawn_reset_signals(&config->ignored);
	execvp(config->argv[0], config->argv);
	spawn_fail(SPAWN_REPORT_FD, SPAWN_STEP_EXEC);
}

/* Waits for the exec, which closes the pipe, or a report of what failed. */
static int
spawn_await(const struct launch *l, char *why, size_t size)
{
	struct spawn_report report;
	ssize_t n;

	while ((n = read(l->report[0], &report, sizeof(report))) == -1 &&
	    errno == EINTR)
		continue;
	if (n != (ssize_t)sizeof(report))
		return 0;
	switch (report.step) {
	case SPAWN_STEP_EXEC:
		snprintf(why, size, "cannot run %s: %s", l->config->argv[0],
		    strerror(report.error));
		return spawn_status(report.error);
	case SPAWN_STEP_DIRECTORY:
		snprintf(why, size, "cannot enter %s: %s", l->config->cwd,
		    strerror(report.error));
		return SPAWN_FAILED;
	case SPAWN_STEP_GROUP:
		break;
	}
	snprintf(why, size, "cannot make a process group: %s",
	    strerror(report.error));
	return SPAWN_FAILED;
}

static int
spawn_launch(struct launch *l, pid_t *pid, char *why, size_t size)
{
	int status;

	if (spawn_prepare(l) == 0 && (*pid = fork()) == 0)
		spawn_become(l);
	if (*pid == -1) {
		snprintf(why, size, "cannot start a process: %s",
		    strerror(errno));
		return SPAWN_FAILED;
	}
	spawn_close(&l->report[1], 1);
	if ((status = spawn_await(l, why, size)) == 0)
		return 0;
	while (waitpid(*pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	return status;
}

int
spawn_start(struct spawned *s, const struct child_config *config,
    const struct guard *guard, char *why, size_t size)
{
	struct launch l = {
		.config = config,
		.guard = guard,
		.theirs = { -1, -1, -1 },
		.ours = { -1, -1 },
		.input = -1,
		.report = { -1, -1 },
	};
	pid_t pid = -1;
	int status;

	if ((status = spawn_launch(&l, &pid, why, size)) == 0) {
		*s = (struct spawned){ pid, { l.ours[0], l.ours[1] }, l.input };
		l.ours[0] = l.ours[1] = l.input = -1;
	}
	spawn_close(l.theirs, 3);
	spawn_close(l.ours, 2);
	spawn_close(&l.input, 1);
	spawn_close(l.report, 2);
	free(l.environment);
	return status;
}
