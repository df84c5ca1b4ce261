/* contexts - the programs, in the order they are started, and which of them react to events. */
#ifndef MP_CONTEXTS_H
#define MP_CONTEXTS_H

#include <stdbool.h>

struct context {
	const char *name;               /* fleet: the program, its socket, its consumer of events */
	const char *prefix;             /* "/fleet": its addresses begin so; "": all other addresses */
	bool reacts;                    /* it has a consumer (relay/main.c) */
	bool on_view;                   /* … which writes the read models' file */
};
#define N_CONTEXTS 11
extern const struct context contexts[N_CONTEXTS + 1];   /* ends in an empty one */

const struct context *context_find(const char *name);           /* NULL: there is none */
bool context_is_wanted(const struct context *c);                /* the sandbox only with settings.sandbox */

#endif
