/*
 * fault.c - workers that break on purpose, in builds with FAULTS=1 only: as the request header X-Fault says.
 *
 *	hang        waits forever                   eat         allocates until memory runs out
 *	spin        computes forever                fat         allocates 160 MiB and keeps it, then answers normally
 *	slow        takes 20 ms, then answers normally
 */
#include "web_inside.h"

#ifdef MOTORPOOL_FAULTS

#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)4 << 20)

/* Never released. When the arena cannot allocate, the process ends. */
static void
eat(int pieces)
{
	static struct arena *all;

	if (!all)
		all = arena_new(PIECE * 4000);
	while (pieces-- > 0)
		memset(arena_alloc(all, PIECE), 1, PIECE);
}

void
fault_act(const struct exchange *x)
{
	const char *what = gateway_param(x, "HTTP_X_FAULT");

	if (!what)
		return;
	while (strcmp(what, "hang") == 0)
		pause();
	for (volatile bool spins = strcmp(what, "spin") == 0; spins;)
		;
	if (strcmp(what, "eat") == 0)
		eat(4001);
	else if (strcmp(what, "fat") == 0)
		eat(40);
	else if (strcmp(what, "slow") == 0)
		usleep(20000);
}

#endif
