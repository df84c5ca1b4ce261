/*
 * pages - the API over HTTP, with its delays and lost answers.
 */
#include "pages.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <string.h>
#include <time.h>

#define WAL_PAGES 1000          /* longer: it is checkpointed here, since the relay does not handle this database */
#define NAP_MS    50

static void
nap(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* A hanging worker goes on when the fault is switched off. */
static void
wait_delay(struct web *w, const struct sandbox_reply *r)
{
	int64_t end_ms = clock_ms() + r->delay_ms, left;

	while ((left = end_ms - clock_ms()) > 0) {
		nap(left < NAP_MS ? left : NAP_MS);
		if (r->hangs && !faults_now(w->db).hang_ms)
			return;
	}
}

/* Behind a web server a program cannot break the client's connection; the closest to it is an empty 500. */
static enum status
send_reply(struct web *w, const struct sandbox_reply *r)
{
	if (r->delay_ms)
		wait_delay(w, r);
	if (r->webhook)
		webhook_send(r->webhook, r->n_webhooks);
	if (r->lost)
		return web_text(w, HTTP_BROKEN, "text/plain", "");
	return web_json_text(w, (enum status)r->status, r->json);
}

static void
clean_up_database(struct db *db)
{
	sandbox_forget_old(db);
	db_checkpoint(db);
}

/* Only the list of transactions takes a query. */
static const char *
asked_path(struct web *w)
{
	const char *path = w->path + strlen("/sandbox");

	return strcmp(path, "/v1/transactions") == 0 ? arena_printf(w->m, "%s?%s", path, w->query) : path;
}

enum status
do_api(struct web *w)
{
	size_t n;
	struct sandbox_request q = {
		.path = asked_path(w),
		.body = w->method == POST ? web_body(w, &n) : NULL,
		.idempotency_key = web_header(w, "Idempotency-Key"),
	};
	struct sandbox_reply r;

	if (!sandbox_key_ok(web_header(w, "Authorization")))
		return web_json_text(w, HTTP_UNAUTHORIZED,
			"{\"code\":\"UNAUTHORIZED_KEY\",\"message\":\"The secret key is missing or invalid.\"}");
	web_caller_is_ours(w);
	if (q.body && strlen(q.body) != n)
		return web_json_text(w, HTTP_BAD_REQUEST,
			"{\"code\":\"INVALID_REQUEST\",\"message\":\"The request body is not valid JSON.\"}");
	sandbox_api(w->db, &q, &r);
	if (w->method == POST && db_wal_pages(w->db) > WAL_PAGES)
		clean_up_database(w->db);
	return send_reply(w, &r);
}
