/* proc.c - facts about processes, from /proc. */
#include "proc.h"

#include <fcntl.h>
#include <stdio.h>
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
