/* SPDX-License-Identifier: ISC */
#ifndef WSEXEC_H
#define WSEXEC_H

/*
 * libwsexec: broadcast lines, with history, to any number of WebSocket and
 * HTTP clients from a program that runs a libevent loop.
 *
 *	wsexec_server_new(&server, base, &config);
 *	wsexec_server_listen(server, "127.0.0.1", 8080, url, sizeof(url));
 *	wsexec_server_start(server, pid);
 *	wsexec_server_write(server, WSEXEC_STDOUT, bytes, size);
 *	wsexec_server_end(server, &end);
 *	wsexec_server_free(server);
 *
 * What is not in this header is not part of the interface.  A server belongs
 * to the thread that runs its event_base; distinct servers are independent.
 * The library never logs, never exits and never calls anything that waits.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;
struct wsexec_server;

#define WSEXEC_VERSION "0.1.0"

/* Errors are negative; wsexec_strerror() names them. */
enum wsexec_error {
	WSEXEC_OK = 0,
	WSEXEC_ERR_MEMORY = -1,	 /* out of memory */
	WSEXEC_ERR_SYSTEM = -2,	 /* errno says why */
	WSEXEC_ERR_ADDRESS = -3, /* not a numeric address or "localhost" */
	WSEXEC_ERR_ENDED = -4,	 /* the run has already ended */
	WSEXEC_ERR_SOCKET = -5,	 /* not a stream socket that listens */
	WSEXEC_ERR_TLS = -6,	 /* no TLS with these files; on_log says why */
	WSEXEC_ERR_CREDENTIAL = -7, /* nor users of this one; the same */
};

enum wsexec_stream {
	WSEXEC_STDOUT,
	WSEXEC_STDERR,
};

/* What happens to a client that falls further behind than it may. */
enum wsexec_slow {
	WSEXEC_SLOW_SKIP,	/* it skips lines and gets a gap record */
	WSEXEC_SLOW_DISCONNECT, /* it is closed with 1013 and may resume */
	WSEXEC_SLOW_BLOCK,	/* input pauses until it has caught up */
};

/* What terminals obey and is not shown to them; see wsexec(1), --sanitize. */
enum wsexec_sanitize {
	WSEXEC_SANITIZE_NONE,
	WSEXEC_SANITIZE_COLOR, /* colours stay */
	WSEXEC_SANITIZE_ALL,
};

enum wsexec_event {
	WSEXEC_EVENT_CLIENTS, /* the number of clients has changed */
	WSEXEC_EVENT_PAUSE,   /* stop calling wsexec_server_write() */
	WSEXEC_EVENT_RESUME,  /* go on calling it */
	WSEXEC_EVENT_DRAINED, /* all is over and nobody is left */
};

/*
 * A request and its answer, when that is over.  Strings are what the client
 * sent, any bytes, but without tokens.
 */
struct wsexec_access {
	const char *client;	/* its address, without a port */
	const char *method;	/* NULL: there was no request, but an answer */
	const char *target;	/* NULL: as method */
	const char *protocol;	/* "HTTP/1.1" */
	const char *referer;	/* NULL: none was sent */
	const char *user_agent; /* NULL: none was sent */
	int status;
	uint64_t bytes;	  /* sent, without the head of the answer */
	double time;	  /* when the request came, seconds since 1970 */
	double seconds;	  /* from then to the end of the answer */
	const char *user; /* who has shown that name; NULL: nobody */
};

/*
 * Zero means the default.  size is sizeof(struct wsexec_config): fields may
 * be added at the end.  Strings and arrays are copied.
 */
struct wsexec_config {
	size_t size;
	const char *title;	    /* shown by the page; NULL: the command */
	const char *const *command; /* NULL-terminated, for the start record */
	const char *base_path;	    /* "/logs": all paths are below it */
	const char *const *origins; /* NULL-terminated, besides the own one */
	const char *const *hosts;   /* NULL-terminated, besides the usual */
	/*
	 * Clients must show one of the tokens that are not NULL: up to 256
	 * letters, digits and -._~
	 */
	const char *token;	      /* for everything */
	uint64_t history_bytes;	      /* default 64 MiB */
	bool no_history;	      /* late joiners get nothing from before */
	uint64_t client_buffer_bytes; /* default: the whole history */
	enum wsexec_slow slow;
	uint32_t max_line_bytes; /* default 64 KiB; at most 16 MiB */
	uint32_t max_clients;	 /* default: the descriptor limit less 64 */
	uint32_t latency_us;	 /* default 5000; least time between sweeps */
	bool no_latency;	 /* sweep after every read */
	uint16_t compression_level; /* of zlib, 1 to 9; default 6 */
	bool no_compression;	    /* everything is sent as it is */
	double stall_seconds;	    /* default 60 */
	double drain_seconds;	    /* default 5; at the end, how long to wait
				  * when nobody takes a byte; < 0: not */
	double ping_seconds;	    /* default 25 */
	/* event: see above.  May call anything but wsexec_server_free(). */
	void (*on_event)(enum wsexec_event event, void *arg);
	/* log: one line, no newline, escaped; level 0 warning, 1 verbose. */
	void (*on_log)(int level, const char *line, void *arg);
	void *arg;
	/* access: NULL: not wanted.  May not call the server. */
	void (*on_access)(const struct wsexec_access *access, void *arg);
	/*
	 * Addresses ("192.0.2.1") and networks ("10.0.0.0/8") of proxies, and
	 * "unix" for those on Unix sockets, NULL-terminated: who connects from
	 * there is taken for whom it says it asks for, in what is logged.
	 */
	const char *const *proxies;
	bool hide_command; /* clients are told neither it nor, as a title, more
			    * than the name of its program */
	enum wsexec_sanitize sanitize; /* of the formats text and raw */
	/*
	 * input: a message that a client sends for the command; NULL: clients
	 * only watch.  Text ends with a newline, binary is as it is, and n is 1
	 * to 4097.  False: it was not taken and is offered again, before all
	 * others, after wsexec_server_resume_input(); until then clients that
	 * send are not read from.  Called only between wsexec_server_start()
	 * and wsexec_server_end(): what comes before waits, what comes after
	 * is dropped.  May not call the server.
	 */
	bool (*on_input)(const void *bytes, size_t n, void *arg);
	/*
	 * Files in PEM: with a certificate and its chain, TCP sockets speak
	 * TLS.  The key may be in the same file (NULL).  With a client CA,
	 * clients must show a certificate that it has signed.
	 */
	const char *tls_cert;
	const char *tls_key;
	const char *tls_client_ca;
	const char *read_token;	 /* only for watching */
	const char *write_token; /* for input as well */
	/* Of an address that is not of this machine; default 1024. */
	uint32_t max_clients_per_address;
	bool no_max_clients_per_address; /* as many as max_clients */
	const char *credential;		 /* "NAME:PASSWORD", for everything */
	/*
	 * A file with lines "NAME:HASH" as of crypt(5), for everything.  A
	 * thread checks what clients show.
	 */
	const char *credential_file;
};

/* A socket in the file system; for wsexec_server_listen_unix(). */
struct wsexec_unix_socket {
	const char *path;  /* up to 107 bytes; used again when it is closed */
	unsigned int mode; /* permissions, whatever the umask; 0: 0600 */
	bool has_owner;	   /* uid and gid are set, as by chown(2) */
	uid_t uid;	   /* (uid_t)-1: stays */
	gid_t gid;	   /* (gid_t)-1: stays */
};

/* How a run ended; for wsexec_server_end() and wsexec_server_restart(). */
struct wsexec_end {
	int code;	/* exit status, if signal is 0 */
	int signal;	/* the signal that ended it, or 0 */
	bool stopped;	/* clients are closed with 1001 instead of 1000 */
	double seconds; /* how long it ran */
	bool linger;	/* go on serving latecomers until it is freed */
	bool timed_out; /* it was ended since its time was up */
};

/* The text for one of enum wsexec_error; never NULL. */
const char *wsexec_strerror(int error);

/*
 * Makes a server on base (borrowed: must outlive it).  Returns WSEXEC_OK and
 * sets *out (release with wsexec_server_free()), or an error.  The base must
 * know edges (EV_FEATURE_ET), as those on epoll(7) do: else errno is
 * EOPNOTSUPP.
 */
int wsexec_server_new(struct wsexec_server **out, struct event_base *base,
    const struct wsexec_config *config);

/* Closes every client at once and frees everything.  NULL is allowed. */
void wsexec_server_free(struct wsexec_server *server);

/*
 * Listens on a numeric IPv4 or IPv6 address or "localhost"; port 0 picks one.
 * The URL to show to users is written to url (NULL: not wanted), cut to size.
 * Where there are several tokens, it is a line for each, in their order.
 */
int wsexec_server_listen(struct wsexec_server *server, const char *address,
    uint16_t port, char *url, size_t size);

/*
 * Listens on a Unix socket.  Nobody can connect before it has its owner and
 * mode.  A socket that is there and does not answer is replaced; one that
 * answers is left alone (WSEXEC_ERR_SYSTEM, EADDRINUSE), and so is what is no
 * socket (EEXIST).  At the end it is removed, if it is still this one.
 *
 * url gets "unix:PATH".  Where there is a token or a base path, a blank and
 * the address to ask for behind it follow: "unix:PATH http://localhost/..."
 */
int wsexec_server_listen_unix(struct wsexec_server *server,
    const struct wsexec_unix_socket *config, char *url, size_t size);

/*
 * Takes a stream socket that listens already, IPv4, IPv6 or Unix, such as one
 * that a service manager has passed.  fd belongs to the server from then on,
 * but not if this fails: WSEXEC_ERR_SOCKET, if it is something else.  It is
 * set to O_NONBLOCK and closed on exec.  A Unix socket's file stays.
 */
int wsexec_server_listen_fd(struct wsexec_server *server, int fd, char *url,
    size_t size);

/*
 * Tells clients that the run has begun, the first one or one that
 * wsexec_server_restart() has announced; pid 0: there is none.
 */
void wsexec_server_start(struct wsexec_server *server, long pid);

/*
 * Takes bytes as the command wrote them, any number at a time, and splits
 * them into records.  The bytes are copied.  Never fails for want of readers;
 * WSEXEC_ERR_MEMORY: the bytes were not taken.
 */
int wsexec_server_write(struct wsexec_server *server, enum wsexec_stream stream,
    const void *bytes, size_t size);

/*
 * Ends the run, and lets another one follow in so many seconds: unterminated
 * lines become records, and then there is the record of the restart, behind
 * which the output of the next run goes on.  It has a new id, all clients and
 * the history stay.  Of end, stopped and linger do not matter.  Instead of
 * wsexec_server_start(), wsexec_server_end() may follow.
 */
int wsexec_server_restart(struct wsexec_server *server,
    const struct wsexec_end *end, double delay);

/* There is room again after on_input has returned false. */
void wsexec_server_resume_input(struct wsexec_server *server);

/* Ends it all: unterminated lines become records, then the exit record. */
int wsexec_server_end(struct wsexec_server *server,
    const struct wsexec_end *end);

/*
 * Takes no more clients.  If the run has ended, those who are here get the
 * rest; else they are closed with code 1001.  WSEXEC_EVENT_DRAINED follows.
 */
void wsexec_server_stop(struct wsexec_server *server);

/*
 * Takes the files of TLS as they are now; those who are connected keep what
 * they have.  WSEXEC_ERR_TLS: they are not good, and the ones from before stay;
 * on_log says why.  Without this it happens when they have changed.
 */
int wsexec_server_reload_tls(struct wsexec_server *server);

/* Clients that get output now. */
size_t wsexec_server_clients(const struct wsexec_server *server);

/* The sequence number of the newest record; 0: none. */
uint64_t wsexec_server_last(const struct wsexec_server *server);

#ifdef __cplusplus
}
#endif

#endif
