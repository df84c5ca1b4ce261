/* toss_codes - Toss Payments' error codes and what each means for money. */
#ifndef MP_TOSS_CODES_H
#define MP_TOSS_CODES_H

enum toss_meaning {
	NO,             /* declined: the card's or its owner's affair; nothing was taken */
	OURS,           /* our own mistake (key, request): nothing was taken, and somebody must look */
	LATER,          /* it did not begin */
	NOBODY_KNOWS,   /* it may have happened */
	NO_SUCH,        /* it knows no such payment */
	BACK_ALREADY,   /* cancelling: there is nothing (left) to give back */
};

struct toss_code {
	const char *code;
	enum toss_meaning meaning;
	const char *reason;             /* our word for it (reason_label()); "": none */
};

const struct toss_code *toss_code(const char *code);

#endif
