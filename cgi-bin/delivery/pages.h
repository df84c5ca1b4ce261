/* pages - what delivery's routes lead to. */
#ifndef MP_DELIVERY_PAGES_H
#define MP_DELIVERY_PAGES_H

#include "../../lib/web.h"

handler page_deliveries;

#endif
