/* decline_words.c - the sentences. Described in decline_words.h. */
#include "decline_words.h"

#include "lib/base/arena.h"
#include "lib/base/lang.h"

#include <string.h>

const char *
decline_in_words(const char *code)
{
	static const struct {
		const char *code, *words;
	} all[] = {
		{ "insufficient_funds", N_("Your card has insufficient funds or credit.") },
		{ "expired_card", N_("Your card has expired.") },
		{ "stopped_card", N_("Your card is blocked. Please ask your card company.") },
		{ "bad_card", N_("Your card cannot be used for this payment.") },
		{ "card_removed", N_("The saved card was removed. Please choose another card.") },
		{ "limit", N_("The amount is above your card's limit.") },
		{ "page_expired", N_("The payment page had expired before the payment was completed.") },
		{ "not_prepared", N_("The payment was not completed on the payment page.") },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].code, text_or_empty(code)) == 0)
			return _(all[i].words);
	return _("Your card was declined.");
}
