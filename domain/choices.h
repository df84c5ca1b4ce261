/*
 * choices - short lists in settings: delivery zones with their fees, categories of equipment.
 * Each is a line in motorpool.conf: `code:value:English:한국어; …`.
 */
#ifndef MP_CHOICES_H
#define MP_CHOICES_H

#include "rental.h"
#include "lib/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct choice {
	const char *code;               /* in tables and JSON: center, child_seat */
	const char *value;              /* zones: the fee; categories: sync or async */
	const char *name, *name_ko;
};

/* The choices of a setting, in its order. Parsed once per process and setting; answers how many, at most
 * CHOICES_MAX. */
#define CHOICES_MAX 24
int choices_of(const char *setting, const struct choice **choices);
const struct choice *choice_find(const char *setting, const char *code);        /* NULL: there is none */
const char *choice_name(const struct choice *c);        /* in the reader's language */

/* rental.delivery_zones: the fee of one trip to this zone, VAT included, in the smallest unit; -1: no such zone. */
int64_t zone_fee(const char *zone);
/* rental.equipment_categories: an order of this category is accepted only after review's answer (docs/domain.md 5). */
bool category_is_sync(const char *category);

#endif
