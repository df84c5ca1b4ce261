/* demo_people.c - the demo's customers with their licences and cards, and those who can sign in. */
#include "demo.h"

#include "cgi-bin/account/account.h"
#include "cgi-bin/payment/payment.h"
#include "domain/roles.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/secret.h"
#include "lib/web/web.h"

static int64_t
add_person(struct world *w, const struct demo_person *p, int number, int roles, const char *password_hash)
{
	struct new_account a = {
		.email = p->email,
		.name = p->name,
		.phone = arena_printf(w->m, "010-5550-%04d", 100 + number),
		.password_hash = password_hash,
		.lang = LANG_KO,
		.roles = roles,
	};
	int64_t user_id = 0;

	if (account_add(w->db, &a, &user_id) != ACCOUNT_OK || db_failed(w->db))
		world_stop(w, "%s was not added", p->email);
	return user_id;
}

static int64_t
add_log_in(struct world *w, const struct demo_person *p, int number, int roles)
{
	const char *password = w->password[number] = cli_password(w->c->m);

	return add_person(
		w, p, roles == ROLE_CUSTOMER ? number : DEMO_CUSTOMERS + number, roles, password_hash(w->m, password));
}

static void
add_licence(struct world *w, int customer)
{
	int year, month, day, weekday;

	day_split(clock_now(), &year, &month, &day, &weekday);
	licence_save(w->db, w->customer_id[customer],
		&(struct licence){
			.number = arena_printf(w->m, "%02d-%02d-%06d-%02d", 11 + customer % 16, 5 + customer % 15,
				104729 * (customer + 3) % 1000000, customer),
			.expires_on = arena_printf(w->m, "%04d-%02d-15", year + 2 + customer % 7, 1 + customer % 12),
			.born_on = arena_printf(w->m, "%04d-%02d-%02d", year - 23 - customer % 35,
				1 + (customer * 5) % 12, 1 + (customer * 11) % 28),
		});
}

static void
add_staff(struct world *w)
{
	for (int i = 0; i < DEMO_STAFF && !w->why; i++)
		w->staff_id[i] = add_log_in(w, &demo_staff[i].person, DEMO_LOGINS + i, demo_staff[i].roles);
	w->manager_id = w->staff_id[POST_MANAGER];
}

/*
 * Eight people can sign in, each with their own password. The other 38 share the hash of a random password that is not
 * stored: hashing takes 60 ms, and none of them needs to sign in.
 */
void
world_people(struct world *w, int64_t at)
{
	const char *unused = password_hash(w->m, secret_token(w->m));

	clock_set(at);
	add_staff(w);
	for (int i = 0; i < DEMO_CUSTOMERS && !w->why; i++) {
		w->customer_id[i] = i < DEMO_LOGINS ? add_log_in(w, &demo_customers[i], i, ROLE_CUSTOMER)
						    : add_person(w, &demo_customers[i], i, ROLE_CUSTOMER, unused);
		if (i % 9 != 8)
			add_licence(w, i);
	}
}

static int64_t
add_card(struct world *w, int customer, const char *token)
{
	struct card card = { .card_id = 0 };

	if (card_save(w->db, w->customer_id[customer], token, token, &card) != CARD_SAVED || db_failed(w->db))
		world_stop(w, "a card of %s was not saved", demo_customers[customer].email);
	return card.card_id;
}

/* One that is declined and one that pays: the last one saved is offered first. */
void
world_cards(struct world *w)
{
	for (int i = 0; i < DEMO_CUSTOMERS && !w->why; i++) {
		w->bad_card[i] = add_card(w, i, "tok_declined");
		w->good_card[i] = add_card(w, i, "tok_ok");
	}
}
