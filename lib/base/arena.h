/*
 * arena - memory that belongs to a request.
 *
 * Everything a request makes (form values, rows, the page) is allocated from one arena and released with it.
 * What must live as long as the program is allocated before the loop, from an arena that is never reset.
 * Out of memory, or beyond the arena's limit, the process aborts and is replaced.
 */
#ifndef MP_ARENA_H
#define MP_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(size_t limit_bytes);
void          arena_reset(struct arena *m);     /* all of it is gone; the memory is kept for the next request */
size_t        arena_used(const struct arena *m);

/* zeroed, 16-aligned */
void *arena_alloc(struct arena *m, size_t n) __attribute__((malloc, alloc_size(2), returns_nonnull));
void *arena_grow(struct arena *m, void *old, size_t old_n, size_t new_n); /* in place when old is the newest piece */
char *arena_strdup(struct arena *m, const char *s);                       /* NULL stays NULL */
char *arena_strndup(struct arena *m, const char *s, size_t n);
char *arena_printf(struct arena *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *m, const char *fmt, va_list ap);

#define arena_new_of(m, type)     ((type *)arena_alloc((m), sizeof(type)))
#define arena_array(m, type, n)   ((type *)arena_alloc((m), sizeof(type) * (size_t)(n)))

/* NULL as the empty text. */
static inline const char *text_or_empty(const char *s) { return s ? s : ""; }

/* A text that grows inside an arena: a page, a JSON answer, a log line. */
struct buf {
	struct arena *m;
	char *s;        /* always ends in NUL once something was put */
	size_t n, room;
};

void buf_put(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* room for n more bytes and a NUL; the caller writes them and adds to b->n */
char *buf_reserve(struct buf *b, size_t n);

#endif
