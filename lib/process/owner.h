/* owner - root that works on somebody's state becomes that somebody: what it makes there must be theirs to use. */
#ifndef MP_OWNER_H
#define MP_OWNER_H

#include <stdbool.h>

/* As root, of a folder that somebody else owns: this process is theirs from now on, with their groups, for good. Else nothing
 * happens. false: errno says why it could not be done; whoever asks should not go on. */
bool owner_become(const char *dir);

/* As root: a folder of root's with nothing in it yet becomes this user's, when there is one who can run the program. false: it
 * stays as it is. */
bool owner_give(const char *dir, const char *user, const char *program);

#endif
