/* SPDX-License-Identifier: ISC */

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "cli/access_log.h"
#include "cli/announce.h"
#include "cli/browser.h"
#include "cli/copies.h"
#include "cli/credential.h"
#include "cli/identity.h"
#include "cli/log.h"
#include "cli/signals.h"
#include "cli/secret_file.h"
#include "cli/sockets.h"
#include "cli/source.h"
#include "cli/supervisor.h"
#include "cli/timer.h"
#include "cli/token.h"
#include "cli/wrapper.h"
#include "wsexec.h"

#define WRAPPER_FAILED 125 /* exit status for a failure of our own */

/* --once: who comes again within so many seconds has not left. */
#define WRAPPER_ONCE_SECONDS 3.0

struct wrapper {
	struct event_base *base;       /* borrowed: outlives it */
	const struct options *options; /* borrowed: outlives it */
	struct wsexec_server *server;
	struct child_config child_config;
	struct source *source;	       /* owned */
	struct supervisor *supervisor; /* owned */
	struct copies *copies;	       /* owned */
	struct access_log *access_log; /* owned; NULL: there is none */
	struct signals *signals;       /* owned */
	struct event linger_event;
	struct event once_event;
	bool is_announced;  /* where we serve */
	bool had_client;    /* for --once */
	bool is_drained;    /* no client is waited for */
	bool is_stopped;    /* by a signal to us */
	bool is_paused;	    /* the command is held back */
	bool server_pauses; /* the server wants that */
};

/* Holds the command back for whoever may make it wait, or lets it go on. */
static void
wrapper_judge_pause(struct wrapper *w)
{
	bool pause = w->server_pauses || copies_are_full(w->copies);

	if (pause == w->is_paused)
		return;
	w->is_paused = pause;
	(pause ? source_pause : source_resume)(w->source);
}

static void
wrapper_judge_end(struct wrapper *w)
{
	if (supervisor_is_gone(w->supervisor) && w->is_drained &&
	    copies_have_ended(w->copies))
		(void)event_base_loopbreak(w->base);
}

/* Ends what new clients may come to; who is here still gets the rest. */
static void
wrapper_stop_server(struct wrapper *w)
{
	announce_stop();
	wsexec_server_stop(w->server);
}

/* As soon as others know that we serve. */
static void
wrapper_tell_run(const struct wrapper *w)
{
	if (!w->is_announced)
		return;
	if (supervisor_is_waiting(w->supervisor))
		announce_wait(w->options->wait_clients);
	else
		announce_run(source_pid(w->source),
		    supervisor_restarts(w->supervisor));
}

static void
wrapper_start_cb(long pid, void *arg)
{
	struct wrapper *w = arg;

	wsexec_server_start(w->server, pid);
	wrapper_tell_run(w);
}

static void
wrapper_restart_cb(const struct wsexec_end *end, double delay, void *arg)
{
	struct wrapper *w = arg;

	if (wsexec_server_restart(w->server, end, delay) != WSEXEC_OK)
		log_warn("out of memory: the last line is lost");
	announce_restart(end, supervisor_restarts(w->supervisor), delay);
}

static void
wrapper_end_cb(const struct wsexec_end *last, void *arg)
{
	struct wrapper *w = arg;
	const double linger_s = w->options->linger_s;
	struct wsexec_end end = *last;

	end.linger = linger_s > 0 && !end.stopped;
	if (wsexec_server_end(w->server, &end) != WSEXEC_OK)
		log_warn("out of memory: the last line is lost");
	copies_finish(w->copies);
	announce_end(&end);
	if (end.linger && isfinite(linger_s))
		timer_set(&w->linger_event, linger_s);
	wrapper_judge_end(w);
}

static void
wrapper_linger_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	wrapper_stop_server(arg);
}

static void
wrapper_output_cb(enum wsexec_stream stream, const void *bytes, size_t n,
    void *arg)
{
	struct wrapper *w = arg;

	if (wsexec_server_write(w->server, stream, bytes, n) != WSEXEC_OK)
		log_warn("out of memory: lines are lost to clients");
	if (!copies_write(w->copies, stream, bytes, n))
		log_warn("out of memory: the local copy is not complete");
	wrapper_judge_pause(w);
}

static void
wrapper_source_end_cb(const struct child_result *result, void *arg)
{
	struct wrapper *w = arg;

	supervisor_note_end(w->supervisor, result);
}

static void
wrapper_source_gone_cb(void *arg)
{
	struct wrapper *w = arg;

	supervisor_note_gone(w->supervisor);
	wrapper_judge_end(w);
}

static void
wrapper_copies_cb(void *arg)
{
	wrapper_judge_pause(arg);
	wrapper_judge_end(arg);
}

/* Without us the command would have met the closed pipe itself. */
static void
wrapper_closed_cb(enum wsexec_stream stream, void *arg)
{
	struct wrapper *w = arg;

	source_close_output(w->source, stream);
}

/* A message of a client; false: it is to come again. */
static bool
wrapper_message_cb(const void *bytes, size_t n, void *arg)
{
	const struct wrapper *w = arg;

	return source_write(w->source, bytes, n);
}

static void
wrapper_room_cb(void *arg)
{
	const struct wrapper *w = arg;

	wsexec_server_resume_input(w->server);
}

/* Enough clients are there. */
static void
wrapper_start_late(struct wrapper *w)
{
	int status;

	if ((status = supervisor_start(w->supervisor)) != 0)
		supervisor_give_up(w->supervisor, status, 0);
}

/* --once: when the run has ended there is nothing to come again for. */
static void
wrapper_judge_once(struct wrapper *w, size_t clients)
{
	bool has_ended = supervisor_has_ended(w->supervisor);

	if (clients > 0) {
		w->had_client = true;
		(void)evtimer_del(&w->once_event);
	} else if (w->had_client) {
		timer_set(&w->once_event, has_ended ? 0 : WRAPPER_ONCE_SECONDS);
	}
}

static void
wrapper_event_cb(enum wsexec_event event, void *arg)
{
	struct wrapper *w = arg;
	size_t clients;

	switch (event) {
	case WSEXEC_EVENT_CLIENTS:
		clients = wsexec_server_clients(w->server);
		if (w->options->once)
			wrapper_judge_once(w, clients);
		if (supervisor_is_waiting(w->supervisor) &&
		    clients >= w->options->wait_clients)
			wrapper_start_late(w);
		return;
	case WSEXEC_EVENT_PAUSE:
	case WSEXEC_EVENT_RESUME:
		w->server_pauses = event == WSEXEC_EVENT_PAUSE;
		wrapper_judge_pause(w);
		return;
	case WSEXEC_EVENT_DRAINED:
		w->is_drained = true;
		wrapper_judge_end(w);
		return;
	}
}

static void
wrapper_log_cb(int level, const char *line, void *arg)
{
	(void)arg;
	if (level == 0)
		log_warn("%s", line);
	else
		log_verbose("%s", line);
}

static void
wrapper_access_cb(const struct wsexec_access *access, void *arg)
{
	struct wrapper *w = arg;

	access_log_write(w->access_log, access);
}

/* Whoever started us wants the end; again: at once. */
static void
wrapper_stop(struct wrapper *w, int signal)
{
	bool again = w->is_stopped;

	w->is_stopped = true;
	/* Of standard input the signal itself is the end. */
	if (signal == SIGTERM && w->options->command[0] != NULL &&
	    supervisor_is_running(w->supervisor))
		signal = w->options->stop_signal;
	if (!supervisor_has_ended(w->supervisor))
		supervisor_stop(w->supervisor, signal);
	else if (again)
		(void)event_base_loopbreak(w->base);
	else
		wrapper_stop_server(w);
}

static void
wrapper_once_cb(evutil_socket_t fd, short what, void *arg)
{
	struct wrapper *w = arg;

	(void)fd;
	(void)what;
	log_verbose("the last client has left");
	if (supervisor_has_ended(w->supervisor))
		wrapper_stop_server(w);
	else
		wrapper_stop(w, SIGTERM);
}

static void
wrapper_signal_cb(int signal, void *arg)
{
	struct wrapper *w = arg;

	/* That of the certificate is ours, and told by the server. */
	if (signal == SIGUSR2 && w->options->tls_cert != NULL) {
		(void)wsexec_server_reload_tls(w->server);
		return;
	}
	if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP ||
	    signal == SIGQUIT) {
		wrapper_stop(w, signal);
		return;
	}
	if (source_pid(w->source) == 0)
		return;
	source_signal(w->source, signal);
	/* Stop as the command does, so that the shell notices. */
	if (signal == SIGTSTP)
		(void)raise(SIGSTOP);
}

static bool
wrapper_open_source(struct wrapper *w)
{
	const struct source_handlers handlers = {
		.on_output = wrapper_output_cb,
		.on_end = wrapper_source_end_cb,
		.on_gone = wrapper_source_gone_cb,
		.on_room = wrapper_room_cb,
		.arg = w,
	};

	w->source = source_new(w->base, &w->child_config, &handlers);
	w->signals = signals_open(w->base, &w->child_config.ignored,
	    w->options->command[0] == NULL, wrapper_signal_cb, w);
	return w->source != NULL && w->signals != NULL;
}

static bool
wrapper_open_supervisor(struct wrapper *w)
{
	const struct options *o = w->options;
	const struct supervisor_config config = {
		.policy = o->restart,
		.first_delay = o->restart_delay_s,
		.timeout = o->timeout_s,
		.stop_signal = o->stop_signal,
	};
	const struct supervisor_handlers handlers = {
		.on_start = wrapper_start_cb,
		.on_restart = wrapper_restart_cb,
		.on_end = wrapper_end_cb,
		.arg = w,
	};

	w->supervisor = supervisor_new(w->base, w->source, &config, &handlers);
	return w->supervisor != NULL;
}

static const char *
wrapper_token(const char *token)
{
	return token[0] != '\0' ? token : NULL;
}

static bool
wrapper_open_server(struct wrapper *w, const struct tokens *tokens)
{
	const struct options *o = w->options;
	const struct wsexec_config config = {
		.size = sizeof(config),
		.title = o->title,
		.command = (const char *const *)o->command,
		.base_path = o->base_path,
		.origins = o->origins,
		.hosts = o->allowed_hosts,
		.token = wrapper_token(tokens->all),
		.read_token = wrapper_token(tokens->read),
		.write_token = wrapper_token(tokens->write),
		.credential = wrapper_token(o->credential),
		.credential_file = o->credential_file,
		.history_bytes = o->history_bytes,
		.no_history = o->history_bytes == 0,
		.client_buffer_bytes = o->client_buffer_bytes,
		.slow = o->slow,
		.sanitize = o->sanitize,
		.max_line_bytes = o->max_line_bytes,
		.max_clients = o->max_clients,
		.max_clients_per_address = o->max_clients_per_address,
		.no_max_clients_per_address = o->max_clients_per_address == 0,
		.latency_us = (uint32_t)(o->latency_ms * 1000),
		.no_latency = o->latency_ms <= 0,
		.compression_level = o->compression,
		.no_compression = o->compression == 0,
		.stall_seconds = o->stall_timeout_s,
		.drain_seconds = o->drain_s > 0 ? o->drain_s : -1,
		.ping_seconds = o->ping_interval_s,
		.on_event = wrapper_event_cb,
		.on_log = wrapper_log_cb,
		.proxies = o->proxies,
		.hide_command = o->hide_command,
		.tls_cert = o->tls_cert,
		.tls_key = o->tls_key,
		.tls_client_ca = o->tls_client_ca,
		.on_access = w->access_log != NULL ? wrapper_access_cb : NULL,
		.on_input = o->writable ? wrapper_message_cb : NULL,
		.arg = w,
	};

	int error = wsexec_server_new(&w->server, w->base, &config);

	/* What is wrong with a file the server has told. */
	if (error != WSEXEC_OK && error != WSEXEC_ERR_TLS &&
	    error != WSEXEC_ERR_CREDENTIAL)
		log_warn("%s", wsexec_strerror(error));
	return error == WSEXEC_OK;
}

/* The command starts now, or is known to be there when it will. */
static int
wrapper_start_or_wait(struct wrapper *w)
{
	if (w->options->wait_clients == 0)
		return supervisor_start(w->supervisor);
	return source_check(w->source);
}

static bool
wrapper_open_access_log(struct wrapper *w)
{
	const struct options *o = w->options;

	if (o->access_log != NULL)
		w->access_log = access_log_open(w->base, o->access_log,
		    o->access_log_format);
	return o->access_log == NULL || w->access_log != NULL;
}

/* A Unix socket has permissions; all else is as open as it is to readers. */
static void
wrapper_warn_of_writers(const struct wrapper_config *config)
{
	const struct options *o = config->options;

	if (o->writable && !token_is_asked_for(config->tokens) &&
	    !credential_is_asked_for(o) && o->tls_client_ca == NULL &&
	    (o->addresses[0] != NULL || config->passed_sockets > 0))
		log_warn("--writable without a token: whoever can connect, "
			 "can write to the command");
}

/* Everything that can fail before others are told where we are. */
static int
wrapper_prepare(struct wrapper *w, const struct wrapper_config *config)
{
	const struct copies_handlers handlers = {
		.on_change = wrapper_copies_cb,
		.on_closed = wrapper_closed_cb,
		.arg = w,
	};
	char *urls;
	int status = WRAPPER_FAILED;

	w->copies = copies_open(w->base, w->options->quiet, w->options->output,
	    &handlers);
	if (w->copies == NULL)
		return WRAPPER_FAILED;
	if (!wrapper_open_access_log(w))
		return WRAPPER_FAILED;
	urls = calloc(1, SOCKETS_URLS_MAX);
	if (urls == NULL || !wrapper_open_source(w) ||
	    !wrapper_open_supervisor(w))
		log_warn("out of memory");
	else if (wrapper_open_server(w, config->tokens) &&
	    sockets_open(w->server, w->options, config->passed_sockets, urls,
		SOCKETS_URLS_MAX) &&
	    identity_take(config->identity))
		status = wrapper_start_or_wait(w);
	if (status == 0) {
		announce_urls(urls, w->options->ready_fd);
		w->is_announced = true;
		wrapper_tell_run(w);
		secret_file_look(w->options);
		wrapper_warn_of_writers(config);
		if (geteuid() == 0)
			log_warn("this is root, and so is the command; "
				 "--user gives that up");
		if (w->options->browser)
			browser_open(urls);
	}
	free(urls);
	return status;
}

int
wrapper_open(struct wrapper **out, struct event_base *base,
    const struct wrapper_config *config)
{
	const struct options *options = config->options;
	struct wrapper *w;
	int status;

	if ((w = calloc(1, sizeof(*w))) == NULL) {
		log_warn("out of memory");
		return WRAPPER_FAILED;
	}
	w->base = base;
	w->options = options;
	(void)evtimer_assign(&w->linger_event, base, wrapper_linger_cb, w);
	(void)evtimer_assign(&w->once_event, base, wrapper_once_cb, w);
	w->child_config = (struct child_config){
		.argv = options->command,
		.cwd = options->cwd,
		.env = options->env,
		.pty = options->pty,
		.input = options->writable ? CHILD_INPUT_WRITTEN :
		    options->own_stdin	   ? CHILD_INPUT_OWN :
					     CHILD_INPUT_NONE,
		.drain_seconds = options->drain_s,
		.kill_seconds = options->kill_after_s,
		.descriptor_limit = config->descriptor_limit,
		.core_limit = config->core_limit,
		.ignored = config->ignored,
	};
	if ((status = wrapper_prepare(w, config)) != 0) {
		wrapper_free(w);
		return status;
	}
	*out = w;
	return 0;
}

int
wrapper_run(struct wrapper *w)
{
	if (event_base_dispatch(w->base) == -1) {
		log_warn("the event loop has failed");
		return WRAPPER_FAILED;
	}
	return supervisor_status(w->supervisor);
}

void
wrapper_free(struct wrapper *w)
{
	if (w == NULL)
		return;
	signals_close(w->signals);
	(void)event_del(&w->linger_event);
	(void)event_del(&w->once_event);
	supervisor_free(w->supervisor);
	source_free(w->source);
	copies_free(w->copies);
	wsexec_server_free(w->server);
	access_log_close(w->access_log);
	free(w);
}
