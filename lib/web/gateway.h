/*
 * gateway - the FastCGI connection to lighttpd, or one request as CGI (tests/page).
 *
 * The only file that knows libfcgi. A worker's listening socket is file descriptor 0. Each connection carries one
 * request; its answer leaves in one piece with one system call. SIGTERM is handled only while the worker waits for the
 * next connection, so a request in progress is always finished.
 */
#ifndef MP_GATEWAY_H
#define MP_GATEWAY_H

#include "lib/base/arena.h"

#include <stdbool.h>

/* The parameters that every request reads, looked up once. */
enum param {
	P_METHOD, P_SCRIPT, P_PATH_INFO, P_URI, P_QUERY, P_TYPE, P_LENGTH, P_ADDRESS, P_COOKIE, P_ACCEPT, P_LANGUAGE,
	P_AUTHORIZATION, P_CSRF, P_FETCH_SITE, P_REQUEST_ID, P_IDEMPOTENCY, N_PARAMS_KNOWN,
};

struct exchange {
	const char *param[N_PARAMS_KNOWN];      /* NULL: not sent */
	char **env;                             /* all of them: "HTTP_REFERER=…" */
	const char *in;                         /* a body in memory (tests, fuzzing) … */
	size_t in_n;
	struct buf *out;                        /* … and where its answer goes */
	void *from;                             /* gateway.c's own */
};

/*
 * Start of a FastCGI worker: signals, time limits. path: of its socket ("": not known). internal: only processes of our
 * own user may connect.
 */
void gateway_open(const char *path, bool internal);
/* Waits for the next request. false: SIGTERM came, or the socket is gone; there is none. */
bool gateway_next(struct exchange *x);
/*
 * For the process that sheds load (load_shed.h), which does not wait for connections as workers do. gateway_pause()
 * sleeps for ms; false: SIGTERM came. gateway_next_waiting() takes the oldest connection of the queue; false: the queue
 * is empty.
 */
void gateway_stop_accepting(void);
bool gateway_pause(int ms);
bool gateway_next_waiting(struct exchange *x);
/* The one request of a CGI process (environment, stdin, stdout), or one held in memory when x->out is set. */
void gateway_once(struct exchange *x, char **env);

const char *gateway_param(const struct exchange *x, const char *name);  /* "HTTP_REFERER"; NULL */

/* Up to n bytes of the body; less: that was the end. */
size_t gateway_read(struct exchange *x, char *to, size_t n);
/* Reads and discards the rest of a body, so that the web server reads our answer. */
void gateway_drain(struct exchange *x);
/* The whole answer: header lines ("Status: 200\r\n…\r\n\r\n"), then the body (may be NULL). Ends the exchange. */
void gateway_send(struct exchange *x, const struct buf *head, const struct buf *body);

#endif
