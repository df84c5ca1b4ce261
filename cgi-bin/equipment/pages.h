/* pages - what equipment's routes lead to. */
#ifndef MP_EQUIPMENT_PAGES_H
#define MP_EQUIPMENT_PAGES_H

#include "../../lib/web.h"

handler page_items;

#endif
