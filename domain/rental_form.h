/* rental_form - the times in forms of bookings, deliveries and equipment orders. */
#ifndef MP_RENTAL_FORM_H
#define MP_RENTAL_FORM_H

#include "lib/web/form.h"

/* form_time() on the rental grid (RENTAL_STEP_S). 0: missing or wrong, and the field is marked. */
int64_t form_rental_time(struct web *w, const char *name);

#endif
