/*
 * breaker.c - when calls go through and when they are refused; breaker.h describes it.
 *
 * There are no locks. The state is one 64-bit word, changed by compare-and-swap: of several processes that see that it
 * must open, one opens it. A probe has a lease: if its process dies, the next caller probes when the lease is over.
 * Permits are in breaker_permit.c.
 *
 * Calls of the last ten seconds are counted in buckets of a second each, which are added up only after a failure.
 */
#include "breaker_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BREAKER_KIND  "motorpool breaker 2"
#define WINDOW_S      10
#define OPEN_MAX_MS   60000
#define QUIET_MS      60000     /* after it was closed for so long, the next opening counts as the first */
#define LEASE_MS      4000      /* longer than any call may take, including those of sweeps … */
#define LEASE_MORE_MS 1000      /* … and longer than call_deadline_ms by this */
#define AGAIN_MS      1000      /* between two tries to map it */
#define QUICK_MS      200       /* if calls take longer, none waits for a permit: it would need the time it waited */

/* --- settings --------------------------------------------------------------------------------------------------- */

struct preset {
	int n_in_a_row;                 /* so many failures in a row open it; 0: no limit */
	int percent, at_least;          /* this share of at least so many calls in WINDOW_S opens it */
	int open_ms;                    /* how long it stays open */
	bool grows;                     /* … times the number of successive openings, up to OPEN_MAX_MS */
	int n_good;                     /* so many successful probes close it */
	int in_flight_max;              /* concurrent calls; 0: settings.calls_at_once */
};

static const struct preset
	preset_default = { .n_in_a_row = 5, .percent = 50, .at_least = 20, .open_ms = 5000, .grows = true,
		.n_good = 3 },
	preset_strict = { .n_in_a_row = 1, .percent = 50, .at_least = 20, .open_ms = 10000, .n_good = 1,
		.in_flight_max = 5 },
	preset_classic = { .percent = 50, .at_least = 20, .open_ms = 5000, .n_good = 1 };

static const struct preset *
preset(void)
{
	const char *name = settings.breaker ? settings.breaker : "default";

	return name[0] == 's' ? &preset_strict : name[0] == 'c' ? &preset_classic : &preset_default;
}

static int
in_flight_at_most(void)
{
	int n = preset()->in_flight_max ? preset()->in_flight_max : (int)settings.calls_at_once;

	return n <= 0 ? 5 : n < PERMITS ? n : PERMITS;
}

/* --- shared memory ---------------------------------------------------------------------------------------------- */

struct packed_state {
	enum breaker_state state;
	int n_good;                     /* half-open: successful probes so far */
	int n_trips;                    /* successive openings */
	/* closed: since when; open: until when; half-open: the end of the probe's lease, 0: no probe is running */
	int64_t at_ms;
};

static uint64_t
state_pack(struct packed_state s)
{
	return (uint64_t)s.state << 62 | (uint64_t)s.n_good << 56 | (uint64_t)s.n_trips << 48 | (uint64_t)s.at_ms;
}

static struct packed_state
state_unpack(uint64_t word)
{
	return (struct packed_state){
		.state = (enum breaker_state)(word >> 62),
		.n_good = word >> 56 & 63,
		.n_trips = word >> 48 & 255,
		.at_ms = (int64_t)(word & ((1ULL << 48) - 1)),
	};
}

static struct { char var[80], callee[16]; struct breaker *breaker; int64_t tried_ms; } opened[4];

struct breaker *
breaker_open(const char *var_dir, const char *callee)
{
	char name[40];
	int i = 0, n = sizeof(opened) / sizeof(opened[0]);

	while (i < n && opened[i].var[0]
		&& (strcmp(opened[i].callee, callee) != 0 || strcmp(opened[i].var, var_dir) != 0))
		i++;
	if (i == n || strlen(var_dir) >= sizeof(opened[i].var) || strlen(callee) >= sizeof(opened[i].callee))
		return NULL;
	if (opened[i].breaker || (opened[i].tried_ms && clock_ms() - opened[i].tried_ms < AGAIN_MS))
		return opened[i].breaker;
	snprintf(opened[i].var, sizeof(opened[i].var), "%s", var_dir);
	snprintf(opened[i].callee, sizeof(opened[i].callee), "%s", callee);
	snprintf(name, sizeof(name), "%s.breaker", callee);
	opened[i].tried_ms = clock_ms();
	opened[i].breaker = shm_map(var_dir, name, BREAKER_KIND, sizeof(struct breaker), NULL);
	if (opened[i].breaker)
		snprintf(opened[i].breaker->callee, sizeof(opened[i].breaker->callee), "%s", callee);
	else
		log_warn("breaker", "%s/run/%s: %s; calls go without a breaker", var_dir, name, strerror(errno));
	return opened[i].breaker;
}

/* --- the state -------------------------------------------------------------------------------------------------- */

/* Until at_ms. No pause lasts two minutes, so a later time is ignored. */
static bool
must_wait(struct packed_state s, int64_t now)
{
	return s.at_ms > now && s.at_ms - now < 2 * OPEN_MAX_MS;
}

/* false: another process has changed it meanwhile. */
static bool
state_change(struct breaker *b, uint64_t *word, struct packed_state s)
{
	return atomic_compare_exchange_strong(&b->packed_state, word, state_pack(s));
}

static int64_t
open_for_ms(int n_trips)
{
	int64_t ms = (int64_t)preset()->open_ms * (preset()->grows ? n_trips : 1);

#ifdef MOTORPOOL_FAULTS
	if (getenv("MOTORPOOL_SHORT_PAUSES")) /* for the short form of the fault tests */
		ms /= 5;
#endif
	return ms < OPEN_MAX_MS ? ms : OPEN_MAX_MS;
}

/* Calls that wait for a permit are woken, and refused. */
static void
state_open(struct breaker *b, uint64_t *word, int n_trips, int64_t now)
{
	int64_t open_ms = open_for_ms(n_trips);
	bool was_closed = state_unpack(*word).state == BREAKER_CLOSED;

	if (!state_change(b, word,
		    (struct packed_state){
			    .state = BREAKER_OPEN, .n_trips = n_trips < 255 ? n_trips : 255, .at_ms = now + open_ms }))
		return;
	if (was_closed) {
		atomic_store(&b->opened_at, clock_now());
		atomic_fetch_add(&b->n_opened, 1);
	}
	permit_wake_all(b);
	log_warn("breaker", "%s: open for %lld ms: %s", b->callee, (long long)open_ms,
		was_closed ? "too many calls failed" : "the probe failed");
}

static void
state_close(struct breaker *b, uint64_t *word, int n_trips, int64_t now)
{
	atomic_store(&b->n_in_a_row, 0);
	atomic_store(&b->from_s, (uint32_t)(now / 1000));
	if (state_change(b, word, (struct packed_state){ .state = BREAKER_CLOSED, .n_trips = n_trips, .at_ms = now }))
		log_info("breaker", "%s: closed again", b->callee);
}

/* --- outcomes --------------------------------------------------------------------------------------------------- */

static void
count_call(struct breaker *b, int64_t now, bool is_good)
{
	uint64_t s = (uint32_t)(now / 1000);
	_Atomic uint64_t *bucket = &b->second[s % BUCKETS];
	uint64_t was = atomic_load(bucket), is;

	do {
		is = was >> 32 == s ? was : s << 32;
		if ((is & 0xFFFF) == 0xFFFF) /* full: halve both, the share is what matters */
			is = s << 32 | (is >> 17 & 0x7FFF) << 16 | 0x7FFF;
		is += (is_good ? 0 : 1 << 16) + 1;
	} while (!atomic_compare_exchange_weak(bucket, &was, is));
}

static bool
too_many_failed(struct breaker *b, int64_t now)
{
	uint32_t s = (uint32_t)(now / 1000), from = atomic_load(&b->from_s);
	int64_t n = 0, n_failed = 0;

	for (int i = 0; i < BUCKETS; i++) {
		uint64_t word = atomic_load(&b->second[i]);
		uint32_t at = (uint32_t)(word >> 32);

		if (at > s || s - at >= WINDOW_S || at < from)
			continue;
		n += word & 0xFFFF;
		n_failed += word >> 16 & 0xFFFF;
	}
	return n >= preset()->at_least && n_failed * 100 >= n * preset()->percent;
}

/* An ordinary call failed. Once it is open, calls sent before do not change it. */
static void
call_failed(struct breaker *b, int64_t now)
{
	uint64_t word = atomic_load(&b->packed_state);
	struct packed_state s = state_unpack(word);
	int n = atomic_fetch_add(&b->n_in_a_row, 1) + 1;

	if (s.state != BREAKER_CLOSED)
		return;
	if ((preset()->n_in_a_row && n >= preset()->n_in_a_row) || too_many_failed(b, now))
		state_open(b, &word, now - s.at_ms > QUIET_MS ? 1 : s.n_trips + 1, now);
}

/* A probe whose lease had expired is ignored: another one may be running. */
static void
probe_ended(struct breaker *b, int64_t lease_ms, int64_t now, bool is_good)
{
	uint64_t word = atomic_load(&b->packed_state);
	struct packed_state s = state_unpack(word);

	if (s.state != BREAKER_HALF_OPEN || s.at_ms != lease_ms)
		return;
	if (!is_good)
		state_open(b, &word, s.n_trips + 1, now);
	else if (s.n_good + 1 >= preset()->n_good)
		state_close(b, &word, s.n_trips, now);
	else
		state_change(b, &word,
			(struct packed_state){
				.state = BREAKER_HALF_OPEN, .n_good = s.n_good + 1, .n_trips = s.n_trips });
}

static void
count_duration(struct breaker *b, int64_t took_ms)
{
	int32_t mean = atomic_load_explicit(&b->took_ms16, memory_order_relaxed);

	took_ms = took_ms < 0 ? 0 : took_ms < OPEN_MAX_MS ? took_ms : OPEN_MAX_MS;
	atomic_store_explicit(&b->took_ms16, mean + ((int32_t)took_ms * 16 - mean) / 4, memory_order_relaxed);
}

static bool
is_quick(struct breaker *b)
{
	return atomic_load_explicit(&b->took_ms16, memory_order_relaxed) <= QUICK_MS * 16;
}

/* --- entering and leaving --------------------------------------------------------------------------------------- */

static bool
take_lease(struct breaker *b, uint64_t word, int permit, int64_t now)
{
	int64_t lease_ms = settings.call_deadline_ms + LEASE_MORE_MS;
	struct packed_state s = state_unpack(word);

	s.n_good = s.state == BREAKER_HALF_OPEN ? s.n_good : 0;
	s.state = BREAKER_HALF_OPEN;
	s.at_ms = now + (lease_ms > LEASE_MS ? lease_ms : LEASE_MS);
	atomic_store(&b->permit[permit].lease_ms, s.at_ms);
	return state_change(b, &word, s);
}

static enum breaker_answer
try_enter(struct breaker *b, int64_t now, int *permit)
{
	uint64_t word = atomic_load(&b->packed_state);
	struct packed_state s = state_unpack(word);

	if (s.state != BREAKER_CLOSED && must_wait(s, now))
		return BREAKER_IS_OPEN;
	*permit = permit_acquire(b, in_flight_at_most(), now);
	if (*permit < 0)
		return s.state == BREAKER_CLOSED ? BREAKER_IS_FULL : BREAKER_IS_OPEN;
	if (s.state == BREAKER_CLOSED ? state_unpack(atomic_load(&b->packed_state)).state == BREAKER_CLOSED
				      : take_lease(b, word, *permit, now))
		return BREAKER_GO;
	permit_release(b, *permit);
	return BREAKER_IS_OPEN;
}

enum breaker_answer
breaker_enter(struct breaker *b, int patience_ms, int *permit)
{
	int64_t now = clock_ms(), end_ms = now + patience_ms;
	enum breaker_answer answer;
	uint32_t seen;

	for (;;) {
		seen = atomic_load(&b->n_left);
		answer = try_enter(b, now, permit);
		if (answer != BREAKER_IS_FULL || !is_quick(b) || !permit_wait(b, seen, now, end_ms))
			break;
		now = clock_ms();
	}
	if (answer == BREAKER_IS_OPEN)
		atomic_fetch_add(&b->n_refused, 1);
	else if (answer == BREAKER_IS_FULL)
		atomic_fetch_add(&b->n_full, 1);
	return answer;
}

void
breaker_leave(struct breaker *b, int permit, bool is_good)
{
	int64_t now = clock_ms(), lease_ms = 0;

	if (permit_is_mine(b, permit)) {
		lease_ms = atomic_load(&b->permit[permit].lease_ms);
		count_duration(b, now - atomic_load(&b->permit[permit].since_ms));
	}
	atomic_fetch_add(&b->n_calls, 1);
	if (!is_good)
		atomic_fetch_add(&b->n_failed, 1);
	count_call(b, now, is_good);
	if (lease_ms)
		probe_ended(b, lease_ms, now, is_good);
	else if (!is_good)
		call_failed(b, now);
	else if (atomic_load_explicit(&b->n_in_a_row, memory_order_relaxed))
		atomic_store(&b->n_in_a_row, 0);
	permit_release(b, permit); /* last, so the next call that gets it sees the new state */
}

int
breaker_closed_for_s(struct breaker *b)
{
	struct packed_state s = state_unpack(atomic_load(&b->packed_state));
	int64_t now = clock_ms();

	if (s.state == BREAKER_CLOSED)
		return !is_quick(b) && permits_in_use(b) >= in_flight_at_most();
	if (!must_wait(s, now))
		return 0;
	return s.state == BREAKER_HALF_OPEN ? 1 : (int)((s.at_ms - now + 999) / 1000);
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

bool
breaker_look(const char *var_dir, const char *callee, struct breaker_view *v)
{
	char name[40];
	const struct breaker *b;
	struct packed_state s;

	snprintf(name, sizeof(name), "%.20s.breaker", callee);
	b = shm_map_readonly(var_dir, name, BREAKER_KIND, sizeof(struct breaker));
	if (!b)
		return false;
	s = state_unpack(atomic_load(&b->packed_state));
	*v = (struct breaker_view){
		.callee = callee,
		.state = s.state,
		.opened_at = s.state == BREAKER_CLOSED ? 0 : atomic_load(&b->opened_at),
		.again_in_ms = s.state == BREAKER_OPEN && must_wait(s, clock_ms()) ? s.at_ms - clock_ms() : 0,
		.n_calls = atomic_load(&b->n_calls),
		.n_failed = atomic_load(&b->n_failed),
		.n_refused = atomic_load(&b->n_refused),
		.n_full = atomic_load(&b->n_full),
		.n_opened = atomic_load(&b->n_opened),
	};
	v->n_in_flight = permits_in_use(b);
	shm_unmap(b, sizeof(struct breaker));
	return true;
}
