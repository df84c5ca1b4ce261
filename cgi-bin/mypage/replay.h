/* replay - what replay.c and compare.c share. */
#ifndef MP_MYPAGE_REPLAY_H
#define MP_MYPAGE_REPLAY_H

#include "mypage.h"

/* One replay in progress. */
struct replay {
	struct db *db;
	struct arena *m;                /* of one batch */
	view_progress_fn *progress;
	void *arg;
	int64_t at, upto, n_events;
	int n_aside; /* events that could not be read: they wait, with the later ones of their subject */
	const int64_t *skipped;         /* events that the file compared with has put aside, ascending */
	int n_skipped;
};

#define REPLAY_ARENA ((size_t)256 << 20)

void replay_events(struct replay *r);            /* from .at to .upto, inside the caller's transaction */
bool replay_make_file(const char *root_dir, const char *var_dir, const char **why);     /* when it is missing */
const char *replay_error(struct db *db);         /* outlives the connection */

#endif
