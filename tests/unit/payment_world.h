/*
 * payment_world - what the tests of payment share: a database for each test, the sandbox in process as the provider,
 * and a network between them that loses requests and answers as a test wants.
 */
#ifndef MP_PAYMENT_WORLD_H
#define MP_PAYMENT_WORLD_H

#include "scratch.h"

#include "cgi-bin/payment/payment_steps.h"
#include "cgi-bin/sandbox/direct.h"
#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/secret.h"
#include "lib/base/settings.h"
#include "lib/db/db_inside.h"

#define NOW 1800000000

static struct db *db, *sandbox;
static struct arena *m;
static int64_t now;
static uint64_t seed = 20260521;

/* --- the network -------------------------------------------------------------------------------------------------- */

/* What happens to a request. */
static enum { NET_FINE, NET_CUT, NET_LOSES_ANSWER, NET_DIES_BEFORE, NET_DIES_AFTER, NET_DELAYS,
	NET_WILL_NOT_CANCEL } net;
static void (*during_look_up)(void);         /* what happens, once, during a look-up at the provider */
static int n_requests;
static jmp_buf death;

static struct delayed { int64_t at; char path[300], body[1000], key[300]; bool gone; } delayed[2000];
static int n_delayed;

static inline void
delay_request(const struct provider_request *q)
{
	struct delayed *l = &delayed[n_delayed++];

	assert_true(n_delayed < 2000);
	*l = (struct delayed){ .at = now + 1 + (int64_t)sandbox_random(250) };
	snprintf(l->path, sizeof(l->path), "%s", q->path);
	snprintf(l->body, sizeof(l->body), "%s", q->body);
	snprintf(l->key, sizeof(l->key), "%s", q->idempotency_key);
}

/* In all tests: every row and event written before a request to the provider is synced to disk before it. */
static int n_unsynced;

static inline bool
note_unsynced(void *arg)
{
	(void)arg;
	n_unsynced++;
	return true;
}

static inline enum call_outcome
world_ask(struct arena *am, struct provider_request *q)
{
	enum call_outcome outcome;

	n_requests++;
	lock_synced(db->lock, lock_latest(db->lock), note_unsynced, NULL);
	assert_int_equal(n_unsynced, 0);
	if (net == NET_CUT)
		return CALL_NOT_SENT;
	if (net == NET_DIES_BEFORE)
		longjmp(death, 1);
	if (net == NET_DELAYS && q->body) {
		delay_request(q);
		return CALL_UNKNOWN;
	}
	if (net == NET_WILL_NOT_CANCEL && q->body) {
		q->status = 403;
		q->answer = "{\"code\":\"NOT_CANCELABLE_PAYMENT\",\"message\":\"\"}";
		return CALL_ANSWERED;
	}
	if (during_look_up && !q->body) {
		void (*happens)(void) = during_look_up;

		during_look_up = NULL;
		happens();
	}
	outcome = sandbox_direct(am, q);
	if (net == NET_DIES_AFTER)
		longjmp(death, 1);
	return net == NET_LOSES_ANSWER ? CALL_UNKNOWN : outcome;
}

static inline void
deliver_delayed(void)
{
	for (int i = 0; i < n_delayed; i++)
		if (!delayed[i].gone && delayed[i].at <= now) {
			struct provider_request q = {
				.path = delayed[i].path,
				.body = delayed[i].body,
				.idempotency_key = delayed[i].key,
				.until_ms = clock_ms() + 100000,
			};

			sandbox_direct(m, &q);
			delayed[i].gone = true;
		}
}

static inline void
wait_s(int64_t seconds)
{
	now += seconds;
	clock_set(now);
}

TEST_SETUP(begin)
{
	const char *why = "";

	if (scratch_begin(state) != 0)
		return -1;
	rental_settings_open(".", scratch, &why);
	secret_open(scratch);
	if (!db_create(scratch, "db/schema.sql", NULL, &why)
		|| !db_create_own(scratch, "sandbox", "db/sandbox.sql", &why)) {
		print_error("%s\n", why);
		return -1;
	}
	m = arena_new(512 << 20);
	db = db_open(scratch, &payment_role, m, &why);
	sandbox = db_open(scratch, &sandbox_role, m, &why);
	if (!db || !sandbox)
		return -1;
	sandbox_direct_open(sandbox);
	toss_ask = world_ask;
	net = NET_FINE;
	n_requests = n_delayed = 0;
	now = NOW;
	clock_set(now);
	sandbox_seed(seed);
	return 0;
}

TEST_SETUP(end)
{
	db_close(db);
	db_close(sandbox);
	clock_set(0);
	return scratch_end(state);
}

static inline int64_t
save_card(int64_t user_id, const char *token)
{
	struct card card;

	assert_int_equal(card_save(db, user_id, token, token, &card), CARD_SAVED);
	return card.card_id;
}

static inline struct charge_order
charge_of(const char *key, int64_t card_id)
{
	return (struct charge_order){
		.try_no = 1,
		.key = key,
		.subject_id = key,
		.customer_id = 7,
		.card_id = card_id,
		.amount = 110000,
		.vat_amount = 10000,
		.currency = "KRW",
		.deadline_ms = 610,
	};
}

static inline enum charge_outcome
charge(const char *key, int64_t card_id, struct charge *c)
{
	struct charge_order o = charge_of(key, card_id);

	return charge_make(db, &o, c);
}

static inline enum refund_outcome
refund(const char *key, const char *refund_key, int64_t amount, struct charge *c)
{
	struct refund_order o = {
		.key = key, .refund_key = refund_key, .amount = amount, .reason = "customer", .deadline_ms = 610
	};

	return refund_make(db, &o, c);
}

static inline int64_t
account_sum(const char *name)
{
	return db_int(db, "SELECT COALESCE(SUM(amount), 0) FROM ledger_line WHERE account = $1 /*scan*/", name);
}

static inline int64_t
events(const char *type)
{
	return db_int(db, "SELECT COUNT(*) FROM event WHERE type = $1 /*scan*/", type);
}

static inline int64_t
provider_balance(void)
{
	return db_int(sandbox, "SELECT COALESCE(SUM(balance), 0) FROM payment WHERE approved_at > 0 /*scan*/");
}

static inline void
expect_state(const char *key, enum charge_state state)
{
	struct charge c;

	assert_true(charge_find(db, key, &c));
	assert_string_equal(words_code(&charge_state_words, c.state), words_code(&charge_state_words, (int)state));
}

static inline void
settle_everything(void)
{
	for (int i = 0; i < 40; i++) {
		wait_s(120);
		deliver_delayed();
		while (payment_sweep(db))
			;
		assert_false(db_failed(db));
	}
}

#endif
