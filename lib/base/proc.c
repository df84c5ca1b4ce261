/* proc.c - facts about processes, from /proc. */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <string.h>
#include <unistd.h>

/* A file of /proc/PID; text is "" when there is none. */
static void
proc_read(pid_t pid, const char *file, char text[static 1024])
{
	char path[64];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		n = read(fd, text, 1023);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
}

/* Field 22 of /proc/PID/stat. Field 2, the program name, may itself contain spaces and brackets, so parsing starts
 * after the last one. */
int64_t
proc_started(pid_t pid)
{
	char text[1024], state = 'Z', *rest;
	long long started = 0;

	proc_read(pid, "stat", text);
	rest = strrchr(text, ')');
	if (!rest
		|| sscanf(rest + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld",
			   &state, &started)
			!= 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : started;
}

int64_t
proc_bytes(pid_t pid)
{
	char text[1024];
	long long pages = 0;

	proc_read(pid, "statm", text);
	return sscanf(text, "%*s %lld", &pages) == 1 ? pages * sysconf(_SC_PAGESIZE) : 0;
}

bool
proc_is_named(pid_t pid, const char *name)
{
	char text[1024];

	proc_read(pid, "comm", text);
	text[strcspn(text, "\n")] = '\0';
	return strncmp(text, name, 15) == 0 && strlen(text) == strnlen(name, 15);
}

/* --- stamps ------------------------------------------------------------------------------------------------------- */

#define HOST_MAX 64
#define BOOT_MAX 36             /* a UUID */

/* "" when it cannot be read: then restarts are not noticed. */
static void
boot_id(char id[static BOOT_MAX + 1])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, id, BOOT_MAX) : 0;

	if (fd >= 0)
		close(fd);
	id[n > 0 ? n : 0] = '\0';
}

static void
host_name(char name[static HOST_MAX + 1])
{
	struct utsname u;

	snprintf(name, HOST_MAX + 1, "%s", uname(&u) == 0 && *u.nodename ? u.nodename : "-");
}

/* Asked for with each booking, so it is made once for each process; a fork makes another. */
const char *
proc_stamp(struct arena *m)
{
	static char stamp[HOST_MAX + BOOT_MAX + 48];
	static pid_t of_pid;
	char host[HOST_MAX + 1], boot[BOOT_MAX + 1];

	if (of_pid != getpid()) {
		of_pid = getpid();
		host_name(host);
		boot_id(boot);
		snprintf(stamp, sizeof(stamp), "%s %s %d %lld", host, *boot ? boot : "-", (int)of_pid,
			(long long)proc_started(of_pid));
	}
	return arena_strdup(m, stamp);
}

/* A pid may have been given to a later process, which started at another time. */
static bool
is_ended(pid_t pid, int64_t started)
{
	int64_t now_started;

	if (kill(pid, 0) != 0 && errno == ESRCH)
		return true;
	now_started = proc_started(pid);
	return now_started && started && now_started != started;
}

bool
proc_stamp_is_ended(const char *stamp)
{
	char host[HOST_MAX + 1], boot[BOOT_MAX + 1], own_host[HOST_MAX + 1], own_boot[BOOT_MAX + 1];
	long long started = 0;
	int pid = 0;

	if (sscanf(stamp, "%64s %36s %d %lld", host, boot, &pid, &started) != 4 || pid <= 0)
		return false;
	host_name(own_host);
	boot_id(own_boot);
	if (strcmp(host, own_host) != 0)
		return false;
	if (strcmp(boot, *own_boot ? own_boot : "-") != 0)
		return true;
	return is_ended((pid_t)pid, (int64_t)started);
}
