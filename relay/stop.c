/* stop.c - SIGTERM and SIGINT ask a relay's process to finish the work in progress and end. */
#include "relay.h"

volatile sig_atomic_t relay_is_stopping;

static void
on_term(int signo)
{
	(void)signo;
	relay_is_stopping = 1;
}

void
relay_catch_term(void)
{
	struct sigaction term = { .sa_handler = on_term }, ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGTERM, &term, NULL);
	sigaction(SIGINT, &term, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}
