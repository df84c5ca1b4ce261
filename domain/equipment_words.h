/* equipments - the words for what becomes of ordered equipment, shared by every program that shows it. Codes as in the tables and the API. */
#ifndef MP_EQUIPMENT_WORDS_H
#define MP_EQUIPMENT_WORDS_H

#include "lib/base/shape.h"

enum equipment_state { EQUIPMENT_ORDERED, EQUIPMENT_APPROVED, EQUIPMENT_HANDED_OUT, EQUIPMENT_RETURNED, EQUIPMENT_REJECTED, EQUIPMENT_CANCELLED };

/* Why pieces came or went. */
enum stock_kind { STOCK_RECEIVE, STOCK_ORDER, STOCK_RETURN, STOCK_LOSS, STOCK_ADJUST };

extern const struct words equipment_state_words, stock_kind_words;

/* What a piece costs for an interval counts started days. */
int64_t equipment_days(int64_t starts_at, int64_t ends_at);

/* Why an order ended as it did, for people; a rejection's reason is a person's own words and comes back as it is. NULL: nothing to say. */
const char *equipment_reason_in_words(const char *end_reason);

#endif
