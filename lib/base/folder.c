/* folder.c - where things are; folder.h describes it. */
#include "folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *
folder_program(struct arena *m)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	return n > 0 ? arena_strndup(m, path, (size_t)n) : "";
}

const char *
folder_above(struct arena *m, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_strndup(m, path, (size_t)(slash - path)) : ".";
}

bool
folder_has(struct arena *m, const char *dir, const char *name)
{
	return access(arena_printf(m, "%s/%s", dir, name), R_OK) == 0;
}

static const char *
nearest(struct arena *m)
{
	const char *given = getenv("MOTORPOOL_ROOT");
	char *dir = arena_strdup(m, folder_program(m)), *slash;

	if (given && *given)
		return given;
	while ((slash = strrchr(dir, '/'))) {
		*slash = '\0';
		if (folder_has(m, dir, "motorpool.conf"))
			return dir;
	}
	return ".";
}

const char *
folder_root(struct arena *m)
{
	const char *root = nearest(m);
	char whole[PATH_MAX];

	return realpath(root, whole) ? arena_strdup(m, whole) : root;
}

/* The built catalogues, not their sources, which lie in the tree under the same name: the command beside them, or a
 * program in bin/. */
static const char *
locale_of(struct arena *m, const char *program, const char *root)
{
	const char *bin = folder_above(m, program), *build = folder_above(m, bin);

	if (folder_has(m, bin, "locale/ko/LC_MESSAGES"))
		return arena_printf(m, "%s/locale", bin);
	if (folder_has(m, build, "locale/ko/LC_MESSAGES"))
		return arena_printf(m, "%s/locale", build);
	if (folder_has(m, root, "build/locale"))
		return arena_printf(m, "%s/build/locale", root);
	return arena_printf(m, "%s/locale", root);
}

const char *
folder_locale(struct arena *m, const char *root)
{
	return locale_of(m, folder_program(m), root);
}

bool
folder_sync(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

bool
file_sync(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

void
folder_remove(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
