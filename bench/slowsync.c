/*
 * slowsync - makes every fsync and fdatasync SLOWSYNC_US microseconds slower; a library to preload into a program.
 * A local SSD syncs in about 0.1 ms, hosted disks in 0.5 to 5 ms.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void
wait_for_disk(void)
{
	static long us = -1;
	struct timespec t;

	if (us < 0)
		us = getenv("SLOWSYNC_US") ? atol(getenv("SLOWSYNC_US")) : 2000;
	t = (struct timespec){ us / 1000000, us % 1000000 * 1000 };
	nanosleep(&t, NULL);
}

int
fsync(int fd)
{
	static int (*real)(int);

	if (!real)
		real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	wait_for_disk();
	return real(fd);
}

int
fdatasync(int fd)
{
	static int (*real)(int);

	if (!real)
		real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	wait_for_disk();
	return real(fd);
}
