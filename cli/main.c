/*
 * main.c - the `motorpool` command: the table of its subcommands, each of which has a file named after it.
 *
 *	build/motorpool COMMAND [--var DIR] [ARGUMENTS]      build/motorpool COMMAND --help
 *
 * The state folder is --var, else MOTORPOOL_VAR, else VAR (as in `make run VAR=…`), else var in the tree (where
 * motorpool is installed, that is a link to /var/lib/motorpool), else ./var. The tree is MOTORPOOL_ROOT, else the
 * nearest folder above this program that has a motorpool.conf. Started by root, it becomes the owner of the state
 * folder.
 */
#include "cli.h"

#include "lib/base/folder.h"
#include "lib/process/owner.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
	&run_command, &status_command, &deploy_command, &demo_command, &migrate_command, &check_command,
		&replay_command, &reconcile_command,
	&pause_command, &resume_command, &redrive_command, &discard_command,
	&backup_command, &restore_command, &rehearse_command,
	&trace_command, &log_command, &user_command, &token_command, &render_command,
#ifdef MOTORPOOL_FAULTS
	&hold_command,
#endif
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int
help(FILE *out, int status)
{
	fputs("usage: motorpool COMMAND [--var DIR] [ARGUMENTS]\n\n", out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n`motorpool COMMAND --help` describes a command.\n"
	      "The state directory is --var DIR, or MOTORPOOL_VAR or VAR from the environment, or the one of this"
	      " installation,\n"
	      "or ./var. When started by root, the command switches to the owner of the state directory.\n",
		out);
	return status;
}

static const char *
own_folder(struct arena *m)
{
	char *path = arena_strdup(m, folder_program(m)), *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
	return *path ? path : ".";
}

static const char *
from_environment(const char *name, const char *other)
{
	const char *value = getenv(name);

	return value && *value ? value : other;
}

/* Where the installed tree's link leads, even if that folder does not exist yet. */
static const char *
own_state(struct cli *c)
{
	const char *var = cli_path(c, c->root, "var");
	char to[PATH_MAX];
	ssize_t n = readlink(var, to, sizeof(to));

	if (n > 0 && n < (ssize_t)sizeof(to))
		return arena_strndup(c->m, to, (size_t)n);
	return access(var, F_OK) == 0 ? var : "var";
}

static const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int
command_run(const struct command *command, int argc, char **argv)
{
	struct cli c = { .m = arena_new((size_t)1 << 30), .usage = command->usage };
	bool bad = false;

	if (cli_flag(&argc, argv, "--help") || cli_flag(&argc, argv, "-h")) {
		fputs(command->usage, stdout);
		return 0;
	}
	c.var = cli_option(&argc, argv, "--var", &bad);
	if (bad || (c.var && !*c.var))
		return cli_fail("--var needs the name of a directory");
	c.root = folder_root(c.m);
	if (!c.var)
		c.var = from_environment("MOTORPOOL_VAR", from_environment("VAR", own_state(&c)));
	if (!command->keeps_root && !owner_become(c.var))
		return cli_fail(
			"%s: cannot switch from root to the owner of this directory: %s", c.var, strerror(errno));
	c.bin = arena_printf(c.m, "%s/bin", own_folder(c.m));
	return command->run(&c, argc, argv);
}

int
main(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return help(stderr, 2);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
		return help(stdout, 0);
	command = command_find(argv[1]);
	if (command)
		return command_run(command, argc - 1, argv + 1);
	cli_fail("unknown command \"%s\"\n", argv[1]);
	return help(stderr, 2);
}
