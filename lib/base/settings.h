/*
 * settings - motorpool.conf, and beside the state $VAR/motorpool.conf on top of it: lines of `name = value`, #
 * comments. motorpool.conf explains every setting with its default; an unknown name stops the program. The environment
 * takes precedence: MOTORPOOL_BASE_URL for base_url.
 */
#ifndef MP_SETTINGS_H
#define MP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct settings {
	const char *var_dir;                    /* the state folder they were opened for */
	const char *currency;                   /* KRW */
	const char *zone;                       /* Asia/Seoul */
	const char *base_url;                   /* http://localhost:8080: for links in mails and return addresses */
	bool tls;                               /* Secure and __Host- cookies */
	const char *mail_url;                   /* smtp://host:port or smtps://…; "": the mail folder, $VAR/mail */
	const char *mail_from;                  /* whom mail comes from */
	int64_t mail_tries;                     /* attempts per mail */
	int64_t mail_pause_s; /* 30: before the second try; before each further one twice as long, an hour at most */
	int64_t call_deadline_ms;               /* 610: a synchronous call in total */
	int64_t calls_at_once;                  /* 5: to one program or provider, by all callers together (breaker.h) */
	const char *breaker;                    /* strict, classic or default: when it opens and for how long */
	int64_t session_idle_s, session_max_s;
	int64_t max_body_bytes, max_fields;     /* 1 MiB, 200 */
	int64_t n_workers_min, n_workers_max;   /* per program: as many as the load needs */
	int64_t n_internal_workers;             /* … at most, for the calls between programs */
	int64_t request_limit_s;                /* a worker busy for longer is considered hung and replaced */
	int64_t queue_limit_ms;                 /* requests that would wait longer for a worker get 503; 0: all wait */
	int64_t worker_requests;                /* a worker that has served so many is replaced; 0: never */
	int64_t worker_memory_mb; /* … and one with more memory in use; it cannot get four times as much. 0: no limit */
	bool jail;                              /* workers enter the sandbox of jail.h before they serve */
	const char *run_as;                     /* the user that programs switch to when started as root */
};

extern struct settings settings;

/* --- a product's own settings stand in the same files, in a table of the same form --- */
enum setting_kind { SETTING_INT, SETTING_BOOL, SETTING_TEXT, SETTING_URL, SETTING_CURRENCY };

struct setting {
	const char *name;
	enum setting_kind kind;
	size_t offset;                  /* of an int64_t, a bool or a const char * in the group's values */
	const char *standard;           /* the default, as it would be written in the file */
	int64_t min, max;               /* of a number; of a text's length */
};
#define SETTING_AT(s, member) .name = #member, .offset = offsetof(struct s, member)

struct settings_group {
	const struct setting *setting;
	int n;
	void *values;
	bool (*check)(const char **why);        /* after all were read: do they fit together? May be NULL */
};

/* Reads both files and the environment. product: more settings; may be NULL. false: *why says which line is wrong. */
bool settings_open(const char *root_dir, const char *var_dir, const struct settings_group *product, const char **why);

#endif
