/* pages_details - a booking with all its facts, for its own page, its receipt, and the questions before it is
 * cancelled, taken back or recorded as not picked up. */
#include "booking.h"
#include "custody.h"
#include "orders.h"
#include "pages.h"

#include "domain/cars.h"
#include "domain/choices.h"
#include "domain/decline_words.h"
#include "domain/menu.h"
#include "domain/rental.h"
#include "domain/undo.h"
#include "lib/base/clock.h"
#include "lib/web/form.h"

#include <stdlib.h>
#include <string.h>

struct booking_details {
	struct booking booking;
	const char *customer_name, *customer_email, *reason, *branch_address, *branch_address_ko, *branch_phone, *brand,
		*last4;
	bool may_cancel, may_pay, is_unsettled, is_mine, is_several;
	bool may_hand_out, may_take_back, may_no_show, no_show_later;
	int64_t now, no_show_from;
	struct custody *no_show_with;           /* who still has its car; NULL: it is there */
	bool is_with_booking, may_undo, is_undo_refused;
	const char *undo_refusal, *act; /* act: what can be undone, as in its address */
	int64_t no_show_refund, no_show_fee, undo_minutes;
	struct custody *in_use; /* may_hand_out, and one of its cars is in use; NULL: none is */
	bool is_in_use_by_booking, is_taken_over;
	/* CONFIRMED: a car that is not in service; where its cars were moved; they are at several branches */
	struct car_gone *gone;
	struct new_branch *moved_to;
	bool is_apart, is_gone_for_good;
	int64_t taken_over_at;
	struct cancel_preview preview;
	int64_t refund, fee;
	bool is_full, is_grace, is_late;
	int64_t full_before_h, late_percent, net_amount, bank_amount;
	int64_t gone_amount, back_amount;       /* refunds: of extras that ended; and all that is done */
	const char *zone_name;                  /* of its delivery; NULL: none */
	bool is_wished;                         /* to be cancelled; delivery has not answered */
	bool has_extras, has_ended, is_brought; /* it has extras; one of them has ended; the car is delivered */
	bool is_on_its_way;                     /* the courier has left: too late to cancel */
	/* actions: what managers did; asking: it is not known whether the card was charged */
	bool is_stuck, has_actions, is_asking;
	struct stuck_action *events;
	int n_events;
	/* may_pay: with which card; decline: why the last one was declined, NULL: none was */
	struct saved_card *cards;
	int n_cards;
	bool is_new_card, is_last_try;
	struct field card_choice;
	const char *decline;
	int64_t left_minutes;                   /* until the hold is over, rounded up */
	struct firm_form firm;                  /* a manager's: cancelling by the firm */
	bool is_manager, is_by_firm, has_refunds, may_refund_part;
	struct shown_refund *refunds;
	int n_refunds;
	const char *firm_reason;                /* why the firm cancelled it, in words; NULL */
};

/* A refund of a part, in words. */
struct shown_refund { int64_t amount, asked_at; const char *reason, *note, *by; int refund_state; };
static const struct member shown_refund_members[] = {
	SHAPE_AMOUNT(shown_refund, amount), SHAPE_TIME(shown_refund, asked_at), SHAPE_TEXT(shown_refund, reason),
	SHAPE_TEXT(shown_refund, note), SHAPE_TEXT(shown_refund, by),
	SHAPE_STATE(shown_refund, refund_state, refund_state_words),
};
static const struct shape shown_refund_shape = SHAPE(shown_refund, shown_refund_members);

static const struct member booking_details_members[] = {
	SHAPE_STRUCT(booking_details, booking, booking_shape), SHAPE_TEXT(booking_details, customer_name),
	SHAPE_TEXT(booking_details, customer_email), SHAPE_TEXT(booking_details, reason),
	SHAPE_TEXT_KO(booking_details, branch_address), SHAPE_TEXT(booking_details, branch_phone),
	SHAPE_TEXT(booking_details, brand), SHAPE_TEXT(booking_details, last4), SHAPE_BOOL(booking_details, may_cancel),
	SHAPE_BOOL(booking_details, may_pay), SHAPE_BOOL(booking_details, is_unsettled),
	SHAPE_BOOL(booking_details, is_mine), SHAPE_BOOL(booking_details, is_several),
	SHAPE_BOOL(booking_details, is_on_its_way), SHAPE_BOOL(booking_details, may_hand_out),
	SHAPE_MAYBE(booking_details, in_use, custody_shape), SHAPE_BOOL(booking_details, is_in_use_by_booking),
	SHAPE_BOOL(booking_details, is_taken_over), SHAPE_TIME(booking_details, taken_over_at),
	SHAPE_MAYBE(booking_details, gone, car_gone_shape), SHAPE_MAYBE(booking_details, moved_to, new_branch_shape),
	SHAPE_BOOL(booking_details, is_apart), SHAPE_BOOL(booking_details, is_gone_for_good),
	SHAPE_BOOL(booking_details, may_take_back), SHAPE_BOOL(booking_details, may_no_show),
	SHAPE_BOOL(booking_details, no_show_later), SHAPE_TIME(booking_details, no_show_from),
	SHAPE_MAYBE(booking_details, no_show_with, custody_shape), SHAPE_BOOL(booking_details, is_with_booking),
	SHAPE_BOOL(booking_details, may_undo), SHAPE_BOOL(booking_details, is_undo_refused),
	SHAPE_TEXT(booking_details, undo_refusal), SHAPE_TEXT(booking_details, act),
	SHAPE_AMOUNT(booking_details, no_show_refund), SHAPE_AMOUNT(booking_details, no_show_fee),
	SHAPE_INT(booking_details, undo_minutes),
	SHAPE_TIME(booking_details, now), SHAPE_AMOUNT(booking_details, refund), SHAPE_AMOUNT(booking_details, fee),
	SHAPE_BOOL(booking_details, is_full), SHAPE_BOOL(booking_details, is_grace),
	SHAPE_BOOL(booking_details, is_late), SHAPE_INT(booking_details, full_before_h),
	SHAPE_INT(booking_details, late_percent), SHAPE_AMOUNT(booking_details, net_amount),
	SHAPE_AMOUNT(booking_details, bank_amount), SHAPE_AMOUNT(booking_details, gone_amount),
	SHAPE_AMOUNT(booking_details, back_amount), SHAPE_TEXT(booking_details, zone_name),
	SHAPE_BOOL(booking_details, is_wished), SHAPE_BOOL(booking_details, has_extras),
	SHAPE_BOOL(booking_details, has_ended), SHAPE_BOOL(booking_details, is_brought),
	SHAPE_BOOL(booking_details, is_stuck), SHAPE_BOOL(booking_details, has_actions),
	SHAPE_BOOL(booking_details, is_asking), SHAPE_LIST(booking_details, events, stuck_action_shape),
	SHAPE_LIST(booking_details, cards, saved_card_shape), SHAPE_BOOL(booking_details, is_new_card),
	SHAPE_STRUCT(booking_details, card_choice, field_shape), SHAPE_TEXT(booking_details, decline),
	SHAPE_BOOL(booking_details, is_last_try), SHAPE_INT(booking_details, left_minutes),
	SHAPE_STRUCT(booking_details, firm, firm_form_shape), SHAPE_BOOL(booking_details, is_manager),
	SHAPE_BOOL(booking_details, is_by_firm), SHAPE_BOOL(booking_details, has_refunds),
	SHAPE_BOOL(booking_details, may_refund_part), SHAPE_LIST(booking_details, refunds, shown_refund_shape),
	SHAPE_TEXT(booking_details, firm_reason),
};
static const struct shape booking_details_shape = SHAPE(booking_details, booking_details_members);
PAGE(booking_shown, "booking/booking", booking_details_shape)
PAGE(cancel_shown, "booking/cancel", booking_details_shape)
PAGE(receipt_shown, "booking/receipt", booking_details_shape)
PAGE(no_show_shown, "booking/no_show", booking_details_shape)
PAGE(take_back_shown, "booking/take_back", booking_details_shape)

static struct page *const page_of[] = {
	[BOOKING_PAGE] = &booking_shown,
	[CANCEL_PAGE] = &cancel_shown,
	[RECEIPT_PAGE] = &receipt_shown,
	[NO_SHOW_PAGE] = &no_show_shown,
	[TAKE_BACK_PAGE] = &take_back_shown,
};

/* --- what it shows ------------------------------------------------------------------------------------------------ */

static void
fill_no_show(struct web *w, struct booking_details *p)
{
	struct custody *other = arena_new_of(w->m, struct custody);
	enum no_show may = booking_may_no_show(w->db, &p->booking, &p->no_show_from, other);

	p->may_no_show = may == NO_SHOW_MAY;
	p->no_show_later = may == NO_SHOW_TOO_EARLY;
	p->no_show_with = may == NO_SHOW_CAR_AWAY ? other : NULL;
	p->is_with_booking = other->kind == CUSTODY_CUSTOMER;
}

/* What can be undone, or why it no longer can; and for the question before, what it will mean. */
static void
fill_undo(struct web *w, struct booking_details *p)
{
	const struct booking *b = &p->booking;
	struct cancel_preview preview;
	struct custody since;
	enum undo_outcome may = booking_may_undo(w->db, b, &since);

	p->may_undo = may == UNDO_DONE;
	p->is_undo_refused = b->undo_until && !p->may_undo;
	if (p->is_undo_refused)
		p->undo_refusal = undo_refusal_in_words(w->m, may, b, &since);
	p->act = b->state == BOOKING_NO_SHOW ? "no-show" : "take-back";
	no_show_preview(b, &preview);
	p->no_show_refund = preview.refund;
	p->no_show_fee = preview.fee;
	p->undo_minutes = undo_minutes();
}

static void
fill_cancel(struct web *w, struct booking_details *p)
{
	p->is_on_its_way = p->booking.state == BOOKING_CONFIRMED && booking_is_with_courier(w->db, &p->booking);
	p->may_cancel = cancel_preview(&p->booking, w->now, &p->preview) && !p->is_wished && !p->is_on_its_way;
	p->refund = p->preview.refund;
	p->gone_amount = p->preview.gone;
	p->fee = p->preview.fee;
	p->full_before_h = p->booking.cancel_full_before_s / HOUR;
	p->late_percent = p->booking.cancel_late_percent;
	if (p->may_cancel) {
		p->is_full = strcmp(p->preview.rule, "full") == 0;
		p->is_grace = strcmp(p->preview.rule, "grace") == 0;
		p->is_late = strcmp(p->preview.rule, "late") == 0;
	}
}

static void
fill_around(struct web *w, struct booking_details *p)
{
	struct booking_contact a = { 0 };

	booking_contact(w->db, &p->booking, &a);
	p->branch_address = a.branch_address;
	p->branch_address_ko = a.branch_address_ko;
	p->branch_phone = a.branch_phone;
	p->brand = a.brand;
	p->last4 = a.last4;
	p->bank_amount = a.bank_amount;
}

/* For managers: whether it needs attention, and what they did. */
static void
fill_manager(struct web *w, struct booking_details *p)
{
	struct booking *b = &p->booking;

	customer_of(w->db, b->customer_id, &p->customer_name, &p->customer_email);
	p->is_stuck = booking_stuck_kind(b) >= 0 && booking_stuck_kind(b) != STUCK_CUSTODY && !b->no_car_since
		&& booking_stuck_since(b) <= w->now - rental.stuck_after_s;
	p->n_events = stuck_actions(w->db, b->code, &p->events);
	p->has_actions = p->n_events > 0;
}

/* Where its cars are, and whether they are in service. */
static void
fill_gone(struct web *w, struct booking_details *p)
{
	struct new_branch at;
	struct car_gone gone;
	enum cars_place place;

	if (p->booking.state != BOOKING_CONFIRMED || p->is_wished)
		return;
	if (booking_car_gone(w->db, &p->booking, &gone)) {
		p->gone = arena_new_of(w->m, struct car_gone);
		*p->gone = gone;
		p->is_gone_for_good = gone.service == SERVICE_RETIRED;
	}
	place = booking_cars_place(w->db, &p->booking, &at);
	p->is_apart = place == CARS_APART;
	if (place == CARS_AT_OTHER) {
		p->moved_to = arena_new_of(w->m, struct new_branch);
		*p->moved_to = at;
	}
}

/* Whether it may be handed over now, and who has one of its cars. */
static void
fill_counter(struct web *w, struct booking_details *p)
{
	struct booking *b = &p->booking;
	struct custody c;

	p->may_hand_out = booking_may_hand_out(w->db, b);
	p->may_take_back = b->state == BOOKING_OUT;
	p->taken_over_at = b->taken_over_at;
	p->is_taken_over = b->taken_over_at != 0;
	fill_gone(w, p);
	if (p->may_hand_out && custody_in_use(w->db, b, true, &c)) {
		p->in_use = arena_new_of(w->m, struct custody);
		*p->in_use = c;
		p->is_in_use_by_booking = c.kind == CUSTODY_CUSTOMER;
	}
}

/* A code, and not what a person typed. */
static bool
is_reason_code(const char *reason)
{
	return reason[strspn(reason, "abcdefghijklmnopqrstuvwxyz_")] == '\0';
}

/* The extras in the reader's language, and their refunds. */
static void
fill_extras(struct booking_details *p)
{
	struct booking *b = &p->booking;
	const struct choice *zone = b->delivery ? choice_find(rental.delivery_zones, b->delivery->zone) : NULL;

	booking_lines_in_words(b->lines, b->n_lines, b->starts_at, b->ends_at);
	p->has_extras = b->n_extras > 0;
	p->back_amount = b->refunded_amount;
	for (int i = 0; i < b->n_extras; i++) {
		struct booking_extra *x = &b->extras[i];

		if (is_reason_code(x->end_reason))
			x->end_reason = "";
		p->back_amount += x->refunded_amount;
		p->has_ended |= x->state == EXTRA_ENDED;
		p->is_brought |= x->kind == EXTRA_DELIVERY && (x->state == EXTRA_BOOKED || x->ended_with_booking);
		p->is_unsettled |= x->refund_state == REFUND_PENDING;
	}
	p->zone_name = zone ? choice_name(zone) : b->delivery ? b->delivery->zone : NULL;
}

/* What pays for a hold: the new card that was chosen; after a decline a saved one, if there is another. */
static void
fill_payment(struct web *w, struct booking_details *p)
{
	const struct booking *b = &p->booking;
	const char *typed = form_raw(w, "card_id");
	bool has_chosen = false;

	p->decline = b->try_no > 1 ? decline_in_words(b->declined_reason) : NULL;
	p->is_last_try = p->decline && b->tries_left == 1;
	p->left_minutes = (b->hold_until - w->now + 59) / 60;
	p->n_cards = cards_of(w->db, w->user.id, &p->cards);
	for (int i = 0; i < p->n_cards; i++) {
		struct saved_card *c = &p->cards[i];

		c->is_chosen =
			*typed ? c->card_id == atoll(typed) : p->decline && !has_chosen && c->card_id != b->card_id;
		has_chosen |= c->is_chosen;
	}
	p->is_new_card = !has_chosen;
	p->card_choice = form_field(w, "card_id", "");
}

/* Its parts that were given back, in words; with the manager's name for managers. */
static void
fill_refunds(struct web *w, struct booking_details *p)
{
	struct booking *b = &p->booking;

	p->refunds = arena_array(w->m, struct shown_refund, b->n_refunds + 1);
	p->n_refunds = b->n_refunds;
	p->has_refunds = b->n_refunds > 0;
	for (int i = 0; i < b->n_refunds; i++) {
		const struct part_refund *r = &b->refunds[i];

		p->refunds[i] = (struct shown_refund){
			.amount = r->amount,
			.asked_at = r->asked_at,
			.reason = chosen_reason_in_words(&refund_reason_words, r->reason),
			.note = r->note,
			.by = p->is_manager ? r->asked_by_name : "",
			.refund_state = r->refund_state,
		};
		p->back_amount += r->refund_state == REFUND_DONE ? r->amount : 0;
		p->is_unsettled |= r->refund_state == REFUND_PENDING;
	}
	p->back_amount += b->outside_amount;
	if (p->back_amount > b->amount)
		p->back_amount = b->amount; /* ours are limited to what was left */
}

/* Cancelled by the firm: why, in words, and what comes beyond the refund. */
static void
fill_firm(struct web *w, struct booking_details *p, const char *message)
{
	struct booking *b = &p->booking;

	p->is_by_firm = b->cancel_by == CANCEL_BY_FIRM && !b->cancel_asked_at;
	if (p->is_by_firm)
		p->firm_reason = chosen_reason_in_words(&firm_reason_words, b->cancel_reason);
	if (!p->is_manager)
		return;
	p->may_refund_part = part_refund_left(b) > 0 && !p->is_mine;
	firm_form_fill(w, b, &p->firm, message);
	p->firm.is_possible = p->firm.is_possible && !p->is_on_its_way && !(p->is_wished && p->is_by_firm);
}

static void
fill_page(struct web *w, struct booking_details *p, const char *message)
{
	struct booking *b = &p->booking;
	bool is_manager = web_is(w, ROLE_MANAGER);

	p->now = w->now;
	p->is_manager = is_manager;
	p->reason = b->undo_until ? NULL : end_reason_in_words(b->end_reason);
	p->net_amount = b->kept_amount - b->kept_vat_amount;
	p->is_mine = b->customer_id == w->user.id;
	p->is_several = b->n_cars > 1;
	p->may_pay = p->is_mine && b->state == BOOKING_HELD && !b->asked_at && b->hold_until > w->now;
	/* while a card is being chosen, the page stays as it is */
	p->is_unsettled = (b->state == BOOKING_HELD && !p->may_pay) || b->state == BOOKING_PAID
		|| b->refund_state == REFUND_PENDING;
	p->is_wished = b->cancel_asked_at && (b->state == BOOKING_PAID || b->state == BOOKING_CONFIRMED);
	p->is_unsettled |= p->is_wished;
	fill_extras(p);
	/* when all tries were declined nothing was charged for all that is known */
	p->is_asking = b->state == BOOKING_EXPIRED && b->refund_state == REFUND_PENDING && b->asked_at
		&& strcmp(b->end_reason, "declined") != 0;
	if (p->may_pay)
		fill_payment(w, p);
	if (is_manager && w->now >= b->starts_at)
		fill_no_show(w, p);
	fill_refunds(w, p);
	fill_cancel(w, p);
	fill_firm(w, p, message);
	fill_around(w, p);
	/* code=: back from the provider's page without a payment */
	if (p->may_pay && form_has(w, "code"))
		w->chrome.notice =
			_("The payment was not completed. We are still holding the car for you: you can pay now or use"
			  " another card.");
	if (is_manager) {
		fill_counter(w, p);
		fill_undo(w, p);
		fill_manager(w, p);
	}
	menu_of(w)->nav_bookings = is_manager && !p->is_mine;
	menu_of(w)->nav_my = !menu_of(w)->nav_bookings;
}

enum status
show_booking(struct web *w, enum status status, enum booking_page page, const struct booking *b, const char *message)
{
	struct booking_details p = { .booking = *b };

	booking_sum_up(&p.booking, w->m);
	fill_page(w, &p, message);
	return web_page(w, status, page_of[page], &p);
}
