/*
 * instant - a card provider that approves every charge at once, in process, and stores nothing. Linked into a payment
 * program for the bench, so that only motorpool's own work on a booking is measured, which bare.c does without HTTP.
 */
#include "domain/provider.h"

#include "lib/base/json.h"

struct order { const char *orderId; int64_t amount; };
static const struct member order_members[] = { SHAPE_TEXT(order, orderId), SHAPE_INT(order, amount) };
static const struct shape order_shape = SHAPE(order, order_members);

static enum call_outcome
approve(struct arena *m, struct provider_request *q)
{
	struct order o = { .orderId = "" };

	json_into(m, q->body ? q->body : "{}", &order_shape, &o);
	q->status = 200;
	q->answer = arena_printf(m,
		"{\"status\":\"DONE\",\"orderId\":\"%s\",\"paymentKey\":\"instant-%s\",\"totalAmount\":%lld,"
		"\"balanceAmount\":%lld,\"cardCompany\":\"Visa\",\"card\":{\"number\":\"42424242****4242\"}}",
		o.orderId, o.orderId, (long long)o.amount, (long long)o.amount);
	return CALL_ANSWERED;
}

static void __attribute__((constructor)) take_over(void)
{
	toss_ask = approve;
}
