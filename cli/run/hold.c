/* hold.c - `motorpool hold SECONDS`, in builds with FAULTS=1 only: holds the writers' lock for so long, or until
 * SIGTERM. */
#ifdef MOTORPOOL_FAULTS
#include "cli/cli.h"

#include "lib/db/lock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 5000

static void
wake_sleep(int signal_number)
{
	(void)signal_number;
}

static int
hold_write_lock(struct cli *c, int argc, char **argv)
{
	struct lock *lock = lock_open(c->var, "motorpool");
	int64_t seconds;

	if (argc != 2 || !cli_number(argv[1], 1, 600, &seconds))
		return cli_usage(c);
	if (!lock || !lock_writer(lock, WAIT_MS))
		return cli_fail("cannot take the write lock: %s", strerror(errno));
	signal(SIGTERM, wake_sleep); /* sleep() returns */
	puts("held");
	fflush(stdout);
	sleep((unsigned)seconds);
	unlock_writer(lock);
	return 0;
}

const struct command hold_command = {
	.name = "hold", .summary = "holds the write lock (for tests)", .usage = "usage: motorpool hold SECONDS\n",
		.run = hold_write_lock,
};
#endif
