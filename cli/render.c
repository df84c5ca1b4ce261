/*
 * render.c - `motorpool render TEMPLATE.mustache DATA.json`: renders a template outside of the programs.
 *
 * Partials and parents are the files NAME.mustache in the template's folder. Names are looked up in the JSON as the
 * Mustache specification says, so its official test cases can be run, and message templates can be previewed.
 */
#include "cli.h"

#include "lib/tpl/tpl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: motorpool render TEMPLATE.mustache DATA.json\n"
	"\n"
	"Renders a Mustache template with the data of a JSON file (\"-\": standard input) to standard output.\n"
	"Partials ({{>name}}) and parents ({{<name}}) are the files name.mustache beside the template.\n";

static const char *
template_folder(struct arena *m, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	return slash == path ? "/" : arena_strndup(m, path, (size_t)(slash - path));
}

static json_t *
read_data(const char *path)
{
	json_error_t e;
	int flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
	json_t *data = strcmp(path, "-") == 0 ? json_loadf(stdin, flags, &e) : json_load_file(path, flags, &e);

	if (!data)
		fprintf(stderr, "%s:%d:%d: %s\n", path, e.line, e.column, e.text);
	return data;
}

static int
render_template(struct cli *c, int argc, char **argv)
{
	struct buf out = { .m = c->m };
	struct tpl_env env = { .raw_allowed = true };
	const char *text, *error;
	json_t *data;
	bool ok;

	if (argc != 3)
		return cli_usage(c);
	text = cli_read_file(c->m, argv[1]);
	if (!text)
		return cli_fail("%s: %s", argv[1], strerror(errno));
	data = read_data(argv[2]);
	if (!data)
		return 1;
	env.dir = template_folder(c->m, argv[1]);
	ok = tpl_render_tree(c->m, &env, argv[1], text, data, &out, &error);
	if (ok)
		ok = fwrite(out.s, 1, out.n, stdout) == out.n && fflush(stdout) == 0;
	else
		fprintf(stderr, "%s\n", error);
	json_decref(data);
	return ok ? 0 : 1;
}

const struct command render_command = {
	.name = "render", .summary = "renders a Mustache template with JSON data", .usage = usage,
		.run = render_template,
};
