/* test_message_remind - reminders, and links to confirm a sign-up or to set a password. */
#include "test.h"

#include "message_world.h"

/* --- reminders ---------------------------------------------------------------------------------------------------- */

TEST(each_reminder_is_sent_once)
{
	book("MP-TOMORROW", KIM, "CONFIRMED", NOW + 23 * HOUR, NOW + 3 * DAY);
	book("MP-FARAWAY1", LEE, "CONFIRMED", NOW + 30 * HOUR, NOW + 3 * DAY);
	book("MP-BACKSOON", KIM, "OUT", NOW - DAY, NOW + 50 * 60);
	book("MP-LATE1111", LEE, "OUT", NOW - DAY, NOW - HOUR);
	book("MP-GONE1111", LEE, "CANCELLED", NOW + 23 * HOUR, NOW + 3 * DAY);
	for (const char *const *c = (const char *const[]){ "MP-TOMORROW", "MP-FARAWAY1", "MP-GONE1111", NULL }; *c; c++)
		report("booking.confirmed", *c, arena_printf(scratch_memory, "{\"code\":\"%s\"}", *c));
	for (const char *const *c = (const char *const[]){ "MP-BACKSOON", "MP-LATE1111", NULL }; *c; c++)
		report("booking.handed_out", *c, arena_printf(scratch_memory, "{\"code\":\"%s\"}", *c));
	sweep();
	sweep();
	assert_int_equal(count("remind_pickup", KIM), 1);
	assert_int_equal(count("remind_pickup", LEE), 0);
	assert_int_equal(count("remind_return", KIM), 1);
	assert_int_equal(count("remind_overdue", LEE), 1);
	clock_set(NOW + 7 * HOUR);
	sweep();
	assert_int_equal(count("remind_pickup", LEE), 1);
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message WHERE kind LIKE 'remind_%'"),
		5); /* BACKSOON is overdue by now */
}

static void
bring(const char *code, const char *delivery_state, const char *collection_state)
{
	int64_t id = db_int(writer, "SELECT booking_id FROM booking WHERE code = $1", code);

	db_begin(writer);
	db_do(writer,
		"INSERT INTO booking_line (booking_id, line_no, rule, version, unit, quantity, unit_amount, amount)"
		" VALUES"
		" ($1, 2, 'delivery', 1, 'trip', 1, 9000, 9000), ($1, 3, 'collection', 1, 'trip', 1, 9000, 9000)",
		id);
	db_do(writer,
		"INSERT INTO booking_extra (booking_id, line_no, kind, quantity, amount, state)"
		" VALUES ($1, 2, 'delivery', 1, 9000, $2),"
		" ($1, 3, 'collection', 1, 9000, $3)",
		id, delivery_state, collection_state);
	db_do(writer,
		"INSERT INTO booking_delivery (booking_id, zone, address, place, window_from, window_to, collects)"
		" SELECT booking_id, 'city', '1 Street', 'gate', starts_at, starts_at + 7200, 1 FROM booking"
		" WHERE booking_id = $1",
		id);
	assert_true(db_commit(writer));
}

static void
plan(const char *code, const char *direction, int64_t window_from)
{
	db_do(writer,
		"INSERT INTO delivery (booking_code, direction, state, customer_id, window_from, window_to, courier_id,"
		" requested_at)"
		" VALUES ($1, $2, 'SCHEDULED', 8, $3, $4, 5, 1)",
		code, direction, window_from, window_from + HOUR);
	assert_false(db_failed(writer));
}

static const char *
reminder(const char *code)
{
	const char *s = db_text(writer,
		"SELECT title || ' / ' || body FROM message WHERE subject_id = $1 AND kind LIKE 'remind_%'", code);

	return s ? s : "";
}

TEST(a_reminder_has_the_hours_of_the_delivery_and_not_those_once_booked)
{
	book("MP-MOVED111", LEE, "CONFIRMED", NOW + 23 * HOUR, NOW + 3 * DAY); /* moved by three hours */
	bring("MP-MOVED111", "BOOKED", "BOOKED");
	plan("MP-MOVED111", "delivery", NOW + 26 * HOUR);
	book("MP-NOBODY11", LEE, "CONFIRMED", NOW + 22 * HOUR, NOW + 3 * DAY); /* the delivery was cancelled */
	bring("MP-NOBODY11", "ENDED", "BOOKED");
	report("booking.confirmed", "MP-MOVED111", "{\"code\":\"MP-MOVED111\"}");
	report("booking.confirmed", "MP-NOBODY11", "{\"code\":\"MP-NOBODY11\"}");
	sweep();
	assert_non_null(strstr(reminder("MP-MOVED111"), "Your car arrives: Sun 22 Nov 2026, 12:00"));
	assert_non_null(strstr(reminder("MP-NOBODY11"), "Your pick-up: Sun 22 Nov 2026, 08:00"));
	assert_non_null(strstr(reminder("MP-NOBODY11"), "Pick-up branch: Gangnam"));
}

TEST(with_a_collection_there_is_no_return_request_and_no_overdue)
{
	book("MP-FETCHED1", LEE, "OUT", NOW - DAY, NOW + 50 * 60);
	bring("MP-FETCHED1", "BOOKED", "BOOKED");
	plan("MP-FETCHED1", "collection", NOW + HOUR);
	book("MP-BYSELF11", LEE, "OUT", NOW - DAY, NOW + 40 * 60);
	bring("MP-BYSELF11", "BOOKED", "ENDED");
	report("booking.handed_out", "MP-FETCHED1", "{\"code\":\"MP-FETCHED1\"}");
	report("booking.handed_out", "MP-BYSELF11", "{\"code\":\"MP-BYSELF11\"}");
	sweep();
	assert_non_null(strstr(reminder("MP-FETCHED1"), "We will collect Ioniq 5 soon"));
	assert_non_null(strstr(reminder("MP-FETCHED1"), "Time: Sat 21 Nov 2026, 11:00"));
	assert_null(strstr(reminder("MP-FETCHED1"), "Please return"));
	assert_non_null(strstr(reminder("MP-BYSELF11"), "Please return Ioniq 5 by 10:40"));
	clock_set(NOW + 3 * HOUR);
	sweep();
	assert_int_equal(count("remind_overdue", LEE), 1);
	assert_string_equal(
		db_text(writer, "SELECT subject_id FROM message WHERE kind = 'remind_overdue'"), "MP-BYSELF11");
}

TEST(a_booking_for_today_has_no_reminder)
{
	book("MP-ATONCE11", KIM, "CONFIRMED", NOW + 20 * HOUR, NOW + 3 * DAY);
	db_do(writer, "UPDATE booking SET held_at = $1", (int64_t)NOW - 2 * HOUR);
	report("booking.confirmed", "MP-ATONCE11", "{\"code\":\"MP-ATONCE11\"}");
	sweep();
	assert_int_equal(count("remind_pickup", KIM), 0);
}

TEST(a_refund_that_takes_long_is_sent_once)
{
	book("MP-PENDING1", LEE, "CANCEL_REQUESTED", NOW + 5 * DAY, NOW + 7 * DAY);
	db_do(writer, "UPDATE booking SET refund_state = 'PENDING', refund_due = 207000, ended_at = $1", (int64_t)NOW);
	report("booking.cancel_requested", "MP-PENDING1", "{\"code\":\"MP-PENDING1\",\"refund_due\":207000}");
	react();
	sweep();
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message"), 0);
	clock_set(NOW + 61);
	sweep();
	sweep();
	assert_int_equal(count("booking_cancelling", LEE), 1);
}

/* --- links to confirm a sign-up or to set a password -------------------------------------------------------------- */

/* account's row and event; user_id 0 and email "": nobody's. */
static void
ask_for_link(const char *purpose, const char *seed, int64_t user_id, const char *email)
{
	int64_t id;

	db_begin(writer);
	id = db_int(writer,
		"INSERT INTO mail_link (purpose, seed, token_hash, user_id, email, lang, created_at, expires_at)"
		" VALUES ($1, $2, $2, NULLIF($3, 0), $4, 'en', $5, $6) RETURNING link_id",
		purpose, seed, user_id, email, clock_now(), clock_now() + MAIL_LINK_S);
	assert_true(db_commit(writer));
	report("account.link_requested", arena_printf(scratch_memory, "link:%lld", (long long)id),
		arena_printf(scratch_memory, "{\"link_id\":%lld,\"purpose\":\"%s\"}", (long long)id, purpose));
}

static struct mail
mail_in_folder(int64_t message_id)
{
	struct mail back = { .to = "" };
	const char *path = scratch_path(arena_printf(scratch_memory, "mail/%lld.eml", (long long)message_id));

	assert_true(mail_read(scratch_memory, scratch_read(path), &back));
	return back;
}

TEST(a_link_is_in_the_mail_alone_with_its_token)
{
	const char *token = mail_link_token(scratch_memory, "seed-of-lee");
	struct mail back;

	ask_for_link("reset", "seed-of-lee", LEE, "");
	react();
	sweep();
	back = mail_in_folder(1);
	assert_non_null(strstr(back.to, "lee@example.com"));
	assert_string_equal(back.subject, "Set a new password");
	assert_non_null(strstr(
		back.body, arena_printf(scratch_memory, "\nhttps://cars.example.com/account/reset?token=%s\n", token)));
	assert_non_null(strstr(back.body, "until 10:30"));
	assert_null(strstr(back.body, "preferences"));
	assert_int_equal(db_int(writer,
				 "SELECT COUNT(*) FROM message WHERE link = '/account/reset' AND in_inbox = 0"
				 " AND state = 'SENT'"),
		1);
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message WHERE body LIKE $1 OR link LIKE $1",
				 arena_printf(scratch_memory, "%%%s%%", token)),
		0);
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM event WHERE payload LIKE $1",
				 arena_printf(scratch_memory, "%%%s%%", token)),
		0);
}

TEST(a_sign_up_is_mailed_to_its_address_which_is_not_kept_after_that)
{
	struct mail back;

	ask_for_link("sign_up", "seed-of-new", 0, "new@example.org");
	react();
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message WHERE email = 'new@example.org'"), 1);
	sweep();
	back = mail_in_folder(1);
	assert_non_null(strstr(back.to, "new@example.org"));
	assert_string_equal(back.subject, "Confirm your email address");
	assert_non_null(strstr(back.body, "/account/confirm?token="));
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message WHERE email = '' AND state = 'SENT'"), 1);
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM event WHERE payload LIKE '%new@example.org%'"), 0);
}

TEST(a_sign_up_with_a_known_address_is_answered_in_the_language_of_the_account)
{
	ask_for_link("known", "seed-of-kim", KIM, "");
	react();
	sweep();
	assert_string_equal(mail_in_folder(1).subject, "이미 가입한 계정이 있습니다");
	assert_non_null(strstr(mail_in_folder(1).body, "/account/reset?token="));
}

TEST(a_link_that_is_nobodys_or_of_a_disabled_account_is_not_mailed)
{
	ask_for_link("reset", "seed-of-nobody", 0, "");
	ask_for_link("reset", "seed-of-lee", LEE, "");
	db_do(writer, "UPDATE person SET disabled = 1 WHERE user_id = 8");
	react();
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message"), 0);
}

TEST(a_link_that_has_ended_before_its_mail_is_sent_is_a_dead_letter_and_cannot_be_sent_again)
{
	ask_for_link("reset", "seed-1", LEE, "");
	ask_for_link("sign_up", "seed-2", 0, "new@example.org");
	react();
	clock_set(NOW + MAIL_LINK_S);
	sweep();
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message WHERE state = 'DEAD'"), 2);
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message WHERE email = 'new@example.org'"), 0);
	assert_int_equal(message_resend(db, 1, BOSS), RESEND_NO_MAIL);
	assert_int_equal(message_resend(db, 2, BOSS), RESEND_NO_MAIL);
	ask_for_link("reset", "seed-3", LEE, "");
	clock_set(NOW + 2 * MAIL_LINK_S);
	react();
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message"), 2);
}

TEST(a_link_that_was_used_before_its_mail_is_sent_is_mailed_all_the_same)
{
	ask_for_link("reset", "seed-1", LEE, "");
	db_do(writer, "UPDATE mail_link SET used_at = $1", clock_now());
	react();
	sweep();
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message WHERE state = 'SENT'"), 1);
	assert_non_null(strstr(mail_in_folder(1).body, "/account/reset?token="));
}

TEST(mails_with_a_link_cannot_be_turned_off)
{
	for (int topic = 0; topic < N_TOPICS; topic++)
		preference_set(db, LEE, &(struct preference){ .topic = topic });
	ask_for_link("reset", "seed-of-lee", LEE, "");
	react();
	sweep();
	assert_non_null(strstr(mail_in_folder(1).to, "lee@example.com"));
}

TEST_MAIN("message_remind", NULL, NULL, begin, end)
