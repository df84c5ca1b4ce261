/* roles - the roles of people (docs/domain.md) as bits, since one person may hold several. Routes name them. */
#ifndef MP_ROLES_H
#define MP_ROLES_H

#include "lib/web/web.h"

enum role {
	ROLE_CUSTOMER = 1, ROLE_EMPLOYEE = 2, ROLE_MANAGER = 4, ROLE_COURIER = 8, ROLE_EXAMINER = 16, ROLE_ADMIN = 32,
};
_Static_assert((ROLE_ADMIN & ~ROUTE_ROLES) == 0, "a role outside the bits that routes have for them");

#endif
