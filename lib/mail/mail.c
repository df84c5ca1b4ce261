/* mail.c - mails written and read; mail.h describes it. */
#include "mail.h"

#include "lib/base/utf8.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define BASE64      sodium_base64_VARIANT_ORIGINAL
#define WORD_BYTES  39 /* of text in one encoded word: with its frame and the header name below 76 characters */
#define LINE_BYTES  57          /* … and in one line of the body: 76 characters */
#define PLAIN_CHARS 60          /* a short header of plain ASCII is written as it is */

/* --- writing ------------------------------------------------------------------------------------------------------ */

static const char *
one_line(struct arena *m, const char *s)
{
	char *line = arena_strdup(m, s);

	for (char *c = line; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = ' ';
	return line;
}

static bool
is_plain(const char *s)
{
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c >= 0x7F || strchr("=?\"<>@,;:\\()[]", *c))
			return false;
	return strlen(s) <= PLAIN_CHARS;
}

static void
put_base64(struct buf *b, const char *bytes, size_t n)
{
	char *to = buf_reserve(b, sodium_base64_encoded_len(n, BASE64));

	sodium_bin2base64(to, sodium_base64_encoded_len(n, BASE64), (const unsigned char *)bytes, n, BASE64);
	b->n += strlen(to);
}

/* How many of its bytes fit into one word without splitting a character. */
static size_t
word_length(const char *s)
{
	size_t n = 0, step;

	while (s[n] && (step = (size_t)utf8_length(s + n)) > 0 && n + step <= WORD_BYTES)
		n += step;
	return n ? n : strlen(s) < WORD_BYTES ? strlen(s) : WORD_BYTES;
}

/* Text in a header: as it is, or as encoded words (RFC 2047), one per line. */
static void
put_words(struct buf *b, struct arena *m, const char *text)
{
	const char *s = one_line(m, text);

	if (is_plain(s)) {
		buf_puts(b, s);
		return;
	}
	for (size_t n; *s; s += n) {
		n = word_length(s);
		buf_puts(b, "=?UTF-8?B?");
		put_base64(b, s, n);
		buf_puts(b, s[n] ? "?=\r\n " : "?=");
	}
}

static void
put_mail_date(struct buf *b, int64_t at)
{
	time_t t = (time_t)at;
	struct tm tm;
	char text[48];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	buf_puts(b, text);
}

static void
put_body(struct buf *b, const char *body)
{
	size_t left = strlen(body);

	for (const char *s = body; left > 0;) {
		size_t n = left < LINE_BYTES ? left : LINE_BYTES;

		put_base64(b, s, n);
		buf_puts(b, "\r\n");
		s += n;
		left -= n;
	}
}

bool
mail_is_address(const char *s)
{
	const char *at = strchr(s, '@');

	if (!at || at == s || !at[1] || strchr(at + 1, '@') || strlen(s) > 254)
		return false;
	for (; *s; s++)
		if (!isgraph((unsigned char)*s) || (unsigned char)*s >= 0x7F || strchr("<>,;:\"()[]\\", *s))
			return false;
	return true;
}

const char *
mail_address(struct arena *m, const char *from)
{
	const char *open = strrchr(from, '<'), *close = open ? strchr(open, '>') : NULL;

	return close ? arena_strndup(m, open + 1, (size_t)(close - open - 1)) : from;
}

/* Name <address>; the address alone where there is no name. */
static void
put_person(struct buf *b, struct arena *m, const char *name, const char *address)
{
	if (!*name) {
		buf_puts(b, address);
		return;
	}
	put_words(b, m, name);
	buf_printf(b, "\r\n <%s>", address);
}

static const char *
name_in(struct arena *m, const char *from)
{
	const char *open = strrchr(from, '<');
	size_t n = open ? (size_t)(open - from) : 0;

	while (n > 0 && from[n - 1] == ' ')
		n--;
	return arena_strndup(m, from, n);
}

const char *
mail_write(struct arena *m, const struct mail *mail)
{
	const char *from = mail_address(m, mail->from);
	struct buf b = { .m = m };

	if (!mail_is_address(from) || !mail_is_address(mail->to) || !mail_is_address(mail->message_id))
		return NULL;
	buf_puts(&b, "From: ");
	put_person(&b, m, name_in(m, mail->from), from);
	buf_puts(&b, "\r\nTo: ");
	put_person(&b, m, mail->to_name, mail->to);
	buf_puts(&b, "\r\nSubject: ");
	put_words(&b, m, mail->subject);
	buf_puts(&b, "\r\nDate: ");
	put_mail_date(&b, mail->at);
	buf_printf(&b,
		"\r\nMessage-ID: <%s>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"
		"Content-Transfer-Encoding: base64\r\nContent-Language: %s\r\nAuto-Submitted: auto-generated\r\n\r\n",
		mail->message_id, strcmp(mail->lang, "ko") == 0 ? "ko" : "en");
	put_body(&b, mail->body);
	return b.s;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool
put_decoded(struct buf *b, const char *base64, size_t n)
{
	char *to = buf_reserve(b, n);
	size_t got = 0;

	if (sodium_base642bin((unsigned char *)to, n, base64, n, "\r\n", &got, NULL, BASE64) != 0)
		return false;
	b->n += got;
	b->s[b->n] = '\0';
	return true;
}

/* Encoded words into text; white space between two of them is dropped. */
static const char *
decoded(struct arena *m, const char *s)
{
	struct buf b = { .m = m };

	buf_puts(&b, "");
	while (*s) {
		const char *end = strncasecmp(s, "=?UTF-8?B?", 10) == 0 ? strstr(s + 10, "?=") : NULL;

		if (end && put_decoded(&b, s + 10, (size_t)(end - s - 10))) {
			s = end + 2;
			if (strncmp(s, " =?", 3) == 0)
				s++;
		} else {
			buf_put(&b, s++, 1);
		}
	}
	return b.s;
}

/* A value over several lines as one. */
static const char *
unfolded(struct arena *m, const char *s, size_t n)
{
	struct buf b = { .m = m };

	buf_puts(&b, "");
	for (size_t i = 0; i < n; i++)
		if (s[i] != '\r' && s[i] != '\n')
			buf_put(&b, s + i, 1);
	return b.s;
}

/* A header's value; "": missing. */
static const char *
header_of(struct arena *m, const char *head, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = head; s && *s; s = strstr(s, "\r\n") ? strstr(s, "\r\n") + 2 : NULL) {
		const char *end = s;

		if (strncasecmp(s, name, n) != 0 || strncmp(s + n, ": ", 2) != 0)
			continue;
		do
			end = strstr(end == s ? s : end + 2, "\r\n");
		while (end && end[2] == ' ');
		return unfolded(m, s + n + 2, end ? (size_t)(end - s) - n - 2 : strlen(s + n + 2));
	}
	return "";
}

static int64_t
date_in(const char *s)
{
	struct tm tm = { 0 };

	return strptime(s, "%a, %d %b %Y %H:%M:%S +0000", &tm) ? (int64_t)timegm(&tm) : 0;
}

bool
mail_read(struct arena *m, const char *text, struct mail *mail)
{
	const char *end = strstr(text, "\r\n\r\n"), *head;
	struct buf body = { .m = m };

	if (!end)
		return false;
	head = arena_strndup(m, text, (size_t)(end - text) + 2);
	buf_puts(&body, "");
	*mail = (struct mail){
		.from = decoded(m, header_of(m, head, "From")),
		.to_name = "",
		.to = decoded(m, header_of(m, head, "To")),
		.subject = decoded(m, header_of(m, head, "Subject")),
		.message_id = header_of(m, head, "Message-ID"),
		.lang = header_of(m, head, "Content-Language"),
		.at = date_in(header_of(m, head, "Date")),
	};
	if (!put_decoded(&body, end + 4, strlen(end + 4)))
		return false;
	mail->body = body.s;
	return *mail->to != '\0';
}
