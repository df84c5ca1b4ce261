/* demo.c - placeholder until the generator is here */
#include "cli.h"
#include <unistd.h>
bool
demo_is_wanted(const struct cli *c)
{
	return access(arena_printf(c->m, "%s/motorpool.db", c->var), F_OK) != 0;
}
bool cli_demo(struct cli *c, uint64_t seed) { (void)c; (void)seed; return true; }
static int demo(struct cli *c, int argc, char **argv) { (void)c;(void)argc;(void)argv; return 1; }
const struct command demo_command = { .name = "demo", .summary = "fills an empty state folder with demo data", .usage = "", .run = demo };
