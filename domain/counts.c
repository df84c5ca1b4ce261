/*
 * counts - the numbers in the menu.
 *
 * Unread messages are counted once per user and few seconds in each worker, from an index that holds unread messages
 * only, so even a thousand users at once cost little.
 */
#include "counts.h"

#include "stuck.h"
#include "menu.h"
#include "lib/base/clock.h"

#define VALID_MS   3000
#define CACHE_SIZE 256          /* users; another one with the same slot replaces the entry */

static struct unread_count { int64_t user_id, counted_ms, n; } cache[CACHE_SIZE];

static struct unread_count *
cached_count(int64_t user_id)
{
	return &cache[(uint64_t)user_id % CACHE_SIZE];
}

static int64_t
n_unread(struct web *w)
{
	struct unread_count *c = cached_count(w->user.id);

	if (c->user_id != w->user.id || clock_ms() > c->counted_ms + VALID_MS)
		*c = (struct unread_count){
			.user_id = w->user.id,
			.counted_ms = clock_ms(),
			.n = db_int(w->db, "SELECT COUNT(*) FROM v_unread WHERE recipient_id = $1", w->user.id),
		};
	return c->n;
}

void
counts_show(struct web *w)
{
	stuck_show_count(w);
	if (w->user.id && !w->json)
		menu_of(w)->n_unread = n_unread(w);
}

void
counts_forget(struct web *w)
{
	cached_count(w->user.id)->user_id = 0;
	if (!w->json)
		menu_of(w)->n_unread = n_unread(w);
}
