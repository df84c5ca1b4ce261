/*
 * relay - whenever something is reported, who does what about it. The whole system on one screen:
 *
 *	booking 예약    car.reserved → CONFIRMED · car.refused → REJECTED, refund · payment.cancelled → finishes a cancellation
 *	                each second: unpaid holds expire, lost answers of payment are looked up, refunds are asked for again
 *	payment 결제    each second: unknown charges are looked up, refunds owed are made
 *	fleet 차량관리   booking.paid → car.reserved or car.refused · booking.cancel_requested, .rejected, .no_show → car.released ·
 *	                booking.handed_out, .returned → the car's status
 *	delivery 배송   booking.confirmed → a job, when the car is to be brought · delivered → the collection at the end ·
 *	                booking.cancelled, .rejected, .no_show → open jobs are cancelled
 *	equipment 장비  booking.paid → an order for each kind of equipment in it · review.approved → the pieces leave the stock ·
 *	                review.rejected → REJECTED · booking.cancelled … → the pieces come back
 *	review 승인     equipment.ordered → a case, approved by rule or waiting for a person · equipment.cancelled → the case is closed
 *	message 메시지   what customers should know → a message each; each second: mail is sent, reminders fall due
 *	mypage 마이페이지 everything → the read models
 *
 * What exactly, stands in each context's policy.c. Started by cron every minute (deploy/cron.d/motorpool).
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

extern const struct consumer booking_consumer, payment_consumer, fleet_consumer, delivery_consumer, equipment_consumer, review_consumer,
	message_consumer, mypage_consumer;

static const struct consumer *const consumers[] = {
	&booking_consumer, &payment_consumer, &fleet_consumer, &delivery_consumer, &equipment_consumer, &review_consumer, &message_consumer,
	&mypage_consumer, NULL,
};

#define WORK_MS  60000          /* cron's next one takes over then … */
#define GRACE_MS 5000           /* … or, when cron is late, a little after */

static int
usage(FILE *out, int status)
{
	fprintf(out,
	        "relay - carries events to the policies of all contexts; cron starts it every minute\n\n"
	        "  relay VAR                works for a minute, then the next one takes over\n"
	        "  relay VAR --for SECONDS  works that long\n"
	        "  relay VAR --once         handles what is there, and leaves\n\n"
	        "A second one waits to take over, a third leaves at once. SIGTERM finishes the work in hand.\n"
	        "MOTORPOOL_ROOT: where motorpool.conf and db/ are (default: the nearest folder above the program that has one).\n");
	return status;
}

static bool
set_up(const struct relay *r)
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
seconds(const char *s, int64_t *ms)
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
		return usage(stdout, 0);
	if (argc == 4 && strcmp(argv[2], "--for") == 0 && seconds(argv[3], &r.work_ms))
		r.grace_ms = 0;
	else if (argc != 2 && !once)
		return usage(stderr, 2);
	r.root = folder_root(arena_new(1 << 20));
	r.var = argv[1];
	if (!owner_become(r.var))
		return 1;
	if (!set_up(&r))
		return 1;
	return once ? relay_once(&r) : relay_run(&r);
}
