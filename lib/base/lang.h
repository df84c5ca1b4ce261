/*
 * lang - the languages of pages and mails. English is in the source, the others are in locale/LL/motorpool.po
 * (gettext).
 *
 * N_("…") marks words in tables, _("…") translates in the current language (set per request by web_serve).
 * _n("1 car", "%lld cars", n) chooses the plural form for n by the language's own rule and translates it.
 */
#ifndef MP_LANG_H
#define MP_LANG_H

#include "arena.h"
#include "money.h"        /* how amounts are written */

#include <stdbool.h>
#include <stdint.h>

enum { LANG_EN, LANG_KO, N_LANGS };

#define N_(s) (s)
#define _(s)  lang_text(lang_now(), (s))
#define _n(one, many, n) lang_plural(lang_now(), (one), (many), (n))

bool        lang_open(const char *locale_dir);          /* once, at start-up: build/locale; false: catalogues missing */
int         lang_now(void);
void        lang_set(int lang);
int         lang_find(const char *code);                /* "ko" -> LANG_KO; -1 */
const char *lang_code(int lang);                        /* "ko" */
const char *lang_text(int lang, const char *msgid);     /* the msgid itself when there is no translation */
/* text_ko in Korean, unless it is NULL or empty */
const char *lang_pick(int lang, const char *text, const char *text_ko);
const char *lang_plural(int lang, const char *one, const char *many, int64_t n);        /* ngettext */
int         lang_accepted(const char *accept_language); /* best of an Accept-Language header; LANG_EN by default */

/* How time is written; pages and mails name the zone once (clock_zone). The zone comes from settings (settings.h); at 0
 * is "no time": nothing is put. */
void time_put(struct buf *out, int lang, int64_t at);           /* Sat 21 Nov 2026, 14:00 / 2026-11-21(토) 14:00 */
const char *time_in_words(struct arena *m, int64_t at);         /* the same as a text, in the current language */
void date_put(struct buf *out, int lang, int64_t at);           /* the day alone */
void clock_put(struct buf *out, int64_t at);                    /* 14:00 */
void time_iso(struct buf *out, int64_t at);                     /* 2026-11-21T14:00:00+09:00 */
void time_input(struct buf *out, int64_t at);                   /* 2026-11-21T14:00, for <input type=datetime-local> */

#endif
