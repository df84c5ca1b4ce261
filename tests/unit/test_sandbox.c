/*
 * test_sandbox - the provider that other tests rely on: keys are valid once, orders are paid once, the same
 * Idempotency-Key gets the same answer, and each fault does what it is for.
 */
#include "test.h"

#include "scratch.h"

#include "cgi-bin/sandbox/api.c"
#include "domain/rental.h"
#include "lib/base/settings.h"

static struct db *db;
static struct arena *m;
static struct sandbox_reply r;

TEST_SETUP(begin)
{
	const char *why = "";

	if (scratch_begin(state) != 0 || !rental_settings_open(".", scratch, &why) || !secret_open(scratch))
		return -1;
	if (!db_create_own(scratch, "sandbox", "db/sandbox.sql", &why)) {
		print_error("%s\n", why);
		return -1;
	}
	m = arena_new(64 << 20);
	db = db_open(scratch, &sandbox_role, m, &why);
	clock_set(1800000000);
	return db ? 0 : -1;
}

TEST_SETUP(end)
{
	db_close(db);
	clock_set(0);
	return scratch_end(state);
}

/* One request; the reply is in r. Answers its HTTP status. */
static int
call(const char *path, const char *body, const char *key)
{
	struct sandbox_request q = { .path = path, .body = body, .idempotency_key = key };

	sandbox_api(db, &q, &r);
	assert_false(db_failed(db));
	return r.status;
}

static const char *
said(const char *name)
{
	json_t *json = json_loads(r.json, 0, NULL), *value = json_object_get(json, name);
	const char *text = json_is_integer(value) ? arena_printf(m, "%lld", (long long)json_integer_value(value))
						  : arena_strdup(m, json_string_value(value));

	json_decref(json);
	return text ? text : "";
}

static const char *
a_card(const char *auth_key)
{
	call("/v1/billing/authorizations/issue",
		arena_printf(m, "{\"authKey\":\"%s\",\"customerKey\":\"cust\"}", auth_key), NULL);
	return said("billingKey");
}

static int
charge_it(const char *billing_key, const char *order_id, const char *key)
{
	return call(arena_printf(m, "/v1/billing/%s", billing_key),
		arena_printf(m,
			"{\"customerKey\":\"cust\",\"orderId\":\"%s\",\"orderName\":\"Car\",\"amount\":1000,"
			"\"currency\":\"KRW\"}",
			order_id),
		key);
}

static int
cancel_it(const char *payment_key, int amount, const char *key)
{
	return call(arena_printf(m, "/v1/payments/%s/cancel", payment_key),
		arena_printf(m, "{\"cancelReason\":\"x\",\"cancelAmount\":%d}", amount), key);
}

TEST(an_auth_key_is_valid_once_and_only_for_its_customer)
{
	const char *auth_key = sandbox_authorize(db, "cust", 0);

	assert_int_equal(call("/v1/billing/authorizations/issue",
				 arena_printf(m, "{\"authKey\":\"%s\",\"customerKey\":\"other\"}", auth_key), NULL),
		404);
	assert_string_not_equal(a_card(auth_key), "");
	assert_string_equal(said("cardNumber"), "42424242****4242");
	assert_string_equal(a_card(auth_key), "");
	assert_string_equal(said("code"), "ALREADY_USED_AUTH_KEY");
}

TEST(an_auth_key_is_valid_for_ten_minutes)
{
	const char *auth_key = sandbox_authorize(db, "cust", 0);

	clock_set(1800000000 + 601);
	assert_string_equal(a_card(auth_key), "");
	assert_string_equal(said("code"), "NOT_FOUND_AUTH_KEY");
}

TEST(an_order_is_paid_once_whatever_the_key)
{
	const char *card = a_card("tok_ok");

	assert_int_equal(charge_it(card, "ORDER-1", "k1"), 200);
	assert_string_equal(said("status"), "DONE");
	assert_int_equal(charge_it(card, "ORDER-1", "k2"), 400);
	assert_string_equal(said("code"), "DUPLICATED_ORDER_ID");
}

TEST(the_same_key_gets_the_same_answer_and_no_second_charge)
{
	const char *card = a_card("tok_ok"), *first;

	charge_it(card, "ORDER-1", "k1");
	first = r.json;
	assert_int_equal(charge_it(card, "ORDER-1", "k1"), 200);
	assert_string_equal(r.json, first);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM payment /*scan*/"), 1);
}

TEST(the_same_key_with_another_request_is_refused)
{
	const char *card = a_card("tok_ok");

	charge_it(card, "ORDER-1", "k1");
	assert_int_equal(charge_it(card, "ORDER-2", "k1"), 422);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM payment /*scan*/"), 1);
}

TEST(keys_are_forgotten_after_fifteen_days)
{
	const char *card = a_card("tok_ok");

	charge_it(card, "ORDER-1", "k1");
	clock_set(1800000000 + 15 * DAY + 1);
	sandbox_forget_old(db);
	assert_int_equal(charge_it(card, "ORDER-1", "k1"), 400);
}

TEST(a_slow_answer_is_still_processing_for_a_repeated_request)
{
	const char *card = a_card("tok_slow");

	charge_it(card, "ORDER-1", "k1");
	assert_int_equal(r.delay_ms, SLOW_CARD_MS);
	assert_int_equal(charge_it(card, "ORDER-1", "k1"), 409);
	assert_string_equal(said("code"), "IDEMPOTENT_REQUEST_PROCESSING");
	call("/v1/payments/orders/ORDER-1", NULL, NULL);
	assert_string_equal(said("status"), "DONE");
}

TEST(a_lost_answer_is_sent_to_a_repeated_request)
{
	const char *card = a_card("tok_lost");

	charge_it(card, "ORDER-1", "k1");
	assert_true(r.lost);
	assert_int_equal(charge_it(card, "ORDER-1", "k1"), 200);
	assert_false(r.lost);
	assert_string_equal(said("status"), "DONE");
}

TEST(a_declined_card_is_aborted_with_a_reason)
{
	assert_int_equal(charge_it(a_card("tok_declined"), "ORDER-1", "k1"), 403);
	assert_string_equal(said("code"), "REJECT_CARD_COMPANY");
	call("/v1/payments/orders/ORDER-1", NULL, NULL);
	assert_string_equal(said("status"), "ABORTED");
}

TEST(a_card_of_another_customer_is_not_charged)
{
	const char *card = a_card("tok_ok");

	assert_int_equal(
		call(arena_printf(m, "/v1/billing/%s", card),
			"{\"customerKey\":\"mallory\",\"orderId\":\"ORDER-1\",\"orderName\":\"x\",\"amount\":1000}",
			"k1"),
		403);
}

TEST(what_is_cancelled_never_exceeds_what_was_paid)
{
	const char *key;

	charge_it(a_card("tok_ok"), "ORDER-1", "k1");
	key = said("paymentKey");
	assert_int_equal(cancel_it(key, 400, "c1"), 200);
	assert_string_equal(said("status"), "PARTIAL_CANCELED");
	assert_string_equal(said("balanceAmount"), "600");
	assert_int_equal(cancel_it(key, 400, "c1"), 200);
	assert_int_equal(cancel_it(key, 601, "c2"), 403);
	assert_int_equal(cancel_it(key, 600, "c3"), 200);
	assert_string_equal(said("status"), "CANCELED");
	assert_int_equal(cancel_it(key, 1, "c4"), 400);
	assert_string_equal(said("code"), "ALREADY_CANCELED_PAYMENT");
}

static int
listed(const char *query)
{
	json_t *json;
	int n;

	assert_int_equal(call(arena_printf(m, "/v1/transactions?%s", query), NULL, NULL), 200);
	json = json_loads(r.json, 0, NULL);
	assert_true(json_is_array(json));
	n = (int)json_array_size(json);
	json_decref(json);
	return n;
}

TEST(transactions_are_listed_page_by_page)
{
	struct sandbox_transaction *list;
	const char *day = "startDate=2000-01-01T00:00:00&endDate=2099-01-01T00:00:00", *card = a_card("tok_ok");

	charge_it(card, "MP-LIST01", NULL);
	cancel_it(said("paymentKey"), 400, NULL);
	charge_it(card, "MP-LIST02", NULL);
	charge_it(a_card("tok_declined"), "MP-LIST03", NULL);
	assert_int_equal(listed(day), 3);
	assert_int_equal(listed(arena_printf(m, "%s&limit=2", day)), 2);
	assert_int_equal(sandbox_transactions(db, 0, INT64_MAX, "", 10, &list), 3);
	assert_int_equal(listed(arena_printf(m, "%s&startingAfter=%s", day, list[1].transaction_key)), 1);
	assert_int_equal(listed("startDate=2000-01-01T00:00:00&endDate=2000-01-02T00:00:00"), 0);
	assert_int_equal(call("/v1/transactions", NULL, NULL), 400);
	assert_int_equal(call("/v1/transactions?startDate=x&endDate=y", NULL, NULL), 400);
}

TEST(a_prepared_payment_charges_nothing_until_it_is_confirmed)
{
	struct sandbox_payment p = { .order_id = "ORDER-1",
		.order_name = "x",
		.customer_key = "cust",
		.card = 0,
		.amount = 1000,
		.currency = "KRW" };
	const char *key = sandbox_prepare(db, &p);
	const char *body = arena_printf(m, "{\"paymentKey\":\"%s\",\"orderId\":\"ORDER-1\",\"amount\":1000}", key);

	call("/v1/payments/orders/ORDER-1", NULL, NULL);
	assert_string_equal(said("status"), "IN_PROGRESS");
	assert_int_equal(
		call("/v1/payments/confirm",
			arena_printf(m, "{\"paymentKey\":\"%s\",\"orderId\":\"ORDER-1\",\"amount\":999}", key), "k0"),
		400);
	assert_string_equal(said("code"), "NOT_MATCHES_AMOUNT");
	assert_int_equal(call("/v1/payments/confirm", body, "k1"), 200);
	assert_string_equal(said("status"), "DONE");
	assert_int_equal(call("/v1/payments/confirm", body, "k2"), 400);
	assert_string_equal(said("code"), "ALREADY_PROCESSED_PAYMENT");
}

TEST(bad_requests_are_refused_without_an_effect)
{
	static const char *const bodies[] = {
		"",
		"x",
		"[]",
		"{}",
		"{\"amount\":\"1\"}",
		"{\"customerKey\":\"cust\",\"orderId\":\"ORDER-1\",\"orderName\":\"x\",\"amount\":-1}",
		"{\"customerKey\":\"cust\",\"orderId\":\"x\",\"orderName\":\"x\",\"amount\":1}",
		"{\"customerKey\":null,\"orderId\":\"ORDER-1\",\"orderName\":\"x\",\"amount\":1}",
		"{\"customerKey\":\"cust\",\"orderId\":\"ORDER-1\",\"orderName\":\"x\",\"amount\":1e300}",
		"{\"customerKey\":\"cust\",\"customerKey\":\"b\",\"orderId\":\"ORDER-1\",\"orderName\":\"x\","
		"\"amount\":1}",
	};
	const char *path = arena_printf(m, "/v1/billing/%s", a_card("tok_ok"));

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(call(path, bodies[i], NULL), 400);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM payment /*scan*/"), 0);
}

TEST(down_and_hanging_have_no_effect)
{
	const char *card = a_card("tok_ok");

	fault_set(db, "down", 1);
	assert_int_equal(charge_it(card, "ORDER-1", "k1"), 503);
	fault_set(db, "down", 0);
	fault_set(db, "hang_ms", 500);
	charge_it(card, "ORDER-1", "k1");
	assert_true(r.hangs && r.lost);
	assert_int_equal(r.delay_ms, 500);
	fault_set(db, "hang_ms", 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM payment /*scan*/"), 0);
	assert_int_equal(charge_it(card, "ORDER-1", "k1"), 200);
}

TEST(lost_answers_lose_about_that_share)
{
	const char *card = a_card("tok_ok");
	int n_lost = 0;

	sandbox_seed(7);
	fault_set(db, "lost_answers", 30);
	for (int i = 0; i < 200; i++) {
		charge_it(card, arena_printf(m, "ORDER-%d", i), arena_printf(m, "k%d", i));
		n_lost += r.lost;
	}
	assert_in_range(n_lost, 35, 85);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM payment WHERE status = 'DONE' /*scan*/"), 200);
}

TEST(webhooks_report_late_answers_and_are_sent_twice_on_demand)
{
	const char *card = a_card("tok_ok");

	charge_it(card, "ORDER-1", "k1");
	assert_null(r.webhook);
	charge_it(a_card("tok_slow"), "ORDER-2", "k2");
	assert_non_null(r.webhook);
	assert_int_equal(r.n_webhooks, 1);
	assert_non_null(strstr(r.webhook, "PAYMENT_STATUS_CHANGED"));
	fault_set(db, "duplicate_webhooks", 1);
	charge_it(card, "ORDER-3", "k3");
	assert_int_equal(r.n_webhooks, 2);
	fault_set(db, "duplicate_webhooks", 0);
	fault_set(db, "webhooks", 0);
	charge_it(a_card("tok_slow"), "ORDER-4", "k4");
	assert_null(r.webhook);
}

TEST(card_numbers_are_checked_by_their_last_digit)
{
	for (int i = 0; i < test_card_count(); i++)
		assert_true(luhn_ok(test_card(i)->number));
	assert_false(luhn_ok("4242424242424241"));
	assert_false(luhn_ok("4242"));
	assert_false(luhn_ok("42424242424242424242"));
	assert_false(luhn_ok("4242-4242-4242-4242"));
	assert_int_equal(test_card_by_number("4111111111111111"), -1);
}

TEST_MAIN("sandbox", NULL, NULL, begin, end)
