/*
 * test_tpl - the Mustache engine: the specification over a JSON tree, then the same engine bound to structs: what it
 * renders, what it refuses, and the positions in its error messages.
 */
#include "test.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/tpl/tpl.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct arena *m;

TEST_SETUP(fresh)
{
	if (!m)
		m = arena_new(256 * 1024 * 1024);
	arena_reset(m);
	clock_open("Asia/Seoul");
	money_open("KRW");
	return 0;
}

/* --- partials: name, text, name, text … NULL ---------------------------------------------------------------------- */

static const char *
partial(void *arg, const char *name)
{
	for (const char *const *p = arg; p && *p; p += 2)
		if (strcmp(*p, name) == 0)
			return p[1];
	return NULL;
}
#define WITH(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* --- over a JSON tree --------------------------------------------------------------------------------------------- */

static int n_calls;

static const char *yes_if_x(struct arena *a, const char *raw,
	void *arg) { (void)a; (void)arg; return strcmp(raw, "{{x}}") == 0 ? "yes" : "no"; }
static const char *planet_around(struct arena *a, const char *raw,
	void *arg) { (void)arg; return arena_printf(a, "%s{{planet}} => |planet|%s", raw, raw); }
static const char *planet(struct arena *a, const char *raw,
	void *arg) { (void)a; (void)raw; (void)arg; return "|planet| => {{planet}}"; }
static const char *counted(struct arena *a, const char *raw,
	void *arg) { (void)raw; (void)arg; return arena_printf(a, "%d", ++n_calls); }
static const char *greater(struct arena *a, const char *raw, void *arg) { (void)a; (void)raw; (void)arg; return ">"; }
static const char *itself(struct arena *a, const char *raw,
	void *arg) { (void)a; (void)raw; (void)arg; return "{{#itself}}{{/itself}}"; }
static const char *underlined(struct arena *a, const char *raw,
	void *arg) { (void)arg; return arena_printf(a, "__%s__", raw); }

static const struct tpl_env tree_env = {
	.raw_allowed = true, .partial = partial,
	.lambda = {
		{ "yes_if_x", yes_if_x, NULL }, { "planet_around", planet_around, NULL },
		{ "planet_lambda", planet, NULL },
		{ "counted", counted, NULL }, { "greater", greater, NULL }, { "itself", itself, NULL },
		{ "underlined", underlined, NULL },
	},
};

static const char *
rendered(const char *text, const char *data, const char *const *partials, const char **error)
{
	struct tpl_env env = tree_env;
	json_t *tree = json_loads(data, JSON_DECODE_ANY, NULL);
	struct buf out = { .m = m };

	assert_non_null(tree);
	env.partial_arg = (void *)partials;
	tpl_render_tree(m, &env, "test", text, tree, &out, error);
	json_decref(tree);
	return out.s;
}

static void
shows_with(const char *text, const char *data, const char *const *partials, const char *expected)
{
	const char *error, *s = rendered(text, data, partials, &error);

	if (error)
		fail_msg("%s: %s", text, error);
	assert_string_equal(s, expected);
}

static void
shows(const char *text, const char *data, const char *expected)
{
	shows_with(text, data, NULL, expected);
}

static void
fails(const char *text, const char *const *partials, const char *expected)
{
	const char *error;

	rendered(text, "{\"a\":[1,2],\"o\":{\"o\":{}}}", partials, &error);
	if (!error)
		fail_msg("%.60s was taken", text);
	if (!strstr(error, expected))
		fail_msg("'%s' does not say '%s'", error, expected);
}

TEST(comments_are_removed_with_their_line)
{
	shows("12345{{! Comment Block! }}67890", "{}", "1234567890");
	shows("12345{{!\n  several\n  lines\n}}67890\n", "{}", "1234567890\n");
	shows("Begin.\n  {{! alone }}\nEnd.\n", "{}", "Begin.\nEnd.\n");
	shows("|\r\n{{! alone }}\r\n|", "{}", "|\r\n|");
	shows("  {{! first }}\n!", "{}", "!");
	shows("!\n  {{! last }}", "{}", "!\n");
	shows("Begin.\n{{!\nalone\n}}\nEnd.\n", "{}", "Begin.\nEnd.\n");
	shows("  12 {{! 34 }}\n", "{}", "  12 \n");
	shows(">{{! comment }}<", "{\"! comment\":1,\"comment\":2}", "><");
}

TEST(delimiters_can_be_changed)
{
	shows("{{=<% %>=}}(<%text%>)", "{\"text\":\"Hey!\"}", "(Hey!)");
	shows("({{=[ ]=}}[text])", "{\"text\":\"It worked!\"}", "(It worked!)");
	shows("{{#s}}{{d}}|d|{{/s}}{{= | | =}}|#s|{{d}}|d||/s|", "{\"s\":true,\"d\":\"x\"}", "x|d|{{d}}x");
	shows("|{{= @   @ =}}|", "{}", "||");
	shows("Begin.\n  {{=@ @=}}\nEnd.\n", "{}", "Begin.\nEnd.\n");
	shows(" | {{=@ @=}}\n", "{}", " | \n");
	shows("{{=<% %>=}}<%{x}%><%&x%><%x%>", "{\"x\":\"<\"}", "<<&lt;");
}

TEST(delimiters_end_with_the_partial_they_are_set_in)
{
	const char *const *with = WITH("include", ".{{value}}. {{= | | =}} .|value|.", "plain", ".{{value}}.");

	shows_with("[ {{>include}} ]\n[ .{{value}}.  .|value|. ]\n", "{\"value\":\"yes\"}", with,
		"[ .yes.  .yes. ]\n[ .yes.  .|value|. ]\n");
	shows_with("{{= | | =}}\n[ |>plain| ]\n", "{\"value\":\"yes\"}", with, "[ .yes. ]\n");
}

TEST(values_are_escaped_unless_marked_raw)
{
	shows("{{x}}", "{\"x\":\"& \\\" ' < >\"}", "&amp; &quot; &#39; &lt; &gt;");
	shows("{{{x}}} {{&x}} {{& x }} {{{ x }}}", "{\"x\":\"<&>\"}", "<&> <&> <&> <&>");
	shows("{{x}}: {{y}}", "{\"x\":\"{{y}}\",\"y\":\"Earth\"}", "{{y}}: Earth");
}

TEST(numbers_are_written_plainly_and_missing_values_as_nothing)
{
	shows("{{a}} {{b}} {{c}} {{d}}|", "{\"a\":85,\"b\":1.21,\"c\":null,\"e\":0}", "85 1.21  |");
	shows("{{a}} {{b}} {{c}}", "{\"a\":0.1,\"b\":-7,\"c\":true}", "0.1 -7 true");
	shows("{{.}} {{{.}}} {{&.}}", "\"<\"", "&lt; < <");
	shows("{{.}}", "85", "85");
}

TEST(dotted_names_select_members)
{
	shows("{{a.b.c.d.e.name}}", "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"name\":\"Phil\"}}}}}}", "Phil");
	shows("{{a.b.c}}|", "{\"a\":{}}", "|");
	shows("{{a.b.c.name}}|", "{\"a\":{\"b\":{}},\"c\":{\"name\":\"Jim\"}}", "|");
	shows("{{#a}}{{b.c}}{{/a}}|", "{\"a\":{\"b\":{}},\"b\":{\"c\":\"ERROR\"}}", "|");
	shows("{{a.b}}", "{\"a.b\":\"c\",\"a\":{\"b\":\"d\"}}", "d");
	shows("{{a.b}}|", "{\"a.b\":\"c\"}", "|");
}

TEST(white_space_around_values_stays)
{
	shows("| {{s}} |  {{{s}}}\n  {{s}}\n", "{\"s\":\"---\"}", "| --- |  ---\n  ---\n");
}

TEST(inverted_sections_are_rendered_for_empty_values)
{
	shows("{{^a}}1{{/a}}{{^b}}2{{/b}}{{^c}}3{{/c}}{{^d}}4{{/d}}{{^e}}5{{/e}}",
		"{\"a\":false,\"b\":true,\"c\":null,\"d\":[],\"e\":[1]}", "134");
	shows("{{^missing}}none{{/missing}}", "{}", "none");
	shows("{{^a.b.c}}none{{/a.b.c}}", "{\"a\":{}}", "none");
	shows("| This Is\n  {{^b}}\n|\n  {{/b}}\n| A Line\n", "{\"b\":false}", "| This Is\n|\n| A Line\n");
	shows("|{{^ b }}={{/ b }}|", "{\"b\":false}", "|=|");
	shows("| A {{^b}}B {{^b}}C{{/b}} D{{/b}} E |", "{\"b\":false}", "| A B C D E |");
}

TEST(sections_are_rendered_for_true_values_and_enter_them)
{
	shows("{{#a}}1{{/a}}{{#b}}2{{/b}}{{#c}}3{{/c}}{{#d}}4{{/d}}", "{\"a\":true,\"b\":false,\"c\":null}", "1");
	shows("{{#a}}0{{/a}}{{#b}}1{{/b}}{{#c}}2{{/c}}{{#o}}3{{/o}}", "{\"a\":0,\"b\":\"\",\"c\":\"x\",\"o\":{}}",
		"23");
	shows("{{#sec}}{{a}}, {{b}}, {{c.d}}{{/sec}}",
		"{\"a\":\"foo\",\"b\":\"wrong\",\"sec\":{\"b\":\"bar\"},\"c\":{\"d\":\"baz\"}}", "foo, bar, baz");
	shows("{{#foo}}{{.}} is {{foo}}{{/foo}}", "{\"foo\":\"bar\"}", "bar is bar");
	shows("{{#a.b.c}}Here{{/a.b.c}}", "{\"a\":{\"b\":{\"c\":true}}}", "Here");
}

TEST(lists_repeat)
{
	shows("{{#l}}{{i}}{{/l}}", "{\"l\":[{\"i\":1},{\"i\":2},{\"i\":3}]}", "123");
	shows("{{#l}}({{.}}){{/l}}", "{\"l\":[\"a\",2,3.5,\"<\"]}", "(a)(2)(3.5)(&lt;)");
	shows("{{#l}}({{#.}}{{.}}{{/.}}){{/l}}", "{\"l\":[[1,2,3],[\"a\"]]}", "(123)(a)");
	shows("{{#.}}({{v}}){{/.}}", "[{\"v\":\"a\"},{\"v\":\"b\"}]", "(a)(b)");
	shows("{{#l}}x{{/l}}|", "{\"l\":[]}", "|");
	shows("{{#tops}}{{#mids}}{{n.l}}{{m}}.{{#bots}}{{n.u}}{{m}}{{b}}.{{/bots}}{{/mids}}{{/tops}}",
		"{\"tops\":[{\"n\":{\"u\":\"A\",\"l\":\"a\"},\"mids\":[{\"m\":\"1\",\"bots\":[{\"b\":\"x\"},"
		"{\"b\":\"y\"}]}]}]}",
		"a1.A1x.A1y.");
}

TEST(section_tags_alone_on_a_line_remove_it)
{
	shows("| This Is\n  {{#b}}\n|\n  {{/b}}\n| A Line\n", "{\"b\":true}", "| This Is\n|\n| A Line\n");
	shows("|\r\n{{#b}}\r\n{{/b}}\r\n|", "{\"b\":true}", "|\r\n|");
	shows("  {{#b}}\n#{{/b}}\n/", "{\"b\":true}", "#\n/");
	shows("#{{#b}}\n/\n  {{/b}}", "{\"b\":true}", "#\n/\n");
	shows(" | {{#b}} {{! Important }}\n {{/b}} | \n", "{\"b\":true}", " |  \n  | \n");
	shows(" {{#b}}YES{{/b}}\n", "{\"b\":true}", " YES\n");
}

TEST(partials_use_the_context_of_their_place)
{
	shows_with("\"{{>text}}\"", "{\"x\":\"content\"}", WITH("text", "*{{x}}*"), "\"*content*\"");
	shows_with("\"{{>text}}\"", "{}", NULL, "\"\"");
	shows_with("{{>outer}}", "{\"a\":\"hello\",\"b\":\"world\"}",
		WITH("outer", "*{{a}} {{>inner}}*", "inner", "{{b}}!"), "*hello world!*");
	shows_with("{{>node}}", "{\"content\":\"X\",\"nodes\":[{\"content\":\"Y\",\"nodes\":[]}]}",
		WITH("node", "{{content}}<{{#nodes}}{{>node}}{{/nodes}}>"), "X<Y<>>");
}

TEST(a_partial_alone_on_its_line_is_indented)
{
	shows_with("| {{>p}} |", "{}", WITH("p", "\t|\t"), "| \t|\t |");
	shows_with("  {{d}}  {{> p}}\n", "{\"d\":\"|\"}", WITH("p", ">\n>"), "  |  >\n>\n");
	shows_with("|\r\n{{>p}}\r\n|", "{}", WITH("p", ">"), "|\r\n>|");
	shows_with("  {{>p}}\n>", "{}", WITH("p", ">\n>"), "  >\n  >>");
	shows_with("\\\n {{>p}}\n/\n", "{\"c\":\"<\\n->\"}", WITH("p", "|\n{{{c}}}\n|\n"), "\\\n |\n <\n->\n |\n/\n");
	shows_with(" {{>a}}\n", "{}", WITH("a", "1\n {{>b}}\n", "b", "2\n3\n"), " 1\n  2\n  3\n");
	shows_with("  {{>p}}\n", "{}", WITH("p", "1\n\n2\n"), "  1\n\n  2\n");
}

TEST(blocks_show_their_default)
{
	shows("{{$title}}Default title{{/title}}\n", "{}", "Default title\n");
	shows("{{$f}}default {{{b}}} {{#b}}x{{/b}}{{^n}}y{{/n}}{{/f}}\n", "{\"b\":\"<\"}", "default < xy\n");
	shows_with("{{<inc}}{{/inc}}\n", "{}", WITH("inc", "{{$f}}default{{/f}}"), "default");
	shows_with("{{>p}}|{{<p}}{{/p}}", "{}", WITH("p", "{{$f}}default{{/f}}"), "default|default");
}

TEST(blocks_are_overridden_through_the_parent)
{
	const char *const *with = WITH("p", "|{{$stuff}}...{{/stuff}}{{$d}} default{{/d}}|");

	shows_with("{{<p}}{{$stuff}}1{{/stuff}}{{/p}} {{<p}}{{$stuff}}2{{/stuff}}{{/p}}\n", "{}", with,
		"|1 default| |2 default|\n");
	shows_with("{{<p}} ignored {{$stuff}}hmm{{/stuff}} ignored {{/p}}", "{}", with, "|hmm default|");
	shows_with("{{<p}}{{$stuff}}in template{{/stuff}}{{/p}}", "{\"stuff\":\"in data\"}", with,
		"|in template default|");
	shows_with("{{<none}}{{$stuff}}x{{/stuff}}{{/none}}|", "{}", with, "|");
	shows_with("{{<p}}{{$b}}I say {{fruit}}.{{/b}}{{/p}}", "{\"fruit\":\"apples\",\"n\":{\"fruit\":\"bananas\"}}",
		WITH("p", "{{#n}}{{$b}}You say {{fruit}}.{{/b}}{{/n}}"), "I say bananas.");
}

TEST(a_page_overrides_its_layouts)
{
	const char *const *with = WITH("parent", "{{<older}}{{$a}}p{{/a}}{{/older}}", "older",
		"{{<grand}}{{$a}}o{{/a}}{{/grand}}", "grand", "{{$a}}g{{/a}}");
	const char *const *loop = WITH("parent", "{{$foo}}default{{/foo}} {{$bar}}{{<parent2}}{{/parent2}}{{/bar}}",
		"parent2", "{{$foo}}2{{/foo}} {{<parent}}{{$bar}}don't recurse{{/bar}}{{/parent}}");

	shows_with("{{<parent}}{{$a}}c{{/a}}{{/parent}}", "{}", with, "c");
	shows_with("{{<parent}}{{/parent}}", "{}", with, "p");
	shows_with("{{<parent}}{{$foo}}override{{/foo}}{{/parent}}", "{}", loop,
		"override override override don't recurse");
}

TEST(an_override_may_hold_a_block_of_its_own_name)
{
	shows_with(
		"{{<p}}{{$a}}[{{$a}}inner{{/a}}]{{/a}}{{/p}}", "{}", WITH("p", "({{$a}}default{{/a}})"), "([inner])");
}

TEST(overrides_are_indented_like_their_place)
{
	shows_with("Hi,\n  {{<p}}{{/p}}\n", "{}", WITH("p", "one\ntwo\n"), "Hi,\n  one\n  two\n");
	shows_with("{{<p}}{{$b}}\none\ntwo{{/b}}\n{{/p}}\n", "{}", WITH("p", "Hi,\n  {{$b}}{{/b}}\n"),
		"Hi,\n  one\n  two\n");
	shows_with("{{<p}}{{$b}}\n    one\n    two\n{{/b}}{{/p}}\n", "{}", WITH("p", "Hi,\n  {{$b}}\n  {{/b}}\n"),
		"Hi,\n  one\n  two\n");
	shows_with("{{<p}}{{$b}}\none\ntwo\n{{/b}}{{/p}}\n", "{}", WITH("p", "Hi,\n{{$b}}\n  default\n{{/b}}\n"),
		"Hi,\n  one\n  two\n");
	shows_with("{{<p}}{{$n}}\nthree\n{{/n}}{{/p}}\n", "{}",
		WITH("p", "{{<g}}{{$b}}\n  one\n  {{$n}}\n    two\n  {{/n}}\n{{/b}}{{/g}}\n", "g",
			"{{$b}}default{{/b}}"),
		"one\n  three\n");
	shows_with(
		"{{<p}}{{$b}}\npeaked\n\n:(\n{{/b}}{{/p}}", "{}", WITH("p", "{{$b}}peaking{{/b}}"), "peaked\n\n:(\n");
	shows_with("{{<p}}{{$b}}hammer time{{/b}}{{/p}}", "{}", WITH("p", "stop:\n  {{$b}}listen{{/b}}\n"),
		"stop:\n  hammer time\n");
}

TEST(lambdas_get_the_source_and_answer_a_template)
{
	shows("<{{#yes_if_x}}{{x}}{{/yes_if_x}}>", "{\"x\":\"Error!\"}", "<yes>");
	shows("<{{#planet_around}}-{{/planet_around}}>", "{\"planet\":\"Earth\"}", "<-Earth => |planet|->");
	shows("{{= | | =}}<|#planet_around|-|/planet_around|>", "{\"planet\":\"Earth\"}", "<-{{planet}} => Earth->");
	shows("{{#underlined}}FILE{{/underlined}} != {{#underlined}}LINE{{/underlined}}", "{}", "__FILE__ != __LINE__");
	shows("<{{^underlined}}never{{/underlined}}>", "{}", "<>");
}

TEST(lambdas_as_values_answer_a_template_that_is_escaped)
{
	n_calls = 0;
	shows("{{= | | =}}\nHello, (|&planet_lambda|)!", "{\"planet\":\"world\"}", "Hello, (|planet| => world)!");
	shows("{{counted}} == {{{counted}}} == {{counted}}", "{}", "1 == 2 == 3");
	shows("<{{greater}}{{{greater}}}", "{}", "<&gt;>");
}

TEST(names_of_partials_can_come_from_the_data)
{
	shows_with("\"{{>*d}}{{> * a.b }}{{>*none}}{{>**d}}\"", "{\"d\":\"content\",\"a\":{\"b\":\"content\"}}",
		WITH("content", "Hello!"), "\"Hello!Hello!\"");
	shows_with("{{<*d}}{{$x}}1{{/x}}{{/d}}", "{\"d\":\"content\"}", WITH("content", "[{{$x}}0{{/x}}]"), "[1]");
}

TEST(errors_are_reported_with_file_and_line)
{
	fails("a\n\n{{#a}}", NULL, "test:3: {{#a}} is not closed");
	fails("a\n{{/a}}", NULL, "test:2: {{/a}} closes what was not opened");
	fails("{{#a}}\n{{/b}}", NULL, "test:2: {{/b}} where {{/a}} (opened in line 1) was expected");
	fails("{{a", NULL, "test:1: a tag is opened and not closed");
	fails("{{{a}}", NULL, "not closed");
	fails("{{}}", NULL, "without a name");
	fails("{{#}}{{/}}", NULL, "without a name");
	fails("{{a b}}", NULL, "no white space");
	fails("{{=x=}}", NULL, "two delimiters");
	fails("{{=1 2 3=}}", NULL, "two delimiters");
	fails("{{= = = =}}", NULL, "two delimiters");
	fails("{{=123456789 a=}}", NULL, "two delimiters");
	fails("{{>p}}", WITH("p", "ok\n{{#x}}"), "p:2: {{#x}} is not closed");
	fails("{{<p}}{{$b}}\n\n{{#x}}{{/b}}{{/p}}", WITH("p", "{{$b}}{{/b}}"), "test:3: {{/b}} where {{/x}}");
	fails("{{<p}}\n{{$b}}\n  {{>q}}\n{{/b}}{{/p}}", WITH("p", "{{$b}}{{/b}}", "q", "{{}}"), "q:1");
}

TEST(hostile_templates_terminate)
{
	char *deep = arena_alloc(m, 70 * 12 + 1);
	struct buf wide = { .m = m };

	for (int i = 0; i < 70; i++)
		strcat(deep, "{{#a}}");
	fails(deep, NULL, "nested too deeply");
	for (int i = 0; i < TPL_MAX_LANGS + 300000; i++)
		buf_put(&wide, "x", 1);
	fails(wide.s, NULL, "KiB");
	fails("{{>p}}", WITH("p", "{{>p}}"), "nested too deeply");
	fails("{{>p}}", WITH("p", " {{>p}}\n {{>p}}\n"), "nested too deeply");
	fails("{{<p}}{{/p}}", WITH("p", "{{<p}}{{$a}}{{$a}}{{/a}}{{/a}}{{/p}}{{$a}}x{{/a}}"), "nested too deeply");
	fails("{{#itself}}{{/itself}}", NULL, "nested too deeply");
	fails("{{>1}}",
		WITH("1", "{{>2}}{{>2}}{{>2}}{{>2}}{{>2}}{{>2}}{{>2}}{{>2}}{{>2}}{{>2}}", "2",
			"{{>3}}{{>3}}{{>3}}{{>3}}{{>3}}{{>3}}{{>3}}{{>3}}{{>3}}{{>3}}", "3",
			"{{>4}}{{>4}}{{>4}}{{>4}}{{>4}}{{>4}}{{>4}}{{>4}}{{>4}}{{>4}}", "4",
			"{{>5}}{{>5}}{{>5}}{{>5}}{{>5}}{{>5}}{{>5}}{{>5}}{{>5}}{{>5}}", "5",
			"{{>6}}{{>6}}{{>6}}{{>6}}{{>6}}{{>6}}{{>6}}{{>6}}{{>6}}{{>6}}", "6",
			"{{>7}}{{>7}}{{>7}}{{>7}}{{>7}}{{>7}}{{>7}}{{>7}}{{>7}}{{>7}}", "7", "{{a}}"),
		"does not come to an end");
	fails("{{#a}}{{>p}}{{/a}}", WITH("p", "{{#a}}{{>p}}{{/a}}"), "too deeply");
}

/* --- bound to structs --------------------------------------------------------------------------------------------- */

enum paid { OPEN, PAID, LOST };
static const struct word paid_word[] = {
	[OPEN] = { "OPEN", "Open" }, [PAID] = { "PAID", "Paid & done" }, [LOST] = { "LOST", "Lost" },
};
static const struct words paid_words = WORDS(paid_word);

struct driver { const char *name; int64_t age; struct driver *spare; };
static const struct shape driver_shape;
static const struct member driver_members[] = {
	SHAPE_TEXT(driver, name), SHAPE_INT(driver, age), SHAPE_MAYBE(driver, spare, driver_shape),
};
static const struct shape driver_shape = SHAPE(driver, driver_members);

struct line { const char *rule; int64_t amount; struct driver *drivers; int n_drivers; };
static const struct member line_members[] = {
	SHAPE_TEXT(line, rule), SHAPE_AMOUNT(line, amount), SHAPE_LIST(line, drivers, driver_shape),
};
static const struct shape line_shape = SHAPE(line, line_members);

struct trip {
	const char *code, *json;
	bool is_late;
	int64_t seats, price, starts_at;
	enum paid state;
	struct driver driver, *second;
	struct line *lines;
	int n_lines;
};
static const struct member trip_members[] = {
	SHAPE_TEXT(trip, code), SHAPE_RAW(trip, json), SHAPE_BOOL(trip, is_late), SHAPE_INT(trip, seats),
	SHAPE_AMOUNT(trip, price), SHAPE_TIME(trip, starts_at), SHAPE_STATE(trip, state, paid_words),
	SHAPE_STRUCT(trip, driver, driver_shape), SHAPE_MAYBE(trip, second, driver_shape),
	SHAPE_LIST(trip, lines, line_shape),
};
static const struct shape trip_shape = SHAPE(trip, trip_members);

struct around { const char *lang, *code; };
static const struct member around_members[] = { SHAPE_TEXT(around, lang), SHAPE_TEXT(around, code) };
static const struct shape around_shape = SHAPE(around, around_members);

static struct driver two_drivers[] = { { "Kim", 30, NULL }, { "<Lee>", 41, NULL } };
static struct line two_lines[] = { { "day", 90000, two_drivers, 2 }, { "night", -5000, NULL, 0 } };
static struct trip trip;
static struct around around;

TEST_SETUP(fresh_trip)
{
	static struct driver spare = { "Park", 50, NULL };

	fresh(state);
	around = (struct around){ "en", "outer" };
	trip = (struct trip){
		.code = "MP-1 <b>",
		.is_late = true,
		.seats = 5,
		.price = 207000,
		.starts_at = 1795237200,
		.state = PAID,
		.driver = { "Choi", 33, &spare },
		.second = NULL,
		.lines = two_lines,
		.n_lines = 2,
	};
	return 0;
}

static const char *
folded(struct arena *a, const char *raw, void *arg)
{
	(void)a;
	(void)arg;
	return strcmp(raw, "Hello {{code}}") == 0 ? "{{code}}님 안녕" : strcmp(raw, "quote") == 0 ? "a \" b" : raw;
}

static const struct tpl_root around_root = { .shape = &around_shape };

static struct tpl_env
struct_env(const char *const *partials)
{
	return (struct tpl_env){
		.root = &around_root,
		.lang = LANG_EN,
		.partial = partial,
		.partial_arg = (void *)partials,
		.lambda = { { "t", folded, NULL } },
	};
}

static void
binds_with(struct tpl_env env, const char *text, const char *expected)
{
	struct buf out = { .m = m };
	const char *error;
	struct tpl *tpl = tpl_compile(m, &env, "trip", text, &trip_shape, &error);

	if (!tpl)
		fail_msg("%s: %s", text, error);
	tpl_render(tpl, &out, &around, &trip);
	assert_string_equal(out.s, expected);
	assert_int_equal(out.n, strlen(expected));
}

static void
binds(const char *text, const char *expected)
{
	binds_with(struct_env(NULL), text, expected);
}

static void
refuses_with(const char *const *partials, const char *text, const char *expected)
{
	struct tpl_env env = struct_env(partials);
	const char *error = NULL;

	if (tpl_compile(m, &env, "trip", text, &trip_shape, &error))
		fail_msg("%s was taken", text);
	if (!strstr(error, expected))
		fail_msg("'%s' does not say '%s'", error, expected);
}

static void
refuses(const char *text, const char *expected)
{
	refuses_with(NULL, text, expected);
}

TEST_WITH(each_kind_is_rendered_in_its_own_way, fresh_trip, NULL)
{
	binds("", "");
	binds("{{code}} {{seats}}", "MP-1 &lt;b&gt; 5");
	binds("{{price}} {{price.raw}}", "₩207,000 207000");
	money_open("USD");
	binds("{{price}} {{price.raw}}", "$2,070.00 207000");
	money_open("KRW");
	binds("{{starts_at}} | {{starts_at.date}} | {{starts_at.time}}",
		"Sat 21 Nov 2026, 14:00 | Sat 21 Nov 2026 | 14:00");
	binds("{{starts_at.iso}} {{starts_at.input}}", "2026-11-21T14:00:00+09:00 2026-11-21T14:00");
	binds("{{state}} {{state.code}}", "Paid &amp; done PAID");
	binds("{{driver.name}} {{driver.age}}", "Choi 33");
	trip.seats = INT64_MIN;
	trip.starts_at = 0;
	trip.code = NULL;
	trip.state = (enum paid)77;
	binds("{{seats}}|{{starts_at}}{{starts_at.iso}}|{{code}}|{{state}}{{state.code}}|", "-9223372036854775808||||");
}

TEST_WITH(each_kind_has_its_own_condition, fresh_trip, NULL)
{
	const char *all = "{{#code}}1{{/code}}{{#is_late}}2{{/is_late}}{{#seats}}3{{/seats}}{{#price}}4{{/price}}"
			  "{{#starts_at}}5{{/starts_at}}"
			  "{{#state.PAID}}6{{/state.PAID}}{{#state.OPEN}}x{{/state.OPEN}}{{#second}}7{{/second}}"
			  "{{#lines}}8{{/lines}}"
			  "{{^code}}a{{/code}}{{^is_late}}b{{/is_late}}{{^seats}}c{{/seats}}{{^price}}d{{/price}}"
			  "{{^starts_at}}e{{/starts_at}}"
			  "{{^state.PAID}}f{{/state.PAID}}{{^second}}g{{/second}}{{^lines}}h{{/lines}}";

	binds(all, "12345688g");
	trip = (struct trip){ .code = "", .second = two_drivers };
	binds(all, "x7abcdefh");
}

TEST_WITH(names_are_found_in_the_innermost_struct_that_has_them, fresh_trip, NULL)
{
	binds("{{lang}} {{code}}", "en MP-1 &lt;b&gt;");
	binds("{{#lines}}{{rule}} {{amount}} {{code}} {{lang}};{{/lines}}",
		"day ₩90,000 MP-1 &lt;b&gt; en;night -₩5,000 MP-1 &lt;b&gt; en;");
	binds("{{#lines}}{{rule}}:{{#drivers}}{{name}} {{age}} {{rule}}"
	      " {{seats}},{{/drivers}}{{^drivers}}nobody{{/drivers}};{{/lines}}",
		"day:Kim 30 day 5,&lt;Lee&gt; 41 day 5,;night:nobody;");
	binds("{{#driver}}{{name}} {{seats}}{{/driver}}", "Choi 5");
}

TEST_WITH(members_of_a_missing_struct_are_empty, fresh_trip, NULL)
{
	binds("[{{second.name}}{{second.age}}]{{#second}}x{{/second}}{{#second.name}}y{{/second.name}}"
	      "{{^second.name}}z{{/second.name}}",
		"[]z");
	binds("[{{driver.spare.name}}][{{driver.spare.spare.name}}][{{driver.spare.spare.spare.age}}]", "[Park][][]");
	binds("{{#driver.spare}}{{name}} {{^spare}}alone{{/spare}}{{/driver.spare}}", "Park alone");
	trip.second = &two_drivers[0];
	binds("{{second.name}} {{#second}}{{name}} {{age}}{{/second}} {{^second.spare}}no{{/second.spare}}",
		"Kim Kim 30 no");
}

TEST_WITH(lists_within_lists_do_not_disturb_each_other, fresh_trip, NULL)
{
	two_lines[1].drivers = two_drivers;
	two_lines[1].n_drivers = 2;
	binds("{{#lines}}{{#drivers}}{{#lines}}{{rule}}{{/lines}}{{name}} {{/drivers}}{{/lines}}",
		"daynightKim daynight&lt;Lee&gt; daynightKim daynight&lt;Lee&gt; ");
	two_lines[1].drivers = NULL;
	two_lines[1].n_drivers = 0;
}

TEST_WITH(jumps_are_right_however_long_the_template_is, fresh_trip, NULL)
{
	for (int n = 1; n < 150; n++) {
		struct buf text = { .m = m }, late = { .m = m }, soon = { .m = m };

		for (int i = 0; i < n; i++) {
			buf_puts(&text,
				"a{{#is_late}}b{{/is_late}}{{^is_late}}c{{/is_late}}{{#second}}"
				"{{#is_late}}d{{/is_late}}{{/second}}"
				"{{#lines}}{{rule}}{{^drivers}}e{{/drivers}}{{/lines}}{{second.spare.name}}"
				"{{^second.name}}f{{/second.name}}");
			buf_puts(&late, "abdaynightef");
			buf_puts(&soon, "acdaynightef");
		}
		trip.is_late = true;
		binds(text.s, late.s);
		trip.is_late = false;
		binds(text.s, soon.s);
		arena_reset(m);
	}
}

TEST_WITH(layouts_partials_and_translations_are_inserted_at_compile_time, fresh_trip, NULL)
{
	const char *const *with =
		WITH("layout", "<title>{{$title}}x{{/title}}</title>\n<main>\n  {{$content}}{{/content}}\n</main>\n",
			"row", "<li>{{rule}}</li>\n");

	binds_with(struct_env(with),
		"{{<layout}}{{$title}}{{#t}}Hello {{code}}{{/t}}{{/title}}{{$content}}\n<ul>\n  {{#lines}}\n "
		" {{>row}}\n  {{/lines}}\n</ul>{{/content}}{{/layout}}\n",
		"<title>MP-1 &lt;b&gt;님 안녕</title>\n<main>\n  <ul>\n    <li>day</li>\n    <li>night</li>\n "
		" </ul>\n</main>\n");
}

TEST_WITH(money_time_and_states_are_written_in_the_templates_language, fresh_trip, NULL)
{
	struct tpl_env env = struct_env(NULL);

	env.lang = LANG_KO;
	binds_with(env, "{{price}} {{starts_at}} {{starts_at.date}}", "207,000원 2026-11-21(토) 14:00 2026-11-21(토)");
}

struct place_named { int64_t n; const char *name, *name_ko; };
struct two_places { const char *code; struct place_named at; struct place_named *maybe; };
static const struct member place_named_members[] = { SHAPE_INT(place_named, n), SHAPE_TEXT_KO(place_named, name) };
static const struct shape place_named_shape = SHAPE(place_named, place_named_members);
static const struct member two_places_members[] = {
	SHAPE_TEXT(two_places, code), SHAPE_STRUCT(two_places, at, place_named_shape),
	SHAPE_MAYBE(two_places, maybe, place_named_shape),
};
static const struct shape two_places_shape = SHAPE(two_places, two_places_members);

TEST_WITH(a_text_in_two_languages_is_shown_in_the_templates, fresh_trip, NULL)
{
	struct place_named station = { 2, "", "<역>" };
	struct two_places p = { "c", { 1, "Jamsil", "잠실" }, &station }, only = { "c", { 1, "Jamsil", "" }, NULL };
	const char *text = "{{at.name}} {{at.name_ko}}"
			   " {{#maybe}}{{name}}{{/maybe}}{{maybe.name}}{{#maybe}}{{#name}}!{{/name}}{{/maybe}}";
	const char *const wanted[][2] = { [LANG_EN] = { "Jamsil 잠실 ", "Jamsil  " },
		[LANG_KO] = { "잠실 잠실 &lt;역&gt;&lt;역&gt;!", "Jamsil  " } };

	for (int lang = 0; lang < N_LANGS; lang++) {
		struct tpl_env env = { .lang = lang };
		const char *error;
		struct tpl *tpl = tpl_compile(m, &env, "place", text, &two_places_shape, &error);

		assert_non_null(tpl);
		for (int i = 0; i < 2; i++) {
			struct buf out = { .m = m };

			tpl_render(tpl, &out, NULL, i ? &only : &p);
			assert_string_equal(out.s, wanted[lang][i]);
		}
	}
}

TEST_WITH(unknown_names_are_refused_with_the_line_and_the_structs_searched, fresh_trip, NULL)
{
	refuses("a\n{{nosuch}}", "trip:2: {{nosuch}}: there is no 'nosuch' in trip, around");
	refuses("{{#lines}}\n\n{{nosuch}}{{/lines}}", "trip:3: {{nosuch}}: there is no 'nosuch' in line, trip, around");
	refuses("{{driver.nosuch}}", "there is no 'nosuch' in driver");
	refuses("{{#nosuch}}{{/nosuch}}", "nosuch");
	refuses("{{^nosuch}}{{/nosuch}}", "nosuch");
	refuses("{{code.x}}", "no parts");
	refuses("{{code.}}", "ends in a dot");
	refuses("{{..code}}", "there is no ''");
	refuses("{{driver..name}}", "there is no ''");
	refuses("{{lines.rule}}", "no parts");
	refuses("{{price.x}}", "no such way");
	refuses("{{starts_at.x}}", "no such way");
	refuses("{{starts_at.date.x}}", "no parts");
	refuses("{{state.PAID}}", "no such way");
	refuses("{{#state.NOSUCH}}{{/state.NOSUCH}}", "state that does not exist");
	refuses("{{#state}}{{/state}}", "say which");
	refuses("{{#price.raw}}{{/price.raw}}", "not a question");
	refuses_with(WITH("p", "x\n{{nosuch}}"), "{{>p}}", "p:2: {{nosuch}}");
	refuses_with(WITH("p", "{{$b}}{{/b}}"), "\n{{<p}}{{$b}}\n a\n {{nosuch}}\n{{/b}}{{/p}}", "trip:4: {{nosuch}}");
}

TEST_WITH(what_cannot_be_printed_is_refused, fresh_trip, NULL)
{
	refuses("{{is_late}}", "true or false");
	refuses("{{lines}}", "is a list");
	refuses("{{driver}}", "is a struct");
	refuses("{{second}}", "is a struct");
	refuses("{{json}}", "raw JSON");
	refuses("{{#json}}{{/json}}", "raw JSON");
	refuses("{{.}}", "name the member");
	refuses("{{#lines}}{{.}}{{/lines}}", "name the member");
	refuses("{{^driver}}{{/driver}}", "always there");
	refuses("{{t}}", "needs a section");
}

TEST_WITH(partials_must_exist_and_not_include_themselves, fresh_trip, NULL)
{
	refuses("\n{{>nosuch}}", "trip:2: there is no template 'nosuch'");
	refuses("{{<nosuch}}{{/nosuch}}", "there is no template 'nosuch'");
	refuses("{{>*code}}", "only known while rendering");
	refuses_with(WITH("a", "{{>b}}", "b", "\n{{>a}}"), "{{>a}}", "b:2: 'a' would be put into itself");
}

TEST_WITH(unescaped_values_need_permission, fresh_trip, NULL)
{
	struct tpl_env env = struct_env(NULL);

	refuses("{{{code}}}", "unescaped is not allowed");
	refuses("{{&code}}", "unescaped is not allowed");
	env.raw_allowed = true;
	binds_with(env, "{{{code}}}{{&code}}{{code}}", "MP-1 <b>MP-1 <b>MP-1 &lt;b&gt;");
}

TEST_WITH(names_are_allowed_only_where_escaping_protects, fresh_trip, NULL)
{
	binds("<a href=\"{{code}}\" class='{{lang}}'>{{lang}}</a><!-- {{lang}} --><p>a < b {{lang}}</p>",
		"<a href=\"MP-1 &lt;b&gt;\" class='en'>en</a><!-- en --><p>a < b en</p>");
	binds("<script src=\"/{{lang}}.js\"></script>{{lang}}<style>a{}</style >{{lang}}",
		"<script src=\"/en.js\"></script>en<style>a{}</style >en");
	refuses("<script>{{code}}</script>", "script or style sheet");
	refuses("<SCRIPT >x = '</p>{{code}}'", "script or style sheet");
	refuses("<style>{{code}}</style>", "script or style sheet");
	refuses("<script/>{{code}}", "script or style sheet");
	refuses("<a onclick=\"{{code}}\">", "event handler");
	refuses("<a ONload = '{{code}}'>", "event handler");
	refuses("<p style=\"width:{{seats}}%\">", "style attribute");
	refuses("<a href={{code}}>", "outside of quotes");
	refuses("<a href=x{{code}}>", "outside of quotes");
	refuses("<a {{code}}>", "outside of quotes");
	refuses("<{{code}}>", "outside of quotes");
	refuses("<h{{seats}}>", "outside of quotes");
}

TEST_WITH(a_section_begins_and_ends_at_the_same_place_in_the_html, fresh_trip, NULL)
{
	binds("<tr{{#is_late}} class=\"late\"{{/is_late}}><td class=\"a{{#is_late}} b{{/is_late}}\">",
		"<tr class=\"late\"><td class=\"a b\">");
	binds("<option value=\"{{code}}\"{{#is_late}} selected{{/is_late}}>",
		"<option value=\"MP-1 &lt;b&gt;\" selected>");
	binds("<input {{#is_late}}checked{{/is_late}} name=\"{{lang}}\">", "<input checked name=\"en\">");
	binds("<p title=\"{{#t}}fine{{/t}}\">", "<p title=\"fine\">");
	refuses("<a href=\"{{#is_late}}\">{{/is_late}}", "different places");
	refuses("{{#is_late}}<p title=\"{{/is_late}}", "different places");
	refuses("{{^is_late}}<script>{{/is_late}}", "different places");
	refuses("<p title=\"{{#t}}quote{{/t}}\">", "different places");
}

TEST_WITH(deep_and_wide_templates_are_refused, fresh_trip, NULL)
{
	struct buf deep = { .m = m }, wide = { .m = m };

	for (int i = 0; i < 60; i++)
		buf_puts(&deep, "{{#lines}}");
	buf_puts(&deep, "{{>p}}");
	for (int i = 0; i < 60; i++)
		buf_puts(&deep, "{{/lines}}");
	refuses_with(
		WITH("p",
			"{{#lines}}{{#lines}}{{#lines}}{{#lines}}{{#lines}}{{#lines}}{{/lines}}{{/lines}}{{/lines}}"
			"{{/lines}}{{/lines}}{{/lines}}"),
		deep.s, "too deeply");
	for (int i = 0; i < 2000; i++)
		buf_puts(&wide, "{{>a}}");
	refuses_with(WITH("a", "{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}", "b",
			     "{{code}} {{code}} {{code}} {{code}} {{code}} {{code}}"),
		wide.s, "does not come to an end");
	refuses("{{driver.spare.spare.spare.spare.spare.spare.spare.spare.spare.spare.spare.name}}", "too many parts");
}

TEST_WITH(rendering_appends_to_what_is_there, fresh_trip, NULL)
{
	struct tpl_env env = struct_env(NULL);
	struct buf out = { .m = m };
	const char *error;
	struct tpl *tpl = tpl_compile(m, &env, "trip", "[{{code}}]", &trip_shape, &error);

	buf_puts(&out, "before ");
	tpl_render(tpl, &out, &around, &trip);
	tpl_render(tpl, &out, &around, &trip);
	assert_string_equal(out.s, "before [MP-1 &lt;b&gt;][MP-1 &lt;b&gt;]");
}

TEST_WITH(long_texts_are_escaped_whole, fresh_trip, NULL)
{
	char *text = arena_alloc(m, 5001), *expected = arena_alloc(m, 30001);
	struct buf out = { .m = m };

	for (int i = 0; i < 5000; i++) {
		text[i] = "&<a'\""[i % 5];
		strcat(expected + (i > 50 ? strlen(expected) - 6 : 0),
			i % 5 == 0           ? "&amp;"
				: i % 5 == 1 ? "&lt;"
				: i % 5 == 2 ? "a"
				: i % 5 == 3 ? "&#39;"
					     : "&quot;");
	}
	html_escape(&out, text, 5000);
	assert_string_equal(out.s, expected);
}

/* --- a program's pages -------------------------------------------------------------------------------------------- */

static struct page first_page = { .file = "first", .shape = &trip_shape },
	broken_page = { .file = "broken", .shape = &trip_shape };
static char dir[] = "/tmp/test_tpl.XXXXXX";

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(arena_printf(m, "%s/%s.mustache", dir, name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

TEST_WITH(pages_are_compiled_for_every_language_at_start_up, fresh_trip, NULL)
{
	struct buf out = { .m = m };

	assert_non_null(mkdtemp(dir));
	write_file("layout", "<p>{{$content}}{{/content}}</p>\n");
	write_file(
		"first", "{{<layout}}{{$content}}{{#t}}\n\tBook\n\t  {{code}} {{/t}} {{price}}{{/content}}{{/layout}}");
	page_register(&first_page);
	assert_true(tpl_compile_pages(dir, &around_root));
	for (int lang = 0; lang < N_LANGS; lang++)
		assert_non_null(first_page.tpl[lang]);
	tpl_render(first_page.tpl[LANG_KO], &out, &around, &trip);
	assert_string_equal(out.s, "<p>Book MP-1 &lt;b&gt; 207,000원</p>\n");
}

/* Its stderr goes into a file, not into the output of the test. */
static bool
compiles_quietly(void)
{
	int kept = dup(2), file = open(arena_printf(m, "%s/stderr", dir), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	bool ok;

	dup2(file, 2);
	ok = tpl_compile_pages(dir, &around_root);
	dup2(kept, 2);
	close(kept);
	close(file);
	return ok;
}

static void
start_stops_with(const char *text, const char *expected)
{
	char said[1000] = "";
	int file;

	write_file("first", text);
	assert_false(compiles_quietly());
	file = open(arena_printf(m, "%s/stderr", dir), O_RDONLY);
	assert_true(read(file, said, sizeof(said) - 1) > 0);
	close(file);
	if (!strstr(said, expected))
		fail_msg("'%s' does not say '%s'", said, expected);
}

static void
first_page_shows(int lang, const char *expected)
{
	struct buf out = { .m = m };

	tpl_render(first_page.tpl[lang], &out, &around, &trip);
	assert_string_equal(out.s, expected);
}

TEST_WITH(a_number_chooses_between_singular_and_plural, fresh_trip, NULL)
{
	write_file("first",
		"<p>{{#tn}}seats:\n\t1 seat\n | {{seats}} seats, {{code}}{{/tn}}; {{#tn}} driver.age : {{driver.name}}"
		" is new | not new{{/tn}}\n");
	assert_true(tpl_compile_pages(dir, &around_root));
	first_page_shows(LANG_EN, "<p>5 seats, MP-1 &lt;b&gt;; not new\n");
	trip.seats = trip.driver.age = 1;
	first_page_shows(LANG_EN, "<p>1 seat; Choi is new\n");
	trip.seats = 0;
	first_page_shows(LANG_EN, "<p>0 seats, MP-1 &lt;b&gt;; Choi is new\n");
}

TEST_WITH(plural_forms_are_checked_at_start_up, fresh_trip, NULL)
{
	start_stops_with("\n{{#tn}}nosuch: a | b{{/tn}}", "first.mustache:2: {{nosuch.one}}: there is no 'nosuch'");
	start_stops_with(
		"\n{{#tn}}price: a | b{{/tn}}", "first.mustache:2: {{price.one}} is a way of showing, not a question");
	start_stops_with(
		"\n{{#tn}}code: a | b{{/tn}}", "first.mustache:2: {{code.one}} goes into something that has no parts");
	start_stops_with("\n{{#tn}}seats: a | {{nosuch}}{{/tn}}", "first.mustache:2: {{nosuch}}");
	start_stops_with("\n{{#tn}}seats: a{{/tn}}", "first.mustache:2: {{#tn}} does not take such a text");
	start_stops_with("{{#tn}}a | b{{/tn}}", "does not take such a text");
	start_stops_with("{{#tn}}seats: a | b | c{{/tn}}", "does not take such a text");
	start_stops_with("{{#tn}}seats: | b{{/tn}}", "does not take such a text");
	start_stops_with("{{#tn}}: a | b{{/tn}}", "does not take such a text");
	start_stops_with("{{seats.one}}", "no such way");
	start_stops_with("{{#seats.two}}{{/seats.two}}", "not a question");
}

TEST_WITH(one_broken_page_stops_the_start, fresh_trip, NULL)
{
	write_file("first", "fine");
	page_register(&broken_page);
	assert_false(compiles_quietly());
	write_file("broken", "{{>../first}}");
	assert_false(compiles_quietly());
	write_file("broken", "{{>first}}");
	assert_true(compiles_quietly());
	assert_int_equal(system(arena_printf(m, "rm -r %s", dir)), 0);
}

TEST_MAIN("tpl", NULL, NULL, fresh, NULL)
