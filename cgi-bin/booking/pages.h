/* pages - booking's handlers, as main.c routes to them. */
#ifndef MP_BOOKING_PAGES_H
#define MP_BOOKING_PAGES_H

#include "lib/web/web.h"

handler page_home, page_search, page_car;                               /* pages_search.c */
handler page_offers, page_offer;                                        /* pages_model.c */
handler page_order, do_book, do_pay, do_paid;                           /* pages.c */
handler page_booking, page_receipt, page_cancel, do_cancel;             /* pages_booking.c */
handler page_stuck, do_retry, page_resolve, do_resolve;                 /* pages_stuck.c */
handler page_bookings, do_hand_out, do_take_back, do_no_show;           /* pages_list.c */

#endif
