/* owner.c - root becomes whoever owns a folder, and stays it. The story is in owner.h. */
#include "owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
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
