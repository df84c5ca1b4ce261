/*
 * cuts - one history of the trade, cut at many places: what the experiments about the disk share.
 */
#ifndef MP_CUTS_H
#define MP_CUTS_H

#include "trade.h"

struct tally { int n_cuts, n_damaged, n_lost; char first[700]; };

void cuts_begin(void);          /* a folder to work in, with a house that has just been founded */
void cuts_end(void);

/*
 * Lets the house trade by a plan (its folder, history and seed are set here) on a disk that may lie, then cuts that so often, until
 * so many finds are enough. *t: what was found. Afterwards the folder is judged as it stands, too: *at_the_end, NULL when all is well.
 */
struct trade_end cuts_experience(struct tally *t, enum lie lie, struct trade_plan plan, int n_cuts, int enough, uint64_t *dice,
                                 const char **at_the_end);

#endif
