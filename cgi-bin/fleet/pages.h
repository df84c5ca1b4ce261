/* pages - the handlers of fleet's routes, and what its pages share. */
#ifndef MP_FLEET_PAGES_H
#define MP_FLEET_PAGES_H

#include "lib/web/form.h"
#include "fleet.h"

handler page_fleet, page_cars, page_car;                                        /* pages.c */
handler page_car_new, do_car_add, page_car_edit, do_car_change;                 /* pages_edit.c */
handler page_car_retire, do_car_retire, do_car_undo_retire, page_car_delete, do_car_delete;     /* pages_end.c */
handler page_car_service, do_car_service;
handler page_photo, do_photo, do_photo_remove;                                  /* pages_photo.c */
handler page_car_custody;                                                       /* pages_custody.c */
handler page_models, page_model_new, page_model, do_model_add, do_model_change, do_model_state; /* pages_model.c */
handler page_branches, page_branch_new, page_branch, do_branch_add, do_branch_change; /* pages_branch.c */
handler page_branch_close, do_branch_close, do_branch_open;

bool requested_car(struct web *w, struct car *car);     /* the car of the address. false: there is none */
/* A text in Korean, which may be empty. NULL: not sent, so it stays as it is. */
const char *read_korean(struct web *w, const char *name, int max_chars);
/* pages_end.c: `confirm` (JSON) or `seen` (forms; JSON too): the bookings concerned are known */
struct car_consent read_consent(struct web *w);
const char *concern_words(struct web *w, const struct concern *c);
enum status refuse_concern(struct web *w, int64_t car_id, int64_t branch_id);   /* 409 with the bookings, JSON */
enum status refuse_in_use(struct web *w, int64_t car_id);                       /* 409: who has it */
enum status answer_car(struct web *w, int64_t car_id, const char *done);        /* 200: it, or on to its page */
struct option *open_branch_options(struct web *w, int64_t and_branch_id, int *n);
struct option *model_options(struct web *w, int *n);
void show_frame(struct web *w);                         /* the marked entry of the menu, and the sentence for ?done= */

/* The fields that the forms of cars and models share. */
struct make_fields { struct field name, name_ko, body, seats, fuel, gearbox, hourly_price,
	daily_price; const char *currency; };
extern const struct shape make_fields_shape;
struct make { const char *name, *name_ko; int body, fuel, gearbox; int64_t seats, hourly_price, daily_price; };
struct make_fields make_fields(struct web *w, const struct make *initial);
void make_read(struct web *w, struct make *make);

#endif
