/*
 * cli - what the commands of `motorpool` share. main.c holds the table of them; each has a file of its own.
 *
 * A command that people's input or the state of things stops says one sentence on stderr and ends with 1; one that was asked
 * wrongly shows its usage and ends with 2.
 */
#ifndef MP_CLI_H
#define MP_CLI_H

#include "lib/db/db.h"

#include <stdbool.h>
#include <stdint.h>

struct cli {
	struct arena *m;                /* as long as the command */
	const char *root;               /* motorpool.conf, lighttpd.conf, db/, templates/, static/ */
	const char *var;                /* the state */
	const char *bin;                /* the programs of the same build */
	const char *usage;              /* of the command in hand */
};

struct command {
	const char *name, *summary, *usage;
	int (*run)(struct cli *c, int argc, char **argv);       /* argv[0] is the command; --var and --help are taken already */
	bool keeps_root;                /* does what only root may; the others go on as the owner of the state folder */
};

extern const struct command run_command, status_command, deploy_command, user_command, token_command, migrate_command, check_command,
	replay_command, demo_command, render_command, pause_command, resume_command, redrive_command, discard_command,
	backup_command, restore_command, rehearse_command, trace_command, log_command;
#ifdef MOTORPOOL_FAULTS
extern const struct command hold_command;
#endif

/* --- common.c --- */

extern const struct db_role cli_role;           /* owns everything */

int cli_usage(const struct cli *c);             /* asked wrongly: 2 */
int cli_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));       /* one sentence: 1 */

/* The value of "--name VALUE", taken out of the arguments; NULL: it is not among them. *bad: it stands without a value. */
const char *cli_option(int *argc, char **argv, const char *name, bool *bad);
bool cli_flag(int *argc, char **argv, const char *name);
bool cli_number(const char *text, int64_t min, int64_t max, int64_t *n);

/* Creates the state folder, and from here on uses a path to it that is short enough for socket names. false: it has said why. */
bool cli_enter(struct cli *c);
/* Settings, clock, money and keys of this state folder. false: said why. */
bool cli_settle(struct cli *c);
/* cli_settle() and a connection that owns everything. NULL: said why. */
struct db *cli_open(struct cli *c);
const char *cli_path(const struct cli *c, const char *dir, const char *name);

/* A password nobody has chosen: three groups of four, 59 bits. */
const char *cli_password(struct arena *m);

/* A bar on stderr, when that is a terminal; a line at its end otherwise. */
struct progress { const char *what; int64_t began_ms, shown_ms; int percent; bool is_terminal; };
void progress_begin(struct progress *p, const char *what);
void progress_at(void *progress, int64_t done, int64_t total);
void progress_end(struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- migrate.c --- */
bool cli_migrate(struct cli *c, const char **why);      /* all database files are there and of our version */

/* --- demo.c --- */
bool cli_demo(struct cli *c, uint64_t seed);            /* false: said why */
bool demo_is_wanted(const struct cli *c);               /* nothing is there yet */

#endif
