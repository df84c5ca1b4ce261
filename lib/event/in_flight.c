/* hand.c - the notes of what is in hand; hand.h tells what they are for. */
#include "in_flight.h"

#include "lib/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct hands *
hands_open(const char *var_dir)
{
	return board_open(var_dir, "relay.hand", HAND_KIND, sizeof(struct hands), NULL);
}

/* Only the relay at work makes places, before it has children: nobody else does at the same time. */
struct hand *
hand_of(struct hands *h, const char *consumer)
{
	for (int i = 0; h && i < HAND_SLOTS; i++) {
		struct hand *hand = &h->hand[i];

		if (!hand->consumer[0]) {
			snprintf(hand->consumer, sizeof(hand->consumer), "%s", consumer);
			atomic_store(&hand->ended, HAND_UNKNOWN);
		}
		if (strcmp(hand->consumer, consumer) == 0)
			return hand;
	}
	return NULL;
}

/* The 22nd word of /proc/PID/stat; the second, the program's name, may hold blanks and brackets of its own. A zombie is gone. */
int64_t
hand_born(pid_t pid)
{
	char path[64], line[1024] = "", state = 'Z', *rest;
	long long born = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = pid > 0 ? fopen(path, "re") : NULL;
	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f) && (rest = strrchr(line, ')'))
	    && sscanf(rest + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld", &state, &born) != 2)
		born = 0;
	fclose(f);
	return state == 'Z' || state == 'X' ? 0 : born;
}

bool
hand_claim(struct hand *h)
{
	pid_t pid = atomic_load(&h->pid);

	if (pid == getpid())
		return true;
	if (pid && hand_born(pid) == atomic_load(&h->born))
		return false;
	atomic_store(&h->event_id, 0);
	atomic_store(&h->ended, HAND_UNKNOWN);
	atomic_store(&h->born, hand_born(getpid()));
	atomic_store(&h->pid, getpid());
	return true;
}

void
hand_take(struct hand *h, int64_t event_id, int64_t last_id)
{
	if (!h)
		return;
	atomic_store(&h->last_id, last_id);
	atomic_store(&h->since_ms, clock_ms());
	atomic_store(&h->event_id, event_id);
}

void
hand_drop(struct hand *h)
{
	if (h)
		atomic_store(&h->event_id, 0);
}
