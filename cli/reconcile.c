/* reconcile.c - `motorpool reconcile`: compares the card provider's transactions of a day with our ledger. */
#include "cli.h"

#include "cgi-bin/payment/payment.h"
#include "lib/base/clock.h"

#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"usage: motorpool reconcile [--day YYYY-MM-DD]\n"
	"\n"
	"Asks the card provider for its transactions of yesterday and today, or of the given day, and compares them\n"
	"with our books. A refund that was made in the provider's own dashboard is booked and shown under Needs\n"
	"attention. Repeating it is harmless. cron runs it every night. Ends with 1 if something could not be\n"
	"compared or does not agree.\n";

static bool
read_day(const char *day, int64_t *from, int64_t *until)
{
	char midnight[32];
	int y, m, d;

	*from = day_add(day_start(clock_now()), -1);
	*until = clock_now() + 1;
	if (!day)
		return true;
	if (!date_parse(day, &y, &m, &d))
		return false;
	snprintf(midnight, sizeof(midnight), "%04d-%02d-%02dT00:00", y, m, d);
	if (!time_parse(midnight, from))
		return false;
	*until = day_add(*from, 1);
	return true;
}

/* The address of the sandbox when `motorpool run` has started it on another port; the environment comes first. */
static void
use_running_provider(struct cli *c)
{
	FILE *f = fopen(cli_path(c, c->var, "run/env"), "re");
	char line[600], url[500];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "export MOTORPOOL_PROVIDER_URL='%499[^']'", url) == 1)
			setenv("MOTORPOOL_PROVIDER_URL", url, 0);
	if (f)
		fclose(f);
}

static int
print_reconciliation(const struct reconciliation *r)
{
	printf("%lld transactions at the provider, %lld charges with refunds compared, %lld refunds outside booked\n",
		(long long)r->n_transactions, (long long)r->n_compared, (long long)r->n_booked);
	if (r->n_unknown)
		printf("%lld payments at the provider are not in our books (see the log)\n", (long long)r->n_unknown);
	if (r->n_too_much)
		printf("%lld charges were refunded by more than their amount (see the log)\n",
			(long long)r->n_too_much);
	if (r->n_unanswered)
		printf("%lld could not be compared: the provider did not answer\n", (long long)r->n_unanswered);
	return r->n_unknown || r->n_too_much || r->n_unanswered ? 1 : 0;
}

static int
reconcile(struct cli *c, int argc, char **argv)
{
	struct reconciliation r;
	int64_t from, until;
	bool bad = false;
	const char *day = cli_option(&argc, argv, "--day", &bad);
	struct db *db;

	if (bad || argc != 1)
		return cli_usage(c);
	use_running_provider(c);
	db = cli_open_as(c, &payment_role);
	if (!db)
		return 1;
	if (!read_day(day, &from, &until))
		return cli_close(db, cli_fail("--day %s: not a day; write it as 2026-11-30", day));
	event_open(db, c->var);
	r = payment_reconcile(db, from, until);
	return cli_close(db, print_reconciliation(&r));
}

const struct command reconcile_command = {
	.name = "reconcile",
	.summary = "compares the card provider's transactions with our ledger",
	.usage = usage,
	.run = reconcile,
};
