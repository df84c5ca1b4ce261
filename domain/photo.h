/*
 * photo - a picture somebody has uploaded, made into one that can be kept: of a car (fleet), of a hand-over (delivery).
 *
 * The bytes go to fleet-photo (fleet/photo/main.c), which lies beside the program, lives for one picture and may do next to nothing; what
 * it answers is a small JPEG without what the camera noted, kept as HASH.jpg. The name is the picture's own hash, so it never
 * changes its content and two records may share it.
 */
#ifndef MP_PHOTO_H
#define MP_PHOTO_H

#include "lib/base/arena.h"

#include <sys/types.h>

enum photo_outcome {
	PHOTO_OK,
	PHOTO_GONE,             /* no such car, no such job */
	PHOTO_UNREADABLE,       /* not a picture we can read: JPEG, PNG or WebP, whole */
	PHOTO_TOO_LARGE,        /* more than 40 million pixels */
	PHOTO_LATER,            /* the program that reads pictures could not be run, or the disk refused */
};
/* The exit status of fleet-photo. */
enum picture_exit { PICTURE_DONE = 0, PICTURE_UNREADABLE = 2, PICTURE_TOO_LARGE = 3 };

#define PHOTO_DEADLINE_MS 5000
#define PHOTO_JPEG_MAX    ((size_t)2 << 20)     /* what is kept of it at most */

const char *photo_program(struct arena *m);             /* what redraws pictures: beside this program */
/* The uploaded bytes as a small JPEG. Takes up to PHOTO_DEADLINE_MS: never inside a transaction. */
enum photo_outcome photo_redraw(struct arena *m, const char *bytes, size_t n, char **jpeg, size_t *jpeg_n);
const char *photo_name(struct arena *m, const char *jpeg, size_t n);    /* HASH.jpg */
/* On disk in dir under a name of its own, which rename() then makes the photo's. NULL: the disk refused. */
const char *photo_write_aside(struct arena *m, const char *dir, mode_t mode, const char *jpeg, size_t n);

#endif
