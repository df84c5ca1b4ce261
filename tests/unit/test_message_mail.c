/* test_message_mail - mails that are well formed, and the mail server's answers. */
#include "test.h"

#include "message_world.h"

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

TEST_MAIN("message_mail", NULL, NULL, begin, end)
