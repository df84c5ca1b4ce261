/*
 * cli - what the commands of `motorpool` share. main.c has the table of them; each has a file of its own.
 *
 * A command that fails prints one sentence on stderr and exits with 1; one called with wrong arguments prints its usage
 * and exits with 2.
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
	const char *usage;              /* of this command */
};

struct command {
	const char *name, *summary, *usage;
	/* argv[0] is the command; --var and --help are already removed */
	int (*run)(struct cli *c, int argc, char **argv);
	bool keeps_root;                /* needs root; the others run as the owner of the state folder */
};

extern const struct command run_command, status_command, deploy_command, user_command, token_command, migrate_command,
	check_command,
	replay_command, reconcile_command,
	demo_command, render_command, pause_command, resume_command, redrive_command, discard_command,
	backup_command, restore_command, rehearse_command, trace_command, log_command;
#ifdef MOTORPOOL_FAULTS
extern const struct command hold_command;
#endif

/* --- common.c --- */

extern const struct db_role cli_role;           /* may write all tables */

int cli_usage(const struct cli *c);             /* prints the usage; returns 2 */
int cli_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));       /* prints one sentence; returns 1 */

/* The value of "--name VALUE", removed from the arguments; NULL: it is not among them. *bad: it has no value. */
const char *cli_option(int *argc, char **argv, const char *name, bool *bad);
bool cli_flag(int *argc, char **argv, const char *name);
bool cli_number(const char *text, int64_t min, int64_t max, int64_t *n);

/* Creates the state folder, and from here on uses a path to it that is short enough for socket names. false: it has
 * said why. */
bool cli_enter(struct cli *c);
/* Opens settings, clock, currency and keys. false: it has said why. */
bool cli_setup(struct cli *c);
/* cli_setup(), and a connection that may write all tables. NULL: it has said why. */
struct db *cli_open(struct cli *c);
struct db *cli_open_as(struct cli *c, const struct db_role *role);      /* … that may write what the role owns */
/* Closes it. Returns status, or 1 if a statement failed or the disk did not sync what was committed: it has said so. */
int cli_close(struct db *db, int status);
const char *cli_path(const struct cli *c, const char *dir, const char *name);
const char *cli_read_file(struct arena *m, const char *path);    /* NULL: errno */

/* A random password: three groups of four characters, 59 bits. */
const char *cli_password(struct arena *m);

/* A progress bar on stderr if that is a terminal; otherwise a line at the end. */
struct progress { const char *what; int64_t began_ms, shown_ms; int percent; bool is_terminal; };
void progress_begin(struct progress *p, const char *what);
void progress_at(void *progress, int64_t done, int64_t total);
void progress_end(struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- migrate.c --- */
bool cli_migrate(struct cli *c, const char **why);      /* creates or upgrades all database files */

/* --- replay.c --- */
bool cli_replay(struct cli *c, const char *what, const char **why); /* the read models; what: the progress bar's text */

/* --- demo.c --- */
bool cli_demo(struct cli *c, uint64_t seed);            /* false: it has said why */
bool demo_is_wanted(const struct cli *c);               /* there is no database yet */

#endif
