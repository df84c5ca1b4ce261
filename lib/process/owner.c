/* owner.c - root becomes the owner of a folder; owner.h describes it. */
#include "owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The groups in the user database; a uid without a name gets the folder's group alone. */
static bool
take_groups(const struct stat *st)
{
	const struct passwd *user = getpwuid(st->st_uid);

	if (!user)
		return setgroups(0, NULL) == 0 && setgid(st->st_gid) == 0;
	return initgroups(user->pw_name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0;
}

bool
owner_become(const char *dir)
{
	struct stat st;

	if (geteuid() != 0 || stat(dir, &st) != 0 || st.st_uid == 0)
		return true;
	if (!take_groups(&st) || setuid(st.st_uid) != 0)
		return false;
	if (setuid(0) == 0) /* it must be permanent */
		return errno = EPERM, false;
	return true;
}

static bool
is_empty_folder(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool some = !d;

	while (d && (e = readdir(d)))
		some |= strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	if (d)
		closedir(d);
	return !some;
}

/* Another user cannot execute programs below /root, a developer's tree. */
static bool
can_execute_as(const struct passwd *user, const char *program)
{
	bool can;

	if (setegid(user->pw_gid) != 0 || seteuid(user->pw_uid) != 0)
		return false;
	can = faccessat(AT_FDCWD, program, R_OK | X_OK, AT_EACCESS) == 0;
	return seteuid(0) == 0 && setegid(0) == 0 && can;
}

bool
owner_give(const char *dir, const char *name, const char *program)
{
	const struct passwd *user = *name ? getpwnam(name) : NULL;
	struct stat st;

	if (geteuid() != 0 || !user || user->pw_uid == 0 || stat(dir, &st) != 0 || st.st_uid != 0
		|| !is_empty_folder(dir))
		return false;
	return can_execute_as(user, program) && chown(dir, user->pw_uid, user->pw_gid) == 0;
}
