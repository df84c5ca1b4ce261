/*
 * render.c - `motorpool render TEMPLATE.mustache DATA.json`: the template engine by hand.
 *
 * Partials and parents stand beside the template as NAME.mustache. Names are looked up in the JSON as the Mustache
 * specification says, so this is also how its official cases are run; and it shows what a message template will look like.
 */
#include "lib/tpl/tpl.h"

#include <stdio.h>
#include <string.h>

int cli_render(int argc, char **argv);

#define ARENA_LIMIT ((size_t)1024 * 1024 * 1024)

static const char usage[] =
	"usage: motorpool render TEMPLATE.mustache DATA.json\n"
	"\n"
	"Renders a Mustache template with the data of a JSON file (\"-\": standard input) to standard output.\n"
	"Partials ({{>name}}) and parents ({{<name}}) are the files name.mustache beside the template.\n";

static const char *
folder_of(struct arena *m, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	return slash == path ? "/" : arena_strndup(m, path, (size_t)(slash - path));
}

static const char *
text_of(struct arena *m, const char *path)
{
	struct buf b = { .m = m };
	FILE *f = fopen(path, "re");
	size_t n;
	int failed;

	if (!f)
		return NULL;
	do {
		n = fread(buf_reserve(&b, 65536), 1, 65536, f);
		b.n += n;
	} while (n > 0);
	failed = ferror(f);
	fclose(f);
	b.s[b.n] = '\0';
	return failed ? NULL : b.s;
}

static json_t *
data_of(const char *path)
{
	json_error_t e;
	int flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
	json_t *data = strcmp(path, "-") == 0 ? json_loadf(stdin, flags, &e) : json_load_file(path, flags, &e);

	if (!data)
		fprintf(stderr, "%s:%d:%d: %s\n", path, e.line, e.column, e.text);
	return data;
}

int
cli_render(int argc, char **argv)
{
	struct arena *m = arena_new(ARENA_LIMIT);
	struct buf out = { .m = m };
	struct tpl_env env = { .raw_allowed = true };
	const char *text, *error;
	json_t *data;
	bool ok;

	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc != 3) {
		fputs(usage, stderr);
		return 1;
	}
	text = text_of(m, argv[1]);
	if (!text) {
		fprintf(stderr, "%s: %m\n", argv[1]);
		return 1;
	}
	data = data_of(argv[2]);
	if (!data)
		return 1;
	env.dir = folder_of(m, argv[1]);
	ok = tpl_render_tree(m, &env, argv[1], text, data, &out, &error);
	if (ok)
		ok = fwrite(out.s, 1, out.n, stdout) == out.n && fflush(stdout) == 0;
	else
		fprintf(stderr, "%s\n", error);
	json_decref(data);
	return ok ? 0 : 1;
}
