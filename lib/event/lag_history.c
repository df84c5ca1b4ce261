/*
 * lag_history.c - the ring buffer; lag_history.h describes it. One process writes, many read: a sample's time is 0
 * while it is written, and a reader that finds it changed after copying skips the sample.
 */
#include "lag_history.h"

#include "lib/base/shm.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define LAG_KIND "motorpool history 1"
#define N_WORDS (sizeof(struct lag_sample) / sizeof(int64_t) - 1)

struct lag_slot {
	_Atomic int64_t at;
	_Atomic int64_t word[N_WORDS];   /* the rest of a sample */
};

struct lag_history_shm {
	struct shm_header shm;
	char consumer[LAG_CONSUMERS][24];
	_Atomic int64_t n;              /* samples ever written */
	struct lag_slot slot[LAG_SAMPLES];
};
_Static_assert(sizeof(struct lag_sample) == sizeof(struct lag_slot), "a sample is int64_t throughout");

/* --- writing ---------------------------------------------------------------------------------------------------- */

struct lag_history_shm *
lag_history_open(const char *var_dir)
{
	return shm_map(var_dir, "relay.history", LAG_KIND, sizeof(struct lag_history_shm), NULL);
}

int
lag_history_column(struct lag_history_shm *h, const char *consumer)
{
	for (int i = 0; i < LAG_CONSUMERS; i++) {
		if (!h->consumer[i][0])
			snprintf(h->consumer[i], sizeof(h->consumer[i]), "%s", consumer);
		if (strcmp(h->consumer[i], consumer) == 0)
			return i;
	}
	return -1;
}

void
lag_history_add(struct lag_history_shm *h, const struct lag_sample *s)
{
	int64_t n = atomic_load(&h->n), word[N_WORDS];
	struct lag_slot *to = &h->slot[n % LAG_SAMPLES];

	memcpy(word, (const char *)s + sizeof(s->at), sizeof(word));
	atomic_store(&to->at, 0);
	for (size_t i = 0; i < N_WORDS; i++)
		atomic_store(&to->word[i], word[i]);
	atomic_store(&to->at, s->at);
	atomic_store(&h->n, n + 1);
}

void
lag_history_close(struct lag_history_shm *h)
{
	shm_unmap(h, sizeof(*h));
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static bool
lag_slot_copy(const struct lag_slot *from, struct lag_sample *to)
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
	const struct lag_history_shm *shm = shm_map_readonly(var_dir, "relay.history", LAG_KIND, sizeof(*shm));
	int64_t n;

	*h = (struct lag_history){ 0 };
	if (!shm)
		return false;
	for (; h->n_consumers < LAG_CONSUMERS && shm->consumer[h->n_consumers][0]; h->n_consumers++)
		h->consumer[h->n_consumers] = arena_strdup(m, shm->consumer[h->n_consumers]);
	h->samples = arena_array(m, struct lag_sample, LAG_SAMPLES);
	n = atomic_load(&shm->n);
	for (int64_t i = n > LAG_SAMPLES ? n - LAG_SAMPLES : 0; i < n; i++)
		h->n_samples += lag_slot_copy(&shm->slot[i % LAG_SAMPLES], &h->samples[h->n_samples]);
	shm_unmap(shm, sizeof(*shm));
	return true;
}
