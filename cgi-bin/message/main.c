/* message 메시지 - what can be asked of it, and what it may write. */
#include "message.h"
#include "pages.h"

#include "../stuck.h"
#include "../../lib/program.h"

static const struct route routes[] = {
	{ GET, "/messages", page_messages, SIGNED_IN },
	{ 0 },
};

static const struct program program = {
	.name = "message", .prefix = "/messages", .routes = routes, .role = &message_role, .before = stuck_show_count,
};

int
main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
