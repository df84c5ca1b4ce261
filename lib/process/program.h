/*
 * program - the ways a FastCGI program can be run. What it is, is declared in its main.c (lib/web/app.h).
 *
 *	build/bin/fleet                        once, as CGI, when REQUEST_METHOD is set (tests/page)
 *	build/bin/fleet --serve VAR            the prefork parent: owns $VAR/run/fleet.sock (and fleet.internal.sock),
 *	                                       starts workers, replaces those that die, never opens the database;
 *	                                       SIGTERM drains and ends
 *	build/bin/fleet --worker VAR public    one worker on file descriptor 0
 *
 * MOTORPOOL_ROOT says where templates/, locale and motorpool.conf are (default: two folders above the program);
 * MOTORPOOL_VAR where the state is (CGI).
 */
#ifndef MP_PROGRAM_H
#define MP_PROGRAM_H

#include "jail.h"
#include "lib/web/app.h"

int program_main(const struct program *p, int argc, char **argv);

#endif
