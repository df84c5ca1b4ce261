/* toss_codes - Toss Payments' error codes and what each means for money. */
#ifndef MP_PAYMENT_TOSS_CODES_H
#define MP_PAYMENT_TOSS_CODES_H

enum toss_meaning {
	TOSS_DECLINED,          /* because of the card or its owner; nothing was charged */
	TOSS_OUR_FAULT,         /* our mistake (key, request): nothing was charged, a person must look into it */
	TOSS_LATER,             /* it did not begin */
	TOSS_UNKNOWN,           /* it may have happened */
	TOSS_NO_SUCH,           /* no such payment */
	TOSS_ALREADY_REFUNDED,  /* cancelling: nothing is left to refund */
};

struct toss_code {
	const char *code;
	enum toss_meaning meaning;
	const char *reason;             /* our code (charge_reason_label()); "": none */
};

const struct toss_code *toss_code(const char *code);

#endif
