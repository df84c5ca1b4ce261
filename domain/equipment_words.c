/* equipment_words - the codes of equipment orders and of the stock ledger, with their words. */
#include "equipment_words.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"

#include <string.h>

static const struct word equipment_state_word[] = {
	[EQUIPMENT_ORDERED]    = { "ORDERED",    N_("Waiting for approval") },
	[EQUIPMENT_APPROVED]   = { "APPROVED",   N_("Approved") },
	[EQUIPMENT_HANDED_OUT] = { "HANDED_OUT", N_("Handed out") },
	[EQUIPMENT_RETURNED]   = { "RETURNED",   N_("Returned") },
	[EQUIPMENT_REJECTED]   = { "REJECTED",   N_("Rejected") },
	[EQUIPMENT_CANCELLED]  = { "CANCELLED",  N_("Cancelled") },
};
const struct words equipment_state_words = WORDS(equipment_state_word);

static const struct word stock_kind_word[] = {
	[STOCK_RECEIVE] = { "receive", N_("Received") },
	[STOCK_ORDER]   = { "order",   N_("Reserved for an order") },
	[STOCK_RETURN]  = { "return",  N_("Returned from an order") },
	[STOCK_LOSS]    = { "loss",    N_("Lost or broken") },
	[STOCK_ADJUST]  = { "adjust",  N_("Stock adjustment") },
};
const struct words stock_kind_words = WORDS(stock_kind_word);

int64_t
equipment_days(int64_t starts_at, int64_t ends_at)
{
	return (ends_at - starts_at + DAY - 1) / DAY;
}

const char *
equipment_reason_in_words(const char *end_reason)
{
	static const struct {
		const char *code, *words;
	} reasons[] = {
		{ "customer", N_("It was cancelled by the customer.") },
		{ "manager", N_("It was cancelled by the branch.") },
		{ "booking", N_("Its booking has ended.") },
		{ "not_collected", N_("It was not picked up.") },
		{ "not_handed_out", N_("It was not handed out with the car.") },
		{ "later", N_("Approval could not be requested, so the order was not accepted.") },
	};

	for (size_t i = 0; end_reason && i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reasons[i].code, end_reason) == 0)
			return _(reasons[i].words);
	return end_reason && *end_reason ? end_reason : NULL;
}
