/*
 * fault.c - workers that break on purpose, in builds with FAULTS=1 only: what a request's header X-Fault says.
 *
 *	hang        waits for ever                  eat         takes memory until there is none
 *	spin        computes for ever               fat         takes 160 MiB and keeps it, then answers as ever
 *	slow        takes 20 ms, then answers as ever
 */
#include "web_inside.h"

#ifdef MOTORPOOL_FAULTS

#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)4 << 20)

/* Kept for good. What the arena cannot get ends the process. */
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
	for (volatile bool spins = strcmp(what, "spin") == 0; spins; )
		;
	if (strcmp(what, "eat") == 0)
		eat(4001);
	else if (strcmp(what, "fat") == 0)
		eat(40);
	else if (strcmp(what, "slow") == 0)
		usleep(20000);
}

#endif
