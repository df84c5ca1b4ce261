/* menu.c - the frame of every page; menu.h says what it holds. */
#include "menu.h"

#include "rental.h"
#include "lib/web/app.h"

static const struct member menu_members[] = {
	SHAPE_BOOL(menu, is_customer), SHAPE_BOOL(menu, is_employee), SHAPE_BOOL(menu, is_manager),
	SHAPE_BOOL(menu, is_courier), SHAPE_BOOL(menu, is_examiner), SHAPE_BOOL(menu, is_admin),
	SHAPE_BOOL(menu, nav_search), SHAPE_BOOL(menu, nav_my), SHAPE_BOOL(menu, nav_bookings),
	SHAPE_BOOL(menu, nav_fleet), SHAPE_BOOL(menu, nav_cards), SHAPE_BOOL(menu, nav_money),
	SHAPE_BOOL(menu, nav_view), SHAPE_BOOL(menu, nav_ops), SHAPE_BOOL(menu, nav_users),
	SHAPE_BOOL(menu, nav_account), SHAPE_BOOL(menu, nav_stuck), SHAPE_BOOL(menu, nav_deliveries),
	SHAPE_BOOL(menu, nav_equipment), SHAPE_BOOL(menu, nav_reviews), SHAPE_BOOL(menu, nav_messages),
	SHAPE_BOOL(menu, sees_deliveries), SHAPE_BOOL(menu, sees_equipment), SHAPE_BOOL(menu, sees_reviews),
	SHAPE_INT(menu, n_unread), SHAPE_INT(menu, n_stuck), SHAPE_BOOL(menu, is_sandbox),
};
static const struct shape menu_shape = SHAPE(menu, menu_members);

static void
fill_menu(struct web *w)
{
	struct menu *m = menu_of(w);

	m->is_customer = web_is(w, ROLE_CUSTOMER);
	m->is_employee = web_is(w, ROLE_EMPLOYEE);
	m->is_manager = web_is(w, ROLE_MANAGER);
	m->is_courier = web_is(w, ROLE_COURIER);
	m->is_examiner = web_is(w, ROLE_EXAMINER);
	m->is_admin = web_is(w, ROLE_ADMIN);
	m->sees_deliveries = web_is(w, ROLE_MANAGER | ROLE_COURIER);
	m->sees_equipment = web_is(w, ROLE_MANAGER | ROLE_EMPLOYEE);
	m->sees_reviews = web_is(w, ROLE_MANAGER | ROLE_EXAMINER);
	m->is_sandbox = rental.sandbox;
}

/* Paying leads from our forms to the provider's card page. */
static const char *
card_page(void)
{
	return rental.provider_public_url;
}

const struct site rental_site = {
	.settings = &rental_settings, .shape = &menu_shape, .fill = fill_menu, .form_target = card_page,
};
