/*
 * log.c - `motorpool log NAME`: converts lines of another server's log to our format, without addresses.
 *
 * When a program does not answer, lighttpd writes the whole requested address into its error log; its query may contain
 * a token or a name. So lighttpd's error log is a pipe to this command (deploy/lighttpd/log.conf), which drops
 * everything from the address on.
 */
#include "cli.h"

#include "lib/base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: motorpool log NAME [FILE]\n"
	"\n"
	"Writes each line of standard input as a log line (docs/logs.md) of the program NAME to standard error, or"
	" appends it to FILE,\n"
	"which may be rotated at any time. Requested addresses are left out. Used for lighttpd's error log.\n";

/* lighttpd's own time: "2026-11-21 10:00:00: ". */
static const char *
after_time(const char *s)
{
	int n = 0;

	sscanf(s, "%*4d-%*2d-%*2d %*2d:%*2d:%*2d: %n", &n);
	return s + n;
}

/* "all handlers for /x?token=… on /x are down" -> "all handlers for …" */
static void
cut_address(char *s)
{
	char *address = strstr(s, " for /"), *query = strchr(s, '?');

	if (address)
		address[strlen(" for ")] = '\0';
	else if (query)
		*query = '\0';
}

/* Opened for each line, as there are few: so the file can be rotated without a signal. */
static void
log_to_file(const char *file)
{
	int fd = file ? open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640) : -1;

	if (fd < 0)
		return;
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static void
log_converted(char *line)
{
	const char *text;

	line[strcspn(line, "\r\n")] = '\0';
	cut_address(line);
	text = after_time(line);
	if (strstr(text, ") server started") || strstr(text, ") server stopped"))
		log_info("server", "%s", text);
	else if (*text)
		log_warn("server", "%s", text);
}

/* A line longer than ours is cut. */
static int
log_command_run(struct cli *c, int argc, char **argv)
{
	static char line[LOG_LINE_MAX];
	bool is_rest = false;

	if (argc != 2 && argc != 3)
		return cli_usage(c);
	log_open(argv[1]);
	while (fgets(line, sizeof(line), stdin)) {
		bool is_whole = strchr(line, '\n') != NULL;

		log_to_file(argv[2]);
		if (!is_rest)
			log_converted(line);
		is_rest = !is_whole;
	}
	return 0;
}

const struct command log_command = {
	.name = "log", .summary = "converts a server's error log to motorpool's log format", .usage = usage,
		.run = log_command_run,
};
