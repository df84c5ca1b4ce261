/*
 * backlog - how many stand in line at a listening unix socket: connections nobody has accepted yet. The kernel tells by netlink
 * (unix_diag); where it cannot, it only tells whether there is anybody.
 */
#ifndef MP_BACKLOG_H
#define MP_BACKLOG_H

/* How many wait at this listening socket of ours. Without unix_diag: 0 or 1. Asking costs a few microseconds. */
int backlog_length(int listening_fd);
/* Opens what queue_length() asks through, before a jail forbids it. false: it can only say 0 or 1. */
_Bool backlog_open(void);

#endif
