/*
 * listen - what a test's code writes into the log, line by line. Include it after scratch.h.
 *
 *	listen_in();
 *	web_serve(…);
 *	assert_non_null(strstr(heard(), "\"what\":\"answer\""));
 */
#ifndef MP_LISTEN_H
#define MP_LISTEN_H

#include <jansson.h>

static int listen_was = -1;

/* From now on stderr is a file of the scratch folder. */
static inline void
listen_in(void)
{
	fflush(stderr);
	listen_was = dup(STDERR_FILENO);
	assert_non_null(freopen(scratch_path("heard"), "w", stderr));
	assert_int_equal(dup2(fileno(stderr), STDERR_FILENO), STDERR_FILENO);
}

/* All that was said since; each line of it is one JSON object. */
static inline const char *
heard(void)
{
	const char *all, *end;

	fflush(stderr);
	dup2(listen_was, STDERR_FILENO);
	close(listen_was);
	all = scratch_read(scratch_path("heard"));
	for (const char *s = all; *s; s = end + 1) {
		json_t *json;

		end = strchr(s, '\n');
		assert_non_null(end);
		json = json_loadb(s, (size_t)(end - s), JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(json))
			fail_msg("not a JSON object: %.*s", (int)(end - s), s);
		json_decref(json);
	}
	return all;
}

static inline int
heard_times(const char *all, const char *text)
{
	int n = 0;

	for (const char *s = all; (s = strstr(s, text)); s += strlen(text))
		n++;
	return n;
}

#endif
