/* toss_codes - Toss Payments' error codes and what each means for money. */
#ifndef MP_PAYMENT_TOSS_CODES_H
#define MP_PAYMENT_TOSS_CODES_H

enum toss_meaning {
	TOSS_DECLINED,             /* declined: the card's or its owner's affair; nothing was taken */
	TOSS_OUR_FAULT,           /* our own mistake (key, request): nothing was taken, and somebody must look */
	TOSS_LATER,          /* it did not begin */
	TOSS_UNKNOWN,   /* it may have happened */
	TOSS_NO_SUCH,        /* it knows no such payment */
	TOSS_ALREADY_REFUNDED,   /* cancelling: there is nothing (left) to give back */
};

struct toss_code {
	const char *code;
	enum toss_meaning meaning;
	const char *reason;             /* our word for it (reason_label()); "": none */
};

const struct toss_code *toss_code(const char *code);

#endif
