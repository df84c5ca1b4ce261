/*
 * main.c - the consumers of events, and what each does about them:
 *
 *	booking 예약    car.reserved → CONFIRMED · car.refused → REJECTED, refund · payment.cancelled → completes a
 *	                cancellation · each second: expires unpaid holds, asks for lost answers of payment and for
 *	                refunds again
 *	payment 결제    each second: asks for the outcome of unknown charges, makes the refunds that are owed
 *	fleet 차량관리   booking.paid → car.reserved or car.refused · booking.cancel_requested, .rejected, .no_show →
 *	                car.released · booking.handed_out, .returned → the car's status
 *	delivery 배송   booking.confirmed → a delivery, if one was ordered · delivered → the collection at the end ·
 *	                booking.cancelled, .rejected, .no_show → open deliveries are cancelled
 *	equipment 장비  booking.paid → an order for each kind of equipment · review.approved → taken from stock ·
 *	                review.rejected → REJECTED · booking.cancelled … → returned to stock
 *	review 승인     equipment.ordered → a case, approved by rule or queued for a person · equipment.cancelled → the
 *	                case is closed
 *	message 메시지   events that customers should know of → a message · each second: sends mail and reminders that
 *	                are due
 *	mypage 마이페이지 all events → the read models
 *
 * The details are in each context's policy.c. Cron starts it every minute (deploy/cron.d/motorpool).
 */
#include "relay.h"

#include "domain/rental.h"
#include "lib/call/call.h"
#include "lib/base/clock.h"
#include "lib/base/folder.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "lib/process/owner.h"
#include "lib/base/secret.h"
#include "lib/base/settings.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct consumer booking_consumer, payment_consumer, fleet_consumer, delivery_consumer, equipment_consumer,
	review_consumer,
	message_consumer, mypage_consumer;

static const struct consumer *const consumers[] = {
	&booking_consumer, &payment_consumer, &fleet_consumer, &delivery_consumer, &equipment_consumer,
		&review_consumer, &message_consumer,
	&mypage_consumer, NULL,
};

#define WORK_MS  60000          /* then the relay that cron has started meanwhile takes over … */
#define GRACE_MS 5000           /* … or a little later, when cron is late */

static int
relay_usage(FILE *out, int status)
{
	fprintf(out,
		"relay - gives events to the policies of all contexts; cron starts it every minute\n\n"
		"  relay VAR                runs for a minute, then the next relay takes over\n"
		"  relay VAR --for SECONDS  runs that long\n"
		"  relay VAR --once         handles the events there are, and ends\n\n"
		"A second relay waits to take over, a third ends at once. After SIGTERM it finishes the work in"
		" progress and ends.\n"
		"MOTORPOOL_ROOT: where motorpool.conf and db/ are (default: the nearest folder above the program that"
		" has one).\n");
	return status;
}

static bool
relay_set_up(const struct relay *r)
{
	const char *why = NULL;

	log_open("relay");
	if (!rental_settings_open(r->root, r->var, &why))
		return log_error("start", "%s", why ? why : "the settings cannot be read"), false;
	if (!secret_open(r->var))
		return log_error("start", "%s/secret.key cannot be made or read", r->var), false;
	clock_open(settings.zone);
	money_open(settings.currency);
	call_open(r->var);
	return true;
}

static bool
read_seconds(const char *s, int64_t *ms)
{
	char *end;
	long n = strtol(s, &end, 10);

	*ms = (int64_t)n * 1000;
	return *s && !*end && n > 0 && n <= 86400;
}

int
main(int argc, char **argv)
{
	struct relay r = { .consumers = consumers, .work_ms = WORK_MS, .grace_ms = GRACE_MS };
	bool once = argc == 3 && strcmp(argv[2], "--once") == 0;

	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return relay_usage(stdout, 0);
	if (argc == 4 && strcmp(argv[2], "--for") == 0 && read_seconds(argv[3], &r.work_ms))
		r.grace_ms = 0;
	else if (argc != 2 && !once)
		return relay_usage(stderr, 2);
	r.root = folder_root(arena_new(1 << 20));
	r.var = argv[1];
	if (!owner_become(r.var))
		return 1;
	if (!relay_set_up(&r))
		return 1;
	return once ? relay_run_once(&r) : relay_run(&r);
}
