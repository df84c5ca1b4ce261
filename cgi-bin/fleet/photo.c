/*
 * photo - a picture of a car that a manager uploads. The overview is in fleet.h; domain/photo.h redraws pictures.
 *
 * It is kept in VAR/photos and served by the web server; two cars may share it. Files are created and deleted inside a
 * write transaction, so a file that another request is about to use is not deleted.
 */
#include "fleet.h"

#include "lib/base/folder.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char photo_dir[PATH_MAX - 100] = "var/photos";

void
photo_open(const char *var_dir)
{
	snprintf(photo_dir, sizeof(photo_dir), "%s/photos", var_dir);
}

/* --- keeping the file --------------------------------------------------------------------------------------------- */

static const char *
photo_path(struct arena *m, const char *name)
{
	return arena_printf(m, "%s/%s", photo_dir, name);
}

/* name "": no photo, the drawn body is shown. *old: the name before; NULL: there is no such car. */
static void
car_set_photo(struct db *db, int64_t car_id, const char *name, const char **old, int64_t actor_id)
{
	*old = db_text(db, "SELECT photo FROM car WHERE car_id = $1", car_id);
	if (!*old || strcmp(*old, name) == 0)
		return;
	db_do(db, "UPDATE car SET photo = $2 WHERE car_id = $1", car_id, name);
	car_touched(db, car_id, actor_id);
}

void
photo_forget(struct db *db, const char *name)
{
	if (!*name)
		return;
	db_begin(db);
	if (!db_exists(db, "SELECT 1 FROM car WHERE photo = $1 /*scan*/", name) && !db_failed(db))
		unlink(photo_path(db_memory(db), name));
	db_commit(db);
}

/* --- upload and remove -------------------------------------------------------------------------------------------- */

static enum photo_outcome
photo_keep(struct db *db, int64_t car_id, const char *jpeg, size_t n, int64_t actor_id)
{
	struct arena *m = db_memory(db);
	const char *name = photo_name(m, jpeg, n), *aside = photo_write_aside(m, photo_dir, 0644, jpeg, n), *old = NULL;
	bool kept;

	if (!aside)
		return PHOTO_LATER;
	db_begin(db);
	kept = rename(aside, photo_path(m, name)) == 0 && folder_sync(photo_dir);
	if (kept)
		car_set_photo(db, car_id, name, &old, actor_id);
	if (db_commit(db) && old && strcmp(old, name) != 0)
		photo_forget(db, old);
	if (!kept) {
		unlink(aside);
		return PHOTO_LATER;
	}
	if (!old)
		photo_forget(db, name);
	return old ? PHOTO_OK : PHOTO_GONE;
}

enum photo_outcome
photo_put(struct db *db, int64_t car_id, const char *bytes, size_t n, int64_t actor_id)
{
	enum photo_outcome outcome;
	size_t jpeg_n = 0;
	char *jpeg = NULL;

	if (!db_exists(db, "SELECT 1 FROM car WHERE car_id = $1", car_id))
		return PHOTO_GONE;
	outcome = photo_redraw(db_memory(db), bytes, n, &jpeg, &jpeg_n);
	return outcome == PHOTO_OK ? photo_keep(db, car_id, jpeg, jpeg_n, actor_id) : outcome;
}

enum photo_outcome
photo_remove(struct db *db, int64_t car_id, int64_t actor_id)
{
	const char *old = NULL;

	db_begin(db);
	car_set_photo(db, car_id, "", &old, actor_id);
	if (db_commit(db) && old)
		photo_forget(db, old);
	return old ? PHOTO_OK : PHOTO_GONE;
}
