/*
 * settings - motorpool.conf, and beside the state $VAR/motorpool.conf on top of it: lines of `name = value`, # comments.
 * Every setting, its default and its meaning stand in motorpool.conf; an unknown name stops the program. The environment goes
 * before both: MOTORPOOL_BASE_URL for base_url.
 */
#ifndef MP_SETTINGS_H
#define MP_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

struct settings {
	const char *var_dir;                    /* the state folder they were opened for */
	const char *currency;                   /* KRW */
	const char *zone;                       /* Asia/Seoul */
	const char *base_url;                   /* http://localhost:8080: for links that leave the house and return addresses */
	bool tls;                               /* Secure and __Host- cookies */
	int64_t vat_percent;                    /* 10, included in every price */
	int64_t max_bookings_per_person;        /* 10 open bookings */
	int64_t max_holds_per_person;           /* 3 of them held and not paid */
	int64_t hold_s;                         /* 600 */
	int64_t turnaround_s;                   /* 3600: buffer after each rental before the car's next one */
	int64_t max_rental_days, max_ahead_days; /* 60, 365 */
	int64_t refund_full_before_s;           /* cancelling earlier than this before the start refunds all */
	int64_t refund_grace_s;                 /* … and so does cancelling this soon after booking */
	int64_t refund_late_percent;            /* else this share */
	int64_t no_show_after_s;                /* 3600: a booking nobody came for ends this long after its end */
	int64_t stuck_after_s;                  /* 120: what rests on its way for longer is shown to the managers */
	const char *delivery_zones;             /* code:fee:English:한국어; … (domain/choices.h) */
	int64_t delivery_window_s;              /* 7200: how long a customer waits for a courier */
	const char *equipment_categories;       /* code:sync|async:English:한국어; … */
	int64_t review_auto_quantity;           /* an order of so many pieces … */
	int64_t review_auto_amount;             /* … worth so much is approved by itself */
	int64_t remind_pickup_s, remind_return_s; /* how long before a booking's start and end its customer is reminded */
	const char *mail_url;                   /* smtp://host:port or smtps://…; "": the mail folder, $VAR/mail */
	const char *mail_from;                  /* whom mail comes from */
	int64_t mail_tries;                     /* a mail that does not get through is given up after so many */
	int64_t mail_pause_s;                   /* 30: before the second try; before each further one twice as long, an hour at most */
	int64_t call_deadline_ms;               /* 610: a synchronous call, all told */
	int64_t calls_at_once;                  /* 5: to one program or provider, by all callers together (breaker.h) */
	const char *breaker;                    /* strict, classic or default: when it opens and for how long */
	int64_t session_idle_s, session_max_s;
	int64_t max_body_bytes, max_fields;     /* 1 MiB, 200 */
	int64_t n_workers_min, n_workers_max;   /* per program: as many as the load needs */
	int64_t n_internal_workers;             /* … at most, for the calls between programs */
	int64_t request_limit_s;                /* a worker busy for longer hangs and is replaced */
	int64_t queue_limit_ms;                 /* who would wait longer for a worker is told that we are busy; 0: everybody waits */
	int64_t worker_requests;                /* a worker that has served so many is replaced; 0: never */
	int64_t worker_memory_mb;               /* … and one with more memory in use; it cannot get four times as much. 0: no limit */
	bool jail;                              /* workers lock themselves up before they serve */
	const char *run_as;                     /* the user programs become when they are started as root */
	const char *provider_url;               /* Toss Payments' API base; the sandbox by default */
	const char *provider_public_url;        /* where a customer's browser finds the hosted card page */
	bool sandbox;                           /* no real money: say so on every page */
};

extern struct settings settings;

/* Reads both files. false: *why says which line is wrong. */
bool settings_open(const char *root_dir, const char *var_dir, const char **why);

#endif
