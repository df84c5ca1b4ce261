/*
 * picture - type, size and orientation of a picture from its headers, before it is decoded. Allocates nothing, and
 * reads nothing outside the given bytes.
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
	int side_up;            /* EXIF orientation 1–8; 1: upright */
};

/* false: by its headers not a complete JPEG, PNG or WebP. */
bool picture_look(struct picture *p, const unsigned char *s, size_t n);

#endif
