/* token.c - `motorpool token`: prints a new API token for a user, and nothing else, for use in scripts. */
#include "cli.h"

#include "cgi-bin/account/account.h"
#include "cgi-bin/ops/ops.h"

#include <stdio.h>

static const char usage[] =
	"usage: motorpool token EMAIL [NAME]\n"
	"       motorpool token --metrics\n"
	"\n"
	"Creates an API token for the user and prints it (Authorization: Bearer TOKEN). It is shown only once. The user"
	" sees its\n"
	"NAME (default \"command line\") under API tokens and can revoke it there.\n"
	"\n"
	"  --metrics  prints the key for /metrics, for Prometheus; it gives no other access and changes only with"
	" secret.key\n";

static int
token_status(enum account_outcome outcome, const char *email)
{
	switch (outcome) {
	case ACCOUNT_OK: return 0;
	case ACCOUNT_BAD_NAME: return cli_fail("the name must have 1 to 80 characters");
	case ACCOUNT_NO_USER: return cli_fail("no account has the e-mail address %s", email);
	case ACCOUNT_KNOWN:
	case ACCOUNT_BAD_EMAIL:
	case ACCOUNT_WEAK: break;
	}
	return cli_fail("could not create a token");
}

static int
token(struct cli *c, int argc, char **argv)
{
	const char *made = NULL;
	struct db *db;
	int status;

	if (cli_flag(&argc, argv, "--metrics")) {
		if (argc != 1)
			return cli_usage(c);
		if (!cli_setup(c))
			return 1;
		puts(ops_metrics_key(c->m));
		return 0;
	}
	if (argc < 2 || argc > 3)
		return cli_usage(c);
	db = cli_open(c);
	if (!db)
		return 1;
	status = token_status(account_token(db, argv[1], argc > 2 ? argv[2] : "command line", &made), argv[1]);
	status = cli_close(db, status);
	if (status == 0)
		puts(made);
	return status;
}

const struct command token_command = {
	.name = "token", .summary = "prints a new API token for a user", .usage = usage, .run = token,
};
