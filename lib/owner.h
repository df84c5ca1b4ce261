/* owner - root that works on somebody's state becomes that somebody: what it makes there must be theirs to use. */
#ifndef MP_OWNER_H
#define MP_OWNER_H

#include <stdbool.h>

/* As root, of a folder that somebody else owns: this process is theirs from now on, with their groups, for good. Else nothing
 * happens. false: errno says why it could not be done; whoever asks should not go on. */
bool owner_become(const char *dir);

#endif
