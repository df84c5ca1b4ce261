/* pages - booking's handlers, as main.c routes to them, and what they share. */
#ifndef MP_BOOKING_PAGES_H
#define MP_BOOKING_PAGES_H

#include "calendar.h"
#include "custody.h"

#include "lib/web/form.h"
#include "lib/web/web.h"

handler page_home, page_search, page_rental_car;                                /* pages_search.c */
handler page_offers, page_offer;                                                /* pages_model.c */
handler page_new_booking, do_book;                                              /* pages.c */
handler do_pay_booking, do_paid;                                                /* pages_pay.c */
handler page_booking, page_receipt;                                             /* pages_booking.c */
handler page_cancel, do_cancel_booking;                                         /* pages_cancel.c */
handler page_no_show, page_take_back;                                           /* pages_undo.c */
handler do_take_back_car, do_no_show, do_undo_return, do_undo_no_show;          /* pages_undo.c */
handler page_move, do_move;                                                     /* pages_move.c */
handler page_refund_part, do_refund_part;                                        /* pages_firm.c */
handler page_stuck, do_retry, page_resolve, do_resolve;                         /* pages_stuck.c */
handler do_custody;                                                             /* pages_call.c */
handler page_terms, page_privacy, page_company, page_terms_edit, do_terms_publish;      /* pages_terms.c */
handler page_bookings, do_hand_over_car;                                        /* pages_list.c */

/* pages_booking.c, for the other pages: the booking of the path, if it is their own or they are a manager. */
bool find_path_booking(struct web *w, struct booking *b);
/* After an action: the booking as JSON, or on to this page of ours. */
const char *booking_url(struct web *w, const struct booking *b);
enum status booking_done(struct web *w, enum status json_status, struct booking *b, const char *page);
/* pages_details.c: the pages that show a booking with all its facts. message: what is wrong with the form on it; NULL:
 * nothing. */
enum booking_page { BOOKING_PAGE, CANCEL_PAGE, RECEIPT_PAGE, NO_SHOW_PAGE, TAKE_BACK_PAGE };
enum status show_booking(struct web *w, enum status status, enum booking_page page, const struct booking *b,
	const char *message);
enum status answer_booking(struct web *w, enum booking_page page, struct booking *b);   /* 200: that page, or JSON */
/* 409 */
enum status refuse_step(struct web *w);                         /* not possible in the booking's state */
/* Why a no-show or return cannot be undone any more, in words. */
const char *undo_refusal_in_words(struct arena *m, enum undo_outcome outcome, const struct booking *b,
	const struct custody *since);

/* --- pages_pay.c, for pages.c --- */
enum status go_to_payment_page(struct web *w, const struct booking *b);
enum status show_declined(struct web *w, struct booking *b);    /* 402: the card was declined, and *b is still held */

/* --- pages_firm.c, for pages_details.c and pages_cancel.c: what managers give back --- */
/* Cancelling by the firm: what the customer gets, and the form. */
struct firm_form {
	bool is_possible, is_own;               /* is_own: the manager's own booking; another manager must do it */
	int64_t refund, compensation, gone;
	struct field reason, note;
	struct form_problems problems;
};
extern const struct shape firm_form_shape;
void firm_form_fill(struct web *w, const struct booking *b, struct firm_form *f, const char *message);
/* The fields of the form; bad ones are marked. */
struct firm_cancel firm_form_read(struct web *w);
/* A manager's own booking: 403. */
enum status refuse_own_booking(struct web *w);

/* --- pages_model.c, for pages.c: an order of any car of a model --- */
/* What is ordered: car_id, or model_id with qty (1 by default) and branch_id. false: a field is bad and marked. */
bool read_which(struct web *w, struct booking_order *o);
/* What the order form shows instead of a car: the model, at the branch where the cars would be. false: it is not on
 * sale. */
bool offer_facts(struct web *w, const struct booking_order *o, struct car_facts *car);
int64_t offer_n_free(struct web *w, const struct booking_order *o);     /* how many cars such an order could get now */
enum status show_offer(struct web *w, int64_t model_id, enum status status, const char *message);

#endif
