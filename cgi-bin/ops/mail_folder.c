/*
 * mail_folder - the mails in $VAR/mail, where they are written when no mail server is configured (message/mailer.c):
 * one file each, named by the message's id. Files with other names are not opened.
 */
#include "ops.h"

#include "lib/mail/mail.h"
#include "lib/base/settings.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAIL_MAX_BYTES (256 << 10)
#define NAME_DIGITS    18

static const struct member ops_mail_members[] = {
	SHAPE_INT(ops_mail, message_id), SHAPE_TIME(ops_mail, written_at), SHAPE_TEXT(ops_mail, from),
	SHAPE_TEXT(ops_mail, to), SHAPE_TEXT(ops_mail, subject), SHAPE_TEXT(ops_mail, body),
	SHAPE_TEXT(ops_mail, letter_id), SHAPE_TEXT(ops_mail, lang),
};
const struct shape ops_mail_shape = SHAPE(ops_mail, ops_mail_members);

/* "12.eml" → 12; 0: another name. */
static int64_t
id_of_file(const char *name)
{
	size_t n = strspn(name, "0123456789");

	return n > 0 && n <= NAME_DIGITS && strcmp(name + n, ".eml") == 0 ? strtoll(name, NULL, 10) : 0;
}

static int
newest_first(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? 1 : *x > *y ? -1 : 0;
}

static const char *
mail_folder(struct arena *m)
{
	return arena_printf(m, "%s/mail", settings.var_dir ? settings.var_dir : ".");
}

int
ops_mails(struct arena *m, int64_t **message_ids)
{
	DIR *dir = opendir(mail_folder(m));
	int64_t message_id, *list = NULL;
	struct dirent *entry;
	int n = 0, room = 0;

	while (dir && (entry = readdir(dir))) {
		if (!(message_id = id_of_file(entry->d_name)))
			continue;
		if (n == room) {
			list = arena_grow(m, list, sizeof(*list) * (size_t)room, sizeof(*list) * (size_t)(room + 4096));
			room += 4096;
		}
		list[n++] = message_id;
	}
	if (dir)
		closedir(dir);
	if (n)
		qsort(list, (size_t)n, sizeof(*list), newest_first);
	*message_ids = list;
	return n;
}

static const char *
read_mail_file(struct arena *m, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text = NULL;
	struct stat st;
	size_t n = 0;
	ssize_t got;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < MAIL_MAX_BYTES) {
		text = arena_alloc(m, (size_t)st.st_size + 1);
		while (n < (size_t)st.st_size && (got = read(fd, text + n, (size_t)st.st_size - n)) > 0)
			n += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	return text;
}

bool
ops_mail(struct arena *m, int64_t message_id, struct ops_mail *mail)
{
	const char *text = message_id > 0
		? read_mail_file(m, arena_printf(m, "%s/%lld.eml", mail_folder(m), (long long)message_id))
		: NULL;
	struct mail parsed;

	if (!text || !mail_read(m, text, &parsed))
		return false;
	*mail = (struct ops_mail){
		.message_id = message_id,
		.written_at = parsed.at,
		.from = parsed.from,
		.to = parsed.to,
		.subject = parsed.subject,
		.body = parsed.body,
		.letter_id = parsed.message_id,
		.lang = parsed.lang,
	};
	return true;
}
