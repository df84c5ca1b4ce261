/* equipment_words - the words for equipment orders and the stock ledger, for every program that shows them. Codes as in
 * the tables and the API. */
#ifndef MP_EQUIPMENT_WORDS_H
#define MP_EQUIPMENT_WORDS_H

#include "lib/base/shape.h"

enum equipment_state {
	EQUIPMENT_ORDERED, EQUIPMENT_APPROVED, EQUIPMENT_HANDED_OUT, EQUIPMENT_RETURNED, EQUIPMENT_REJECTED,
	EQUIPMENT_CANCELLED,
};

/* Why the stock changed. */
enum stock_kind { STOCK_RECEIVE, STOCK_ORDER, STOCK_RETURN, STOCK_LOSS, STOCK_ADJUST };

extern const struct words equipment_state_words, stock_kind_words;

/* The started days of an interval, by which a piece is charged. */
int64_t equipment_days(int64_t starts_at, int64_t ends_at);

/* Why an order ended; what a reviewer typed comes back as it is. NULL: no reason. */
const char *equipment_reason_in_words(const char *end_reason);

#endif
