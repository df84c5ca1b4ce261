/*
 * toss_codes - what the provider's error codes mean for the money. A code that is not in the table is *unknown*: a
 * look-up decides.
 */
#include "toss_codes.h"

#include <stddef.h>
#include <string.h>

static const struct toss_code codes[] = {
	/* declined by the bank or for the card */
	{ "REJECT_CARD_PAYMENT",             TOSS_DECLINED, "insufficient_funds" },
	{ "REJECT_ACCOUNT_PAYMENT",          TOSS_DECLINED, "insufficient_funds" },
	{ "REJECT_CARD_COMPANY",             TOSS_DECLINED, "declined" },
	{ "REJECT_TOSSPAY_INVALID_ACCOUNT",  TOSS_DECLINED, "declined" },
	{ "INVALID_REJECT_CARD",             TOSS_DECLINED, "declined" },
	{ "INVALID_CARD_NUMBER",             TOSS_DECLINED, "bad_card" },
	{ "INVALID_CARD_COMPANY",            TOSS_DECLINED, "bad_card" },
	{ "INVALID_CARD_LOST_OR_STOLEN",     TOSS_DECLINED, "stopped_card" },
	{ "INVALID_STOPPED_CARD",            TOSS_DECLINED, "stopped_card" },
	{ "INVALID_CARD_EXPIRATION",         TOSS_DECLINED, "expired_card" },
	{ "INVALID_CARD_IDENTITY",           TOSS_DECLINED, "bad_card" },
	{ "INVALID_CARD_PASSWORD",           TOSS_DECLINED, "bad_card" },
	{ "INVALID_PASSWORD",                TOSS_DECLINED, "bad_card" },
	{ "NOT_AVAILABLE_PAYMENT",           TOSS_DECLINED, "declined" },
	{ "NOT_SUPPORTED_CARD_TYPE",         TOSS_DECLINED, "bad_card" },
	{ "NOT_SUPPORTED_METHOD",            TOSS_DECLINED, "bad_card" },
	{ "RESTRICTED_TRANSFER_ACCOUNT",     TOSS_DECLINED, "declined" },
	{ "FDS_ERROR",                       TOSS_DECLINED, "declined" },
	{ "EXCEED_MAX_AMOUNT",               TOSS_DECLINED, "limit" },
	{ "EXCEED_MAX_PAYMENT_AMOUNT",       TOSS_DECLINED, "limit" },
	{ "EXCEED_MAX_ONE_DAY_AMOUNT",       TOSS_DECLINED, "limit" },
	{ "EXCEED_MAX_ONE_DAY_WITHDRAW_AMOUNT", TOSS_DECLINED, "limit" },
	{ "EXCEED_MAX_DAILY_PAYMENT_COUNT",  TOSS_DECLINED, "limit" },
	{ "EXCEED_MAX_AUTH_COUNT",           TOSS_DECLINED, "limit" },
	{ "BELOW_MINIMUM_AMOUNT",            TOSS_DECLINED, "limit" },
	{ "BELOW_ZERO_AMOUNT",               TOSS_DECLINED, "limit" },
	{ "UNAPPROVED_ORDER_ID",             TOSS_DECLINED, "not_prepared" },
	{ "NOT_FOUND_PAYMENT_SESSION",       TOSS_DECLINED, "page_expired" },
	{ "NOT_MATCHES_AMOUNT",              TOSS_DECLINED, "wrong_amount" },
	{ "NOT_MATCHES_CUSTOMER_KEY",        TOSS_DECLINED, "bad_card" },
	{ "INVALID_BILLING_KEY",             TOSS_DECLINED, "card_removed" },
	{ "NOT_FOUND_BILLING_KEY",           TOSS_DECLINED, "card_removed" },
	{ "BILLING_KEY_DELETED",             TOSS_DECLINED, "card_removed" },
	{ "INVALID_BILLING_AUTH",            TOSS_DECLINED, "bad_token" },
	{ "INVALID_AUTHORIZE_AUTH",          TOSS_DECLINED, "bad_token" },
	{ "NOT_FOUND_AUTH_KEY",              TOSS_DECLINED, "bad_token" },
	{ "ALREADY_USED_AUTH_KEY",           TOSS_DECLINED, "bad_token" },
	{ "PAY_PROCESS_CANCELED",            TOSS_DECLINED, "given_up" },
	{ "PAY_PROCESS_ABORTED",             TOSS_DECLINED, "declined" },
	/* our request was wrong: nothing was charged */
	{ "INVALID_API_KEY",                 TOSS_OUR_FAULT, "provider" },
	{ "UNAUTHORIZED_KEY",                TOSS_OUR_FAULT, "provider" },
	{ "INCORRECT_BASIC_AUTH_FORMAT",     TOSS_OUR_FAULT, "provider" },
	{ "INVALID_REQUEST",                 TOSS_OUR_FAULT, "provider" },
	{ "INVALID_ORDER_ID",                TOSS_OUR_FAULT, "provider" },
	{ "INVALID_IDEMPOTENCY_KEY",         TOSS_OUR_FAULT, "provider" },
	{ "FORBIDDEN_REQUEST",               TOSS_OUR_FAULT, "provider" },
	{ "NOT_REGISTERED_BUSINESS",         TOSS_OUR_FAULT, "provider" },
	{ "NOT_SUPPORTED_CURRENCY",          TOSS_OUR_FAULT, "provider" },
	/* it did not begin */
	{ "TOO_MANY_REQUESTS",               TOSS_LATER, "later" },
	{ "MAINTAINED_METHOD",               TOSS_LATER, "later" },
	{ "NOT_AVAILABLE_BANK",              TOSS_LATER, "later" },
	/* it may have happened */
	{ "ALREADY_PROCESSED_PAYMENT",       TOSS_UNKNOWN, "" },
	{ "DUPLICATED_ORDER_ID",             TOSS_UNKNOWN, "" },
	{ "IDEMPOTENT_REQUEST_PROCESSING",   TOSS_UNKNOWN, "" },
	{ "FORBIDDEN_CONSECUTIVE_REQUEST",   TOSS_UNKNOWN, "" },
	{ "PROVIDER_ERROR",                  TOSS_UNKNOWN, "" },
	{ "CARD_PROCESSING_ERROR",           TOSS_UNKNOWN, "" },
	{ "COMMON_ERROR",                    TOSS_UNKNOWN, "" },
	{ "FAILED_PAYMENT_INTERNAL_SYSTEM_PROCESSING", TOSS_UNKNOWN, "" },
	{ "FAILED_INTERNAL_SYSTEM_PROCESSING", TOSS_UNKNOWN, "" },
	{ "UNKNOWN_PAYMENT_ERROR",           TOSS_UNKNOWN, "" },
	/* looking up, cancelling */
	{ "NOT_FOUND_PAYMENT",               TOSS_NO_SUCH, "not_prepared" },
	{ "NOT_FOUND",                       TOSS_NO_SUCH, "not_prepared" },
	{ "ALREADY_CANCELED_PAYMENT",        TOSS_ALREADY_REFUNDED, "" },
	{ "ALREADY_REFUND_PAYMENT",          TOSS_ALREADY_REFUNDED, "" },
	{ "NOT_CANCELABLE_AMOUNT",           TOSS_ALREADY_REFUNDED, "" },
	{ "NOT_CANCELABLE_PAYMENT",          TOSS_ALREADY_REFUNDED, "" },
	{ "NOT_MATCHES_REFUNDABLE_AMOUNT",   TOSS_ALREADY_REFUNDED, "" },
};

const struct toss_code *
toss_code(const char *code)
{
	static const struct toss_code strange = { "", TOSS_UNKNOWN, "" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].code, code) == 0)
			return &codes[i];
	return &strange;
}
