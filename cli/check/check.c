/*
 * check.c - `motorpool check`: prints a table with a line for each invariant and ends with 1 if one is violated.
 *
 * It may run while the programs run. Where two files or two rows are compared, work in progress looks wrong for a
 * moment, so a violation counts only if it is still found a little later.
 */
#include "check.h"

#include "lib/base/clock.h"

#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: motorpool check [--quick]\n"
	"\n"
	"Verifies every invariant from the tables: no car is booked twice; bookings, ledger and card provider agree on"
	" all amounts;\n"
	"the event chain is intact; nothing is overdue; the read models equal a replay. Prints a table: result, number"
	" of violations,\n"
	"invariant, first violation. The exit status is 1 if one fails. Everything else may be running.\n"
	"\n"
	"  --quick   skip the integrity check of the files and the replay\n";

#define LOOKS   3
#define LOOK_MS 400

static const struct check *const groups[] = { booking_checks, money_checks, desk_checks, message_checks, log_checks };
static const char *const group_names[] = { "bookings", "money", "desks", "messages", "events and files" };
#define N_GROUPS (sizeof(groups) / sizeof(groups[0]))

/* --- running them ------------------------------------------------------------------------------------------------- */

/* A failed statement counts as a violation. */
static int64_t
run_check(struct inspection *in, const struct check *check)
{
	int64_t wrong;

	in->detail[0] = '\0';
	in->seen = -1;
	in->now = in->as_of ? in->as_of : clock_now();
	db_fresh(in->db);
	if (in->view)
		db_fresh(in->view);
	wrong = check->wrong(in);
	if (db_failed(in->db) || (in->view && db_failed(in->view))) {
		snprintf(in->detail, sizeof(in->detail), "%s", db_error(db_failed(in->db) ? in->db : in->view));
		return wrong > 0 ? wrong : 1;
	}
	return wrong;
}

static int64_t
run_check_again(struct inspection *in, const struct check *check)
{
	int64_t wrong = run_check(in, check);

	for (int i = 1; i < LOOKS && wrong > 0 && !in->as_of; i++) {
		usleep(LOOK_MS * 1000);
		wrong = run_check(in, check);
	}
	return wrong;
}

static bool
is_excused(const struct inspection *in, const struct check *check)
{
	return in->as_of && check->kind == CHECK_WORK;
}

static bool
print_check(struct inspection *in, const struct check *check, FILE *out)
{
	int64_t wrong = run_check_again(in, check);
	char seen[32] = "";

	if (wrong < 0) {
		fprintf(out, "  %-6s %8s  %s\n", "-", "", check->holds);
		return true;
	}
	if (in->seen >= 0)
		snprintf(seen, sizeof(seen), " (%lld)", (long long)in->seen);
	fprintf(out, "  %-6s %8lld  %s%s%s%s\n",
		!wrong                          ? "ok"
			: is_excused(in, check) ? "waits"
						: "FAILED",
		(long long)wrong, check->holds, seen, wrong && in->detail[0] ? ": " : "", wrong ? in->detail : "");
	fflush(out);
	if (!wrong || is_excused(in, check))
		return true;
	in->n_failures++;
	buf_printf(&in->failures, "%s%s%s%s", in->failures.n ? "; " : "", check->holds, in->detail[0] ? ": " : "",
		in->detail);
	return false;
}

bool
check_all(struct inspection *in, bool quick, FILE *out)
{
	bool ok = true;

	fprintf(out, "  %-6s %8s  %s\n", "", "wrong", "invariant");
	for (size_t i = 0; i < N_GROUPS; i++) {
		fprintf(out, "%s\n", group_names[i]);
		for (const struct check *check = groups[i]; check->holds; check++)
			if (!quick || check->kind != CHECK_SLOW)
				ok = print_check(in, check, out) && ok;
	}
	return ok;
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static int
check(struct cli *c, int argc, char **argv)
{
	bool quick = cli_flag(&argc, argv, "--quick"), ok;
	struct inspection in;

	if (argc != 1)
		return cli_usage(c);
	if (!check_open(&in, c))
		return 1;
	ok = check_all(&in, quick, stdout);
	check_close(&in);
	printf("%s\n", ok ? "all invariants hold" : "NOT all invariants hold");
	return ok ? 0 : 1;
}

const struct command check_command = {
	.name = "check", .summary = "verifies every invariant", .usage = usage, .run = check,
};
