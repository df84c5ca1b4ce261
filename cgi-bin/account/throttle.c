/*
 * throttle.c - slows down guessing passwords.
 *
 * Failures are counted for the account tried and for the address they come from. The first few are free; then each one
 * closes sign-in for twice as long as the one before, up to 15 minutes. A right password clears the account's count and
 * takes its own try back from the address's count, so it does not help in guessing other people's passwords. An unknown
 * e-mail is counted like a known one, so the answers do not tell which accounts exist. After a day without a failure
 * the count starts again. The cost: failing on purpose keeps a person's account closed for new sign-ins; their open
 * sessions are not affected.
 *
 * Mails with a link (sign-up, forgotten password) are counted in the same way: for the e-mail they go to, so that
 * a stranger's mailbox cannot be filled, and for the client's address, with more of them free: a sign-up takes a slow
 * hash.
 *
 * Rows have hashes as keys, so the table is not a list of e-mails and addresses.
 */
#include "account.h"

#include "lib/base/clock.h"
#include "lib/base/secret.h"

#include <arpa/inet.h>
#include <string.h>

#define FREE_PER_ACCOUNT 5
#define FREE_PER_ADDRESS 30     /* offices share one */
#define FREE_LINKS       5      /* mails to one e-mail */
#define FREE_LINKS_PER_ADDRESS 200      /* many people may share one */
#define FIRST_CLOSE_S    15
#define LONGEST_CLOSE_S  900

struct counter {
	const char *who;                /* hash of the e-mail or address */
	int64_t n_free;
	int64_t n_failed, closed_until, failed_at;
};

static const struct member counter_members[] = {
	SHAPE_INT(counter, n_failed), SHAPE_INT(counter, closed_until), SHAPE_INT(counter, failed_at),
};
static const struct shape counter_shape = SHAPE(counter, counter_members);

/* A customer of an Internet provider has a whole /64 of IPv6 addresses: they count as one. */
static const char *
address_group(struct arena *m, const char *address)
{
	unsigned char six[16];
	char text[INET6_ADDRSTRLEN];

	if (!address || inet_pton(AF_INET6, address, six) != 1)
		return address ? address : "";
	memset(six + 8, 0, 8);
	return inet_ntop(AF_INET6, six, text, sizeof(text)) ? arena_strdup(m, text) : address;
}

static void
name_counters(struct arena *m, struct counter c[2], const char *email, const char *address)
{
	c[0] = (struct counter){ .who = secret_hash(m, arena_printf(m, "email:%s", email)),
		.n_free = FREE_PER_ACCOUNT };
	c[1] = (struct counter){
		.who = secret_hash(m, arena_printf(m, "address:%s", address_group(m, address))),
		.n_free = FREE_PER_ADDRESS,
	};
}

static int64_t
close_s(const struct counter *c)
{
	int64_t over = c->n_failed - c->n_free;

	if (over < 0)
		return 0;
	return over >= 6 ? LONGEST_CLOSE_S : (int64_t)FIRST_CLOSE_S << over;
}

/* Seconds it stays closed, at most LONGEST_CLOSE_S: a clock that was set back must not close it for longer. */
static int64_t
closed_s(struct db *db, struct counter *c, int64_t now)
{
	if (!db_one(db, &counter_shape, c,
		    "SELECT n_failed, closed_until, failed_at FROM sign_in_throttle WHERE who = $1", c->who))
		return 0;
	if (c->failed_at < now - DAY || c->failed_at > now + DAY)
		c->n_failed = c->closed_until = 0;
	return c->closed_until > now && c->closed_until <= now + LONGEST_CLOSE_S ? c->closed_until - now : 0;
}

static void
count_one(struct db *db, struct counter *c, int64_t now)
{
	int64_t close;

	c->n_failed++;
	close = close_s(c);
	db_do(db,
		"INSERT INTO sign_in_throttle (who, n_failed, closed_until, failed_at) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (who) DO UPDATE SET n_failed = $2, closed_until = $3, failed_at = $4",
		c->who, c->n_failed, close ? now + close : 0, now);
}

/* Counts the try in all counters, unless one of them is closed. */
static bool
count_try(struct db *db, struct counter *c, int n, int64_t *wait_s)
{
	int64_t now = clock_now(), closed;

	*wait_s = 0;
	db_begin(db);
	for (int i = 0; i < n; i++)
		if ((closed = closed_s(db, &c[i], now)) > *wait_s)
			*wait_s = closed;
	for (int i = 0; i < n && *wait_s == 0; i++)
		count_one(db, &c[i], now);
	if (*wait_s == 0)
		db_do(db, "DELETE FROM sign_in_throttle WHERE failed_at < $1", now - DAY);
	db_commit(db);
	return *wait_s == 0;
}

bool
throttle_try(struct db *db, const char *email, const char *address, int64_t *wait_s)
{
	struct counter c[2];

	name_counters(db_memory(db), c, email, address);
	return count_try(db, c, 2, wait_s);
}

bool
throttle_link(struct db *db, const char *email, const char *address, int64_t *wait_s)
{
	struct arena *m = db_memory(db);
	struct counter c[2] = {
		{ .who = secret_hash(m, arena_printf(m, "link:%s", email)), .n_free = FREE_LINKS },
		{ .who = secret_hash(m, arena_printf(m, "sign-up:%s", address_group(m, address))),
			.n_free = FREE_LINKS_PER_ADDRESS },
	};

	return count_try(db, c, address ? 2 : 1, wait_s);
}

void
throttle_passed(struct db *db, const char *email, const char *address)
{
	struct counter c[2];

	name_counters(db_memory(db), c, email, address);
	db_begin(db);
	db_do(db, "DELETE FROM sign_in_throttle WHERE who = $1", c[0].who);
	db_do(db,
		"UPDATE sign_in_throttle SET n_failed = n_failed - 1, closed_until = 0 WHERE who = $1 AND n_failed > 0",
		c[1].who);
	db_commit(db);
}

void
throttle_forget(struct db *db, const char *email)
{
	struct arena *m = db_memory(db);

	db_do(db, "DELETE FROM sign_in_throttle WHERE who = $1", secret_hash(m, arena_printf(m, "email:%s", email)));
}
