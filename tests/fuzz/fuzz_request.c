/*
 * fuzz_request - fuzzes the parsers of requests: the first byte selects the parser, the rest is its input.
 *
 *	clang -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -o build/fuzz_request \
 *	      tests/fuzz/fuzz_request.c lib/base/arena.c lib/base/lang.c lib/base/clock.c lib/base/shape.c \
 *	      lib/base/log.c -ljansson
 *	build/fuzz_request -max_len=4096 tests/fuzz/corpus/request
 *
 * Apart from not crashing, accepted fields must be text (valid UTF-8 without control characters) with a name, not more
 * than allowed; and a refused request must have a reason.
 */
#include "lib/web/multipart.c"
#include "lib/web/request.c"

#include <stdint.h>
#include <stdlib.h>

#define MAX_FIELDS 20

static void
must(bool truth)
{
	if (!truth)
		abort();
}

static void
check(const struct input *in, bool good)
{
	must(good == !in->wrong);
	must(in->n <= MAX_FIELDS);
	for (int i = 0; i < in->n; i++) {
		const struct sent *f = &in->field[i];

		must(name_ok(f->name) && !request_text_wrong(f->name, strlen(f->name)));
		must(!request_text_wrong(f->value, strlen(f->value)));
		must(input_find(in, f->name) == f);
	}
	for (size_t i = 0; i < in->file.n; i++)
		must(in->file.bytes[i] == ((volatile const char *)in->file.bytes)[i]);
}

static void
check_cookies(struct arena *m, const char *text)
{
	struct cookie c[5];
	int n = request_cookies(m, text, c, 5);

	must(n >= 0 && n <= 5);
	for (int i = 0; i < n; i++)
		must(*c[i].name && cookie_text_ok(c[i].name, strlen(c[i].name))
			&& cookie_text_ok(c[i].value, strlen(c[i].value)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *m;
	struct input in = { .max = MAX_FIELDS };
	char *text;

	if (!m)
		m = arena_new(64 << 20);
	if (size == 0)
		return 0;
	arena_reset(m);
	text = arena_strndup(m, (const char *)data + 1, size - 1);
	switch (data[0] % 4) {
	case 0: check(&in, request_urlencoded(m, &in, text, size - 1)); break;
	case 1: check(&in, request_json(m, &in, text, size - 1)); break;
	case 2: check(&in, request_multipart(m, &in, "multipart/form-data; boundary=XX", text, size - 1)); break;
	case 3: check_cookies(m, text); break;
	}
	return 0;
}
