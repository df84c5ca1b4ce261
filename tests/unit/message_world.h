/*
 * message_world - what the tests of message share: its database, and what the other contexts write and report.
 */
#ifndef MP_MESSAGE_WORLD_H
#define MP_MESSAGE_WORLD_H

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

SHARED int64_t
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

SHARED void
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

SHARED void
react(void)
{
	while (consumer_step(db, &message_consumer, 10) > 0)
		;
	assert_int_equal(db_int(writer, "SELECT COUNT(*) FROM event_retry"), 0);
}

SHARED void
sweep(void)
{
	db_fresh(db);
	while (consumer_sweep(db, &message_consumer))
		;
	assert_false(db_failed(db));
	db_fresh(db);
}

SHARED int64_t
count(const char *kind, int64_t who)
{
	return db_int(writer, "SELECT COUNT(*) FROM message WHERE kind = $1 AND recipient_id = $2", kind, who);
}

/* The nth message of a kind. */
SHARED const char *
title_of(const char *kind, int nth)
{
	return db_text(writer, "SELECT title FROM message WHERE kind = $1 ORDER BY message_id LIMIT 1 OFFSET $2", kind,
		nth - 1);
}

#endif
