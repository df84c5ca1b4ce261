/* pages - what message's routes lead to. */
#ifndef MP_MESSAGE_PAGES_H
#define MP_MESSAGE_PAGES_H

#include "../../lib/web.h"

handler page_messages;

#endif
