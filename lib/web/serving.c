/* serving.c - the program this process runs and the state of its database. */
#include "web_inside.h"

struct serving serving;

void
web_use_db(struct db *db, const char *why)
{
	serving.db = db;
	serving.why = why;
}
