/* Messages: each kind in both languages, once; mails that are well formed; the mail server's answers; reminders. */
#include "test.h"

#include "scratch.h"

#include "cgi-bin/message/mailer.c"
#include "cgi-bin/message/remind.c"

#include "cgi-bin/message/message.h"
#include "domain/mail_links.h"
#include "domain/rental.h"
#include "lib/base/lang.h"
#include "lib/base/secret.h"
#include "lib/mail/mail.h"

#define NOW 1795222800  /* 2026-11-21 10:00 KST */
#define KIM 7
#define LEE 8
#define BOSS 9

static const struct db_role writer_role = { .name = "test", .owns = "*" };
static struct db *db;           /* message's */
static struct db *writer;       /* the other contexts' */

TEST_SETUP(begin)
{
	if (scratch_begin(state) != 0)
		return -1;
	settings.var_dir = scratch;
	settings.base_url = "https://cars.example.com";
	settings.mail_url = "";
	settings.mail_from = "motorpool <noreply@cars.example.com>";
	settings.mail_tries = 3;
	settings.mail_pause_s = 30;
	rental.remind_pickup_s = DAY;
	rental.remind_return_s = HOUR;
	mailer.has_begun = false;
	mailer.again_ms = mailer.n_unreachable = 0;
	memset(read_upto, 0, sizeof(read_upto));
	clock_open("Asia/Seoul");
	clock_set(NOW);
	if (!secret_open(scratch))
		return -1;
	scratch_create(
		"INSERT INTO person (user_id, email, name, lang, password_hash, created_at, updated_at) VALUES"
		" (7, 'kim@example.kr', '김민지', 'ko', 'x', 1, 1), (8, 'lee@example.com', 'Lee & <Sons>', 'en', 'x', 1,"
		" 1),"
		" (9, 'boss@example.com', 'Boss', 'en', 'x', 1, 1);"
		"INSERT INTO user_role VALUES (7, 'customer'), (8, 'customer'), (9, 'manager');"
		"INSERT INTO branch (branch_id, name, name_ko, address, phone)"
		" VALUES (1, 'Gangnam', '강남점', '396 Gangnam-daero', '02-555-0102');",
		"");
	writer = scratch_open(&writer_role);
	db = scratch_open(&message_role);
	return message_texts_open() ? 0 : -1;
}

TEST_SETUP(end)
{
	db_close(writer);
	db_close(db);
	clock_set(0);
	return scratch_end(state);
}

/* --- the other contexts ------------------------------------------------------------------------------------------- */

static int64_t
report(const char *type, const char *subject, const char *payload)
{
	int64_t id;

	db_begin(writer);
	id = 1 + db_int(writer, "SELECT COALESCE(MAX(event_id), 0) FROM event");
	db_do(writer,
		"INSERT INTO event (event_id, type, subject_id, occurred_at, recorded_at, payload, prev_hash, hash)"
		" VALUES ($1, $2, $3, $4, $4, $5, $6, $6)",
		id, type, subject, clock_now(), payload, arena_printf(scratch_memory, "%lld", (long long)id));
	assert_true(db_commit(writer));
	return id;
}

static void
book(const char *code, int64_t customer, const char *state, int64_t starts_at, int64_t ends_at)
{
	db_begin(writer);
	db_do(writer,
		"INSERT INTO booking (code, customer_id, car_id, car_name, car_name_ko, plate, body, branch_id,"
		" branch_name, state, starts_at, ends_at,"
		" amount, vat_amount, currency, charge_id, held_at, hold_until)"
		" VALUES ($1, $2, 3, 'Ioniq 5', '아이오닉 5', '12가 3456', 'ev', 1, 'Gangnam', $3, $4, $5, 207000,"
		" 18818, 'KRW', 1, $6, $6)",
		code, customer, state, starts_at, ends_at, starts_at - 3 * DAY);
	assert_true(db_commit(writer));
	report("booking.held", code,
		"{\"lines\":[{\"rule\":\"daily\",\"unit\":\"day\",\"quantity\":2,\"unit_amount\":90000,"
		"\"amount\":180000},"
		"{\"rule\":\"equipment\",\"quantity\":2,\"unit_amount\":13500,\"amount\":27000,\"label\":\"Child"
		" seat\",\"label_ko\":\"유아용 시트\"}]}");
}

static void
react(void)
{
	while (consumer_step(db, &message_consumer, 10) > 0)
		;
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM event_retry"), 0);
}

static void
sweep(void)
{
	db_fresh(db);
	while (consumer_sweep(db, &message_consumer))
		;
	assert_false(db_failed(db));
	db_fresh(db);
}

static int64_t
count(const char *kind, int64_t who)
{
	return db_int(writer, "SELECT COUNT(*) FROM message WHERE kind = $1 AND recipient_id = $2", kind, who);
}

/* The nth message of a kind. */
static const char *
title_of(const char *kind, int nth)
{
	return db_text(writer, "SELECT title FROM message WHERE kind = $1 ORDER BY message_id LIMIT 1 OFFSET $2", kind,
		nth - 1);
}

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

/* --- what the firm could not keep, and what is kept --------------------------------------------------------------- */

static void
expect_in(const char *body, const char *const *parts)
{
	for (; *parts; parts++)
		if (!strstr(body, *parts))
			fail_msg("%s is not in: %s", *parts, body);
}

#define EXPECT_BODY(kind_, who_, ...) \
	expect_in(db_text(writer, "SELECT body FROM message WHERE kind = $1 AND recipient_id = $2", kind_, who_), \
		(const char *const[]){ __VA_ARGS__, NULL })

/* As booking does: the words are in the row, not in the event. */
static void
cancel_by_firm(const char *code, int64_t customer)
{
	db_do(writer,
		"UPDATE booking SET state = 'CANCEL_REQUESTED', cancel_by = 'firm', cancel_reason = 'car_broken',"
		" cancel_note = 'The gearbox <failed>.', refund_due = amount, refund_state = 'PENDING', ended_at = $2"
		" WHERE code = $1",
		code, clock_now());
	report("booking.cancel_requested", code,
		arena_printf(scratch_memory,
			"{\"code\":\"%s\",\"customer_id\":%lld,\"refund_due\":207000,\"cancel_by\":\"firm\","
			"\"cancel_reason\":\"car_broken\",\"compensation_due\":20700}",
			code, (long long)customer));
	react();
}

static void
report_cancelled_by_firm(const char *code)
{
	db_do(writer,
		"UPDATE booking SET state = 'CANCELLED', refunded_amount = amount, refund_state = 'DONE'"
		" WHERE code = $1",
		code);
	report("booking.cancelled", code,
		arena_printf(
			scratch_memory, "{\"code\":\"%s\",\"refunded_amount\":207000,\"cancel_by\":\"firm\"}", code));
	react();
}

TEST(a_cancellation_by_the_firm_is_told_at_once_with_why_the_refund_and_the_compensation)
{
	book("MP-FIRM0001", LEE, "CONFIRMED", NOW + 5 * HOUR, NOW + 7 * DAY);
	book("MP-FIRM0002", KIM, "CONFIRMED", NOW + 5 * HOUR, NOW + 7 * DAY);
	cancel_by_firm("MP-FIRM0001", LEE);
	cancel_by_firm("MP-FIRM0002", KIM);
	EXPECT_BODY("cancelled_by_firm", LEE, "we cannot keep your booking",
		"Reason: The car is damaged or out of order.", "The gearbox <failed>.", "You get everything back.",
		"₩207,000 goes to the card", "transfer ₩20,700 to your bank account", "call us: 02-555-0102");
	EXPECT_BODY("cancelled_by_firm", KIM, "사유: 차량 파손 또는 고장.", "The gearbox <failed>.", "전액 환불",
		"207,000원", "보상금 20,700원");
	report_cancelled_by_firm("MP-FIRM0001");
	assert_int_equal(count("booking_cancelled", LEE), 0); /* the first one has all of it */
}

TEST(after_a_refund_that_took_long_the_customer_of_the_firm_hears_that_it_is_done)
{
	book("MP-FIRM0001", LEE, "CONFIRMED", NOW + 5 * HOUR, NOW + 7 * DAY);
	cancel_by_firm("MP-FIRM0001", LEE);
	clock_set(NOW + 61);
	sweep();
	assert_int_equal(count("booking_cancelling", LEE), 1);
	report_cancelled_by_firm("MP-FIRM0001");
	assert_int_equal(count("booking_cancelled", LEE), 1);
}

TEST(a_rejection_names_the_compensation_if_there_is_one)
{
	book("MP-REJECT01", LEE, "REJECTED", NOW + 5 * DAY, NOW + 7 * DAY);
	report("booking.rejected", "MP-REJECT01",
		"{\"code\":\"MP-REJECT01\",\"refund_due\":207000,\"compensation_due\":20700}");
	book("MP-REJECT02", KIM, "REJECTED", NOW + 5 * DAY, NOW + 7 * DAY);
	report("booking.rejected", "MP-REJECT02", "{\"code\":\"MP-REJECT02\",\"refund_due\":207000}");
	react();
	EXPECT_BODY("booking_rejected", LEE, "transfer ₩20,700 to your bank account");
	assert_null(strstr(db_text(writer, "SELECT body FROM message WHERE recipient_id = 7"), "보상금"));
}

TEST(mails_about_refunds_name_what_is_kept_with_its_vat_as_the_receipt_does)
{
	book("MP-LATE0001", LEE, "CANCELLED", NOW + HOUR, NOW + 7 * DAY);
	db_do(writer, "UPDATE booking SET refunded_amount = 186300, refund_due = 186300, refund_state = 'DONE'");
	report("booking.cancelled", "MP-LATE0001", "{\"code\":\"MP-LATE0001\",\"refunded_amount\":186300}");
	book("MP-PART0001", KIM, "COMPLETED", NOW - 7 * DAY, NOW - 5 * DAY);
	db_do(writer,
		"INSERT INTO part_refund (booking_id, refund_no, amount, reason, note, asked_at, asked_by)"
		" SELECT booking_id, 1, 10000, 'car_fault', 'No heating.', 1, 9 FROM booking"
		" WHERE code = 'MP-PART0001'");
	db_do(writer, "UPDATE part_refund SET refund_state = 'DONE'");
	report("booking.part_refunded", "MP-PART0001",
		"{\"code\":\"MP-PART0001\",\"customer_id\":7,\"refund_no\":1,\"amount\":10000,"
		"\"reason\":\"car_fault\"}");
	report("booking.extra_refunded", "MP-PART0001",
		"{\"code\":\"MP-PART0001\",\"customer_id\":7,\"label\":\"Child seat\",\"refunded_amount\":0}");
	react();
	EXPECT_BODY("booking_cancelled", LEE, "Refunded: ₩186,300", "Total after refund: ₩20,700, of which VAT ₩1,882");
	EXPECT_BODY("part_refunded", KIM, "10,000원", "사유: 차량 결함.", "No heating.",
		"환불 후 금액: 197,000원 (부가세 17,909원 포함)");
	EXPECT_BODY("extra_refunded", KIM, "환불 후 금액: 197,000원 (부가세 17,909원 포함)");
}

TEST(what_was_refunded_outside_is_not_named_as_kept)
{
	book("MP-LATE0001", LEE, "CANCELLED", NOW + HOUR, NOW + 7 * DAY);
	db_do(writer, "UPDATE booking SET refunded_amount = 100000, refund_due = 100000, refund_state = 'DONE'");
	db_do(writer,
		"INSERT INTO charge (charge_id, key, subject_id, user_id, amount, vat_amount, currency, state,"
		" requested_at) VALUES (1, 'MP-LATE0001', 'MP-LATE0001', 8, 207000, 18818, 'KRW', 'APPROVED', 1)");
	db_do(writer,
		"INSERT INTO refund (key, charge_id, amount, state, requested_at, done_at, is_outside)"
		" VALUES ('outside-1', 1, 107000, 'DONE', 1, 1, 1)");
	report("booking.cancelled", "MP-LATE0001", "{\"code\":\"MP-LATE0001\",\"refunded_amount\":100000}");
	react();
	EXPECT_BODY("booking_cancelled", LEE, "Total after refund: ₩0, of which VAT ₩0");
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

/* --- mails -------------------------------------------------------------------------------------------------------- */

static struct mail
a_mail(void)
{
	return (struct mail){
		.from = "모터풀 <noreply@example.com>",
		.to = "kim@example.kr",
		.to_name = "김민지",
		.subject = "예약 MP-AAAAAAAA 확정: 아주 긴 제목이라도 한 줄에 다 들어가지 않습니다",
		.body = "안녕하세요.\n두 번째 줄",
		.message_id = "message-1@example.com",
		.lang = "ko",
		.at = NOW,
	};
}

TEST(a_mail_is_ascii_with_short_lines_and_reads_back_as_it_was)
{
	struct mail mail = a_mail(), back;
	const char *text = mail_write(scratch_memory, &mail);

	for (const char *line = text; line && *line; line = strstr(line, "\r\n") ? strstr(line, "\r\n") + 2 : NULL)
		assert_true(strcspn(line, "\r\n") <= 76);
	for (const char *s = text; *s; s++)
		assert_true((unsigned char)*s < 0x7F);
	assert_true(mail_read(scratch_memory, text, &back));
	assert_string_equal(back.subject, mail.subject);
	assert_string_equal(back.body, mail.body);
	assert_string_equal(back.to, "김민지 <kim@example.kr>");
	assert_int_equal(back.at, NOW);
}

TEST(no_text_can_add_a_header)
{
	struct mail mail = a_mail();
	const char *text, *bad[] = { "a@b\r\nBcc: c@d", "a b@c", "<a@b>", "a@b,c@d", "a", "@b", "a@", "김@b.kr", "" };

	mail.subject = "Hello\r\nBcc: everybody@example.com";
	mail.to_name = "Kim\r\nX-Evil: 1";
	text = mail_write(scratch_memory, &mail);
	assert_null(strstr(text, "\nBcc"));
	assert_null(strstr(text, "\nX-Evil"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		mail.to = bad[i];
		assert_null(mail_write(scratch_memory, &mail));
	}
}

TEST(without_a_mail_server_a_mail_is_in_the_folder_once)
{
	struct mail back;
	int64_t id;

	book("MP-FOLDER11", LEE, "CANCELLED", NOW + 5 * DAY, NOW + 7 * DAY);
	report("booking.cancelled", "MP-FOLDER11", "{\"code\":\"MP-FOLDER11\",\"refunded_amount\":207000}");
	react();
	sweep();
	sweep();
	id = db_int(writer, "SELECT message_id FROM message WHERE state = 'SENT' AND tries = 1");
	assert_true(id > 0);
	assert_true(mail_read(scratch_memory,
		scratch_read(scratch_path(arena_printf(scratch_memory, "mail/%lld.eml", (long long)id))), &back));
	assert_non_null(strstr(back.to, "<lee@example.com>"));
	assert_non_null(strstr(back.body, "Refunded: ₩207,000"));
	assert_non_null(strstr(back.body, "Times are shown in KST."));
	assert_non_null(strstr(back.body, "https://cars.example.com/my/bookings/MP-FOLDER11"));
	assert_string_equal(
		db_text(writer, "SELECT payload ->> 'channel' FROM event WHERE type = 'message.sent'"), "folder");
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM message_try WHERE outcome = 'SENT'"), 1);
}

/* --- the mail server's answers ------------------------------------------------------------------------------------ */

static struct due_mail
one_waiting(void)
{
	struct due_mail *list;

	book("MP-WAITING1", LEE, "CONFIRMED", NOW + 5 * DAY, NOW + 7 * DAY);
	report("booking.confirmed", "MP-WAITING1", "{\"code\":\"MP-WAITING1\"}");
	react();
	assert_int_equal(due_now(db, &list), 1);
	return list[0];
}

static void
answer(const struct due_mail *d, enum mailer_outcome outcome, const char *reply)
{
	int64_t try_no = begin_try(db, d);
	struct mailer_answer a = { .outcome = outcome, .reply = reply };

	assert_true(try_no > 0);
	end_try(db, d, try_no, &a);
	assert_false(db_failed(db));
}

TEST(a_4xx_answer_is_retried_with_growing_pauses_and_given_up_in_the_end)
{
	struct due_mail d = one_waiting(), *list;
	int64_t pause, before = 0;

	for (int i = 0; i < 3; i++) {
		d.tries = i;
		answer(&d, MAILER_LATER, "450 busy");
		pause = db_int(writer, "SELECT next_at FROM message") - clock_now();
		if (i < 2) {
			assert_string_equal(db_text(writer, "SELECT state FROM message"), "RETRYING");
			assert_true(pause > before && pause <= 30 << i && pause > (30 << i) * 3 / 4 - 1);
			assert_int_equal(due_now(db, &list), 0);
			clock_set(clock_now() + pause);
			assert_int_equal(due_now(db, &list), 1);
		}
		before = pause;
	}
	assert_string_equal(db_text(writer, "SELECT state FROM message"), "DEAD");
	assert_string_equal(
		db_text(writer, "SELECT payload ->> 'reply' FROM event WHERE type = 'message.dead'"), "450");
	for (int64_t tries = 0; tries < 200; tries++)
		assert_true(mail_pause_s(tries) >= 1 && mail_pause_s(tries) <= MAX_PAUSE_S);
}

TEST(a_5xx_answer_gives_up_at_once_and_a_manager_may_send_it_again)
{
	struct due_mail d = one_waiting(), *list;

	answer(&d, MAILER_REFUSED, "550 no such user");
	assert_string_equal(db_text(writer, "SELECT state FROM message"), "DEAD");
	db_do(writer, "UPDATE person SET email = 'lee@new.example.com' WHERE user_id = 8");
	assert_int_equal(message_resend(db, d.message_id, BOSS), RESEND_DONE);
	assert_int_equal(message_resend(db, d.message_id, BOSS), RESEND_UNDER_WAY);
	assert_int_equal(message_resend(db, 99, BOSS), RESEND_NO_MESSAGE);
	assert_int_equal(due_now(db, &list), 1);
	assert_string_equal(list[0].email, "lee@new.example.com");
	assert_string_not_equal(message_id_of(scratch_memory, &d), message_id_of(scratch_memory, &list[0]));
	answer(&list[0], MAILER_SENT, "250 ok");
	assert_string_equal(db_text(writer, "SELECT state FROM message"), "SENT");
	assert_int_equal(db_int(writer, "SELECT actor_id FROM event WHERE type = 'message.resent'"), BOSS);
	assert_int_equal(db_int(writer, "SELECT MAX(try_no) FROM message_try"), 2);
}

TEST(an_unreachable_server_does_not_count_as_a_try)
{
	struct due_mail d = one_waiting(), *list;

	for (int i = 0; i < 20; i++)
		answer(&d, MAILER_UNREACHABLE, "cannot connect");
	assert_int_equal(db_int(writer, "SELECT tries FROM message WHERE state = 'RETRYING'"), 0);
	assert_int_equal(due_now(db, &list), 1);
}

TEST(a_try_interrupted_by_a_crash_is_repeated_at_once)
{
	struct due_mail d = one_waiting(), *list;

	assert_true(begin_try(db, &d) > 0);
	assert_int_equal(due_now(db, &list), 0);
	retry_interrupted(db);
	assert_int_equal(due_now(db, &list), 1);
	assert_string_equal(message_id_of(scratch_memory, &d), message_id_of(scratch_memory, &list[0]));
	sweep();
	assert_string_equal(db_text(writer, "SELECT state FROM message"), "SENT");
	assert_string_equal(db_text(writer, "SELECT outcome FROM message_try WHERE try_no = 1"), "NO_ANSWER");
	assert_int_equal(begin_try(db, &list[0]), 0); /* the old row is stale */
}

TEST(a_mail_that_has_waited_for_days_is_given_up_until_a_manager_sends_it_again)
{
	struct due_mail d = one_waiting();

	clock_set(NOW + MAILED_FOR_S + 1);
	sweep();
	assert_string_equal(db_text(writer, "SELECT state FROM message"), "DEAD");
	assert_string_equal(db_text(writer, "SELECT payload ->> 'reply' FROM event WHERE type = 'message.dead'"), "");
	assert_non_null(strstr(
		db_text(writer, "SELECT reply FROM message_try WHERE message_id = $1", d.message_id), "too late"));
	assert_int_equal(message_resend(db, d.message_id, BOSS), RESEND_DONE);
	sweep();
	assert_string_equal(db_text(writer, "SELECT state FROM message"), "SENT");
}

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

TEST_MAIN("message", NULL, NULL, begin, end)
