/*
 * event.c - writing the log, reading payloads, checking the chain, waking the relay; event.h describes it.
 *
 * An event's id is one more than the last, so the log has no gaps: there is one writer at a time, and a rollback
 * releases its ids. Its hash covers every column, each with its length in front, and the hash of the subject's event
 * before.
 */
#include "event.h"

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct member event_members[] = {
	SHAPE_INT(event, event_id), SHAPE_TEXT(event, type), SHAPE_TEXT(event, subject_id),
	SHAPE_INT(event, causation_id), SHAPE_INT(event, actor_id), SHAPE_TIME(event, occurred_at),
	SHAPE_TIME(event, recorded_at), SHAPE_RAW(event, payload), SHAPE_TEXT(event, prev_hash),
	SHAPE_TEXT(event, hash),
};
const struct shape event_shape = SHAPE(event, event_members);

#define HASH_HEX (2 * crypto_generichash_BYTES + 1)

/* --- the hash ----------------------------------------------------------------------------------------------------- */

static void
hash_text(crypto_generichash_state *state, const char *s)
{
	char length[24];

	snprintf(length, sizeof(length), "%zu:", strlen(s));
	crypto_generichash_update(state, (const unsigned char *)length, strlen(length));
	crypto_generichash_update(state, (const unsigned char *)s, strlen(s));
}

static void
hash_int(crypto_generichash_state *state, int64_t i)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%lld", (long long)i);
	hash_text(state, digits);
}

static void
event_hash(const struct event *e, char hex[HASH_HEX])
{
	unsigned char hash[crypto_generichash_BYTES];
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	hash_text(&state, e->prev_hash);
	hash_int(&state, e->event_id);
	hash_text(&state, e->type);
	hash_text(&state, e->subject_id);
	hash_int(&state, e->causation_id);
	hash_int(&state, e->actor_id);
	hash_int(&state, e->occurred_at);
	hash_int(&state, e->recorded_at);
	hash_text(&state, e->payload);
	crypto_generichash_final(&state, hash, sizeof(hash));
	sodium_bin2hex(hex, HASH_HEX, hash, sizeof(hash));
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* Fills in the id and the previous hash. */
static void
append_to_chain(struct db *db, struct event *e)
{
	db_one(db, &event_shape, e,
		"SELECT (SELECT coalesce(max(event_id), 0) + 1 FROM event) AS event_id,"
		" coalesce((SELECT hash FROM event WHERE subject_id = $1 ORDER BY event_id DESC"
		" LIMIT 1), '') AS prev_hash",
		e->subject_id);
}

static const char *
payload_of(struct db *db, const struct shape *shape, const void *data)
{
	struct buf b = { .m = db_memory(db) };

	if (!shape)
		return "{}";
	json_put(&b, shape, data);
	return b.s;
}

/* The log line also names the request, which the event log does not store. Written when the transaction is
 * committed. */
static void
log_emitted(const struct event *e)
{
	struct log_line l;

	log_subject(e->subject_id);
	log_begin_about(&l, e->subject_id, "event");
	log_int(&l, "event_id", e->event_id);
	log_text(&l, "type", e->type);
	log_int(&l, "causation_id", e->causation_id);
	log_int(&l, "actor_id", e->actor_id);
	log_hold(&l);
}

int64_t
event_emit(struct db *db, const struct event *e, const struct shape *shape, const void *data)
{
	struct event row = *e;
	char hash[HASH_HEX] = "";

	if (!db_in_transaction(db)) {
		db_fail(db, "%s emitted outside the transaction of its change", e->type);
		return 0;
	}
	row.recorded_at = clock_now();
	if (row.occurred_at == 0)
		row.occurred_at = row.recorded_at;
	row.payload = payload_of(db, shape, data);
	append_to_chain(db, &row);
	if (db_failed(db))
		return 0;
	event_hash(&row, hash);
	db_do(db,
		"INSERT INTO event (event_id, type, subject_id, causation_id, actor_id, occurred_at, recorded_at,"
		" payload, prev_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
		row.event_id, row.type, row.subject_id, row.causation_id, row.actor_id, row.occurred_at,
		row.recorded_at, row.payload, row.prev_hash, hash);
	db_mark_events(db);
	if (db_failed(db))
		return 0;
	log_emitted(&row);
	return row.event_id;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

bool
event_read(struct arena *m, const struct event *e, const struct shape *shape, void *out)
{
	return json_into(m, e->payload, shape, out);
}

/* One row of the log, texts still in SQLite's memory. Does it follow from the event before it? */
static bool
is_next_event(struct rows *r, int64_t expected_id)
{
	struct event e = {
		.event_id = row_int(r, 0),
		.type = row_peek(r, 1),
		.subject_id = row_peek(r, 2),
		.causation_id = row_int(r, 3),
		.actor_id = row_int(r, 4),
		.occurred_at = row_int(r, 5),
		.recorded_at = row_int(r, 6),
		.payload = row_peek(r, 7),
		.prev_hash = row_peek(r, 8),
	};
	char hash[HASH_HEX];

	event_hash(&e, hash);
	return e.event_id == expected_id && strcmp(hash, row_peek(r, 9)) == 0
		&& strcmp(e.prev_hash, row_peek(r, 10)) == 0;
}

#define CHAIN_BATCH 1000        /* in several reads, so that no reader holds the WAL for long */

int64_t
event_chain_broken(struct db *db, int64_t *n_events)
{
	int64_t id = 0, broken = 0, before;

	do {
		before = id;
		struct rows *r = db_each(db,
			"SELECT e.event_id, e.type, e.subject_id, e.causation_id, e.actor_id, e.occurred_at,"
			" e.recorded_at, e.payload,"
			" e.prev_hash, e.hash, coalesce((SELECT p.hash FROM event p WHERE p.subject_id = e.subject_id"
			" AND p.event_id < e.event_id ORDER BY p.event_id DESC LIMIT 1), '')"
			" FROM event e WHERE e.event_id > $1 ORDER BY e.event_id LIMIT $2",
			id, CHAIN_BATCH);

		while (!broken && db_next(r)) {
			if (is_next_event(r, id + 1))
				id++;
			else
				broken = row_int(r, 0);
		}
		db_done(r);
	} while (!broken && id > before);
	*n_events = id;
	return broken;
}

/* --- waking the relay --------------------------------------------------------------------------------------------- */

/* A process serves one state folder. */
static struct {
	int fd;
	struct sockaddr_un to;
} relay = { .fd = -1 };

/* A failed send is ignored: the relay is not running, or has datagrams waiting and will look anyway. */
static void
wake(void *arg)
{
	(void)arg;
	sendto(relay.fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&relay.to, sizeof(relay.to));
}

void
event_open(struct db *db, const char *var_dir)
{
	int n;

	if (relay.fd < 0)
		relay.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	relay.to.sun_family = AF_UNIX;
	n = snprintf(relay.to.sun_path, sizeof(relay.to.sun_path), "%s/run/relay.wake", var_dir);
	if (relay.fd < 0 || n >= (int)sizeof(relay.to.sun_path))
		log_warn("event", "the relay cannot be woken; it looks for itself once in a while");
	else
		db_on_commit(db, wake, NULL);
}
