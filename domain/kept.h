/*
 * kept - what remains of a booking's price after its refunds, and the VAT in it: the same on pages, receipts and mails
 * as in payment's ledger.
 */
#ifndef MP_KEPT_H
#define MP_KEPT_H

#include <stdint.h>

struct kept { int64_t amount, vat_amount; };

/*
 * Of a price with its VAT. given: what we gave back. outside: refunded in the provider's own dashboard; what we give
 * back after that is limited to the rest, so the two together are at most the price.
 */
struct kept kept_of(int64_t amount, int64_t vat_amount, int64_t given, int64_t outside);

#endif
