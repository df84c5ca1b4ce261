/*
 * event_words - what happened, in one sentence per type of event (event_types.h), for every page that shows a history.
 *
 * A type without a sentence fails tests/unit/test_event_words.
 */
#ifndef MP_EVENT_WORDS_H
#define MP_EVENT_WORDS_H

#include "lib/base/shape.h"
#include "lib/event/event.h"

extern const struct words event_words;          /* by enum event_type_id; code: the type, label: its sentence */
/* … addressed to the customer: the types that the pages of their bookings show */
extern const struct words customer_event_words;

/* The sentence for e in the reader's language; the collection of a car has its own. */
const char *event_sentence(struct arena *m, const struct event *e);

/* What it was about, as far as the payload says: "2 × Child seat", "₩30,000"; "" when there is nothing to add. */
const char *event_about(struct arena *m, const struct event *e);

#endif
