/* owner - a process of root becomes the owner of the state folder, so that the files it creates belong to that user. */
#ifndef MP_OWNER_H
#define MP_OWNER_H

#include <stdbool.h>

/* If root runs this process and another user owns the folder, it becomes that user, with their groups, permanently.
 * Otherwise it does nothing. false: it should and could not (errno); the caller should not go on. */
bool owner_become(const char *dir);

/* As root: gives an empty folder of root's to this user, if that user exists and can execute the program. false: it
 * stays as it is. */
bool owner_give(const char *dir, const char *name, const char *program);

#endif
