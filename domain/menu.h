/*
 * menu - what the product adds to the frame of every page: the menu with its marked entry and numbers, what the
 * signed-in person may see. Templates reach these names directly (templates/layout.mustache).
 */
#ifndef MP_MENU_H
#define MP_MENU_H

#include "roles.h"

struct menu {
	bool is_customer, is_employee, is_manager, is_courier, is_examiner, is_admin;
	bool nav_search, nav_my, nav_bookings, nav_fleet, nav_cards, nav_money, nav_view, nav_ops, nav_users,
		nav_account, nav_stuck,
	     nav_deliveries, nav_equipment, nav_reviews, nav_messages; /* the entry of this page: set by its handler */
	bool sees_deliveries, sees_equipment, sees_reviews;
	int64_t n_unread;               /* messages in the inbox */
	int64_t n_stuck;                /* for a manager: what needs attention */
	bool is_sandbox;
};
_Static_assert(sizeof(struct menu) <= CHROME_PRODUCT_MAX, "the menu does not fit into the chrome");

static inline struct menu *
menu_of(struct web *w)
{
	return (struct menu *)(void *)w->chrome.product;
}

extern const struct site rental_site;   /* for struct program: settings, menu, the card page's origin */

#endif
