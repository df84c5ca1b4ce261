/* orders - what the pages show beside the booking itself: the customer's cards and name, and a manager's lists. */
#ifndef MP_BOOKING_ORDERS_H
#define MP_BOOKING_ORDERS_H

#include "booking.h"
#include "calendar.h"

struct saved_card {
	int64_t card_id;
	const char *brand, *last4;
	bool is_chosen;
};
extern const struct shape saved_card_shape;
int cards_of(struct db *db, int64_t user_id, struct saved_card **cards);
/* The branch, and the card that paid; NULL: unknown. */
struct booking_contact {
	const char *branch_address, *branch_address_ko, *branch_phone, *brand, *last4;
	int64_t bank_amount;            /* refunded by bank transfer */
};
void booking_contact(struct db *db, const struct booking *b, struct booking_contact *around);
void customer_of(struct db *db, int64_t user_id, const char **name, const char **email);

/* A manager's list. */
enum bookings_view {
	BOOKINGS_ALL,
	BOOKINGS_PICK_UPS,              /* today */
	BOOKINGS_RETURNS,               /* today, or late */
	BOOKINGS_OUT,
	BOOKINGS_REFUNDS,
};
extern const struct words bookings_view_words;

struct booking_query {
	enum bookings_view view;
	int state;                      /* enum booking_state; -1: all */
	const char *text;               /* part of a code, plate or e-mail; "": all */
	int64_t today, tomorrow, now;
	enum { BOOKINGS_ORDER_START, BOOKINGS_ORDER_START_DOWN, BOOKINGS_ORDER_NEWEST } order;
};
struct booking_row {
	const char *code, *car_name, *car_name_ko, *plate, *customer_name, *currency;
	int state, refund_state;
	int64_t customer_id, car_id, starts_at, ends_at, amount, refund_due;
	int64_t n_cars, n_more_cars;    /* n_more_cars: n_cars - 1 */
	bool is_late;
};
extern const struct shape booking_row_shape;
int64_t bookings_count(struct db *db, const struct booking_query *q);
int bookings_list(struct db *db, const struct booking_query *q, int64_t offset, int limit, struct booking_row **rows);

/* --- stuck_list.c: what needs attention in booking and payment, in one list, oldest first --- */
struct stuck_query {
	int kind;                       /* enum stuck_kind; -1: all */
	int64_t now, offset, limit;
};
struct stuck_row {
	const char *subject_id, *customer_name, *currency, *last_error;
	const char *try_url, *resolve_url;      /* booking's or payment's; resolve_url NULL: it can only be retried */
	const char *cancel_url;                 /* where the firm can cancel it; NULL: that does not help */
	int kind;
	int64_t customer_id, charge_id, since, tries, next_at, amount;          /* charge_id 0: booking's */
};
extern const struct shape stuck_row_shape;
int64_t stuck_rows_count(struct db *db, const struct stuck_query *q);
int stuck_rows(struct db *db, const struct stuck_query *q, struct stuck_row **rows);
bool is_stuck(struct db *db, const char *subject_id, int64_t now);

/* A late car, and the next customer, who cannot have it in time: a person must call them. */
struct late_clash {
	const char *code, *plate, *car_name, *car_name_ko, *customer_name, *customer_phone, *next_code, *next_name,
		*next_phone;
	int64_t ends_at, next_starts_at;
};
extern const struct shape late_clash_shape;
int late_clashes(struct db *db, int64_t now, struct late_clash **clashes);

#endif
