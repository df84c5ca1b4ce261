/* user.c - `motorpool user`: accounts from the command line, for the first admin or a forgotten password. */
#include "cli.h"

#include "cgi-bin/account/account.h"
#include "lib/base/lang.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: motorpool user add EMAIL NAME [--role ROLE]… [--phone PHONE] [--password PASSWORD]\n"
	"       motorpool user role EMAIL +ROLE|-ROLE…\n"
	"       motorpool user password EMAIL [--password PASSWORD]\n"
	"\n"
	"add       creates an account, a customer unless --role is given; without --password one is generated and"
	" printed\n"
	"role      adds (+) or removes (-) roles; a role without a sign is added\n"
	"password  sets a new password and ends all sessions; without --password one is generated and printed\n"
	"\n"
	"Roles: customer, employee, manager, courier, examiner, admin. --password - reads it from standard input.\n";

/* --- arguments -------------------------------------------------------------------------------------------------- */

static int
role_of(const char *word)
{
	int role = words_find(&role_words, word);

	if (role < 0)
		cli_fail("%s: unknown role", word);
	return role;
}

/* "manager,admin" -> bits; 0: one is not a role. */
static int
roles_in(struct arena *m, const char *list)
{
	int roles = 0;

	for (char *word = strtok(arena_strdup(m, list), ", "); word; word = strtok(NULL, ", ")) {
		int role = words_find(&role_words, word);

		if (role < 0)
			return 0;
		roles |= 1 << role;
	}
	return roles;
}

/* Removes "--role ROLE…" from the arguments, any number of both. -1: it has said what is wrong. */
static int
take_roles(struct cli *c, int *argc, char **argv)
{
	bool first = false, taking = false;
	int roles = 0, kept = 1;

	for (int i = 1; i < *argc; i++) {
		int more = 0;

		if (strcmp(argv[i], "--role") == 0) {
			first = taking = true;
			continue;
		}
		if (taking)
			more = roles_in(c->m, argv[i]);
		if (first && !more)
			return cli_fail("%s: unknown role", argv[i]), -1;
		first = false;
		taking = more != 0;
		roles |= more;
		if (!more)
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	*argc = kept;
	return first ? cli_fail("--role needs a role"), -1 : roles;
}

static const char *
from_stdin(struct arena *m)
{
	char line[512] = "";

	if (!fgets(line, sizeof(line), stdin))
		return "";
	line[strcspn(line, "\r\n")] = '\0';
	return arena_strdup(m, line);
}

/* The password given, or a random one. NULL: --password has no value. */
static const char *
take_password(struct cli *c, int *argc, char **argv, bool *is_random)
{
	bool bad = false;
	const char *password = cli_option(argc, argv, "--password", &bad);

	*is_random = !password;
	if (bad)
		return NULL;
	if (password && strcmp(password, "-") == 0)
		return from_stdin(c->m);
	return password ? password : cli_password(c->m);
}

/* --- outcomes --------------------------------------------------------------------------------------------------- */

static int
account_status(enum account_outcome outcome, const char *email, const char *password)
{
	switch (outcome) {
	case ACCOUNT_OK: return 0;
	case ACCOUNT_KNOWN: return cli_fail("%s already has an account", email);
	case ACCOUNT_BAD_EMAIL: return cli_fail("%s is not a valid e-mail address", email);
	case ACCOUNT_BAD_NAME: return cli_fail("the name must have 1 to 80 characters");
	case ACCOUNT_WEAK: return cli_fail("the password is too weak: %s", password_problem(password, email));
	case ACCOUNT_NO_USER: return cli_fail("no account has the e-mail address %s", email);
	}
	return 1;
}

/* --- the commands ----------------------------------------------------------------------------------------------- */

static int
user_add(struct cli *c, int argc, char **argv)
{
	struct new_account a = { .lang = LANG_KO };
	bool is_random, bad = false;
	int64_t user_id;
	struct db *db;
	int status;

	a.roles = take_roles(c, &argc, argv);
	if (a.roles < 0)
		return 2;
	a.password = take_password(c, &argc, argv, &is_random);
	a.phone = cli_option(&argc, argv, "--phone", &bad);
	if (!a.password || bad || argc != 3)
		return cli_usage(c);
	a.email = argv[1];
	a.name = argv[2];
	db = cli_open(c);
	if (!db)
		return 1;
	status = account_status(account_add(db, &a, &user_id), a.email, a.password);
	if (status == 0 && !db_failed(db))
		printf("%s is user %lld\n", a.email, (long long)user_id);
	if (status == 0 && is_random && !db_failed(db))
		printf("password: %s\n", a.password);
	return cli_close(db, status);
}

static int
change_roles(struct db *db, int64_t user_id, int n, char **words)
{
	for (int i = 0; i < n; i++) {
		bool is_added = words[i][0] != '-';
		int role = role_of(words[i] + (words[i][0] == '+' || words[i][0] == '-'));

		if (role < 0)
			return 1;
		if (account_role(db, user_id, role, is_added, 0) != ROLE_CHANGE_OK)
			return cli_fail("%s cannot be changed", words[i]);
	}
	return 0;
}

static int
user_role(struct cli *c, int argc, char **argv)
{
	struct account a;
	struct db *db;
	int status;

	if (argc < 3)
		return cli_usage(c);
	db = cli_open(c);
	if (!db)
		return 1;
	if (!account_find_by_email(db, argv[1], &a))
		return cli_close(db, cli_fail("no account has the e-mail address %s", argv[1]));
	status = change_roles(db, a.user_id, argc - 2, argv + 2);
	if (status == 0 && account_find(db, a.user_id, &a))
		printf("%s: %s\n", a.email, role_names(c->m, a.role_bits));
	return cli_close(db, status);
}

static int
user_password(struct cli *c, int argc, char **argv)
{
	bool is_random;
	const char *wanted = take_password(c, &argc, argv, &is_random);
	struct db *db;
	int status;

	if (!wanted || argc != 2)
		return cli_usage(c);
	db = cli_open(c);
	if (!db)
		return 1;
	status = account_status(account_set_password(db, argv[1], wanted), argv[1], wanted);
	if (status == 0 && is_random && !db_failed(db))
		printf("password: %s\n", wanted);
	return cli_close(db, status);
}

static int
user(struct cli *c, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "add") == 0)
		return user_add(c, argc - 1, argv + 1);
	if (strcmp(what, "role") == 0)
		return user_role(c, argc - 1, argv + 1);
	if (strcmp(what, "password") == 0)
		return user_password(c, argc - 1, argv + 1);
	return cli_usage(c);
}

const struct command user_command = {
	.name = "user", .summary = "creates accounts, assigns roles, sets passwords", .usage = usage, .run = user,
};
