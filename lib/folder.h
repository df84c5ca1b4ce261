/* folder - a name made, linked or renamed in a folder is on disk only when the folder is synced. */
#ifndef MP_FOLDER_H
#define MP_FOLDER_H

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

static inline bool
folder_sync(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

#endif
