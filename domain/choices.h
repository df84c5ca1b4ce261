/*
 * choices - the short lists that settings hold: where cars are brought to and for how much, what kinds of equipment there are.
 * A line each in motorpool.conf: `code:value:English:한국어; …`.
 */
#ifndef MP_CHOICES_H
#define MP_CHOICES_H

#include "rental.h"
#include "lib/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct choice {
	const char *code;               /* what is stored and what the API speaks: center, child_seat */
	const char *value;              /* zones: the fee, categories: sync or async */
	const char *name, *name_ko;
};

/* What the setting says, in its order. Read once per process and setting; answers how many, at most CHOICES_MAX. */
#define CHOICES_MAX 24
int choices_of(const char *setting, const struct choice **choices);
const struct choice *choice_find(const char *setting, const char *code);        /* NULL: there is none */
const char *choice_name(const struct choice *c);        /* in the reader's language */

/* rental.delivery_zones: what one trip to this zone costs, VAT included, in the smallest unit; -1: we do not go there. */
int64_t zone_fee(const char *zone);
/* rental.equipment_categories: an order of this kind waits for review's answer before it is taken (docs/domain.md 5). */
bool category_is_sync(const char *category);

#endif
