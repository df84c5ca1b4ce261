/*
 * toss_codes.c - what the provider's error codes mean for money, in one table. A code that is not in it is *unknown*: a look-up
 * decides, never a guess.
 */
#include "toss_codes.h"

#include <stddef.h>
#include <string.h>

static const struct toss_code codes[] = {
	/* the bank or the card says no */
	{ "REJECT_CARD_PAYMENT",             NO, "insufficient_funds" },
	{ "REJECT_ACCOUNT_PAYMENT",          NO, "insufficient_funds" },
	{ "REJECT_CARD_COMPANY",             NO, "declined" },
	{ "REJECT_TOSSPAY_INVALID_ACCOUNT",  NO, "declined" },
	{ "INVALID_REJECT_CARD",             NO, "declined" },
	{ "INVALID_CARD_NUMBER",             NO, "bad_card" },
	{ "INVALID_CARD_COMPANY",            NO, "bad_card" },
	{ "INVALID_CARD_LOST_OR_STOLEN",     NO, "stopped_card" },
	{ "INVALID_STOPPED_CARD",            NO, "stopped_card" },
	{ "INVALID_CARD_EXPIRATION",         NO, "expired_card" },
	{ "INVALID_CARD_IDENTITY",           NO, "bad_card" },
	{ "INVALID_CARD_PASSWORD",           NO, "bad_card" },
	{ "INVALID_PASSWORD",                NO, "bad_card" },
	{ "NOT_AVAILABLE_PAYMENT",           NO, "declined" },
	{ "NOT_SUPPORTED_CARD_TYPE",         NO, "bad_card" },
	{ "NOT_SUPPORTED_METHOD",            NO, "bad_card" },
	{ "RESTRICTED_TRANSFER_ACCOUNT",     NO, "declined" },
	{ "FDS_ERROR",                       NO, "declined" },
	{ "EXCEED_MAX_AMOUNT",               NO, "limit" },
	{ "EXCEED_MAX_PAYMENT_AMOUNT",       NO, "limit" },
	{ "EXCEED_MAX_ONE_DAY_AMOUNT",       NO, "limit" },
	{ "EXCEED_MAX_ONE_DAY_WITHDRAW_AMOUNT", NO, "limit" },
	{ "EXCEED_MAX_DAILY_PAYMENT_COUNT",  NO, "limit" },
	{ "EXCEED_MAX_AUTH_COUNT",           NO, "limit" },
	{ "BELOW_MINIMUM_AMOUNT",            NO, "limit" },
	{ "BELOW_ZERO_AMOUNT",               NO, "limit" },
	{ "UNAPPROVED_ORDER_ID",             NO, "not_prepared" },
	{ "NOT_FOUND_PAYMENT_SESSION",       NO, "page_expired" },
	{ "NOT_MATCHES_AMOUNT",              NO, "wrong_amount" },
	{ "NOT_MATCHES_CUSTOMER_KEY",        NO, "bad_card" },
	{ "INVALID_BILLING_KEY",             NO, "card_removed" },
	{ "NOT_FOUND_BILLING_KEY",           NO, "card_removed" },
	{ "BILLING_KEY_DELETED",             NO, "card_removed" },
	{ "INVALID_BILLING_AUTH",            NO, "bad_token" },
	{ "INVALID_AUTHORIZE_AUTH",          NO, "bad_token" },
	{ "NOT_FOUND_AUTH_KEY",              NO, "bad_token" },
	{ "ALREADY_USED_AUTH_KEY",           NO, "bad_token" },
	{ "PAY_PROCESS_CANCELED",            NO, "given_up" },
	{ "PAY_PROCESS_ABORTED",             NO, "declined" },
	/* what we sent was wrong: nothing was taken */
	{ "INVALID_API_KEY",                 OURS, "provider" },
	{ "UNAUTHORIZED_KEY",                OURS, "provider" },
	{ "INCORRECT_BASIC_AUTH_FORMAT",     OURS, "provider" },
	{ "INVALID_REQUEST",                 OURS, "provider" },
	{ "INVALID_ORDER_ID",                OURS, "provider" },
	{ "INVALID_IDEMPOTENCY_KEY",         OURS, "provider" },
	{ "FORBIDDEN_REQUEST",               OURS, "provider" },
	{ "NOT_REGISTERED_BUSINESS",         OURS, "provider" },
	{ "NOT_SUPPORTED_CURRENCY",          OURS, "provider" },
	/* it did not begin */
	{ "TOO_MANY_REQUESTS",               LATER, "later" },
	{ "MAINTAINED_METHOD",               LATER, "later" },
	{ "NOT_AVAILABLE_BANK",              LATER, "later" },
	/* it may have happened */
	{ "ALREADY_PROCESSED_PAYMENT",       NOBODY_KNOWS, "" },
	{ "DUPLICATED_ORDER_ID",             NOBODY_KNOWS, "" },
	{ "IDEMPOTENT_REQUEST_PROCESSING",   NOBODY_KNOWS, "" },
	{ "FORBIDDEN_CONSECUTIVE_REQUEST",   NOBODY_KNOWS, "" },
	{ "PROVIDER_ERROR",                  NOBODY_KNOWS, "" },
	{ "CARD_PROCESSING_ERROR",           NOBODY_KNOWS, "" },
	{ "COMMON_ERROR",                    NOBODY_KNOWS, "" },
	{ "FAILED_PAYMENT_INTERNAL_SYSTEM_PROCESSING", NOBODY_KNOWS, "" },
	{ "FAILED_INTERNAL_SYSTEM_PROCESSING", NOBODY_KNOWS, "" },
	{ "UNKNOWN_PAYMENT_ERROR",           NOBODY_KNOWS, "" },
	/* looking up, cancelling */
	{ "NOT_FOUND_PAYMENT",               NO_SUCH, "not_prepared" },
	{ "NOT_FOUND",                       NO_SUCH, "not_prepared" },
	{ "ALREADY_CANCELED_PAYMENT",        BACK_ALREADY, "" },
	{ "ALREADY_REFUND_PAYMENT",          BACK_ALREADY, "" },
	{ "NOT_CANCELABLE_AMOUNT",           BACK_ALREADY, "" },
	{ "NOT_CANCELABLE_PAYMENT",          BACK_ALREADY, "" },
	{ "NOT_MATCHES_REFUNDABLE_AMOUNT",   BACK_ALREADY, "" },
};

const struct toss_code *
toss_code(const char *code)
{
	static const struct toss_code strange = { "", NOBODY_KNOWS, "" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].code, code) == 0)
			return &codes[i];
	return &strange;
}
