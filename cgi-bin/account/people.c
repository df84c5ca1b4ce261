/*
 * people.c - the list of users for an admin: search by part of an e-mail or a name and by role, in several orders.
 *
 * A percent sign in the search text is searched for as such. The whole table is scanned: a hundred thousand users take
 * some milliseconds, and admins are few.
 */
#include "account_inside.h"

static const struct member person_members[] = {
	SHAPE_INT(person, user_id), SHAPE_TEXT(person, email), SHAPE_TEXT(person, name), SHAPE_TEXT(person, phone),
	SHAPE_STATE(person, lang, account_lang_words), SHAPE_BOOL(person, disabled), SHAPE_INT(person, role_bits),
	SHAPE_TIME(person, created_at), SHAPE_RAW(person, roles), SHAPE_TEXT(person, role_names),
};
const struct shape person_shape = SHAPE(person, person_members);

int64_t
people_count(struct db *db, const struct people_query *q)
{
	return db_int(db,
		"SELECT COUNT(*) FROM person u WHERE (u.email LIKE $1 ESCAPE '\\' OR lower(u.name) LIKE $1 ESCAPE '\\')"
		" AND ($2 = '' OR EXISTS (SELECT 1 FROM user_role r WHERE r.user_id = u.user_id"
		" AND r.role = $2)) /*scan*/",
		db_contains(db, q->words), words_code(&role_words, q->role));
}

void
people_list(struct db *db, const struct people_query *q, struct person **p, int *n)
{
	struct arena *m = db_memory(db);

	db_list(db, &person_shape, p, n,
		"SELECT u.user_id, u.email, u.name, u.phone, u.lang, u.disabled, u.created_at, v.roles AS role_bits"
		"  FROM person u JOIN v_user v ON v.user_id = u.user_id"
		" WHERE (u.email LIKE $1 ESCAPE '\\' OR lower(u.name) LIKE $1 ESCAPE '\\')"
		"   AND ($2 = '' OR EXISTS (SELECT 1 FROM user_role r WHERE r.user_id = u.user_id AND r.role = $2))"
		" ORDER BY CASE WHEN $3 = 2 THEN u.email END, CASE WHEN $3 = 3 THEN u.email END DESC,"
		"          CASE WHEN $3 = 4 THEN u.name END, CASE WHEN $3 = 5 THEN u.name END DESC,"
		"          CASE WHEN $3 = 1 THEN u.user_id END, u.user_id DESC"
		" LIMIT 20 OFFSET $4 /*scan*/ /*sort*/",
		db_contains(db, q->words), words_code(&role_words, q->role), (int)q->order, q->offset);
	for (int i = 0; i < *n; i++) {
		(*p)[i].roles = role_codes(m, (*p)[i].role_bits);
		(*p)[i].role_names = role_names(m, (*p)[i].role_bits);
	}
}
