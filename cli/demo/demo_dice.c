/* demo_dice.c - chance for the demo's plan: the same seed gives the same numbers. */
#include "demo.h"

/* splitmix64 */
uint32_t
dice_roll(struct dice *d, uint32_t below)
{
	uint64_t z = d->state += 0x9E3779B97F4A7C15ULL;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
	return (uint32_t)(((z ^ z >> 31) >> 32) * below >> 32);
}

int64_t
dice_between(struct dice *d, int64_t from, int64_t to)
{
	return to <= from ? from : from + dice_roll(d, (uint32_t)(to - from + 1));
}

bool
dice_percent(struct dice *d, double percent)
{
	return dice_roll(d, 1000000) < percent * 10000;
}

int
dice_weighted(struct dice *d, const int *weight, int n)
{
	int sum = 0, at;

	for (int i = 0; i < n; i++)
		sum += weight[i];
	at = (int)dice_roll(d, (uint32_t)sum);
	for (int i = 0; i < n; i++)
		if ((at -= weight[i]) < 0)
			return i;
	return n - 1;
}
