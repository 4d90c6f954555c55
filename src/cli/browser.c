/* SPDX-License-Identifier: ISC */

#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/browser.h"
#include "cli/log.h"

#define BROWSER_DEFAULT "xdg-open"
#define BROWSER_NOT_FOUND 127

/* A copy of the address that a browser can open; NULL: there is none. */
static char *
browser_find_url(const char *urls)
{
	size_t length;

	for (; *urls != '\0'; urls += length + (urls[length] == '\n')) {
		length = strcspn(urls, "\n");
		if (strncmp(urls, "http", 4) == 0)
			return strndup(urls, length);
	}
	return NULL;
}

/* Nothing of ours but stderr, where a browser may also say something. */
static void
browser_leave_us(void)
{
	sigset_t none;
	int fd;

	(void)setsid();
	closefrom(STDERR_FILENO + 1);
	if ((fd = open("/dev/null", O_RDONLY)) != -1)
		(void)dup2(fd, STDIN_FILENO);
	(void)dup2(STDERR_FILENO, STDOUT_FILENO);
	closefrom(STDERR_FILENO + 1);
	for (int i = 1; i <= SIGRTMAX; i++)
		(void)signal(i, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Becomes the first of them, which are separated by colons, that there is. */
static _Noreturn void
browser_become(const char *list, const char *url)
{
	char *rest = strdup(list), *name;

	while ((name = strsep(&rest, ":")) != NULL)
		if (name[0] != '\0')
			(void)execlp(name, name, url, (char *)NULL);
	_exit(BROWSER_NOT_FOUND);
}

/*
 * In a process of its own: starts it, and tells when it has failed.  Here
 * messages may wait, and the descriptor of others is closed.
 */
static _Noreturn void
browser_run(const char *url)
{
	const char *list = getenv("BROWSER");
	int status = 0;
	pid_t pid;

	browser_leave_us();
	if (list == NULL || list[0] == '\0')
		list = BROWSER_DEFAULT;
	if ((pid = fork()) == 0)
		browser_become(list, url);
	if (pid == -1)
		warnx("--browser: %s", strerror(errno));
	while (pid != -1 && waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == BROWSER_NOT_FOUND)
		warnx("--browser: cannot run %s", list);
	else if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		warnx("--browser: %s has failed with status %d", list,
		    WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		warnx("--browser: %s was ended by signal %d", list,
		    WTERMSIG(status));
	_exit(0);
}

void
browser_open(const char *urls)
{
	char *url = browser_find_url(urls);
	pid_t pid;

	if (url == NULL) {
		log_warn("--browser: there is no address that it can open");
		return;
	}
	/* The process between is gone at once, so that nobody waits for it. */
	if ((pid = fork()) == 0) {
		if ((pid = fork()) == 0)
			browser_run(url);
		if (pid == -1)
			log_warn("--browser: %s", strerror(errno));
		_exit(0);
	}
	if (pid == -1)
		log_warn("--browser: %s", strerror(errno));
	while (pid != -1 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	free(url);
}
