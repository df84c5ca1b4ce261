/* pages_extra - the part of the order form that asks for delivery and equipment. */
#ifndef MP_BOOKING_PAGES_EXTRA_H
#define MP_BOOKING_PAGES_EXTRA_H

#include "booking.h"
#include "price.h"

#include "lib/web/form.h"
#include "lib/web/web.h"

struct item_row;

struct extras_form {
	struct field wanted, zone, address, place, window_from, collect;
	struct item_row *items;
	int n_items;
	bool has_zones, has_items;
	int64_t window_hours;
};
extern const struct shape extras_form_shape;

/* delivery.* and equipment.N.*, from a form or from JSON. Bad fields are marked. */
void extras_read(struct web *w, struct booking_order *o);
/* The fields as typed, with what is available in the order's interval; and the extras as further lines of the price. */
void extras_show(struct web *w, const struct booking_order *o, struct extras_form *f);
void extras_price(struct web *w, const struct booking_order *o, struct price *price);
/* An outcome about an extra: marks its field. BAD_DELIVERY, NO_ITEM, OUT_OF_STOCK, NOT_APPROVED. */
enum status extras_refuse(struct web *w, const struct booking_order *o, const struct booking *b,
	enum booking_outcome outcome);

#endif
