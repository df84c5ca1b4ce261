/* events - what account reports. */
#include "account_inside.h"

#include "domain/event_types.h"
#include "domain/mail_links.h"

static const struct word link_word[] = {
	[LINK_SIGN_UP] = { MAIL_LINK_SIGN_UP, MAIL_LINK_SIGN_UP },
	[LINK_KNOWN]   = { MAIL_LINK_KNOWN, MAIL_LINK_KNOWN },
	[LINK_RESET]   = { MAIL_LINK_RESET, MAIL_LINK_RESET },
};
const struct words link_words = WORDS(link_word);

struct link_payload { int64_t link_id; int purpose; };
static const struct member link_payload_members[] = {
	SHAPE_INT(link_payload, link_id), SHAPE_STATE(link_payload, purpose, link_words),
};
static const struct shape link_payload_shape = SHAPE(link_payload, link_payload_members);

void
account_report_link(struct db *db, int64_t link_id, enum link_purpose purpose, int64_t actor_id)
{
	event_report(db, EVENT_ACCOUNT_LINK_REQUESTED,
		&(struct event){
			.subject_id = arena_printf(db_memory(db), "link:%lld", (long long)link_id),
			.actor_id = actor_id,
		},
		&link_payload_shape, &(struct link_payload){ .link_id = link_id, .purpose = purpose });
}
