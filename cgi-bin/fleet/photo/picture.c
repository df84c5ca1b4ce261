/* picture - reads type, size and orientation from the headers of a picture file. The overview is in picture.h. */
#include "picture.h"

#include <string.h>

static unsigned
be16(const unsigned char *s)
{
	return (unsigned)s[0] << 8 | s[1];
}

static unsigned
le16(const unsigned char *s)
{
	return (unsigned)s[1] << 8 | s[0];
}

static unsigned long
be32(const unsigned char *s)
{
	return (unsigned long)be16(s) << 16 | be16(s + 2);
}

static unsigned long
le32(const unsigned char *s)
{
	return (unsigned long)le16(s + 2) << 16 | le16(s);
}

/* --- EXIF orientation of a JPEG ----------------------------------------------------------------------------------- */

static int
exif_side_up(const unsigned char *s, size_t n)
{
	const unsigned char *tiff = s + 6;
	size_t at, size = n - 6;
	bool le;

	if (n < 20 || memcmp(s, "Exif\0\0", 6) != 0)
		return 1;
	le = tiff[0] == 'I';
	at = le ? le32(tiff + 4) : be32(tiff + 4);
	if (at + 2 > size)
		return 1;
	for (unsigned i = 0, n_tags = le ? le16(tiff + at) : be16(tiff + at); i < n_tags; i++) {
		const unsigned char *tag = tiff + at + 2 + 12 * (size_t)i;
		unsigned value;

		if (at + 2 + 12 * (size_t)(i + 1) > size)
			return 1;
		if ((le ? le16(tag) : be16(tag)) != 0x0112)
			continue;
		value = le ? le16(tag + 8) : be16(tag + 8);
		return value >= 1 && value <= 8 ? (int)value : 1;
	}
	return 1;
}

/* --- JPEG --------------------------------------------------------------------------------------------------------- */

static bool
is_frame(unsigned char marker)
{
	return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* In the picture data FF D9 can only be the end: a truncated file has none. */
static bool
has_end(const unsigned char *s, size_t n)
{
	return memmem(s, n, "\xFF\xD9", 2) != NULL;
}

static bool
look_jpeg(struct picture *p, const unsigned char *s, size_t n)
{
	size_t at = 2;

	while (at + 4 <= n && s[at] == 0xFF) {
		unsigned char marker = s[at + 1];
		size_t length = be16(s + at + 2);

		if (marker == 0xFF) { /* padding */
			at++;
			continue;
		}
		if (marker == 0xDA)
			return p->width > 0 && has_end(s + at, n - at);
		if (length < 2 || at + 2 + length > n)
			return false;
		if (marker == 0xE1)
			p->side_up = exif_side_up(s + at + 4, length - 2);
		if (is_frame(marker) && length >= 7) {
			p->height = (long)be16(s + at + 5);
			p->width = (long)be16(s + at + 7);
		}
		at += 2 + length;
	}
	return false;
}

/* --- PNG, WebP ---------------------------------------------------------------------------------------------------- */

static bool
look_png(struct picture *p, const unsigned char *s, size_t n)
{
	if (n < 33 || memcmp(s + 12, "IHDR", 4) != 0 || be32(s + 16) > 0x7FFFFFFF || be32(s + 20) > 0x7FFFFFFF)
		return false;
	p->width = (long)be32(s + 16);
	p->height = (long)be32(s + 20);
	return true;
}

static bool
look_webp(struct picture *p, const unsigned char *s, size_t n)
{
	if (n < 30 || (size_t)le32(s + 4) + 8 > n)
		return false;
	if (memcmp(s + 12, "VP8 ", 4) == 0) {
		p->width = (long)(le16(s + 26) & 0x3FFF);
		p->height = (long)(le16(s + 28) & 0x3FFF);
	} else if (memcmp(s + 12, "VP8L", 4) == 0) {
		unsigned long bits = le32(s + 21);

		p->width = (long)(bits & 0x3FFF) + 1;
		p->height = (long)(bits >> 14 & 0x3FFF) + 1;
	} else if (memcmp(s + 12, "VP8X", 4) == 0) {
		p->width = (long)(le32(s + 24) & 0xFFFFFF) + 1;
		p->height = (long)(le32(s + 26) >> 8) + 1;
	}
	return true;
}

bool
picture_look(struct picture *p, const unsigned char *s, size_t n)
{
	bool whole = false;

	*p = (struct picture){ .side_up = 1 };
	if (n > 4 && memcmp(s, "\xFF\xD8\xFF", 3) == 0) {
		p->type = PICTURE_JPEG;
		whole = look_jpeg(p, s, n);
	} else if (n > 8 && memcmp(s, "\x89PNG\r\n\x1A\n", 8) == 0) {
		p->type = PICTURE_PNG;
		whole = look_png(p, s, n);
	} else if (n > 12 && memcmp(s, "RIFF", 4) == 0 && memcmp(s + 8, "WEBP", 4) == 0) {
		p->type = PICTURE_WEBP;
		whole = look_webp(p, s, n);
	}
	return whole && p->width > 0 && p->height > 0;
}
