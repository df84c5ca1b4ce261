/* rental.c - the table of the rental settings: name, kind, default, limits. */
#include "rental.h"

#include "lib/base/arena.h"
#include "lib/base/money.h"

#include <string.h>

#define AT(member) SETTING_AT(rental, member)

struct rental rental;

static const struct setting table[] = {
	{ AT(vat_percent),             .kind = SETTING_INT,  .standard = "10", .min = 0, .max = 100 },
	{ AT(max_bookings_per_person), .kind = SETTING_INT,  .standard = "10", .min = 1, .max = 1000 },
	{ AT(max_holds_per_person),    .kind = SETTING_INT,  .standard = "3", .min = 1, .max = 1000 },
	{ AT(max_tries_per_hold),      .kind = SETTING_INT,  .standard = "5", .min = 1, .max = 99 },
	{ AT(hold_s),                  .kind = SETTING_INT,  .standard = "600", .min = 5, .max = 86400 },
	{ AT(turnaround_s),            .kind = SETTING_INT,  .standard = "3600", .min = 0, .max = 7 * 86400 },
	{ AT(max_rental_days),         .kind = SETTING_INT,  .standard = "60", .min = 1, .max = 3650 },
	{ AT(max_ahead_days),          .kind = SETTING_INT,  .standard = "365", .min = 1, .max = 3650 },
	{ AT(refund_full_before_s),    .kind = SETTING_INT,  .standard = "86400", .min = 0, .max = 365 * 86400 },
	{ AT(refund_grace_s),          .kind = SETTING_INT,  .standard = "1800", .min = 0, .max = 365 * 86400 },
	{ AT(refund_late_percent),     .kind = SETTING_INT,  .standard = "90", .min = 0, .max = 100 },
	{ AT(no_show_grace_s),         .kind = SETTING_INT,  .standard = "3600", .min = 0, .max = 365 * 86400 },
	{ AT(no_show_after_s),         .kind = SETTING_INT,  .standard = "7200", .min = 0, .max = 365 * 86400 },
	{ AT(undo_window_s),           .kind = SETTING_INT,  .standard = "600", .min = 0, .max = UNDO_WINDOW_MAX_S },
	{ AT(firm_compensation_percent), .kind = SETTING_INT, .standard = "10", .min = 0, .max = 100 },
	{ AT(firm_compensation_min),   .kind = SETTING_INT,  .standard = "0", .min = 0, .max = 1000000000 },
	{ AT(firm_compensation_refused), .kind = SETTING_BOOL, .standard = "yes" },
	{ AT(late_car_cancel_s),       .kind = SETTING_INT,  .standard = "86400", .min = 0, .max = 365 * 86400 },
	{ AT(stuck_after_s),           .kind = SETTING_INT,  .standard = "120", .min = 5, .max = 86400 },
	{ AT(delivery_zones),          .kind = SETTING_TEXT, .standard =
		"center:15000:City centre:시내 중심; city:25000:Greater city:시내 외곽;"
		" airport:35000:Airport:공항", .min = 0, .max = 1000 },
	{ AT(delivery_window_s),       .kind = SETTING_INT,  .standard = "7200", .min = 1800, .max = 86400 },
	{ AT(equipment_categories),    .kind = SETTING_TEXT, .standard =
		"child_seat:async:Child seats:카시트; winter:async:Winter gear:겨울 용품; camping:sync:Camping:캠핑 용품;"
		" other:async:Other:기타",
		.min = 0, .max = 1000 },
	{ AT(review_auto_quantity),    .kind = SETTING_INT,  .standard = "4", .min = 0, .max = 1000000 },
	{ AT(review_auto_amount),      .kind = SETTING_INT,  .standard = "200000", .min = 0, .max = 1000000000 },
	{ AT(remind_pickup_s),         .kind = SETTING_INT,  .standard = "86400", .min = 0, .max = 30 * 86400 },
	{ AT(remind_return_s),         .kind = SETTING_INT,  .standard = "3600", .min = 0, .max = 30 * 86400 },
	{ AT(provider_url),            .kind = SETTING_URL,  .standard = "http://localhost:8080/sandbox", .min = 8,
		.max = 200 },
	{ AT(provider_public_url),     .kind = SETTING_URL,  .standard = "http://localhost:8080/sandbox", .min = 8,
		.max = 200 },
	{ AT(sandbox),                 .kind = SETTING_BOOL, .standard = "yes" },
};

/* The sandbox's card page is served by this installation, so it follows base_url unless the setting says otherwise. */
static bool
follow_base_url(const char **why)
{
	static struct arena *memory;

	(void)why;
	if (!rental.sandbox || strcmp(rental.provider_public_url, "http://localhost:8080/sandbox") != 0)
		return true;
	if (!memory)
		memory = arena_new(64 << 10);
	rental.provider_public_url = arena_printf(memory, "%s/sandbox", settings.base_url);
	return true;
}

/* A real provider is sent whole units (cgi-bin/payment/toss.c): with cents, 100 times the price would be charged. */
static bool
can_charge(const char **why)
{
	if (rental.sandbox || money_decimals_of(settings.currency) == 0)
		return true;
	*why = "sandbox = no, but the currency has decimals: real cards are charged in whole units only (KRW, JPY)";
	return false;
}

static bool
fits_together(const char **why)
{
	return can_charge(why) && follow_base_url(why);
}

const struct settings_group rental_settings = {
	.setting = table, .n = sizeof(table) / sizeof(table[0]), .values = &rental, .check = fits_together,
};

bool
rental_settings_open(const char *root_dir, const char *var_dir, const char **why)
{
	return settings_open(root_dir, var_dir, &rental_settings, why);
}
