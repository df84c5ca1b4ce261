/* kept - described in kept.h. */
#include "kept.h"

/* The VAT in what was refunded, rounded half up as in payment's ledger: receipt and ledger show the same. */
static int64_t
refunded_vat(int64_t amount, int64_t vat_amount, int64_t refunded)
{
	return amount ? (int64_t)(((__int128)refunded * vat_amount * 2 + amount) / ((__int128)amount * 2)) : 0;
}

struct kept
kept_of(int64_t amount, int64_t vat_amount, int64_t given, int64_t outside)
{
	int64_t refunded = given + outside < amount ? given + outside : amount;

	return (struct kept){ amount - refunded, vat_amount - refunded_vat(amount, vat_amount, refunded) };
}
