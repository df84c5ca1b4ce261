/* proc.c - facts about processes from /proc. */
#include "proc.h"

#include <stdio.h>
#include <string.h>

/* Field 22 of /proc/PID/stat. Field 2, the program name, may itself contain spaces and brackets, so parsing starts after the last one. */
int64_t
proc_started(pid_t pid)
{
	char path[64], line[1024] = "", state = 'Z', *rest;
	long long born = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = pid > 0 ? fopen(path, "re") : NULL;
	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f) && (rest = strrchr(line, ')'))
	    && sscanf(rest + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld", &state, &born) != 2)
		born = 0;
	fclose(f);
	return state == 'Z' || state == 'X' ? 0 : born;
}
