/* words - the codes of the read models and what people read for them. */
#include "mypage.h"

#include "lib/base/lang.h"

#include <stdio.h>
#include <string.h>

static const struct word payment_word[] = {
	[MY_PAYMENT_NONE]       = { "NONE",             N_("Not paid yet") },
	[MY_PAYMENT_APPROVED]   = { "APPROVED",         N_("Paid") },
	[MY_PAYMENT_FAILED]     = { "FAILED",           N_("Payment failed") },
	[MY_PAYMENT_REFUND_DUE] = { "CANCEL_REQUESTED", N_("Refund in progress") },
	[MY_PAYMENT_REFUNDED]       = { "CANCELLED",        N_("Refunded") },
};
const struct words my_payment_words = WORDS(payment_word);

static const struct word tab_word[] = {
	[MY_TAB_UPCOMING]  = { "upcoming",  N_("Upcoming") },
	[MY_TAB_PAST]      = { "past",      N_("Past") },
	[MY_TAB_CANCELLED] = { "cancelled", N_("Cancelled") },
	[MY_TAB_ALL]       = { "all",       N_("All") },
	[MY_TAB_NONE]      = { "none",      N_("Not completed") },
};
const struct words my_tab_words = WORDS(tab_word);

static const struct word delivery_word[] = {
	[MY_DELIVERY_REQUESTED] = { "REQUESTED", N_("Being arranged") },
	[MY_DELIVERY_SCHEDULED] = { "SCHEDULED", N_("Courier assigned") },
	[MY_DELIVERY_SHIPPED]   = { "SHIPPED",   N_("On the way") },
	[MY_DELIVERY_DELIVERED] = { "DELIVERED", N_("Done") },
	[MY_DELIVERY_CANCELLED] = { "CANCELLED", N_("Cancelled") },
};
const struct words my_delivery_words = WORDS(delivery_word);

static const struct word direction_word[] = {
	[MY_DIRECTION_DELIVERY]   = { "delivery",   N_("Delivery") },
	[MY_DIRECTION_COLLECTION] = { "collection", N_("Collection") },
};
const struct words my_direction_words = WORDS(direction_word);

static const struct word message_word[] = {
	[MY_MESSAGE_SENT] = { "SENT", N_("Sent") },
	[MY_MESSAGE_DEAD] = { "DEAD", N_("Could not be sent") },
};
const struct words my_message_words = WORDS(message_word);

/* --- reasons ------------------------------------------------------------------------------------------------------ */

static const struct word reason_word[] = {
	{ "customer",       N_("At your request.") },
	{ "manager",        N_("By our staff.") },
	{ "bank",           N_("By bank transfer.") },
	{ "retired",        N_("The car has been retired.") },
	{ "out_of_service", N_("The car is out of service.") },
	{ "gone",           N_("The car is no longer with us.") },
	{ "dispatcher",     N_("By our staff.") },
	{ "booking",        N_("The booking has ended.") },
	{ "later",          N_("It could not be approved at that time.") },
	{ "at_branch",      N_("The car was picked up at the branch.") },
	{ "returned",       N_("The car was returned to the branch.") },
	{ "completed",      N_("The car was returned to the branch.") },
	{ "no_show_final",  N_("The car was not picked up.") },
};
static const struct words reason_words = WORDS(reason_word);

const char *
my_code_in_words(const char *code)
{
	const char *ended = end_reason_in_words(code);
	int i = words_find(&reason_words, code);

	if (ended)
		return ended;
	return i < 0 ? chosen_reason_in_words(&refund_reason_words, code) : _(reason_word[i].label);
}

/* Codes are lower-case letters and underscores; what people type is not. */
const char *
my_reason_in_words(const char *reason)
{
	const char *words = my_code_in_words(reason);

	if (*words || !strchr(reason, '_'))
		return *words ? words : reason;
	return strspn(reason, "abcdefghijklmnopqrstuvwxyz_") == strlen(reason) ? "" : reason;
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

/* booking_confirmed is about booking.confirmed and has its words; reminders are about no event. */
const char *
my_message_in_words(const char *kind, const struct words *words)
{
	static const struct {
		const char *kind, *label;
	} more[] = {
		{ "remind_pickup", N_("Pick-up reminder") },
		{ "remind_return", N_("Return reminder") },
		{ "remind_overdue", N_("The car is overdue") },
		{ "booking_cancelling", N_("The refund takes longer than usual") },
		{ "extra_refunded", N_("An extra was refunded") },
		{ "cancelled_by_firm", N_("We had to cancel the booking") },
		{ "part_refunded", N_("A part of the price was refunded") },
	};
	char type[60];
	char *cut;
	int i;

	for (size_t k = 0; k < sizeof(more) / sizeof(more[0]); k++)
		if (strcmp(more[k].kind, kind) == 0)
			return _(more[k].label);
	snprintf(type, sizeof(type), "%s", kind);
	cut = strchr(type, '_');
	if (cut)
		*cut = '.';
	i = words_find(words, type);
	return i < 0 ? kind : _(words->word[i].label);
}
