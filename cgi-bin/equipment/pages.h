/* pages - equipment's handlers, in the order of main.c's table, and what its pages share. */
#ifndef MP_EQUIPMENT_PAGES_H
#define MP_EQUIPMENT_PAGES_H

#include "lib/web/form.h"
#include "equipment.h"

handler page_overview, page_items, page_item;                                                   /* pages.c */
handler page_item_new, do_item_add, page_item_edit, do_item_change, do_item_offer;              /* pages_item.c */
handler page_stock, do_stock;                                                                   /* pages_stock.c */
handler page_equipment_order_new, do_equipment_order;                                           /* pages_place.c */
/* pages_order.c */
handler page_equipment_order, page_order_cancel, do_order_cancel, do_order_hand_out, do_order_take_back;
handler page_equipment_orders;                                                                  /* pages_orders.c */

/* --- pages.c: shared --- */
bool the_item(struct web *w, struct item *item);                /* the item the address names; false: there is none */
/* The order the address names, by id or code; a customer's own, for managers all. */
bool the_order(struct web *w, struct equipment_order *o);
void equipment_page_begin(struct web *w);                       /* the menu's entry, and the sentence for ?done= */

#endif
