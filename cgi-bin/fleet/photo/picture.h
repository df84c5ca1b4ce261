/*
 * picture - what a picture file says of itself in its first bytes, before anything is decoded: what it is, how large, which
 * side is up. Nothing here allocates, and nothing is believed that does not lie inside the file.
 */
#ifndef MP_FLEET_PICTURE_H
#define MP_FLEET_PICTURE_H

#include <stdbool.h>
#include <stddef.h>

#define PICTURE_MAX_PIXELS 40000000L

enum picture_type { PICTURE_UNKNOWN, PICTURE_JPEG, PICTURE_PNG, PICTURE_WEBP };

struct picture {
	enum picture_type type;
	long width, height;
	int side_up;            /* EXIF orientation 1–8; 1: as it is */
};

/* false: not a whole JPEG, PNG or WebP as far as its outside tells. */
bool picture_look(struct picture *p, const unsigned char *s, size_t n);

#endif
