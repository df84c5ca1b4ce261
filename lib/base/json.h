/* json - structs out as JSON by their shape, and JSON in by jansson (duplicate keys refused). */
#ifndef MP_JSON_H
#define MP_JSON_H

#include "arena.h"
#include "shape.h"

#include <jansson.h>

void json_put(struct buf *out, const struct shape *shape, const void *data);                      /* {"code":"…",…} */
void json_put_list(struct buf *out, const struct shape *shape, const void *rows, int n);          /* [{…},…] */
void json_put_text(struct buf *out, const char *s);                                               /* "…" or null */
/* an object into a struct, known members only */
bool json_into(struct arena *m, const char *text, const struct shape *shape, void *out);

#endif
