/* terms - the firm's documents and their versions. Described in terms.h. */
#include "terms.h"
#include "booking_steps.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"

#include <string.h>

static const struct word terms_kind_word[] = {
	[TERMS_TERMS]   = { "terms",   N_("Terms and conditions") },
	[TERMS_PRIVACY] = { "privacy", N_("Privacy policy") },
	[TERMS_COMPANY] = { "company", N_("Company information") },
};
const struct words terms_kind_words = WORDS(terms_kind_word);

static const struct member terms_version_members[] = {
	SHAPE_STATE(terms_version, kind, terms_kind_words), SHAPE_INT(terms_version, version),
	SHAPE_TIME(terms_version, published_at), SHAPE_TIME(terms_version, valid_from),
	SHAPE_INT(terms_version, published_by), SHAPE_TEXT(terms_version, publisher),
	SHAPE_TEXT_KO(terms_version, text),
};
const struct shape terms_version_shape = SHAPE(terms_version, terms_version_members);

/* --- reading ------------------------------------------------------------------------------------------------------ */

int64_t
terms_in_force(struct db *db, enum terms_kind kind, int64_t at)
{
	return db_int(db, "SELECT COALESCE(MAX(version), 0) FROM terms_version WHERE kind = $1 AND valid_from <= $2",
		words_code(&terms_kind_words, (int)kind), at);
}

int64_t
terms_newest(struct db *db, enum terms_kind kind)
{
	return db_int(db, "SELECT COALESCE(MAX(version), 0) FROM terms_version WHERE kind = $1",
		words_code(&terms_kind_words, (int)kind));
}

bool
terms_find(struct db *db, enum terms_kind kind, int64_t version, struct terms_version *v)
{
	*v = (struct terms_version){ 0 };
	return db_one(db, &terms_version_shape, v,
		"SELECT t.kind, t.version, t.published_at, t.valid_from, t.published_by, t.text, t.text_ko,"
		" COALESCE(u.name, '') AS publisher"
		" FROM terms_version t LEFT JOIN v_user u ON u.user_id = t.published_by"
		" WHERE t.kind = $1 AND t.version = $2",
		words_code(&terms_kind_words, (int)kind), version);
}

int
terms_list(struct db *db, enum terms_kind kind, struct terms_version **versions)
{
	int n = 0;

	return db_list(db, &terms_version_shape, versions, &n,
		"SELECT t.kind, t.version, t.published_at, t.valid_from, t.published_by,"
		" COALESCE(u.name, '') AS publisher"
		" FROM terms_version t LEFT JOIN v_user u ON u.user_id = t.published_by"
		" WHERE t.kind = $1 ORDER BY t.version DESC",
		words_code(&terms_kind_words, (int)kind));
}

/* --- publishing --------------------------------------------------------------------------------------------------- */

static void
write_version(struct db *db, struct terms_version *v, int64_t now)
{
	db_do(db,
		"INSERT INTO terms_version (kind, version, text, text_ko, published_at, valid_from, published_by)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7)",
		words_code(&terms_kind_words, v->kind), v->version, v->text, v->text_ko, now, v->valid_from,
		v->published_by);
	booking_report_terms(db, words_code(&terms_kind_words, v->kind), v->version, v->published_by);
}

/* The same text may be published again only to make it valid earlier. */
static bool
is_unchanged(const struct terms_version *newest, const struct terms_version *v)
{
	return strcmp(newest->text, v->text) == 0 && strcmp(newest->text_ko, v->text_ko) == 0
		&& newest->valid_from <= v->valid_from;
}

/* Inside the transaction. */
static enum terms_outcome
publish_next(struct db *db, struct terms_version *v, int64_t based_on)
{
	enum terms_kind kind = (enum terms_kind)v->kind;
	struct terms_version newest = { 0 };
	int64_t now = clock_now();
	bool has_newest = terms_find(db, kind, terms_newest(db, kind), &newest);
	bool is_meanwhile = based_on && based_on != newest.version;

	if (v->valid_from < now)
		v->valid_from = now;
	if (has_newest && is_unchanged(&newest, v)) {
		bool is_again = is_meanwhile && newest.published_by == v->published_by;

		*v = newest;
		return is_again ? TERMS_AGAIN : TERMS_UNCHANGED;
	}
	if (is_meanwhile)
		return TERMS_MEANWHILE;
	v->version = newest.version + 1;
	write_version(db, v, now);
	terms_find(db, kind, v->version, v);
	return TERMS_PUBLISHED;
}

enum terms_outcome
terms_publish(struct db *db, struct terms_version *v, int64_t based_on)
{
	enum terms_outcome outcome;

	db_begin(db);
	outcome = publish_next(db, v, based_on);
	db_commit(db);
	return outcome;
}
