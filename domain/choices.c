/* choices - short lists in settings. The overview is in choices.h. */
#include "rental.h"
#include "choices.h"

#include "lib/base/lang.h"

#include <stdlib.h>
#include <string.h>

#define LISTS_MAX 4

static struct { const char *setting; struct choice choices[CHOICES_MAX]; int n; } lists[LISTS_MAX];
static int n_lists;
static struct arena *memory;    /* as long as the program */

/* Takes one "code:value:English:한국어" off *rest, which it cuts up. false: the end. */
static bool
take_choice(char **rest, struct choice *c)
{
	char *one, *part[4] = { 0 };
	int n = 0;

	do {
		one = strsep(rest, ";");
		if (!one)
			return false;
		one += strspn(one, " \t");
	} while (!*one);
	for (char *p; n < 4 && (p = strsep(&one, ":")); n++) {
		p += strspn(p, " \t");
		for (size_t len = strlen(p); len && (p[len - 1] == ' ' || p[len - 1] == '\t'); len--)
			p[len - 1] = '\0';
		part[n] = p;
	}
	c->code = part[0];
	c->value = part[1] ? part[1] : "";
	c->name = part[2] && *part[2] ? part[2] : c->code;
	c->name_ko = part[3] ? part[3] : "";
	return true;
}

int
choices_of(const char *setting, const struct choice **choices)
{
	char *rest;
	int at = 0;

	while (at < n_lists && strcmp(lists[at].setting, setting) != 0)
		at++;
	if (at == n_lists) { /* settings do not change while the process runs; only tests read more than two */
		if (!memory)
			memory = arena_new(1 << 12);
		at = n_lists < LISTS_MAX ? n_lists++ : LISTS_MAX - 1;
		lists[at].setting = arena_strdup(memory, setting);
		lists[at].n = 0;
		rest = arena_strdup(memory, setting);
		while (lists[at].n < CHOICES_MAX && take_choice(&rest, &lists[at].choices[lists[at].n]))
			lists[at].n++;
	}
	*choices = lists[at].choices;
	return lists[at].n;
}

const struct choice *
choice_find(const char *setting, const char *code)
{
	const struct choice *all;
	int n = choices_of(setting, &all);

	for (int i = 0; code && i < n; i++)
		if (strcmp(all[i].code, code) == 0)
			return &all[i];
	return NULL;
}

const char *
choice_name(const struct choice *c)
{
	return lang_pick(lang_now(), c->name, c->name_ko);
}

int64_t
zone_fee(const char *zone)
{
	const struct choice *c = choice_find(rental.delivery_zones, zone);

	return c ? strtoll(c->value, NULL, 10) : -1;
}

bool
category_is_sync(const char *category)
{
	const struct choice *c = choice_find(rental.equipment_categories, category);

	return c && strcmp(c->value, "sync") == 0;
}
