/*
 * lag_history.c - the ring; history.h tells what it is for. One writes, many read: a sample's time is 0 while it is written, and a reader
 * that finds it changed after copying leaves the sample out.
 */
#include "lag_history.h"

#include "lib/base/shm.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define KIND  "motorpool history 1"
#define N_WORDS (sizeof(struct lag_sample) / sizeof(int64_t) - 1)

struct slot {
	_Atomic int64_t at;
	_Atomic int64_t word[N_WORDS];   /* the rest of a sample */
};

struct lag_history_shm {
	struct shm_header shm;
	char consumer[LAG_CONSUMERS][24];
	_Atomic int64_t n;              /* samples ever written */
	struct slot slot[LAG_SAMPLES];
};
_Static_assert(sizeof(struct lag_sample) == sizeof(struct slot), "a sample is int64_t throughout");

/* --- writing ---------------------------------------------------------------------------------------------------------- */

struct lag_history_shm *
lag_history_open(const char *var_dir)
{
	return shm_map(var_dir, "relay.history", KIND, sizeof(struct lag_history_shm), NULL);
}

int
lag_history_column(struct lag_history_shm *b, const char *consumer)
{
	for (int i = 0; i < LAG_CONSUMERS; i++) {
		if (!b->consumer[i][0])
			snprintf(b->consumer[i], sizeof(b->consumer[i]), "%s", consumer);
		if (strcmp(b->consumer[i], consumer) == 0)
			return i;
	}
	return -1;
}

void
lag_history_add(struct lag_history_shm *b, const struct lag_sample *s)
{
	int64_t n = atomic_load(&b->n), word[N_WORDS];
	struct slot *to = &b->slot[n % LAG_SAMPLES];

	memcpy(word, (const char *)s + sizeof(s->at), sizeof(word));
	atomic_store(&to->at, 0);
	for (size_t i = 0; i < N_WORDS; i++)
		atomic_store(&to->word[i], word[i]);
	atomic_store(&to->at, s->at);
	atomic_store(&b->n, n + 1);
}

void
lag_history_close(struct lag_history_shm *b)
{
	shm_unmap(b, sizeof(*b));
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static bool
copy(const struct slot *from, struct lag_sample *to)
{
	int64_t word[N_WORDS];

	to->at = atomic_load(&from->at);
	for (size_t i = 0; i < N_WORDS; i++)
		word[i] = atomic_load(&from->word[i]);
	memcpy((char *)to + sizeof(to->at), word, sizeof(word));
	return to->at != 0 && atomic_load(&from->at) == to->at;
}

bool
lag_history_read(struct arena *m, const char *var_dir, struct lag_history *h)
{
	const struct lag_history_shm *b = shm_map_readonly(var_dir, "relay.history", KIND, sizeof(*b));
	int64_t n;

	*h = (struct lag_history){ 0 };
	if (!b)
		return false;
	for (; h->n_consumers < LAG_CONSUMERS && b->consumer[h->n_consumers][0]; h->n_consumers++)
		h->consumer[h->n_consumers] = arena_strdup(m, b->consumer[h->n_consumers]);
	h->samples = arena_array(m, struct lag_sample, LAG_SAMPLES);
	n = atomic_load(&b->n);
	for (int64_t i = n > LAG_SAMPLES ? n - LAG_SAMPLES : 0; i < n; i++)
		h->n_samples += copy(&b->slot[i % LAG_SAMPLES], &h->samples[h->n_samples]);
	shm_unmap(b, sizeof(*b));
	return true;
}
