/* folder - where things are, and how a name made, linked or renamed in a folder gets to the disk. */
#ifndef MP_FOLDER_H
#define MP_FOLDER_H

#include "arena.h"

#include <stdbool.h>

/* The whole path of the program that runs. */
const char *folder_program(struct arena *m);

/* Where motorpool.conf, templates/ and db/ are: MOTORPOOL_ROOT, else the nearest folder above the program that holds
 * motorpool.conf, else where it was started. Always a whole path. */
const char *folder_root(struct arena *m);

/* Where the catalogues of words are: beside the programs of the same build (build/bin, build/locale), else where they
 * are installed. */
const char *folder_locale(struct arena *m, const char *root);

const char *folder_above(struct arena *m, const char *path);    /* the folder a file lies in */
bool folder_has(struct arena *m, const char *dir, const char *name);

/* A new name in a folder is on disk only when the folder is synced. */
bool folder_sync(const char *dir);
bool file_sync(const char *path);

/* A scratch folder with all that is in it. Links are removed, not followed. */
void folder_remove(const char *dir);

#endif
