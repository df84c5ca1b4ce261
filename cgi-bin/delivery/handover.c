/*
 * handover - the photo of a hand-over.
 *
 * It is kept in $VAR/handover, which the web server does not serve, since it may show where the customer lives. A
 * record never changes, and neither does its photo; only the photo of a refused hand-over is deleted.
 */
#include "delivery.h"

#include "lib/base/folder.h"
#include "lib/base/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *
handover_folder(struct db *db)
{
	return arena_printf(db_memory(db), "%s/handover", settings.var_dir);
}

static const char *
handover_path(struct db *db, const char *name)
{
	return arena_printf(db_memory(db), "%s/%s", handover_folder(db), name);
}

enum photo_outcome
handover_photo(struct db *db, const char *bytes, size_t n, const char **name)
{
	struct arena *m = db_memory(db);
	size_t jpeg_n = 0;
	char *jpeg = NULL;
	enum photo_outcome outcome = photo_redraw(m, bytes, n, &jpeg, &jpeg_n);
	const char *aside;

	if (outcome != PHOTO_OK)
		return outcome;
	*name = photo_name(m, jpeg, jpeg_n);
	aside = photo_write_aside(m, handover_folder(db), 0600, jpeg, jpeg_n);
	return aside && rename(aside, handover_path(db, *name)) == 0 && folder_sync(handover_folder(db)) ? PHOTO_OK
													 : PHOTO_LATER;
}

void
handover_forget(struct db *db, const char *name)
{
	if (!*name)
		return;
	db_begin(db);
	if (!db_exists(db, "SELECT 1 FROM delivery WHERE photo = $1 /*scan*/", name) && !db_failed(db))
		unlink(handover_path(db, name));
	db_commit(db);
}

/* NULL: the file is missing or does not have the size of a kept photo. */
static const char *
read_photo_file(struct arena *m, const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *s = NULL;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && (size_t)st.st_size <= PHOTO_JPEG_MAX) {
		*n = (size_t)st.st_size;
		s = arena_alloc(m, *n);
		if (pread(fd, s, *n, 0) != (ssize_t)*n)
			s = NULL;
	}
	close(fd);
	return s;
}

const char *
handover_read(struct db *db, int64_t delivery_id, const struct delivery_actor *by, size_t *n)
{
	const char *name = db_text(db,
		"SELECT photo FROM delivery WHERE delivery_id = $1 AND photo <> ''"
		" AND ($2 = 1 OR courier_id = $3 OR customer_id = $3)",
		delivery_id, by->is_manager ? 1 : 0, by->user_id);

	return name ? read_photo_file(db_memory(db), handover_path(db, name), n) : NULL;
}
