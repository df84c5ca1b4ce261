/*
 * backlog - how many connections wait at a listening unix socket that no worker has accepted yet. The kernel tells by
 * netlink (unix_diag); without it only whether there are any is known.
 */
#ifndef MP_BACKLOG_H
#define MP_BACKLOG_H

/* How many wait at this socket of our own; without unix_diag 0 or 1. Takes a few microseconds. */
int backlog_length(int listening_fd);
/* Opens the netlink socket, before a jail forbids it. false: backlog_length() can only return 0 or 1. */
_Bool backlog_open(void);

#endif
