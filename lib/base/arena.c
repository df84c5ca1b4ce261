/*
 * arena.c - memory that belongs to a request; arena.h describes it.
 *
 * An arena is a list of chunks. Pieces are cut from the chunk in use; when it has no room, the next chunk that has some
 * is used, or a new one is inserted. Reset goes back to the first chunk and keeps them all, so after its first few
 * requests a process no longer calls malloc. Under AddressSanitizer everything not allocated is poisoned and each piece
 * is followed by a gap, so an overrun or a use after the reset is caught as with malloc.
 */
#include "arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif

#ifdef WATCHED
#include <sanitizer/asan_interface.h>
#define GAP 16
#define hide(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define show(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define GAP 0
#define hide(p, n) ((void)(p), (void)(n))
#define show(p, n) ((void)(p), (void)(n))
#endif

#define CHUNK_MIN (64 * 1024)
#define BUF_MIN   256

struct chunk {
	struct chunk *next;
	size_t room, used;
	char bytes[] __attribute__((aligned(16)));
};

struct arena {
	struct chunk *first, *now;
	size_t limit, used;
	char *newest;                   /* the newest piece; only this one can grow in place */
	struct arena *others;
};

static struct arena *arenas;            /* all arenas, so that leak checkers find them reachable at exit */

/* --- chunks and pieces -------------------------------------------------------------------------------------------- */

static size_t
round_up(size_t n)
{
	return (n + 15) & ~(size_t)15;
}

static _Noreturn void
out_of_memory(const struct arena *m, size_t n)
{
	fprintf(stderr, "arena: %zu bytes wanted, %zu of %zu in use: giving up\n", n, m->used, m->limit);
	abort();
}

struct arena *
arena_new(size_t limit_bytes)
{
	struct arena *m = calloc(1, sizeof(*m));

	if (!m)
		out_of_memory(&(struct arena){ .limit = limit_bytes }, sizeof(*m));
	m->limit = limit_bytes;
	m->others = arenas;
	return arenas = m;
}

void
arena_reset(struct arena *m)
{
	for (struct chunk *c = m->first; c; c = c->next) {
		hide(c->bytes, c->used);
		c->used = 0;
	}
	m->now = m->first;
	m->newest = NULL;
	m->used = 0;
}

size_t
arena_used(const struct arena *m)
{
	return m->used;
}

/* A chunk with room for n: one kept from an earlier request, else a new one. Each is about as large as all before
 * it. */
static void
next_chunk(struct arena *m, size_t n)
{
	struct chunk **link = m->now ? &m->now->next : &m->first;
	size_t room = m->used > CHUNK_MIN ? round_up(m->used) : CHUNK_MIN;
	struct chunk *c;

	while (*link && (*link)->room < n)
		link = &(*link)->next;
	if (*link) {
		m->now = *link;
		return;
	}
	if (room > 16 * CHUNK_MIN)
		room = 16 * CHUNK_MIN;
	if (room < n)
		room = n;
	c = malloc(sizeof(*c) + room);
	if (!c)
		out_of_memory(m, n);
	c->room = room;
	c->used = 0;
	c->next = NULL;
	hide(c->bytes, room);
	*link = c;
	m->now = c;
}

static void
count(struct arena *m, size_t n)
{
	if (n > m->limit || m->used > m->limit - n)
		out_of_memory(m, n);
	m->used += n;
}

/* A piece whose bytes are not zeroed. */
static char *
cut(struct arena *m, size_t n)
{
	size_t whole;

	if (n > m->limit)
		out_of_memory(m, n);
	whole = round_up(n ? n : 1);
	count(m, whole);
	whole += GAP;
	if (!m->now || m->now->room - m->now->used < whole)
		next_chunk(m, whole);
	m->newest = m->now->bytes + m->now->used;
	m->now->used += whole;
	show(m->newest, n);
	return m->newest;
}

void *
arena_alloc(struct arena *m, size_t n)
{
	return memset(cut(m, n), 0, n);
}

static bool
grows_in_place(struct arena *m, const char *old, size_t old_n, size_t new_n)
{
	size_t before = round_up(old_n ? old_n : 1), after;

	if (old != m->newest || new_n > m->limit)
		return false;
	after = round_up(new_n);
	if (after > before) {
		if (m->now->room - m->now->used < after - before)
			return false;
		count(m, after - before);
		m->now->used += after - before;
	}
	show(old, new_n);
	return true;
}

/* Grows without zeroing what is new. */
static char *
stretch(struct arena *m, char *old, size_t old_n, size_t new_n)
{
	char *new;

	if (old && (new_n <= old_n || grows_in_place(m, old, old_n, new_n)))
		return old;
	new = cut(m, new_n);
	if (old_n)
		memcpy(new, old, old_n);
	return new;
}

/* Gives back the end of the newest piece. */
static void
give_back(struct arena *m, char *piece, size_t old_n, size_t new_n)
{
	size_t back = round_up(old_n) - round_up(new_n);

	if (piece != m->newest)
		return;
	hide(piece + round_up(new_n), back);
	m->now->used -= back;
	m->used -= back;
}

void *
arena_grow(struct arena *m, void *old, size_t old_n, size_t new_n)
{
	char *new = stretch(m, old, old ? old_n : 0, new_n);

	if (!old)
		old_n = 0;
	if (new_n > old_n)
		memset(new + old_n, 0, new_n - old_n);
	return new;
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

/* Tries the room there is, and once more when it was too little. */
static void __attribute__((nonnull, format(printf, 2, 0))) put_formatted(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	buf_reserve(b, 0);
	n = vsnprintf(b->s + b->n, b->room - b->n, fmt, ap);
	if (n > 0 && (size_t)n >= b->room - b->n)
		vsnprintf(buf_reserve(b, (size_t)n), (size_t)n + 1, fmt, again);
	va_end(again);
	if (n > 0)
		b->n += (size_t)n;
}

char *
arena_strndup(struct arena *m, const char *s, size_t n)
{
	char *copy = cut(m, n + 1);

	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *
arena_strdup(struct arena *m, const char *s)
{
	return s ? arena_strndup(m, s, strlen(s)) : NULL;
}

char *
arena_vprintf(struct arena *m, const char *fmt, va_list ap)
{
	struct buf b = { .m = m };

	put_formatted(&b, fmt, ap);
	give_back(m, b.s, b.room, b.n + 1);
	return b.s;
}

char *
arena_printf(struct arena *m, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(m, fmt, ap);
	va_end(ap);
	return s;
}

/* --- buf ---------------------------------------------------------------------------------------------------------- */

char *
buf_reserve(struct buf *b, size_t n)
{
	size_t room;

	if (b->room > b->n && b->room - b->n > n) /* one byte more than n: the NUL */
		return b->s + b->n;
	if (n >= SIZE_MAX / 4)
		out_of_memory(b->m, n);
	room = b->room * 2 > BUF_MIN ? b->room * 2 : BUF_MIN;
	if (room < b->n + n + 1)
		room = b->n + n + 1;
	b->s = stretch(b->m, b->s, b->room, room);
	b->room = room;
	return b->s + b->n;
}

void
buf_put(struct buf *b, const void *bytes, size_t n)
{
	char *end = buf_reserve(b, n);

	if (n)
		memcpy(end, bytes, n);
	end[n] = '\0';
	b->n += n;
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_formatted(b, fmt, ap);
	va_end(ap);
}
