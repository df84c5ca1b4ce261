/*
 * letters - the mail folder, $VAR/mail: what would have been mailed where no mail server is configured (message/post.c), a file a
 * letter, named by its message's number. Nothing else in it is looked at, and no other name is opened.
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

#define LETTER_BYTES (256 << 10)        /* none of ours is a tenth of it */
#define NAME_DIGITS  18

static const struct member letter_members[] = {
	SHAPE_INT(ops_letter, message_id), SHAPE_TIME(ops_letter, written_at), SHAPE_TEXT(ops_letter, from), SHAPE_TEXT(ops_letter, to),
	SHAPE_TEXT(ops_letter, subject), SHAPE_TEXT(ops_letter, body), SHAPE_TEXT(ops_letter, letter_id), SHAPE_TEXT(ops_letter, lang),
};
const struct shape ops_letter_shape = SHAPE(ops_letter, letter_members);

/* "12.eml" → 12; 0: no letter's name. */
static int64_t
number_in(const char *name)
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
folder(struct arena *m)
{
	return arena_printf(m, "%s/mail", settings.var_dir ? settings.var_dir : ".");
}

int
ops_letters(struct arena *m, int64_t **numbers)
{
	DIR *dir = opendir(folder(m));
	int64_t number, *list = NULL;
	struct dirent *entry;
	int n = 0, room = 0;

	while (dir && (entry = readdir(dir))) {
		if (!(number = number_in(entry->d_name)))
			continue;
		if (n == room) {
			list = arena_grow(m, list, sizeof(*list) * (size_t)room, sizeof(*list) * (size_t)(room + 4096));
			room += 4096;
		}
		list[n++] = number;
	}
	if (dir)
		closedir(dir);
	if (n)
		qsort(list, (size_t)n, sizeof(*list), newest_first);
	*numbers = list;
	return n;
}

static const char *
text_of(struct arena *m, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text = NULL;
	struct stat st;
	size_t n = 0;
	ssize_t got;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < LETTER_BYTES) {
		text = arena_alloc(m, (size_t)st.st_size + 1);
		while (n < (size_t)st.st_size && (got = read(fd, text + n, (size_t)st.st_size - n)) > 0)
			n += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	return text;
}

bool
ops_letter(struct arena *m, int64_t message_id, struct ops_letter *letter)
{
	const char *text = message_id > 0 ? text_of(m, arena_printf(m, "%s/%lld.eml", folder(m), (long long)message_id)) : NULL;
	struct mail mail;

	if (!text || !mail_read(m, text, &mail))
		return false;
	*letter = (struct ops_letter){
		.message_id = message_id, .written_at = mail.at, .from = mail.from, .to = mail.to, .subject = mail.subject, .body = mail.body,
		.letter_id = mail.message_id, .lang = mail.lang,
	};
	return true;
}
