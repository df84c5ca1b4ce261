/*
 * terms - 약관: the firm's documents in both languages, and their versions.
 *
 * An admin publishes a document as its next version; what was published never changes (schema). In force is the highest
 * version whose valid_from has come. A booking records the version of the terms that was accepted with it (place.c).
 */
#ifndef MP_BOOKING_TERMS_H
#define MP_BOOKING_TERMS_H

#include "lib/base/shape.h"
#include "lib/db/db.h"

enum terms_kind { TERMS_TERMS, TERMS_PRIVACY, TERMS_COMPANY };
extern const struct words terms_kind_words;             /* the code is also the address: /privacy */

#define TERMS_TEXT_MAX 40000                            /* characters of a text, as in the schema */

struct terms_version {
	int kind;                                       /* enum terms_kind */
	int64_t version, published_at, valid_from;      /* published_at 0: it came with the product */
	int64_t published_by;                           /* user_id; 0: it came with the product */
	const char *publisher;                          /* their name; "" */
	const char *text, *text_ko;                     /* NULL in lists */
};
extern const struct shape terms_version_shape;

int64_t terms_in_force(struct db *db, enum terms_kind kind, int64_t at);        /* the number of its version */
int64_t terms_newest(struct db *db, enum terms_kind kind);                      /* … perhaps not in force yet */
bool terms_find(struct db *db, enum terms_kind kind, int64_t version, struct terms_version *v);
int terms_list(struct db *db, enum terms_kind kind, struct terms_version **versions);   /* all, newest first */

enum terms_outcome {
	TERMS_PUBLISHED,
	TERMS_AGAIN,            /* the same form a second time: *v is what its first one published */
	TERMS_UNCHANGED,        /* the text is that of the newest version. Nothing was published */
	TERMS_MEANWHILE,        /* the newest version is no longer based_on. Nothing was published */
};
/*
 * Publishes v->text and v->text_ko as the next version, valid from v->valid_from (0, or a time that has passed: from
 * now on). based_on: the version that the publisher has read; 0: any. Emits booking.terms_published.
 */
enum terms_outcome terms_publish(struct db *db, struct terms_version *v, int64_t based_on);

/* --- terms_text.c: how a text is laid out --- */

struct terms_item { const char *text; };
struct terms_block {                                    /* one of the three */
	const char *heading, *paragraph;                /* NULL: it is another one */
	bool is_list;
	struct terms_item *items;
	int n_items;
};
extern const struct shape terms_block_shape;

/* Line ends become \n, and white space at the ends of lines and of the text goes. */
const char *terms_text_tidy(struct arena *m, const char *text);
int terms_text_blocks(struct arena *m, const char *text, struct terms_block **blocks);

#endif
