/* test_message_money - messages about what the firm could not keep, and about what is kept of a price. */
#include "test.h"

#include "message_world.h"

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

TEST_MAIN("message_money", NULL, NULL, begin, end)
