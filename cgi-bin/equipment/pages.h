/* pages - equipment's handlers, as main.c routes to them, and what they share. */
#ifndef MP_EQUIPMENT_PAGES_H
#define MP_EQUIPMENT_PAGES_H

#include "lib/web/form.h"
#include "equipment.h"

handler page_overview, page_items, page_item;                                                   /* pages.c */
handler page_item_new, do_item_add, page_item_edit, do_item_change, do_item_offer;              /* pages_item.c */
handler page_stock, do_stock;                                                                   /* pages_stock.c */
handler page_order_new, do_order, page_order, page_order_cancel, do_order_cancel;               /* pages_order.c */
handler page_orders, do_hand_out, do_take_back;                                                 /* pages_desk.c */

/* --- pages.c: shared --- */
bool the_item(struct web *w, struct item *item);                /* the item the address names; false: there is none */
/* The order the address names, by its number or code, if it is for these eyes: one's own, a manager's all. */
bool the_order(struct web *w, struct equipment_order *o);
const char *marked_fields(void);                                /* "Please look at the marked fields." */
enum status refuse_fields(struct web *w);
const char *id_text(struct web *w, int64_t id);                 /* a number as a form carries it */
enum status show_order(struct web *w, const struct equipment_order *o, enum status status, const char *message);        /* pages_order.c */
void say_done(struct web *w);                                   /* what was done before the redirect here: ?done=added */

#endif
