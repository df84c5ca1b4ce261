/*
 * rental - the settings of the rental business, in motorpool.conf beside those of lib/base/settings.h. Each is
 * explained in that file; amounts are in the smallest unit of the currency, times in seconds.
 */
#ifndef MP_RENTAL_H
#define MP_RENTAL_H

#include "lib/base/settings.h"

/* Rentals, delivery windows and equipment orders start and end on half hours, so that calendars and price lists stay
 * short. In seconds; no setting, since bookings that exist already lie on this grid (docs/domain.md 7). */
#define RENTAL_STEP_S 1800
#define UNDO_WINDOW_MAX_S 86400     /* the most that undo_window_s can be */

struct rental {
	int64_t vat_percent;                    /* 10, included in every price */
	int64_t max_bookings_per_person;        /* 10 open bookings */
	int64_t max_holds_per_person;           /* 3 of them held and not paid */
	int64_t max_tries_per_hold;             /* 5: cards, or the same one again; then the hold is released */
	int64_t hold_s;                         /* 600 */
	int64_t turnaround_s;                   /* 3600: buffer after each rental before the car's next one */
	int64_t max_rental_days, max_ahead_days; /* 60, 365 */
	/* of new bookings (domain/cancel_terms.h) */
	int64_t refund_full_before_s, refund_grace_s, refund_late_percent;
	/* 3600: from this long after the start a manager can record that a booking was not picked up; 7200: from this
	 * long after it the sweep does */
	int64_t no_show_grace_s, no_show_after_s;
	/* 600: so long staff can undo an act that ends a customer's right; what it leads to waits. 0: no undo */
	int64_t undo_window_s;
	/* a booking that the firm cannot keep: what its customer gets beyond the refund, in percent of the price (10)
	 * and at least (0); yes: also when the car is refused right after booking */
	int64_t firm_compensation_percent, firm_compensation_min;
	bool firm_compensation_refused;
	/* 86400: from this long after its start the firm cancels a booking whose car others still have */
	int64_t late_car_cancel_s;
	int64_t stuck_after_s;                  /* 120: what is pending for longer is shown to managers */
	const char *delivery_zones;             /* code:fee:English:한국어; … (domain/choices.h) */
	int64_t delivery_window_s;              /* 7200: how long a customer waits for a courier */
	const char *equipment_categories;       /* code:sync|async:English:한국어; … */
	int64_t review_auto_quantity;           /* an order of so many pieces … */
	int64_t review_auto_amount;             /* … worth so much is approved by itself */
	/* how long before a booking's start and end its customer is reminded */
	int64_t remind_pickup_s, remind_return_s;
	const char *provider_url;               /* Toss Payments' API base; the sandbox by default */
	const char *provider_public_url;        /* where a customer's browser finds the hosted card page */
	bool sandbox;                           /* no real money: say so on every page */
};

extern struct rental rental;
extern const struct settings_group rental_settings;

/* settings_open() with the rental settings. */
bool rental_settings_open(const char *root_dir, const char *var_dir, const char **why);

#endif
