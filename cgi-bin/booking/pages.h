/* pages - booking's handlers, as main.c routes to them. */
#ifndef MP_BOOKING_PAGES_H
#define MP_BOOKING_PAGES_H

#include "lib/web/web.h"

handler page_home, page_search, page_rental_car;                               /* pages_search.c */
handler page_offers, page_offer;                                        /* pages_model.c */
handler page_new_booking, do_book, do_pay_booking, do_paid;                           /* pages.c */
handler page_booking, page_receipt, page_cancel, do_cancel_booking;             /* pages_booking.c */
handler page_stuck, do_retry, page_resolve, do_resolve;                 /* pages_stuck.c */
handler page_bookings, do_hand_over_car, do_take_back_car, do_no_show;           /* pages_list.c */

#endif
