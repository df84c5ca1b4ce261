/* rental_form - times on the rental grid; described in rental_form.h. */
#include "rental_form.h"

#include "rental.h"
#include "lib/base/lang.h"

int64_t
form_rental_time(struct web *w, const char *name)
{
	int64_t at = form_time(w, name);

	if (at % RENTAL_STEP_S == 0)
		return at;
	form_error(w, name, _("Please enter a time on the hour or half hour."));
	return 0;
}
