/*
 * toss_http - one request to the provider over HTTPS (libcurl). Described in domain/provider.h.
 *
 * One handle for the life of the process keeps its connection open: only the first request needs a handshake. The
 * secret key is read from $VAR/payment.key (0600) when it is first needed, and again after the provider has refused it,
 * so that a new key needs no restart. It is sent in the Authorization header only: redirects are not followed.
 *
 * The provider has a breaker of its own (lib/call/breaker.h, "provider"): when it is down or hangs, requests fail at
 * once, and payment goes on with its other work.
 */
#include "domain/provider.h"

#include "domain/rental.h"
#include "lib/call/breaker.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/settings.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER_MAX 262144
#define CONNECT_MS 2000
#define PATIENCE_MS 250         /* how long a request waits for a permit of the breaker */

static struct {
	CURL *curl;
	pid_t pid;                      /* its process: a connection is never used after fork() */
	char userpwd[256];              /* "KEY:"; "": not read yet */
} http;

/* --- the key ------------------------------------------------------------------------------------------------------ */

static bool
is_key_private(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 077))
		return true;
	log_error("provider", "payment.key must be a file that only its owner can read");
	return false;
}

static bool
read_secret_key(void)
{
	char path[4200], key[200] = "";
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/payment.key", settings.var_dir ? settings.var_dir : ".");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		log_error("provider", "payment.key: %s", strerror(errno));
		return false;
	}
	if (is_key_private(fd))
		n = read(fd, key, sizeof(key) - 1);
	close(fd);
	key[n > 0 ? n : 0] = '\0';
	key[strcspn(key, " \t\r\n")] = '\0';
	snprintf(http.userpwd, sizeof(http.userpwd), "%s%s", key, *key ? ":" : "");
	return *key != '\0';
}

/* --- the handle --------------------------------------------------------------------------------------------------- */

static size_t
take_answer(char *bytes, size_t size, size_t n, void *arg)
{
	struct buf *answer = arg;

	if (answer->n + size * n > ANSWER_MAX)
		return 0; /* curl fails: too long for an answer */
	buf_put(answer, bytes, size * n);
	return size * n;
}

static void
set_curl_options(CURL *c)
{
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, ""); /* no proxy from the environment */
	curl_easy_setopt(c, CURLOPT_USERAGENT, "motorpool");
}

static CURL *
handle(void)
{
	if (http.curl && http.pid == getpid())
		return http.curl;
	http.curl = curl_easy_init(); /* a parent's handle is not closed: that would write to the parent's connection */
	http.pid = getpid();
	if (http.curl)
		set_curl_options(http.curl);
	return http.curl;
}

/* --- one request -------------------------------------------------------------------------------------------------- */

static struct curl_slist *
headers(struct arena *m, const struct provider_request *q)
{
	struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");

	if (rental.sandbox && *log_request_now()) /* the sandbox logs under our request id */
		list = curl_slist_append(list, arena_printf(m, "X-Request-Id: %s", log_request_now()));
	if (!q->body)
		return list;
	list = curl_slist_append(list, "Content-Type: application/json");
	list = curl_slist_append(list, "Expect:");
	if (q->idempotency_key)
		list = curl_slist_append(list, arena_printf(m, "Idempotency-Key: %s", q->idempotency_key));
	return list;
}

/*
 * Did it certainly not reach the provider? Only a failure before the first byte of the request counts. When a
 * connection used before ends without an answer, curl tries again on a new one, so a failed connect alone proves
 * nothing.
 */
static bool
was_not_sent(CURL *c, CURLcode rc)
{
	long n_sent = 0;

	if (curl_easy_getinfo(c, CURLINFO_REQUEST_SIZE, &n_sent) != CURLE_OK || n_sent > 0)
		return false;
	switch ((int)rc) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL: return true;
	default: return false;
	}
}

static CURLcode
send_with_curl(CURL *c, struct arena *m, struct provider_request *q, struct buf *answer, long left_ms)
{
	struct curl_slist *list = headers(m, q);
	long status = 0;
	CURLcode rc;

	curl_easy_setopt(c, CURLOPT_URL, arena_printf(m, "%s%s", rental.provider_url, q->path));
	curl_easy_setopt(c, CURLOPT_USERPWD, http.userpwd);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, left_ms);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, left_ms < CONNECT_MS ? left_ms : CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, answer);
	if (q->body)
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->body);
	else
		curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	rc = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	q->status = (int)status;
	curl_slist_free_all(list);
	return rc;
}

static enum call_outcome
send_request(struct arena *m, CURL *c, struct provider_request *q)
{
	struct buf answer = { .m = m };
	int64_t left_ms = q->until_ms - clock_ms();
	CURLcode rc;

	if (left_ms <= 0)
		return CALL_NOT_SENT;
	buf_puts(&answer, "");
	rc = send_with_curl(c, m, q, &answer, (long)left_ms);
	if (rc != CURLE_OK) {
		log_warn("provider", "%s: %s", q->what, curl_easy_strerror(rc));
		return was_not_sent(c, rc) ? CALL_NOT_SENT : CALL_UNKNOWN;
	}
	if (q->status == 401)
		http.userpwd[0] = '\0';
	q->answer = answer.s;
	return CALL_ANSWERED;
}

static enum call_outcome
ask_through_breaker(struct arena *m, struct provider_request *q)
{
	struct breaker *b = breaker_open(settings.var_dir ? settings.var_dir : ".", PROVIDER_CALLEE);
	int64_t left_ms = q->until_ms - clock_ms();
	CURL *c = handle();
	enum call_outcome outcome;
	int permit;

	if (!c || left_ms <= 0 || (!*http.userpwd && !read_secret_key()))
		return CALL_NOT_SENT; /* not a failure of the provider */
	if (!b)
		return send_request(m, c, q);
	if (breaker_enter(b, (int)(left_ms / 2 < PATIENCE_MS ? left_ms / 2 : PATIENCE_MS), &permit) != BREAKER_GO)
		return CALL_REFUSED;
	outcome = send_request(m, c, q);
	breaker_leave(b, permit, outcome == CALL_ANSWERED && q->status < 500);
	return outcome;
}

enum call_outcome
toss_http(struct arena *m, struct provider_request *q)
{
	int64_t began_us = clock_us();
	enum call_outcome outcome = ask_through_breaker(m, q);

	call_log("provider", q->what, outcome, q->status, began_us);
	return outcome;
}
