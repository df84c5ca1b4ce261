/*
 * test_review - what the rule approves and what a person must decide; a person never decides their own request; a key
 * is one case, however often it is opened, closed or decided; the end of an order closes its case.
 */
#include "test.h"

#include "domain/rental.h"
#include "world.h"

#include "cgi-bin/review/review.h"

#define KIM 7
#define BOSS 8
#define EXAM 9

TEST_SETUP(begin)
{
	if (world_begin(state, &review_role) != 0)
		return -1;
	rental.review_auto_quantity = 4;
	rental.review_auto_amount = 200000;
	settings.currency = "KRW";
	return 0;
}

static struct case_request
order(const char *key, int64_t quantity, int64_t amount)
{
	return (struct case_request){
		.key = key,
		.subject_id = "MP-AAAA1111",
		.title = "Child seat",
		.title_ko = "카시트",
		.category = "child_seat",
		.currency = "KRW",
		.kind = CASE_EQUIPMENT,
		.applicant_id = KIM,
		.quantity = quantity,
		.amount = amount,
	};
}

static struct review_case
opened(const char *key, int64_t quantity, int64_t amount)
{
	struct case_request o = order(key, quantity, amount);
	struct review_case c;

	assert_int_equal(case_open(db, &o, 0, &c), CASE_OPEN_DONE);
	assert_false(db_failed(db));
	return c;
}

static int
state_of(const char *key)
{
	struct review_case c;

	assert_true(case_by_key(db, key, &c));
	return c.state;
}

static void
react(void)
{
	handle_events(&review_consumer);
}

static void
report_ordered(const char *code, int64_t quantity, int64_t amount)
{
	report("equipment.ordered", "MP-AAAA1111",
		arena_printf(scratch_memory,
			"{\"order_code\":\"%s\",\"booking_code\":\"MP-AAAA1111\",\"line_no\":3,\"customer_id\":%d,"
			"\"item_id\":1,\"item_name\":\"Child seat\","
			"\"item_name_ko\":\"카시트\",\"category\":\"child_seat\",\"quantity\":%lld,\"amount\":%lld,"
			"\"currency\":\"KRW\",\"review_mode\":\"async\"}",
			code, KIM, (long long)quantity, (long long)amount));
}

/* --- the rule ----------------------------------------------------------------------------------------------------- */

TEST(the_rule_approves_up_to_its_limits_and_a_person_above_them)
{
	assert_int_equal(opened("EQ-1", 4, 200000).state, CASE_APPROVED);
	assert_int_equal(opened("EQ-2", 5, 200000).state, CASE_ASSIGNED);
	assert_int_equal(opened("EQ-3", 4, 200001).state, CASE_ASSIGNED);
	assert_int_equal(opened("EQ-4", 1, 0).state, CASE_APPROVED);
	assert_int_equal(n_events("review.approved"), 2);
	assert_int_equal(n_events("review.assigned"), 2);
	rental.review_auto_quantity = 0; /* nothing automatically */
	assert_int_equal(opened("EQ-5", 1, 0).state, CASE_ASSIGNED);
}

TEST(a_case_approved_by_the_rule_has_its_name_and_was_never_assigned)
{
	struct review_case c = opened("EQ-1", 2, 10000);

	assert_string_equal(c.rule, "auto");
	assert_int_equal(c.reviewer_id, 0);
	assert_int_equal(c.decided_at, NOW);
	assert_int_equal(n_events("review.assigned"), 0);
	assert_non_null(strstr(last_payload("review.approved"), "\"rule\":\"auto\""));
	assert_non_null(strstr(last_payload("review.approved"), "\"reviewer_id\":0"));
	assert_non_null(strstr(last_payload("review.approved"), "\"key\":\"EQ-1\""));
	assert_string_equal(
		db_text(db, "SELECT subject_id FROM v_event WHERE type = 'review.approved' /*scan*/"), "MP-AAAA1111");
}

TEST(another_currency_or_kind_is_never_approved_by_the_rule)
{
	struct case_request o = order("EQ-1", 1, 10);
	struct review_case c;

	o.currency = "USD";
	assert_int_equal(case_open(db, &o, 0, &c), CASE_OPEN_DONE);
	assert_int_equal(c.state, CASE_ASSIGNED);
	o = order("CL-1", 0, 10);
	o.kind = CASE_CLAIM;
	assert_int_equal(case_open(db, &o, 0, &c), CASE_OPEN_DONE);
	assert_int_equal(c.state, CASE_ASSIGNED);
	o.key = "AP-1";
	o.kind = CASE_APPLICATION;
	assert_int_equal(case_open(db, &o, 0, &c), CASE_OPEN_DONE);
	assert_int_equal(c.state, CASE_ASSIGNED);
}

TEST(a_key_is_one_case_however_often_it_is_opened)
{
	struct review_case first = opened("EQ-1", 9, 10000), again = opened("EQ-1", 9, 10000), c;
	struct case_request o = order("EQ-1", 8, 10000);

	assert_int_equal(first.case_id, again.case_id);
	assert_int_equal(n_events("review.assigned"), 1);
	assert_int_equal(case_open(db, &o, 0, &c), CASE_OPEN_KEY_REUSED);
	assert_int_equal(case_decide(db, first.case_id, CASE_APPROVED, "", BOSS, &c), DECIDE_DONE);
	assert_int_equal(opened("EQ-1", 9, 10000).state, CASE_APPROVED);
	assert_int_equal(n_events("review.approved"), 1);
}

TEST(an_invalid_request_is_refused_and_long_korean_names_are_valid)
{
	struct case_request o = order("EQ-1", 1, 1);
	struct review_case c;

	o.applicant_id = 0;
	assert_int_equal(case_open(db, &o, 0, &c), CASE_OPEN_BAD_REQUEST);
	o = order("EQ-1", -1, 1);
	assert_int_equal(case_open(db, &o, 0, &c), CASE_OPEN_BAD_REQUEST);
	o = order("EQ-1", 1, 1);
	o.kind = -1;
	assert_int_equal(case_open(db, &o, 0, &c), CASE_OPEN_BAD_REQUEST);
	o = order("EQ-1", 1, 1);
	o.currency = "KR";
	assert_int_equal(case_open(db, &o, 0, &c), CASE_OPEN_BAD_REQUEST);
	o = order("EQ-1", 1, 1);
	o.title_ko =
		"가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가";
	assert_int_equal(case_open(db, &o, 0, &c), CASE_OPEN_DONE);
	assert_false(db_failed(db));
}

/* --- people decide ------------------------------------------------------------------------------------------------ */

TEST(a_person_never_decides_their_own_request)
{
	struct review_case c = opened("EQ-1", 9, 10000);

	assert_int_equal(case_decide(db, c.case_id, CASE_APPROVED, "", KIM, &c), DECIDE_OWN);
	assert_int_equal(case_decide(db, c.case_id, CASE_REJECTED, "no", KIM, &c), DECIDE_OWN);
	assert_int_equal(state_of("EQ-1"), CASE_ASSIGNED);
	assert_int_equal(n_events("review.approved") + n_events("review.rejected"), 0);
	/* and the schema refuses it */
	assert_false(db_try(others,
		"UPDATE review_case SET state = 'APPROVED', reviewer_id = applicant_id WHERE case_id = $1", c.case_id));
}

TEST(a_rejection_has_a_reason_which_is_the_note_of_its_event)
{
	struct review_case c = opened("EQ-1", 9, 10000);

	assert_int_equal(case_decide(db, c.case_id, CASE_REJECTED, "", BOSS, &c), DECIDE_NO_REASON);
	assert_int_equal(case_decide(db, c.case_id, CASE_REJECTED, "\u00a0\n\u3000\u200b", BOSS, &c), DECIDE_NO_REASON);
	assert_int_equal(state_of("EQ-1"), CASE_ASSIGNED);
	assert_int_equal(case_decide(db, c.case_id, CASE_REJECTED, "The tents are wet.", BOSS, &c), DECIDE_DONE);
	assert_int_equal(c.state, CASE_REJECTED);
	assert_non_null(strstr(last_payload("review.rejected"), "\"note\":\"The tents are wet.\""));
	assert_non_null(strstr(last_payload("review.rejected"), "\"reviewer_id\":8"));
	assert_int_equal(db_int(db, "SELECT actor_id FROM v_event WHERE type = 'review.rejected' /*scan*/"), BOSS);
}

TEST(the_first_decision_counts_and_a_double_click_is_one)
{
	struct review_case c = opened("EQ-1", 9, 10000);

	assert_int_equal(case_decide(db, c.case_id, CASE_APPROVED, "", BOSS, &c), DECIDE_DONE);
	assert_int_equal(case_decide(db, c.case_id, CASE_APPROVED, "", BOSS, &c), DECIDE_DONE);
	assert_int_equal(case_decide(db, c.case_id, CASE_REJECTED, "no", BOSS, &c), DECIDE_BEFORE);
	assert_int_equal(case_decide(db, c.case_id, CASE_APPROVED, "", EXAM, &c), DECIDE_BEFORE);
	assert_int_equal(c.reviewer_id, BOSS);
	assert_int_equal(n_events("review.approved"), 1);
	assert_int_equal(n_events("review.rejected"), 0);
	assert_int_equal(case_decide(db, 999, CASE_APPROVED, "", BOSS, &c), DECIDE_NO_CASE);
}

/* --- closing ------------------------------------------------------------------------------------------------------ */

TEST(a_waiting_or_approved_case_is_closed_and_a_rejected_one_stays_rejected)
{
	struct review_case c;

	opened("EQ-1", 9, 10000);
	opened("EQ-2", 1, 10000);
	c = opened("EQ-3", 9, 10000);
	assert_int_equal(case_decide(db, c.case_id, CASE_REJECTED, "no", BOSS, &c), DECIDE_DONE);
	case_cancel(db, "EQ-1", "given up", 0);
	case_cancel(db, "EQ-1", "given up", 0);
	case_cancel(db, "EQ-2", "given up", 0);
	case_cancel(db, "EQ-3", "given up", 0);
	assert_int_equal(state_of("EQ-1"), CASE_CANCELLED);
	assert_int_equal(state_of("EQ-2"), CASE_CANCELLED);
	assert_int_equal(state_of("EQ-3"), CASE_REJECTED);
	assert_int_equal(n_events("review.cancelled"), 2);
	case_find(db, 1, &c);
	assert_int_equal(case_decide(db, c.case_id, CASE_APPROVED, "", BOSS, &c), DECIDE_BEFORE);
}

TEST(a_key_closed_before_it_was_opened_stays_closed_and_is_in_no_list)
{
	struct review_case c, *cases = NULL;
	int64_t n[N_CASE_TABS];

	case_cancel(db, "EQ-1", "call failed", 0);
	c = opened("EQ-1", 9, 10000);
	assert_int_equal(c.state, CASE_CANCELLED);
	assert_int_equal(n_events("review.assigned") + n_events("review.approved"), 0);
	case_count(db, n);
	assert_int_equal(n[CASE_TAB_ALL], 0);
	assert_int_equal(case_list(db, CASE_TAB_ALL, 0, 20, &cases), 0);
	assert_int_equal(case_decide(db, c.case_id, CASE_APPROVED, "", BOSS, &c), DECIDE_NO_CASE);
}

/* --- events ------------------------------------------------------------------------------------------------------- */

TEST(an_order_opens_its_case_under_the_bookings_code)
{
	struct review_case c;

	report_ordered("MP-AAAA1111-3", 2, 10000);
	report_ordered("MP-AAAA1111-4", 5, 10000);
	react();
	assert_int_equal(state_of("MP-AAAA1111-3"), CASE_APPROVED);
	assert_true(case_by_key(db, "MP-AAAA1111-4", &c));
	assert_int_equal(c.state, CASE_ASSIGNED);
	assert_string_equal(c.subject_id, "MP-AAAA1111");
	assert_string_equal(c.title, "5 × Child seat");
	assert_string_equal(c.title_ko, "5 × 카시트");
	assert_int_equal(db_int(db, "SELECT causation_id FROM v_event WHERE type = 'review.assigned' /*scan*/"), 2);
}

TEST(an_order_accepted_with_reviews_answer_finds_its_case_and_reports_nothing_again)
{
	opened("EQ-1", 2, 10000);
	opened("EQ-2", 9, 10000);
	report_ordered("EQ-1", 2, 10000);
	report_ordered("EQ-2", 9, 10000);
	report_ordered("EQ-2", 9, 10000);
	react();
	assert_int_equal(n_events("review.approved"), 1);
	assert_int_equal(n_events("review.assigned"), 1);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM review_case /*scan*/"), 2);
}

TEST(a_decision_before_the_order_is_reported_again_after_it)
{
	struct review_case c = opened("EQ-1", 9, 10000);

	assert_int_equal(case_decide(db, c.case_id, CASE_APPROVED, "", BOSS, &c), DECIDE_DONE);
	report_ordered("EQ-1", 9, 10000);
	react();
	assert_int_equal(n_events("review.approved"), 2);
	assert_non_null(strstr(last_payload("review.approved"), "\"reviewer_id\":8"));
}

TEST(the_end_of_an_order_or_its_booking_closes_the_case)
{
	static const char *const over[] = { "booking.expired", "booking.rejected", "booking.cancelled" };

	report_ordered("EQ-1", 9, 10000);
	report("equipment.cancelled", "MP-AAAA1111",
		"{\"order_code\":\"EQ-1\",\"reason\":\"changed my mind\",\"by\":\"customer\"}");
	react();
	assert_int_equal(state_of("EQ-1"), CASE_CANCELLED);
	for (int i = 0; i < 3; i++) {
		const char *waits = arena_printf(scratch_memory, "EQ-W%d", i),
			   *was_approved = arena_printf(scratch_memory, "EQ-A%d", i);

		opened(waits, 9, 10000);
		opened(was_approved, 1, 10000);
		report(over[i], "MP-BBBB2222", "{}");
		react();
		assert_int_equal(state_of(waits), CASE_ASSIGNED); /* that was another booking */
		report(over[i], "MP-AAAA1111", "{}");
		react();
		assert_int_equal(state_of(waits), CASE_CANCELLED);
		assert_int_equal(state_of(was_approved), CASE_CANCELLED);
	}
}

TEST(an_order_cancelled_before_its_case_was_opened_gets_no_open_case)
{
	report("equipment.cancelled", "MP-AAAA1111", "{\"order_code\":\"EQ-1\",\"reason\":\"\",\"by\":\"booking\"}");
	report_ordered("EQ-1", 9, 10000);
	react();
	assert_int_equal(state_of("EQ-1"), CASE_CANCELLED);
	assert_int_equal(n_events("review.assigned"), 0);
}

/* Booking gave up while its request was still waiting in the socket. */
TEST(a_late_request_of_an_expired_booking_opens_no_case)
{
	struct case_request late = order("MP-AAAA1111-2", 9, 10000);
	struct review_case c;

	db_do(others,
		"INSERT INTO booking (booking_id, code, customer_id, car_id, car_name, plate, body, branch_id,"
		" branch_name, state, starts_at, ends_at, amount,"
		" vat_amount, currency, held_at, hold_until) VALUES (1, 'MP-AAAA1111', 7, 1, 'Kia Ray', '12가 3456',"
		" 'mini', 1, 'x', 'EXPIRED', 1, 2, 1, 0, 'KRW', 0, 0)");
	for (int line = 1; line <= 3; line++) {
		db_do(others,
			"INSERT INTO booking_line (booking_id, line_no, rule, version, unit, quantity, unit_amount,"
			" amount)"
			" VALUES (1, $1, CASE WHEN $1 = 1 THEN 'delivery' ELSE 'equipment' END, 1, 'trip', 1, 1, 1)",
			line);
		db_do(others,
			"INSERT INTO booking_extra (booking_id, line_no, kind, ref_id, quantity, amount)"
			" VALUES (1, $1, CASE WHEN $1 = 1 THEN 'delivery' ELSE 'equipment' END, 1, 1, 1)",
			line);
	}
	opened("MP-AAAA1111-3", 9, 10000); /* in time */
	report("booking.expired", "MP-AAAA1111", "{}");
	report("booking.expired", "MP-AAAA1111", "{}");
	react();
	assert_int_equal(case_open(db, &late, 0, &c), CASE_OPEN_DONE);
	assert_int_equal(c.state, CASE_CANCELLED);
	assert_int_equal(state_of("MP-AAAA1111-3"), CASE_CANCELLED);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM review_case WHERE state = 'ASSIGNED' /*scan*/"), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM review_case /*scan*/"), 2);
	assert_int_equal(n_events("review.assigned"), 1);
	assert_int_equal(n_events("review.cancelled"), 1);
}

TEST(an_order_whose_item_has_no_name_gets_a_case)
{
	report("equipment.ordered", "EQ-1",
		"{\"order_code\":\"EQ-1\",\"customer_id\":7,\"item_name\":\"\",\"quantity\":9,\"amount\":0}");
	react();
	assert_int_equal(state_of("EQ-1"), CASE_ASSIGNED);
}

/* --- the queue ---------------------------------------------------------------------------------------------------- */

TEST(waiting_cases_are_first_oldest_first_then_decided_ones_newest_first)
{
	struct review_case *cases = NULL, c;
	int64_t n[N_CASE_TABS];

	for (int i = 0; i < 6; i++) {
		clock_set(NOW + i * 60);
		opened(arena_printf(scratch_memory, "EQ-%d", i), i % 2 ? 9 : 1, 1000);
	}
	clock_set(NOW + 3600);
	case_count(db, n);
	assert_int_equal(n[CASE_TAB_WAITING], 3);
	assert_int_equal(n[CASE_TAB_DECIDED], 3);
	assert_int_equal(case_list(db, CASE_TAB_ALL, 0, 20, &cases), 6);
	for (int i = 0; i < 6; i++) {
		static const char *const wanted[] = { "EQ-1", "EQ-3", "EQ-5", "EQ-4", "EQ-2", "EQ-0" };

		assert_string_equal(cases[i].key, wanted[i]);
		assert_int_equal(case_list(db, CASE_TAB_ALL, i, 2, &cases), i < 5 ? 2 : 1); /* no gap between pages */
		assert_string_equal(cases[0].key, wanted[i]);
		case_list(db, CASE_TAB_ALL, 0, 20, &cases);
	}
	assert_int_equal(case_list(db, CASE_TAB_WAITING, 0, 20, &cases), 3);
	assert_int_equal(cases[0].waiting_s, 3600 - 60);
	c = cases[0];
	assert_int_equal(case_next(db, &c), cases[1].case_id);
	assert_int_equal(case_list(db, CASE_TAB_DECIDED, 0, 20, &cases), 3);
	assert_int_equal(cases[0].waiting_s, 0);
	assert_false(db_failed(db));
}

TEST(the_history_of_a_case_leaves_out_other_orders_of_its_booking)
{
	struct case_event *events = NULL;
	struct review_case c;

	report_ordered("EQ-1", 9, 10000);
	report_ordered("EQ-2", 1, 10000);
	react();
	report("review.rejected", "MP-AAAA1111", "{\"key\":\"EQ-1\",\"reason\":\"As older events have it.\"}");
	assert_true(case_by_key(db, "EQ-1", &c));
	assert_int_equal(case_decide(db, c.case_id, CASE_REJECTED, "No tents left.", BOSS, &c), DECIDE_DONE);
	assert_int_equal(case_history(db, &c, &events), 4);
	assert_string_equal(events[0].type, "review.rejected");
	assert_string_equal(events[0].reason, "No tents left.");
	assert_int_equal(events[0].actor_id, BOSS);
	assert_string_equal(events[1].reason, "As older events have it.");
	assert_string_equal(events[2].type, "review.assigned");
	assert_string_equal(events[3].type, "equipment.ordered");
	assert_false(db_failed(db));
}

TEST_MAIN("review", NULL, NULL, begin, world_end)
