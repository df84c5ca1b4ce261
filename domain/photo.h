/*
 * photo - an uploaded picture, redrawn so that it can be kept: of a car (fleet), of a hand-over (delivery).
 *
 * The bytes go to fleet-photo (cgi-bin/fleet/photo/main.c), a process for one picture with almost no rights; its output
 * is a small JPEG without metadata, kept as HASH.jpg. The name is the hash of the content, so a file never changes and
 * two records may share it.
 */
#ifndef MP_PHOTO_H
#define MP_PHOTO_H

#include "lib/base/arena.h"

#include <sys/types.h>

enum photo_outcome {
	PHOTO_OK,
	PHOTO_GONE,             /* no such car, no such job */
	PHOTO_UNREADABLE,       /* not a complete JPEG, PNG or WebP */
	PHOTO_TOO_LARGE,        /* more than 40 million pixels */
	PHOTO_LATER,            /* the program could not be run, or the disk could not be written */
};
/* The exit status of fleet-photo. */
enum picture_exit { PICTURE_DONE = 0, PICTURE_UNREADABLE = 2, PICTURE_TOO_LARGE = 3 };

#define PHOTO_DEADLINE_MS 5000
#define PHOTO_JPEG_MAX    ((size_t)2 << 20)     /* of the redrawn picture */

const char *photo_program(struct arena *m);             /* the path of fleet-photo */
/* The uploaded bytes as a small JPEG. Takes up to PHOTO_DEADLINE_MS: never inside a transaction. */
enum photo_outcome photo_redraw(struct arena *m, const char *bytes, size_t n, char **jpeg, size_t *jpeg_n);
const char *photo_name(struct arena *m, const char *jpeg, size_t n);    /* HASH.jpg */
/* Writes and syncs a temporary file in dir, for rename() to the photo's name. NULL: the disk could not be written. */
const char *photo_write_aside(struct arena *m, const char *dir, mode_t mode, const char *jpeg, size_t n);

#endif
