/* test_cancel_terms - what is said about cancelling before paying and afterwards. */
#include "test.h"

#include "domain/cancel_terms.c"
#include "lib/base/clock.h"

static const struct cancel_rule rule = { .full_before_s = DAY, .grace_s = 1800, .late_percent = 90 };

TEST(an_offer_far_ahead_is_free_until_a_date)
{
	struct cancel_terms t = cancel_terms_offered(&rule, 3 * DAY, 0);

	assert_true(t.is_until && !t.is_grace && !t.is_late);
	assert_int_equal(t.free_until, 2 * DAY);
	assert_int_equal(t.late_percent, 90);
}

TEST(an_offer_close_to_its_start_is_free_for_minutes_after_booking)
{
	struct cancel_terms t = cancel_terms_offered(&rule, DAY + 1799, 0);

	assert_true(t.is_grace && !t.is_until && !t.is_late);
	assert_int_equal(t.grace_minutes, 30);
	assert_int_equal(t.free_until, 0);
	assert_true(cancel_terms_offered(&rule, DAY + 1800, 0).is_until);
}

TEST(without_a_grace_a_late_offer_says_what_is_refunded)
{
	const struct cancel_rule strict = { .full_before_s = DAY, .grace_s = 0, .late_percent = 0 };

	assert_true(cancel_terms_offered(&strict, DAY - 1, 0).is_late);
	assert_true(cancel_terms_offered(&strict, DAY, 0).is_until);
}

TEST(a_booking_is_free_until_the_later_of_the_two_and_never_after_its_start)
{
	assert_int_equal(cancel_free_until(&rule, 3 * DAY, 0), 2 * DAY);
	assert_int_equal(cancel_free_until(&rule, 3 * DAY, 2 * DAY), 2 * DAY + 1800);
	assert_int_equal(cancel_free_until(&rule, 3 * DAY, 3 * DAY - 60), 3 * DAY);
}

TEST(a_booking_is_late_from_that_moment_on)
{
	assert_true(cancel_terms_booked(&rule, 3 * DAY, 0, 2 * DAY - 1).is_until);
	assert_true(cancel_terms_booked(&rule, 3 * DAY, 0, 2 * DAY).is_late);
}

TEST_MAIN("cancel_terms", NULL, NULL, NULL, NULL)
