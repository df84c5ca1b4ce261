/*
 * test_terms - the firm's documents: what was published never changes, the newest valid version is in force, a booking
 * records the version it accepted; and how a text is laid out.
 */
#include "test.h"

#include "cgi-bin/booking/terms_text.c"
#include "booking_world.h"

#define ADMIN 7

static struct terms_version
version_of(enum terms_kind kind, const char *text)
{
	return (struct terms_version){ .kind = (int)kind, .text = text, .text_ko = "한국어", .published_by = ADMIN };
}

static enum terms_outcome
publish(const char *text, int64_t valid_from, int64_t based_on, struct terms_version *v)
{
	*v = version_of(TERMS_TERMS, text);
	v->valid_from = valid_from;
	return terms_publish(db, v, based_on);
}

#define REFUSED(sql) (!db_try(db, sql))

/* --- versions ----------------------------------------------------------------------------------------------------- */

TEST(a_new_database_has_version_1_of_each_document_in_both_languages)
{
	for (int kind = 0; kind < terms_kind_words.n; kind++) {
		struct terms_version v;

		assert_int_equal(terms_in_force(db, (enum terms_kind)kind, NOW), 1);
		assert_true(terms_find(db, (enum terms_kind)kind, 1, &v));
		assert_true(strlen(v.text) > 300 && strlen(v.text_ko) > 300);
		assert_string_equal(terms_text_tidy(scratch_memory, v.text), v.text);
		assert_string_equal(terms_text_tidy(scratch_memory, v.text_ko), v.text_ko);
	}
}

TEST(a_published_version_is_in_force_and_reported_with_its_kind_and_number_alone)
{
	struct terms_version v;

	assert_int_equal(publish("Second", 0, 1, &v), TERMS_PUBLISHED);
	assert_int_equal(v.version, 2);
	assert_int_equal(v.valid_from, NOW);
	assert_int_equal(v.published_at, NOW);
	assert_int_equal(terms_in_force(db, TERMS_TERMS, NOW), 2);
	assert_int_equal(terms_in_force(db, TERMS_TERMS, NOW - 1), 1);
	assert_int_equal(terms_in_force(db, TERMS_PRIVACY, NOW), 1);
	assert_int_equal(events("booking.terms_published"), 1);
	assert_string_equal(payload("booking.terms_published"), "{\"kind\":\"terms\",\"version\":2}");
	assert_true(db_exists(db,
		"SELECT 1 FROM event WHERE type = 'booking.terms_published' AND actor_id = $1"
		" AND subject_id = 'terms:terms'",
		ADMIN));
}

TEST(a_version_that_is_valid_later_comes_in_force_then)
{
	struct terms_version v;

	assert_int_equal(publish("Later", NOW + 30 * DAY, 1, &v), TERMS_PUBLISHED);
	assert_int_equal(terms_in_force(db, TERMS_TERMS, NOW + 30 * DAY - 1), 1);
	assert_int_equal(terms_in_force(db, TERMS_TERMS, NOW + 30 * DAY), 2);
	assert_int_equal(publish("At once", 0, 2, &v), TERMS_PUBLISHED); /* replaces both */
	assert_int_equal(terms_in_force(db, TERMS_TERMS, NOW), 3);
	assert_int_equal(terms_in_force(db, TERMS_TERMS, NOW + 30 * DAY), 3);
}

TEST(the_same_form_twice_publishes_once)
{
	struct terms_version v;

	assert_int_equal(publish("Second", 0, 1, &v), TERMS_PUBLISHED);
	clock_set(NOW + 1);
	assert_int_equal(publish("Second", 0, 1, &v), TERMS_AGAIN);
	assert_int_equal(v.version, 2);
	assert_int_equal(events("booking.terms_published"), 1);
	v = version_of(TERMS_TERMS, "Second");
	v.published_by = ADMIN + 1; /* another admin, with the same words */
	assert_int_equal(terms_publish(db, &v, 1), TERMS_UNCHANGED);
	assert_int_equal(terms_newest(db, TERMS_TERMS), 2);
}

TEST(an_unchanged_text_is_not_published_unless_it_is_to_be_valid_earlier)
{
	struct terms_version v;

	assert_int_equal(publish("Second", NOW + 9 * DAY, 1, &v), TERMS_PUBLISHED);
	assert_int_equal(publish("Second", NOW + 9 * DAY, 2, &v), TERMS_UNCHANGED);
	assert_int_equal(publish("Second", NOW + 10 * DAY, 0, &v), TERMS_UNCHANGED);
	assert_int_equal(publish("Second", NOW + DAY, 2, &v), TERMS_PUBLISHED);
	assert_int_equal(terms_in_force(db, TERMS_TERMS, NOW + DAY), 3);
}

TEST(who_has_not_read_the_newest_version_publishes_nothing)
{
	struct terms_version v;

	assert_int_equal(publish("Second", 0, 1, &v), TERMS_PUBLISHED);
	assert_int_equal(publish("Mine", 0, 1, &v), TERMS_MEANWHILE);
	assert_int_equal(terms_newest(db, TERMS_TERMS), 2);
	assert_int_equal(events("booking.terms_published"), 1);
	assert_int_equal(publish("Mine", 0, 2, &v), TERMS_PUBLISHED);
	assert_int_equal(publish("Whatever came before", 0, 0, &v), TERMS_PUBLISHED); /* a program that has not asked */
	assert_int_equal(v.version, 4);
}

TEST(the_database_keeps_published_versions_and_their_numbers)
{
	assert_true(REFUSED("UPDATE terms_version SET text = 'x' WHERE version = 1 /*scan*/"));
	assert_true(REFUSED("UPDATE terms_version SET valid_from = 5 /*scan*/"));
	assert_true(REFUSED("DELETE FROM terms_version /*scan*/"));
	assert_true(REFUSED("DELETE FROM terms WHERE kind = 'privacy'"));
	assert_true(REFUSED("INSERT INTO terms_version VALUES ('terms', 3, 'a', 'b', 5, 5, 7)"));
	assert_true(REFUSED("INSERT INTO terms_version VALUES ('terms', 1, 'a', 'b', 5, 5, 7)"));
	assert_true(REFUSED("INSERT INTO terms_version VALUES ('terms', 2, '', 'b', 5, 5, 7)"));
	assert_true(REFUSED(
		"INSERT INTO terms_version VALUES ('terms', 2, 'a', 'b', 5, 4, 7)")); /* valid before it was there */
	assert_true(REFUSED("INSERT INTO terms_version VALUES ('house', 1, 'a', 'b', 5, 5, 7)"));
	assert_false(REFUSED("INSERT INTO terms_version VALUES ('terms', 2, 'a', 'b', 5, 5, 7)"));
}

/* --- accepted with a booking -------------------------------------------------------------------------------------- */

TEST(a_booking_records_the_terms_in_force_for_good)
{
	struct booking b = place_paid(NOW + DAY, NOW + 2 * DAY);
	struct terms_version v;

	assert_int_equal(b.terms_version, 1);
	assert_true(payload_has("booking.held", "\"terms_version\":1"));
	assert_int_equal(publish("Second", 0, 1, &v), TERMS_PUBLISHED);
	assert_int_equal(find(b.code).terms_version, 1);
	assert_true(REFUSED("UPDATE booking SET terms_version = 2 /*scan*/"));
	assert_int_equal(db_int(db, "SELECT terms_version FROM v_booking WHERE code = $1", b.code), 1);
	b = place_paid(NOW + 5 * DAY, NOW + 6 * DAY);
	assert_int_equal(b.terms_version, 2);
}

/* Nothing is in any table; the same key may then be used with the new version. */
TEST(other_terms_than_the_accepted_ones_are_neither_held_nor_charged)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct terms_version v;
	struct booking b;

	o.request_key = "k1";
	o.request_hash = "h1";
	o.has_terms = o.has_agreed = true;
	o.terms_version = 1;
	o.agreed_amount = 90000;
	assert_int_equal(publish("Second", 0, 1, &v), TERMS_PUBLISHED);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_TERMS_CHANGED);
	assert_int_equal(b.terms_version, 2);
	assert_int_equal(b.amount, 90000);
	assert_int_equal(n_charges, 0);
	assert_int_equal(db_int(db, "SELECT (SELECT COUNT(*) FROM booking) + (SELECT COUNT(*) FROM slot) /*scan*/"), 0);
	assert_int_equal(events("booking.held"), 0);
	o.terms_version = 2;
	o.request_hash = "h2";
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.terms_version, 2);
	assert_int_equal(publish("Third", 0, 2, &v), TERMS_PUBLISHED); /* booked is booked */
	assert_int_equal(booking_place(db, &o, &b), BOOKING_AGAIN);
	assert_int_equal(b.terms_version, 2);
}

#define COPY_WITH_TERMS(code, version) \
	"INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state," \
	" starts_at, ends_at, amount, vat_amount, currency, held_at, hold_until, terms_version)" \
	" SELECT '" code "', customer_id, car_id, car_name, plate, body, branch_id, branch_name, 'HELD'," \
	" starts_at, ends_at, amount, vat_amount, currency, held_at, hold_until, " version \
	" FROM booking ORDER BY booking_id LIMIT 1 /*scan*/"

TEST(terms_that_are_announced_are_not_accepted_before_they_apply)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct terms_version v;
	struct booking b;

	assert_int_equal(publish("Later", NOW + 30 * DAY, 1, &v), TERMS_PUBLISHED);
	o.has_terms = true;
	o.terms_version = 2;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_TERMS_CHANGED);
	assert_int_equal(b.terms_version, 1);
	place_paid(NOW + DAY, NOW + 2 * DAY);
	assert_true(REFUSED(COPY_WITH_TERMS("MP-OTHER2", "2")));
	assert_true(REFUSED(COPY_WITH_TERMS("MP-OTHER9", "9")));
	assert_false(REFUSED(COPY_WITH_TERMS("MP-OTHER1", "1")));
}

/* --- the layout of a text ----------------------------------------------------------------------------------------- */

/* h:heading p:paragraph l:item|item */
static const char *
laid_out(const char *text)
{
	struct terms_block *blocks;
	struct buf out = { .m = scratch_memory };
	int n = terms_text_blocks(scratch_memory, text, &blocks);

	buf_puts(&out, "");
	for (int i = 0; i < n; i++) {
		const struct terms_block *b = &blocks[i];

		assert_int_equal((b->heading != NULL) + (b->paragraph != NULL) + b->is_list, 1);
		if (!b->is_list)
			buf_printf(&out, "[%s:%s]", b->heading ? "h" : "p", b->heading ? b->heading : b->paragraph);
		for (int j = 0; j < b->n_items; j++)
			buf_printf(&out, "%s%s%s", j ? "|" : "[l:", b->items[j].text, j + 1 == b->n_items ? "]" : "");
	}
	return out.s;
}

TEST(headings_lists_and_paragraphs_are_found)
{
	assert_string_equal(laid_out(""), "");
	assert_string_equal(laid_out("One\ntwo\n\nThree"), "[p:One\ntwo][p:Three]");
	assert_string_equal(laid_out("# Head\ntext\n# Head 2\n\n\n- a\n- b\n\n- c\nmore\ntext"),
		"[h:Head][p:text][h:Head 2][l:a|b][l:c\nmore\ntext]");
	assert_string_equal(laid_out("text\n- a\n# Head\n- b"), "[p:text][l:a][h:Head][l:b]");
	assert_string_equal(
		laid_out("#no heading\n-no item\n##  x\n  - item"), "[p:#no heading\n-no item\n##  x][l:item]");
	assert_string_equal(laid_out("<script>x</script>\n   \n&amp;"), "[p:<script>x</script>][p:&amp;]");
}

TEST(line_ends_and_white_space_are_tidied)
{
	assert_string_equal(terms_text_tidy(scratch_memory, "\r\n\nA  \r\nB\t\r\r\n C\n\n \r\n"), "A\nB\n\n C");
	assert_string_equal(terms_text_tidy(scratch_memory, "  \r\n \n"), "");
	assert_string_equal(terms_text_tidy(scratch_memory, "x"), "x");
}

TEST(the_longest_text_of_the_worst_form_takes_little_memory)
{
	struct buf text = { .m = scratch_memory };
	struct terms_block *blocks;
	size_t before;

	for (int i = 0; i < 2 * TERMS_TEXT_MAX / 5; i++)
		buf_puts(&text, "- a\n\n");
	before = arena_used(scratch_memory);
	assert_int_equal(terms_text_blocks(scratch_memory, text.s, &blocks), 2 * TERMS_TEXT_MAX / 5);
	assert_true(arena_used(scratch_memory) - before < 8 << 20);
}

TEST_MAIN("terms", NULL, NULL, begin, end)
