/*
 * breaker.c - when calls go through and when they are refused, on a board that all callers share. The story is in breaker.h.
 *
 * Nobody ever holds anything here that another has to wait for. How it stands is one 64-bit word, changed by compare-and-swap:
 * of several who see that it must open one opens it, the others find it done. A probe is a lease: its holder may die, and when
 * the lease is over the next caller probes. Who is under way is in breaker_permit.c.
 *
 * What failed in the last ten seconds stands in buckets of a second each; only a failure adds them up.
 */
#include "breaker_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND         "motorpool breaker 1"
#define WINDOW_S     10
#define OPEN_MAX_MS  60000
#define QUIET_MS     60000      /* closed for so long, an opening is the first again */
#define LEASE_MS     4000       /* longer than any call here may take, the sweeps' included … */
#define LEASE_MORE_MS 1000      /* … and than a deadline somebody has set longer */
#define AGAIN_MS     1000       /* … and how often a board that cannot be made is tried */
#define QUICK_MS     200        /* where calls take longer, nobody waits for a place: the call would miss the time it waited */

/* --- what the settings say -------------------------------------------------------------------------------------------- */

struct preset {
	int run;                        /* so many failures in a row open it; 0: however many */
	int percent, at_least;          /* so many of a hundred, of at least so many calls in WINDOW_S, open it */
	int open_ms;                    /* … for so long */
	bool grows;                     /* … times the openings in short order, up to OPEN_MAX_MS */
	int n_good;                     /* so many good probes close it */
	int in_flight_max;                     /* so many calls at once; 0: settings.calls_at_once */
};

static const struct preset
	preset_default = { .run = 5, .percent = 50, .at_least = 20, .open_ms = 5000, .grows = true, .n_good = 3 },
	preset_strict = { .run = 1, .percent = 50, .at_least = 20, .open_ms = 10000, .n_good = 1, .in_flight_max = 5 },
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

/* --- the board -------------------------------------------------------------------------------------------------------- */

struct standing {
	enum breaker_state state;
	int n_good;                     /* probing: good ones so far */
	int trips;                      /* openings in short order */
	int64_t at_ms;                  /* closed: since when; open: until then; probing: until then somebody has the lease, 0: nobody */
};

static uint64_t
pack(struct standing s)
{
	return (uint64_t)s.state << 62 | (uint64_t)s.n_good << 56 | (uint64_t)s.trips << 48 | (uint64_t)s.at_ms;
}

static struct standing
unpack(uint64_t word)
{
	return (struct standing){
		.state = (enum breaker_state)(word >> 62), .n_good = word >> 56 & 63, .trips = word >> 48 & 255,
		.at_ms = (int64_t)(word & ((1ULL << 48) - 1)),
	};
}

static struct { char var[80], callee[16]; struct breaker *breaker; int64_t tried_ms; } opened[4];

struct breaker *
breaker_open(const char *var_dir, const char *callee)
{
	char name[40];
	int i = 0, n = sizeof(opened) / sizeof(opened[0]);

	while (i < n && opened[i].var[0] && (strcmp(opened[i].callee, callee) != 0 || strcmp(opened[i].var, var_dir) != 0))
		i++;
	if (i == n || strlen(var_dir) >= sizeof(opened[i].var) || strlen(callee) >= sizeof(opened[i].callee))
		return NULL;
	if (opened[i].breaker || (opened[i].tried_ms && clock_ms() - opened[i].tried_ms < AGAIN_MS))
		return opened[i].breaker;
	snprintf(opened[i].var, sizeof(opened[i].var), "%s", var_dir);
	snprintf(opened[i].callee, sizeof(opened[i].callee), "%s", callee);
	snprintf(name, sizeof(name), "%s.breaker", callee);
	opened[i].tried_ms = clock_ms();
	opened[i].breaker = shm_map(var_dir, name, KIND, sizeof(struct breaker), NULL);
	if (!opened[i].breaker)
		log_warn("breaker", "%s/run/%s: %s; calls go unguarded", var_dir, name, strerror(errno));
	return opened[i].breaker;
}

const char *
breaker_name(const struct breaker *b)
{
	for (size_t i = 0; i < sizeof(opened) / sizeof(opened[0]); i++)
		if (opened[i].breaker == b)
			return opened[i].callee;
	return "";
}

/* --- how it stands ------------------------------------------------------------------------------------------------------ */

/* Not before at_ms. No pause is as long as two minutes: such a time is none of ours, and is not waited for. */
static bool
must_wait(struct standing s, int64_t now)
{
	return s.at_ms > now && s.at_ms - now < 2 * OPEN_MAX_MS;
}

static bool
turn_to(struct breaker *b, uint64_t *word, struct standing s)
{
	return atomic_compare_exchange_strong(&b->standing, word, pack(s));
}

static int64_t
open_for_ms(int trips)
{
	int64_t ms = (int64_t)preset()->open_ms * (preset()->grows ? trips : 1);

#ifdef MOTORPOOL_FAULTS
	if (getenv("MOTORPOOL_SHORT_PAUSES"))   /* the experiments' quick form has not the time */
		ms /= 5;
#endif
	return ms < OPEN_MAX_MS ? ms : OPEN_MAX_MS;
}

/* Those who wait for a place need not. */
static void
open_it(struct breaker *b, uint64_t *word, int trips, int64_t now)
{
	int64_t open_ms = open_for_ms(trips);
	bool was_closed = unpack(*word).state == BREAKER_CLOSED;

	if (!turn_to(b, word, (struct standing){ .state = BREAKER_OPEN, .trips = trips < 255 ? trips : 255, .at_ms = now + open_ms }))
		return;
	if (was_closed) {
		atomic_store(&b->opened_at, clock_now());
		atomic_fetch_add(&b->n_opened, 1);
	}
	permit_wake_all(b);
	log_warn("breaker", "%s: open for %lld ms: %s", breaker_name(b), (long long)open_ms, was_closed ? "too many calls failed" : "the probe failed");
}

static void
close_it(struct breaker *b, uint64_t *word, int trips, int64_t now)
{
	atomic_store(&b->run, 0);
	atomic_store(&b->from_s, (uint32_t)(now / 1000));
	if (turn_to(b, word, (struct standing){ .state = BREAKER_CLOSED, .trips = trips, .at_ms = now }))
		log_info("breaker", "%s: closed again", breaker_name(b));
}

/* --- what became of the calls ------------------------------------------------------------------------------------------ */

static void
note(struct breaker *b, int64_t now, bool is_good)
{
	uint64_t s = (uint32_t)(now / 1000);
	_Atomic uint64_t *bucket = &b->second[s % BUCKETS];
	uint64_t was = atomic_load(bucket), is;

	do {
		is = was >> 32 == s ? was : s << 32;
		if ((is & 0xFFFF) == 0xFFFF)    /* full: the share is what matters */
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

/* An ordinary call failed. What was sent before it opened changes nothing any more. */
static void
judge(struct breaker *b, int64_t now)
{
	uint64_t word = atomic_load(&b->standing);
	struct standing s = unpack(word);
	int run = atomic_fetch_add(&b->run, 1) + 1;

	if (s.state != BREAKER_CLOSED)
		return;
	if ((preset()->run && run >= preset()->run) || too_many_failed(b, now))
		open_it(b, &word, now - s.at_ms > QUIET_MS ? 1 : s.trips + 1, now);
}

/* One whose lease was over, so that another probes, has nothing to say. */
static void
judge_probe(struct breaker *b, int64_t lease_ms, int64_t now, bool is_good)
{
	uint64_t word = atomic_load(&b->standing);
	struct standing s = unpack(word);

	if (s.state != BREAKER_HALF_OPEN || s.at_ms != lease_ms)
		return;
	if (!is_good)
		open_it(b, &word, s.trips + 1, now);
	else if (s.n_good + 1 >= preset()->n_good)
		close_it(b, &word, s.trips, now);
	else
		turn_to(b, &word, (struct standing){ .state = BREAKER_HALF_OPEN, .n_good = s.n_good + 1, .trips = s.trips });
}

static void
note_time(struct breaker *b, int64_t took_ms)
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

/* --- in and out --------------------------------------------------------------------------------------------------------- */

static bool
take_lease(struct breaker *b, uint64_t word, int permit, int64_t now)
{
	int64_t lease_ms = settings.call_deadline_ms + LEASE_MORE_MS;
	struct standing s = unpack(word);

	s.n_good = s.state == BREAKER_HALF_OPEN ? s.n_good : 0;
	s.state = BREAKER_HALF_OPEN;
	s.at_ms = now + (lease_ms > LEASE_MS ? lease_ms : LEASE_MS);
	atomic_store(&b->permit[permit].lease_ms, s.at_ms);
	return turn_to(b, &word, s);
}

static enum breaker_answer
try_enter(struct breaker *b, int64_t now, int *permit)
{
	uint64_t word = atomic_load(&b->standing);
	struct standing s = unpack(word);

	if (s.state != BREAKER_CLOSED && must_wait(s, now))
		return BREAKER_IS_OPEN;
	*permit = permit_acquire(b, in_flight_at_most(), now);
	if (*permit < 0)
		return s.state == BREAKER_CLOSED ? BREAKER_IS_FULL : BREAKER_IS_OPEN;
	if (s.state == BREAKER_CLOSED ? unpack(atomic_load(&b->standing)).state == BREAKER_CLOSED : take_lease(b, word, *permit, now))
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
		note_time(b, now - atomic_load(&b->permit[permit].since_ms));
	}
	atomic_fetch_add(&b->n_calls, 1);
	if (!is_good)
		atomic_fetch_add(&b->n_failed, 1);
	note(b, now, is_good);
	if (lease_ms)
		judge_probe(b, lease_ms, now, is_good);
	else if (!is_good)
		judge(b, now);
	else if (atomic_load_explicit(&b->run, memory_order_relaxed))
		atomic_store(&b->run, 0);
	permit_release(b, permit);          /* last: who gets the place finds it open, if that is what it is now */
}

int
breaker_closed_for_s(struct breaker *b)
{
	struct standing s = unpack(atomic_load(&b->standing));
	int64_t now = clock_ms();

	if (s.state == BREAKER_CLOSED)
		return !is_quick(b) && permits_in_use(b) >= in_flight_at_most();
	if (!must_wait(s, now))
		return 0;
	return s.state == BREAKER_HALF_OPEN ? 1 : (int)((s.at_ms - now + 999) / 1000);
}

/* --- looking ------------------------------------------------------------------------------------------------------------ */

bool
breaker_look(const char *var_dir, const char *callee, struct breaker_view *v)
{
	char name[40];
	const struct breaker *b;
	struct standing s;

	snprintf(name, sizeof(name), "%.20s.breaker", callee);
	b = shm_map_readonly(var_dir, name, KIND, sizeof(struct breaker));
	if (!b)
		return false;
	s = unpack(atomic_load(&b->standing));
	*v = (struct breaker_view){
		.callee = callee, .state = s.state, .opened_at = s.state == BREAKER_CLOSED ? 0 : atomic_load(&b->opened_at),
		.again_in_ms = s.state == BREAKER_OPEN && must_wait(s, clock_ms()) ? s.at_ms - clock_ms() : 0,
		.n_calls = atomic_load(&b->n_calls), .n_failed = atomic_load(&b->n_failed), .n_refused = atomic_load(&b->n_refused),
		.n_full = atomic_load(&b->n_full), .n_opened = atomic_load(&b->n_opened),
	};
	v->n_in_flight = permits_in_use(b);
	shm_unmap(b, sizeof(struct breaker));
	return true;
}
