/*
 * route.c - finds the handler of a path. The table is searched from the top; the first match wins.
 */
#include "web_inside.h"

#include <string.h>

static size_t
segment_length(const char *s)
{
	return strcspn(s, "/");
}

/* "/bookings/:code/cancel" against "/bookings/MP-1/cancel"; the value of ":code" is stored. */
static bool
matches(struct web *w, const char *pattern, const char *path)
{
	struct web_inside *in = w->in;

	for (in->n_params = 0; *pattern; pattern++, path++) {
		if (*pattern == ':') {
			size_t name_n = segment_length(++pattern), n = segment_length(path);

			if (n == 0 || in->n_params == MAX_PARAMS)
				return false;
			in->param[in->n_params++] = (struct header){
				arena_strndup(w->m, pattern, name_n),
				arena_strndup(w->m, path, n),
			};
			pattern += name_n;
			path += n;
		}
		if (*pattern != *path)
			return false;
		if (!*pattern)
			return true;
	}
	return *path == '\0';
}

const struct route *
route_find(struct web *w, const struct route *routes, int *allowed_methods)
{
	*allowed_methods = 0;
	for (const struct route *r = routes; r && r->handle; r++) {
		if (((r->needs & ROUTE_INTERNAL) != 0) != serving.internal || !matches(w, r->path, w->path))
			continue;
		*allowed_methods |= r->methods;
		if (r->methods & w->method)
			return r;
	}
	return NULL;
}
