/*
 * pages_payments - the provider's own dashboard: what was charged, and refunds that the merchant's programs did not ask
 * for. Only for browsers on this machine: it shows what every customer paid.
 */
#include "pages.h"

#include "lib/base/secret.h"

/* --- GET /sandbox/payments ---------------------------------------------------------------------------------------- */

struct shown_payment {
	const char *order_id, *status, *last4, *brand;
	int64_t payment_id, amount, balance, approved_at;
};
static const struct member shown_payment_members[] = {
	SHAPE_INT(shown_payment, payment_id), SHAPE_TEXT(shown_payment, order_id), SHAPE_TEXT(shown_payment, status),
	SHAPE_TEXT(shown_payment, brand), SHAPE_TEXT(shown_payment, last4), SHAPE_AMOUNT(shown_payment, amount),
	SHAPE_AMOUNT(shown_payment, balance), SHAPE_TIME(shown_payment, approved_at),
};
static const struct shape shown_payment_shape = SHAPE(shown_payment, shown_payment_members);

struct payments_page {
	struct shown_payment *payments;
	int n_payments;
	bool has_rows;
	struct paging paging;
};
static const struct member payments_page_members[] = {
	SHAPE_LIST(payments_page, payments, shown_payment_shape), SHAPE_BOOL(payments_page, has_rows),
	SHAPE_STRUCT(payments_page, paging, paging_shape),
};
static const struct shape payments_page_shape = SHAPE(payments_page, payments_page_members);
PAGE(payments_html, "sandbox/payments", payments_page_shape)

static struct shown_payment
shown_payment(const struct sandbox_payment *p)
{
	return (struct shown_payment){
		.payment_id = p->payment_id,
		.order_id = p->order_id,
		.status = p->status,
		.brand = test_card(p->card)->brand,
		.last4 = card_last4(test_card(p->card)),
		.amount = p->amount,
		.balance = p->balance,
		.approved_at = p->approved_at,
	};
}

enum status
page_sandbox_payments(struct web *w)
{
	struct payments_page page = { .n_payments = 0 };
	struct sandbox_payment *list = NULL;

	if (!sandbox_is_local(w))
		return web_forbidden(w);
	page.paging = web_paging(w, sandbox_payment_count(w->db), PER_PAGE);
	page.n_payments = sandbox_payment_list(w->db, page.paging.offset, PER_PAGE, &list);
	page.payments = arena_array(w->m, struct shown_payment, page.n_payments + 1);
	for (int i = 0; i < page.n_payments; i++)
		page.payments[i] = shown_payment(&list[i]);
	page.has_rows = page.n_payments > 0;
	return web_page(w, HTTP_OK, &payments_html, &page);
}

/* --- GET /sandbox/payments/ID ------------------------------------------------------------------------------------- */

struct payment_page {
	struct form_problems problems;
	struct shown_payment payment;
	struct sandbox_cancellation *cancels;
	int n_cancels;
	const char *currency;
	struct field amount, reason;
	bool can_refund;
};
static const struct member payment_page_members[] = {
	SHAPE_STRUCT(payment_page, problems, form_problems_shape),
	SHAPE_STRUCT(payment_page, payment, shown_payment_shape),
	SHAPE_LIST(payment_page, cancels, sandbox_cancellation_shape), SHAPE_TEXT(payment_page, currency),
	SHAPE_STRUCT(payment_page, amount, field_shape), SHAPE_STRUCT(payment_page, reason, field_shape),
	SHAPE_BOOL(payment_page, can_refund),
};
static const struct shape payment_page_shape = SHAPE(payment_page, payment_page_members);
PAGE(payment_html, "sandbox/payment", payment_page_shape)

static enum status
show_payment(struct web *w, const void *form, enum status status, const char *message)
{
	const struct sandbox_payment *p = form;
	struct payment_page page = {
		.problems = form_problems(w, message),
		.payment = shown_payment(p),
		.currency = p->currency,
		.can_refund = p->balance > 0,
		.amount = form_field(w, "amount", form_amount_text(w, p->balance)),
		.reason = form_field(w, "reason", ""),
	};

	page.n_cancels = sandbox_cancellations(w->db, p->payment_id, &page.cancels);
	return web_page(w, status, &payment_html, &page);
}

enum status
page_sandbox_payment(struct web *w)
{
	struct sandbox_payment p;

	if (!sandbox_is_local(w))
		return web_forbidden(w);
	if (!sandbox_payment_by_id(w->db, web_param_id(w, "payment_id"), &p))
		return web_not_found(w);
	return show_payment(w, &p, HTTP_OK, NULL);
}

/* --- POST /sandbox/payments/ID/refund {amount, reason} ------------------------------------------------------------ */

/* A double click has the same form key, so it is the same cancellation. */
static bool
refund_payment(struct web *w, int64_t amount, const char *reason, struct sandbox_payment *p)
{
	const char *key = web_idempotency_key(w);
	enum sandbox_code code;

	key = *key ? secret_hash(w->m, key) : NULL;
	db_begin(w->db);
	code = sandbox_cancel(w->db, p->payment_key, amount, *reason ? reason : "Refunded in the dashboard", key, p);
	return db_commit(w->db) && code == SANDBOX_OK;
}

static void
notify_merchant(struct web *w, const struct sandbox_payment *p)
{
	int n;
	const char *body = sandbox_webhook(w->db, p, &n);

	if (body)
		webhook_send(body, n);
}

enum status
do_sandbox_refund(struct web *w)
{
	int64_t payment_id = web_param_id(w, "payment_id"), amount;
	struct sandbox_payment p;
	const char *reason;

	if (!sandbox_is_local(w))
		return web_forbidden(w);
	if (!sandbox_payment_by_id(w->db, payment_id, &p))
		return web_not_found(w);
	web_form(w, show_payment, &p);
	amount = form_amount(w, "amount", 1, p.amount);
	reason = form_has(w, "reason") ? form_line(w, "reason", 100) : "";
	if (form_bad(w))
		return web_invalid(w);
	if (!refund_payment(w, amount, reason, &p))
		return form_refuse(w, HTTP_CONFLICT, "too_much", "amount",
			_("This is more than is left of the payment. Please enter a smaller amount."));
	notify_merchant(w, &p);
	return web_redirect(w, "/sandbox/payments/%lld", (long long)payment_id);
}
