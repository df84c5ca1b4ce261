/* owner.c - root becomes whoever owns a folder, and stays it. The story is in owner.h. */
#include "owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Theirs by the user database; a number without a name has the folder's group alone. */
static bool
take_groups(const struct stat *st)
{
	const struct passwd *who = getpwuid(st->st_uid);

	if (!who)
		return setgroups(0, NULL) == 0 && setgid(st->st_gid) == 0;
	return initgroups(who->pw_name, who->pw_gid) == 0 && setgid(who->pw_gid) == 0;
}

bool
owner_become(const char *dir)
{
	struct stat st;

	if (geteuid() != 0 || stat(dir, &st) != 0 || st.st_uid == 0)
		return true;
	if (!take_groups(&st) || setuid(st.st_uid) != 0)
		return false;
	if (setuid(0) == 0)             /* there must be no way back */
		return errno = EPERM, false;
	return true;
}

static bool
is_empty(const char *dir)
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

/* A tree below /root is a developer's: another user would not even find the programs. */
static bool
can_run(const struct passwd *who, const char *program)
{
	bool can;

	if (setegid(who->pw_gid) != 0 || seteuid(who->pw_uid) != 0)
		return false;
	can = faccessat(AT_FDCWD, program, R_OK | X_OK, AT_EACCESS) == 0;
	return seteuid(0) == 0 && setegid(0) == 0 && can;
}

bool
owner_give(const char *dir, const char *user, const char *program)
{
	const struct passwd *who = *user ? getpwnam(user) : NULL;
	struct stat st;

	if (geteuid() != 0 || !who || who->pw_uid == 0 || stat(dir, &st) != 0 || st.st_uid != 0 || !is_empty(dir))
		return false;
	return can_run(who, program) && chown(dir, who->pw_uid, who->pw_gid) == 0;
}
