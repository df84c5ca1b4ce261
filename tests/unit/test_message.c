/* test_message - messages: each kind in both languages, once; the inbox. */
#include "test.h"

#include "message_world.h"

/* --- texts -------------------------------------------------------------------------------------------------------- */

static struct facts
all_facts(void)
{
	static struct booking_line lines[] = {
		{ .rule = PRICE_RULE_DAILY,
			.label = "",
			.n_things = 1,
			.n_units = 2,
			.unit_amount = 90000,
			.amount = 180000 },
		{ .rule = PRICE_RULE_EQUIPMENT,
			.label = "Child <seat>",
			.n_things = 1,
			.n_units = 3,
			.unit_amount = 9000,
			.amount = 27000 },
	};

	return (struct facts){
		.name = "Kim <b>",
		.subject_id = "MP-AAAAAAAA",
		.code = "MP-AAAAAAAA",
		.order_code = "EQ-1",
		.item_name = "Child seat",
		.title = "Two seats",
		.label = "Child seat",
		.reason = "too \"late\"",
		.courier_name = "Park",
		.received_by = "Lee",
		.car_name = "Ioniq 5",
		.plate = "12가 3456",
		.branch_name = "Gangnam",
		.branch_address = "396 Road",
		.branch_phone = "02",
		.address = "1 Street",
		.place = "gate",
		.state = "EXPIRED",
		.by = "",
		.direction = "",
		.link = "/my/bookings/MP-AAAAAAAA",
		.starts_at = NOW + DAY,
		.ends_at = NOW + 2 * DAY,
		.window_from = NOW,
		.window_to = NOW + HOUR,
		.n_more = 1,
		.amount = 207000,
		.refund_due = 7000,
		.refunded_amount = 6000,
		.quantity = 2,
		.lost = 1,
		.stock = 3,
		.low_stock = 4,
		.odometer_km = 12345,
		.fuel_percent = 80,
		.lines = lines,
		.n_lines = 2,
		.is_brought = true,
		.is_charged = true,
	};
}

TEST(every_kind_has_words_in_both_languages)
{
	struct facts full = all_facts(),
		     bare = { .name = "",
			     .code = "",
			     .order_code = "",
			     .item_name = "",
			     .title = "",
			     .label = "",
			     .reason = "",
			     .courier_name = "",
			     .received_by = "",
			     .car_name = "",
			     .plate = "",
			     .branch_name = "",
			     .branch_address = "",
			     .branch_phone = "",
			     .address = "",
			     .place = "",
			     .state = "" };

	for (int kind = 0; kind < message_kind_words.n; kind++) {
		struct message_text en = message_render(scratch_memory, kind, LANG_EN, &full),
				    ko = message_render(scratch_memory, kind, LANG_KO, &full);

		assert_true(strlen(en.title) > 5 && strlen(en.body) > 20 && strlen(ko.body) > 20);
		if (strcmp(en.title, ko.title) == 0 || strcmp(en.body, ko.body) == 0)
			fail_msg("%s is the same in both languages", message_kinds[kind].kind);
		assert_null(strchr(en.title, '\n'));
		assert_null(strstr(en.body, "\n\n\n"));
		assert_null(strstr(en.body, "&lt;")); /* plain text */
		assert_true(message_kinds[kind].topic == TOPIC_WORK || message_kinds[kind].topic == TOPIC_NONE
			|| strstr(en.body, "Kim <b>"));
		assert_non_null(message_render(scratch_memory, kind, LANG_KO, &bare).title);
	}
}

static void
book_with_terms(const char *code, int64_t customer, int64_t terms_version)
{
	db_begin(writer);
	db_do(writer,
		"INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state,"
		" starts_at, ends_at, amount, vat_amount, currency, charge_id, held_at, hold_until, terms_version)"
		" VALUES ($1, $2, 3, 'Ioniq 5', '12가 3456', 'ev', 1, 'Gangnam', 'CONFIRMED', $3, $4, 207000, 18818,"
		" 'KRW', 1, $5, $5, $6)",
		code, customer, NOW + 5 * DAY, NOW + 7 * DAY, NOW, terms_version);
	assert_true(db_commit(writer));
	report("booking.confirmed", code, arena_printf(scratch_memory, "{\"code\":\"%s\"}", code));
}

TEST(a_confirmation_names_the_accepted_terms_with_their_address)
{
	const char *ko, *en;

	book_with_terms("MP-TERMS111", KIM, 1);
	book_with_terms("MP-BEFORE11", LEE, 0);
	react();
	ko = db_text(writer, "SELECT body FROM message WHERE recipient_id = 7");
	en = db_text(writer, "SELECT body FROM message WHERE recipient_id = 8");
	assert_non_null(strstr(
		ko, arena_printf(scratch_memory, "동의하신 이용약관(버전 1): %s/terms?version=1", settings.base_url)));
	assert_non_null(strstr(en, "Free cancellation"));
	assert_null(strstr(en, "Terms"));
}

TEST(a_confirmation_has_car_time_branch_and_price_in_the_customers_language)
{
	const char *body;

	book("MP-CONFIRMD", KIM, "CONFIRMED", NOW + 5 * DAY, NOW + 7 * DAY);
	book("MP-ENGLISH1", LEE, "CONFIRMED", NOW + 5 * DAY, NOW + 7 * DAY);
	report("booking.confirmed", "MP-CONFIRMD", "{\"code\":\"MP-CONFIRMD\",\"customer_id\":7}");
	report("booking.confirmed", "MP-ENGLISH1", "{\"code\":\"MP-ENGLISH1\",\"customer_id\":8}");
	react();
	body = db_text(writer, "SELECT body FROM message WHERE recipient_id = 7");
	for (const char *const *s = (const char *const[]){ "김민지 님", "MP-CONFIRMD", "아이오닉 5, 12가 3456",
		     "2026-11-26(목) 10:00", "강남점", "일 요금 (2일 × 90,000원): 180,000원",
		     "장비 · 유아용 시트 (1개 × 2일 × 13,500원): 27,000원", "207,000원", NULL };
		*s; s++)
		if (!strstr(body, *s))
			fail_msg("%s is not in: %s", *s, body);
	body = db_text(writer, "SELECT body FROM message WHERE recipient_id = 8");
	assert_non_null(strstr(body, "Hello Lee & <Sons>,"));
	assert_non_null(strstr(body, "Equipment · Child seat (1 item × 2 days × ₩13,500): ₩27,000"));
	assert_non_null(strstr(body, "Ioniq 5, 12가 3456"));
	assert_string_equal(
		db_text(writer, "SELECT link FROM message WHERE recipient_id = 8"), "/my/bookings/MP-ENGLISH1");
}

static int64_t
n_messages(const char *kind)
{
	return db_int(writer, "SELECT COUNT(*) FROM message WHERE kind = $1 /*scan*/", kind);
}

#define NO_SHOW_JSON "{\"code\":\"MP-NOSHOW01\",\"customer_id\":8,\"undo_until\":\"2026-11-21T10:10:00+09:00\"}"
#define SHOW_JSON "{\"code\":\"MP-NOSHOW01\",\"customer_id\":8,\"refund_due\":186300}"

TEST(a_no_show_is_told_until_when_it_can_be_corrected_and_then_what_is_refunded)
{
	book("MP-NOSHOW01", LEE, "CONFIRMED", NOW - HOUR, NOW + DAY);
	report("booking.no_show", "MP-NOSHOW01", NO_SHOW_JSON);
	react();
	assert_non_null(strstr(db_text(writer, "SELECT body FROM message WHERE kind = 'booking_no_show' /*scan*/"),
		"Please call us before Sat 21 Nov 2026, 10:10"));
	report("booking.no_show_undone", "MP-NOSHOW01", SHOW_JSON);
	react();
	assert_int_equal(n_messages("booking_no_show_undone"), 1);
	report("booking.no_show_final", "MP-NOSHOW01", SHOW_JSON);
	react();
	assert_non_null(
		strstr(db_text(writer, "SELECT body FROM message WHERE kind = 'booking_no_show_final' /*scan*/"),
			"We refund ₩186,300 to the card you paid with"));
}

/* The customer knows nothing of it. */
TEST(a_no_show_that_is_handled_too_late_to_be_corrected_is_told_only_when_it_is_final)
{
	book("MP-NOSHOW01", LEE, "CONFIRMED", NOW - HOUR, NOW + DAY);
	report("booking.no_show", "MP-NOSHOW01", NO_SHOW_JSON);
	report("booking.no_show_undone", "MP-NOSHOW01", SHOW_JSON);
	clock_set(NOW + 601);
	react();
	assert_int_equal(n_messages("booking_no_show") + n_messages("booking_no_show_undone"), 0);
	report("booking.no_show_final", "MP-NOSHOW01", SHOW_JSON);
	react();
	assert_int_equal(n_messages("booking_no_show_final"), 1);
}

TEST(what_was_typed_is_read_from_note)
{
	const struct event e = { .type = "equipment.rejected",
		.subject_id = "EQ-1",
		.payload = "{\"reason\":\"rejected\",\"note\":\"Too many.\"}" };
	struct facts t;

	assert_true(facts_read(db, &e, LANG_EN, &t));
	assert_string_equal(t.reason, "Too many.");
}

/* --- once ------------------------------------------------------------------------------------------- */

TEST(an_event_handled_twice_notifies_once)
{
	book("MP-TWICE111", KIM, "CONFIRMED", NOW + 5 * DAY, NOW + 7 * DAY);
	report("booking.confirmed", "MP-TWICE111", "{\"code\":\"MP-TWICE111\"}");
	react();
	db_do(writer, "UPDATE position SET event_id = 0 WHERE consumer = 'message'");
	react();
	assert_int_equal(count("booking_confirmed", KIM), 1);
}

TEST(the_payee_of_a_payout_is_notified_not_the_customer_of_the_booking)
{
	book("MP-PAYOUT11", KIM, "CANCELLED", NOW + 5 * DAY, NOW + 7 * DAY);
	report("payout.assigned", "MP-PAYOUT11", "{\"payee_id\":8,\"amount\":5000}");
	report("payout.completed", "MP-PAYOUT11", "{\"payee_id\":8,\"amount\":5000,\"note\":\"KB 77\"}");
	react();
	assert_int_equal(count("payout_completed", LEE), 1);
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message"), 1);
	assert_string_equal(title_of("payout_completed", 1), "We have transferred ₩5,000 to you");
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message WHERE body LIKE '%KB 77%'"), 1);
}

TEST(the_refund_of_a_charge_for_an_expired_booking_is_explained)
{
	book("MP-LATE1111", LEE, "CONFIRMED", NOW + 5 * DAY, NOW + 7 * DAY);
	db_script(writer, "DROP TRIGGER booking_walks; UPDATE booking SET state = 'EXPIRED', charge_id = NULL");
	report("payment.cancelled", "MP-LATE1111", "{\"charge_id\":1,\"refunded_amount\":207000}");
	react();
	assert_int_equal(count("payment_cancelled", LEE), 1);
	assert_non_null(strstr(db_text(writer, "SELECT body FROM message WHERE kind = 'payment_cancelled'"),
		"a booking that was not completed"));
}

TEST(the_refund_of_an_earlier_try_to_pay_is_explained)
{
	book("MP-TRIES111", LEE, "CONFIRMED", NOW + 5 * DAY, NOW + 7 * DAY); /* paid by charge 1 */
	report("payment.cancelled", "MP-TRIES111", "{\"charge_id\":1,\"refunded_amount\":5000}");
	react();
	assert_int_equal(count("payment_cancelled", LEE), 0);
	report("payment.cancelled", "MP-TRIES111", "{\"charge_id\":2,\"refunded_amount\":207000}");
	react();
	assert_int_equal(count("payment_cancelled", LEE), 1);
	assert_non_null(strstr(db_text(writer, "SELECT body FROM message WHERE kind = 'payment_cancelled'"),
		"Your booking is paid by the later payment"));
}

TEST(what_another_message_has_already_is_not_sent)
{
	book("MP-QUIET111", KIM, "CONFIRMED", NOW + 5 * DAY, NOW + 7 * DAY);
	report("payment.cancelled", "MP-QUIET111", "{\"refunded_amount\":207000}");
	report("delivery.cancelled", "MP-QUIET111", "{\"code\":\"MP-QUIET111\",\"by\":\"customer\"}");
	report("equipment.cancelled", "MP-QUIET111",
		"{\"booking_code\":\"MP-QUIET111\",\"by\":\"booking\",\"customer_id\":7}");
	report("equipment.approved", "MP-QUIET111", "{\"booking_code\":\"MP-QUIET111\",\"customer_id\":7}");
	report("equipment.returned", "MP-QUIET111", "{\"booking_code\":\"MP-QUIET111\",\"customer_id\":7,\"lost\":0}");
	react();
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message"), 0);
	report("delivery.cancelled", "MP-QUIET111",
		"{\"code\":\"MP-QUIET111\",\"by\":\"dispatcher\",\"note\":\"no road\",\"reason\":\"\"}");
	report("equipment.returned", "MP-QUIET111", "{\"booking_code\":\"MP-QUIET111\",\"customer_id\":7,\"lost\":1}");
	report("review.assigned", "MP-QUIET111", "{\"case_id\":1,\"applicant_id\":7,\"title\":\"Seats\"}");
	report("equipment.approved", "MP-QUIET111",
		"{\"booking_code\":\"MP-QUIET111\",\"customer_id\":7,\"item_name\":\"Seat\"}");
	react();
	assert_int_equal(
		count("delivery_cancelled", KIM) + count("equipment_returned", KIM) + count("equipment_approved", KIM),
		3);
}

TEST(names_are_read_from_their_tables_or_from_an_older_event)
{
	book("MP-NAMES111", LEE, "CONFIRMED", NOW + 5 * DAY, NOW + 7 * DAY);
	db_do(writer,
		"INSERT INTO delivery (delivery_id, booking_code, direction, state, customer_id, window_from,"
		" window_to, courier_id,"
		" requested_at, received_by) VALUES (3, 'MP-NAMES111', 'delivery', 'DELIVERED', 8, 0, 0, 9, 1,"
		" 'Choi')");
	report("delivery.shipped", "MP-NAMES111", "{\"code\":\"MP-NAMES111\",\"delivery_id\":3,\"courier_id\":9}");
	report("delivery.delivered", "MP-NAMES111", "{\"code\":\"MP-NAMES111\",\"delivery_id\":3,\"courier_id\":9}");
	report("delivery.shipped", "MP-NAMES111",
		"{\"code\":\"MP-NAMES111\",\"courier_id\":9,\"courier_name\":\"Park\"}");
	react();
	assert_string_equal(title_of("delivery_shipped", 1), "Boss is on the way to you");
	assert_string_equal(title_of("delivery_shipped", 2), "Park is on the way to you");
	assert_true(db_exists(writer,
		"SELECT 1 FROM message WHERE kind = 'delivery_delivered'"
		" AND body LIKE '%handed the car over to Choi.%'"));
}

TEST(tasks_are_sent_to_the_staff_in_the_inbox_only)
{
	report("review.assigned", "MP-WORK1111", "{\"case_id\":4,\"applicant_id\":7,\"title\":\"Two seats\"}");
	report("review.assigned", "EQ-BOSS", "{\"case_id\":5,\"applicant_id\":9,\"title\":\"The boss's own\"}");
	report("stock.low", "item:3", "{\"item_id\":3,\"name\":\"Chains\",\"stock\":1,\"low_stock\":2}");
	react();
	assert_int_equal(count("review_assigned", BOSS), 1);
	assert_int_equal(count("stock_low", BOSS), 1);
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message WHERE recipient_id = 7"), 0);
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message WHERE email <> '' OR state <> 'SENT'"), 0);
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM event WHERE type = 'message.sent'"), 2);
}

TEST(preferences_are_kept_but_bookings_are_always_in_the_inbox)
{
	preference_set(db, KIM, &(struct preference){ .topic = TOPIC_BOOKING });
	preference_set(db, KIM, &(struct preference){ .topic = TOPIC_DELIVERY });
	book("MP-WISHES11", KIM, "CONFIRMED", NOW + 5 * DAY, NOW + 7 * DAY);
	report("booking.confirmed", "MP-WISHES11", "{\"code\":\"MP-WISHES11\"}");
	report("delivery.shipped", "MP-WISHES11", "{\"code\":\"MP-WISHES11\",\"courier_id\":9}");
	react();
	assert_int_equal(count("delivery_shipped", KIM), 0);
	assert_int_equal(db_int(writer,
				 "SELECT COUNT(*) FROM message WHERE kind = 'booking_confirmed' AND in_inbox = 1"
				 " AND email = ''"),
		1);
}

TEST(an_event_of_last_week_is_not_mailed)
{
	clock_set(NOW - 7 * DAY);
	book("MP-OLDNEWS1", KIM, "CONFIRMED", NOW, NOW + DAY);
	report("booking.confirmed", "MP-OLDNEWS1", "{\"code\":\"MP-OLDNEWS1\"}");
	clock_set(NOW);
	react();
	assert_int_equal(
		db_int(writer, "SELECT created_at FROM message WHERE state = 'SENT' AND email = ''"), NOW - 7 * DAY);
}

/* --- the inbox ---------------------------------------------------------------------------------------------------- */

TEST(a_user_reads_and_marks_only_their_own_messages)
{
	struct message msg;
	int64_t id;

	book("MP-MINE1111", KIM, "CONFIRMED", NOW + 5 * DAY, NOW + 7 * DAY);
	report("booking.confirmed", "MP-MINE1111", "{\"code\":\"MP-MINE1111\"}");
	react();
	id = db_int(writer, "SELECT message_id FROM message");
	assert_false(message_find(db, LEE, id, &msg));
	assert_false(message_read(db, LEE, id));
	message_read_all(db, LEE);
	assert_int_equal(message_count(db, KIM).n_unread, 1);
	assert_true(message_read(db, KIM, id) && message_read(db, KIM, id));
	assert_int_equal(message_count(db, KIM).n_unread, 0);
	assert_int_equal(db_int(writer, "SELECT read_at FROM message"), NOW);
}

TEST_MAIN("message", NULL, NULL, begin, end)
