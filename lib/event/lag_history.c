/*
 * history.c - the ring; history.h tells what it is for. One writes, many read: a sample's time is 0 while it is written, and a reader
 * that finds it changed after copying leaves the sample out.
 */
#include "lag_history.h"

#include "lib/base/shm.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define KIND  "motorpool history 1"
#define N_WORDS (sizeof(struct history_sample) / sizeof(int64_t) - 1)

struct slot {
	_Atomic int64_t at;
	_Atomic int64_t word[N_WORDS];   /* the rest of a sample */
};

struct history_board {
	struct board board;
	char consumer[HISTORY_CONSUMERS][24];
	_Atomic int64_t n;              /* samples ever written */
	struct slot slot[HISTORY_SAMPLES];
};
_Static_assert(sizeof(struct history_sample) == sizeof(struct slot), "a sample is int64_t throughout");

/* --- writing ---------------------------------------------------------------------------------------------------------- */

struct history_board *
history_open(const char *var_dir)
{
	return board_open(var_dir, "relay.history", KIND, sizeof(struct history_board), NULL);
}

int
history_place(struct history_board *b, const char *consumer)
{
	for (int i = 0; i < HISTORY_CONSUMERS; i++) {
		if (!b->consumer[i][0])
			snprintf(b->consumer[i], sizeof(b->consumer[i]), "%s", consumer);
		if (strcmp(b->consumer[i], consumer) == 0)
			return i;
	}
	return -1;
}

void
history_add(struct history_board *b, const struct history_sample *s)
{
	int64_t n = atomic_load(&b->n), word[N_WORDS];
	struct slot *to = &b->slot[n % HISTORY_SAMPLES];

	memcpy(word, (const char *)s + sizeof(s->at), sizeof(word));
	atomic_store(&to->at, 0);
	for (size_t i = 0; i < N_WORDS; i++)
		atomic_store(&to->word[i], word[i]);
	atomic_store(&to->at, s->at);
	atomic_store(&b->n, n + 1);
}

void
history_close(struct history_board *b)
{
	board_close(b, sizeof(*b));
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static bool
copy(const struct slot *from, struct history_sample *to)
{
	int64_t word[N_WORDS];

	to->at = atomic_load(&from->at);
	for (size_t i = 0; i < N_WORDS; i++)
		word[i] = atomic_load(&from->word[i]);
	memcpy((char *)to + sizeof(to->at), word, sizeof(word));
	return to->at != 0 && atomic_load(&from->at) == to->at;
}

bool
history_read(struct arena *m, const char *var_dir, struct history *h)
{
	const struct history_board *b = board_look(var_dir, "relay.history", KIND, sizeof(*b));
	int64_t n;

	*h = (struct history){ 0 };
	if (!b)
		return false;
	for (; h->n_consumers < HISTORY_CONSUMERS && b->consumer[h->n_consumers][0]; h->n_consumers++)
		h->consumer[h->n_consumers] = arena_strdup(m, b->consumer[h->n_consumers]);
	h->samples = arena_array(m, struct history_sample, HISTORY_SAMPLES);
	n = atomic_load(&b->n);
	for (int64_t i = n > HISTORY_SAMPLES ? n - HISTORY_SAMPLES : 0; i < n; i++)
		h->n_samples += copy(&b->slot[i % HISTORY_SAMPLES], &h->samples[h->n_samples]);
	board_close(b, sizeof(*b));
	return true;
}
