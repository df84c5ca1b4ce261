/*
 * counts.c - the numbers in the menu. The story is in counts.h.
 *
 * Unread messages are counted once per person and few seconds in each worker: one look into an index that holds nothing but what is
 * unread, so even a thousand people at once cost little.
 */
#include "counts.h"

#include "stuck.h"
#include "menu.h"
#include "lib/base/clock.h"

#define AGAIN_MS 3000
#define SEATS    256            /* people remembered at once; another one takes the seat */

static struct seat { int64_t user_id, counted_ms, n; } seats[SEATS];

static struct seat *
seat_of(int64_t user_id)
{
	return &seats[(uint64_t)user_id % SEATS];
}

static int64_t
unread(struct web *w)
{
	struct seat *s = seat_of(w->user.id);

	if (s->user_id != w->user.id || clock_ms() > s->counted_ms + AGAIN_MS)
		*s = (struct seat){
			.user_id = w->user.id, .counted_ms = clock_ms(),
			.n = db_int(w->db, "SELECT COUNT(*) FROM v_unread WHERE recipient_id = $1", w->user.id),
		};
	return s->n;
}

void
counts_show(struct web *w)
{
	stuck_show_count(w);
	if (w->user.id && !w->json)
		menu_of(w)->n_unread = unread(w);
}

void
counts_forget(struct web *w)
{
	seat_of(w->user.id)->user_id = 0;
	if (!w->json)
		menu_of(w)->n_unread = unread(w);
}
