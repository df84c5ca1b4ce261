/* test_web - a whole request through web_serve(), in memory: routes, permissions, CSRF, bodies, answers, failures. */
#include "test.h"

#include "domain/rental.h"
#include "domain/menu.h"
#include "lib/web/web.c"

#include "scratch.h"
#include "listen.h"
#include "lib/db/lock.h"

#define SESSION "session-token-of-kim-000000000000"
#define API     "api-token-of-kim-0000000000000000"
#define FORM    "application/x-www-form-urlencoded"

/* --- a test program ----------------------------------------------------------------------------------------------- */

static int n_handled;

static enum status
page_plain(struct web *w)
{
	n_handled++;
	return web_text(w, HTTP_OK, "text/plain",
		arena_printf(w->m, "user %lld id %lld", (long long)w->user.id, (long long)web_param_id(w, "id")));
}

static enum status
do_echo(struct web *w)
{
	const char *text = form_text(w, "text", 100);

	n_handled++;
	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", "Please look at the marked fields.");
	return w->json ? web_json_text(w, HTTP_CREATED, "{\"made\":true}")
		       : web_redirect(w, "/done?text=%s", web_encode(w, text));
}

static enum status
do_upload(struct web *w)
{
	size_t n;
	const char *bytes = web_file(w, "photo", &n);

	return web_text(w, HTTP_OK, "text/plain", arena_printf(w->m, "%s %zu", bytes ? "file" : "none", n));
}

static enum status
do_raw(struct web *w)
{
	size_t n;

	web_body(w, &n);
	return web_text(w, HTTP_OK, "text/plain", arena_printf(w->m, "%zu", n));
}

static enum status
do_hash(struct web *w)
{
	return web_text(
		w, HTTP_OK, "text/plain", arena_printf(w->m, "%s %s", web_idempotency_key(w), web_body_hash(w)));
}

static enum status
do_write(struct web *w)
{
	db_do(w->db, "INSERT INTO note (text) VALUES ($1)", "x");
	return web_text(w, HTTP_OK, "text/plain", "written");
}

static enum status
do_wrong_sql(struct web *w)
{
	web_sign_in(w, SESSION);
	db_int(w->db, "SELECT nothing FROM nowhere");
	return web_text(w, HTTP_OK, "text/plain", "all is well");
}

static enum status
do_leave_open(struct web *w)
{
	db_begin(w->db);
	db_do(w->db, "INSERT INTO note (text) VALUES ('left')");
	return web_text(w, HTTP_OK, "text/plain", "all is well");
}

static enum status
do_nothing(struct web *w)
{
	(void)w;
	return HTTP_OK;
}

static enum status
do_sign_in(struct web *w)
{
	web_sign_in(w, SESSION);
	return web_redirect(w, "/");
}

static enum status
do_sign_out(struct web *w)
{
	web_sign_out(w);
	return web_redirect(w, "/");
}

static enum status
do_go(struct web *w)
{
	return web_redirect(w, "%s", web_param(w, "id"));
}

static enum status
do_pay(struct web *w)
{
	return web_redirect_out(w, form_raw(w, "to"));
}

/* A form that can be refused for each reason, and shown again. */
static enum status
show_again(struct web *w, const void *form, enum status status, const char *message)
{
	return web_text(w, status, "text/plain",
		arena_printf(w->m, "form %s: %s, %d marked", (const char *)form, message, form_n_errors(w)));
}

static enum status
do_form(struct web *w)
{
	const char *text = form_text(w, "text", 20);

	web_form(w, show_again, text);
	if (strcmp(text, "marked") == 0)
		form_error(w, "text", "not this one");
	if (form_bad(w))
		return web_invalid(w);
	if (strcmp(text, "taken") == 0)
		return web_refuse(w, HTTP_CONFLICT, "taken", "It is taken.");
	if (strcmp(text, "later") == 0)
		return web_later(w, 7, "It is closed.");
	if (strcmp(text, "gone") == 0)
		return web_not_found(w);
	return web_done(w, HTTP_CREATED, strcmp(text, "nothing") == 0 ? NULL : &paging_shape,
		&(struct paging){ .page = 3 }, "/done?text=%s", text);
}

enum view { VIEW_OPEN, VIEW_ALL };
static const struct word views[] = { [VIEW_OPEN] = { "open", "Open" }, [VIEW_ALL] = { "all", "All" } };
static const struct words view_words = WORDS(views);
static const struct word done[] = { { "saved", "It is saved." } };
static const struct words done_words = WORDS(done);

static enum status
page_tabs(struct web *w)
{
	struct tab *t = web_tabs(w, "view", &view_words, VIEW_ALL, (int64_t[]){ 4, 9 });

	web_notice(w, &done_words);
	return web_text(w, HTTP_OK, "text/plain",
		arena_printf(w->m, "%s %s %lld %d, %s %s %lld %d, %s", t[0].url, t[0].label, (long long)t[0].n,
			t[0].is_current, t[1].url, t[1].label, (long long)t[1].n, t[1].is_current,
			text_or_empty(w->chrome.notice)));
}

static const struct route routes[] = {
	{ GET,        "/",                 page_plain,    0 },
	{ GET,        "/cars/:id",         page_plain,    0 },
	{ GET | PUT,  "/cars/:id/edit",    page_plain,    0 },
	{ GET,        "/desk",             page_plain,    ROLE_MANAGER | ROLE_ADMIN },
	{ GET,        "/mine",             page_plain,    ROUTE_SIGNED_IN },
	{ POST,       "/mine",             do_echo,       ROUTE_SIGNED_IN },
	{ POST,       "/echo",             do_echo,       0 },
	{ POST,       "/hook",             do_echo,       ROUTE_NO_CSRF },
	{ POST,       "/upload",           do_upload,     ROUTE_NO_CSRF | ROUTE_UPLOAD },
	{ POST,       "/raw",              do_raw,        ROUTE_NO_CSRF | ROUTE_RAW_BODY },
	{ POST,       "/hash",             do_hash,       ROUTE_NO_CSRF },
	{ GET | POST, "/write",            do_write,      ROUTE_NO_CSRF },
	{ GET,        "/write-by-get",     do_write,      ROUTE_WRITES },
	{ POST,       "/wrong-sql",        do_wrong_sql,  ROUTE_NO_CSRF },
	{ POST,       "/leave-open",       do_leave_open, ROUTE_NO_CSRF },
	{ POST,       "/nothing",          do_nothing,    ROUTE_NO_CSRF },
	{ POST,       "/sign-in",          do_sign_in,    ROUTE_NO_CSRF },
	{ POST,       "/sign-out",         do_sign_out,   ROUTE_NO_CSRF },
	{ POST,       "/pay",              do_pay,        ROUTE_NO_CSRF },
	{ GET,        "/go/:id",           do_go,         0 },
	{ POST,       "/form",             do_form,       ROUTE_NO_CSRF },
	{ GET,        "/tabs",             page_tabs,     0 },
	{ POST,       "/internal/charge",  page_plain,    ROUTE_INTERNAL },
	{ 0 },
};
static const struct db_role tester = { .name = "tester", .owns = "note" };
static const struct program program = { .name = "tester", .prefix = "/t", .routes = routes, .role = &tester,
	.site = &rental_site };

/* --- asking ------------------------------------------------------------------------------------------------------- */

static struct arena *m;
static struct buf out;
static struct db *db;
static char env_text[24][17000], *env[25];
static int n_env;

static void
with(const char *name, const char *value)
{
	assert_true(n_env < 24 && strlen(value) < 16900);
	snprintf(env_text[n_env], sizeof(env_text[0]), "%s=%s", name, value);
	env[n_env] = env_text[n_env];
	env[++n_env] = NULL;
}

/* Sends a request and returns the status. What with() has set is used once. */
static int
ask_n(const char *method, const char *path, const char *type, const char *body, size_t n)
{
	struct exchange x = { .in = body, .in_n = n, .out = &out };
	const char *query = strchr(path, '?');

	with("REQUEST_METHOD", method);
	with("SCRIPT_NAME", arena_strndup(scratch_memory, path, strcspn(path, "?")));
	with("QUERY_STRING", query ? query + 1 : "");
	if (type) {
		with("CONTENT_TYPE", type);
		with("CONTENT_LENGTH", arena_printf(scratch_memory, "%zu", n));
	}
	out = (struct buf){ .m = scratch_memory };
	gateway_once(&x, env);
	web_serve(&x, m);
	n_env = 0;
	assert_non_null(out.s);
	assert_memory_equal(out.s, "Status: ", 8);
	return atoi(out.s + 8);
}

static int
ask(const char *method, const char *path, const char *type, const char *body)
{
	return ask_n(method, path, type, body, body ? strlen(body) : 0);
}

static int
get(const char *path)
{
	return ask("GET", path, NULL, NULL);
}

static const char *
body_of_answer(void)
{
	return strstr(out.s, "\r\n\r\n") + 4;
}

static bool
says(const char *text)
{
	return strstr(out.s, text) != NULL;
}

/* The value of a cookie that was set, or NULL. */
static const char *
cookie_set(const char *name)
{
	const char *s = strstr(out.s, arena_printf(scratch_memory, "Set-Cookie: %s=", name));

	if (!s)
		return NULL;
	s = strchr(s, '=') + 1;
	return arena_strndup(scratch_memory, s, strcspn(s, ";\r"));
}

static void
as_kim_seen(int64_t seen)
{
	const char *sign =
		secret_sign(scratch_memory, "seen", arena_printf(scratch_memory, "%s %lld", SESSION, (long long)seen));

	with("HTTP_COOKIE",
		arena_printf(scratch_memory, "mp_session=%s; mp_seen=%lld.%s", SESSION, (long long)seen, sign));
}

static void
as_kim(void)
{
	as_kim_seen(clock_now());
}

static const char *
csrf_of_kim(void)
{
	return secret_sign(scratch_memory, "csrf", SESSION);
}

static void
with_api_token(const char *token)
{
	with("HTTP_AUTHORIZATION", arena_printf(scratch_memory, "Bearer %s", token));
}

/* --- the state folder --------------------------------------------------------------------------------------------- */

static void
fill(void)
{
	static const struct db_role all = { .name = "all", .owns = "*" };
	struct db *d = scratch_open(&all);
	int64_t later = clock_now() + 100000;

	db_begin(d);
	db_do(d,
		"INSERT INTO person (user_id, email, name, lang, password_hash, created_at, updated_at)"
		" VALUES (7, 'kim@example.com', 'Kim', 'en', 'x', 1, 1)");
	db_do(d, "INSERT INTO user_role (user_id, role) VALUES (7, 'customer')");
	db_do(d, "INSERT INTO session (token_hash, user_id, created_at, expires_at) VALUES ($1, 7, 1, $2)",
		secret_hash(scratch_memory, SESSION), later);
	db_do(d, "INSERT INTO api_token (token_hash, user_id, name, created_at) VALUES ($1, 7, 'cli', 1)",
		secret_hash(scratch_memory, API));
	assert_true(db_commit(d));
	db_close(d);
}

TEST_SETUP(begin_all)
{
	const char *why;

	if (scratch_begin(state) != 0 || !rental_settings_open(".", scratch, &why))
		return -1;
	clock_open(settings.zone);
	scratch_create("CREATE TABLE note (note_id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;", "");
	if (!secret_open(scratch))
		return -1;
	fill();
	m = arena_new(ARENA_MAX);
	web_open(&program, scratch_memory, false);
	db = db_open(scratch, &tester, m, &why);
	return db && web_compile_pages("templates") ? 0 : -1;
}

TEST_SETUP(end_all)
{
	db_close(db);
	return scratch_end(state);
}

TEST_SETUP(fresh)
{
	n_env = n_handled = 0;
	settings.tls = false;
	serving.internal = serving.dead = false;
	web_use_db(db, NULL);
	return 0;
}

/* --- routes ------------------------------------------------------------------------------------------------------- */

TEST(a_path_finds_its_handler_and_its_parameters)
{
	assert_int_equal(get("/"), HTTP_OK);
	assert_int_equal(get("/cars/12"), HTTP_OK);
	assert_string_equal(body_of_answer(), "user 0 id 12");
	assert_true(says("Content-Length: 12\r\n"));
}

TEST(a_parameter_that_is_not_an_id_is_zero)
{
	static const char *const bad[] = { "/cars/0", "/cars/012", "/cars/-1", "/cars/1x", "/cars/9999999999999999999",
		"/cars/<script>" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(get(bad[i]), HTTP_OK);
		assert_string_equal(body_of_answer(), "user 0 id 0");
	}
}

TEST(an_unknown_path_is_404)
{
	static const char *const paths[] = { "/nowhere", "/cars", "/cars/", "/cars/12/", "/cars/12/edit/x", "//", "/t",
		"/t/healthz/x" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(get(paths[i]), HTTP_NOT_FOUND);
}

TEST(a_wrong_method_is_405_with_the_allowed_ones)
{
	assert_int_equal(ask("DELETE", "/cars/12/edit", NULL, NULL), HTTP_NOT_ALLOWED);
	assert_true(says("Allow: GET, HEAD, PUT\r\n"));
	assert_int_equal(ask("TRACE", "/cars/12/edit", NULL, NULL), HTTP_NOT_ALLOWED);
	assert_int_equal(ask("BREW", "/nowhere", NULL, NULL), HTTP_NOT_FOUND);
}

TEST(head_is_get_without_its_body)
{
	assert_int_equal(ask("HEAD", "/cars/12", NULL, NULL), HTTP_OK);
	assert_true(says("Content-Length: 12\r\n"));
	assert_string_equal(body_of_answer(), "");
}

TEST(a_path_that_is_not_text_is_400)
{
	assert_int_equal(get("/cars/\xff"), HTTP_BAD_REQUEST);
	assert_int_equal(get("/cars/\n"), HTTP_BAD_REQUEST);
	assert_int_equal(get("cars"), HTTP_BAD_REQUEST);
}

TEST(a_broken_query_is_400)
{
	assert_int_equal(get("/?a=%zz"), HTTP_BAD_REQUEST);
	assert_int_equal(get("/?a=%00"), HTTP_BAD_REQUEST);
	assert_int_equal(n_handled, 0);
}

TEST(internal_routes_do_not_exist_outside)
{
	assert_int_equal(ask("POST", "/internal/charge", "application/json", "{}"), HTTP_NOT_FOUND);
	serving.internal = true;
	assert_int_equal(ask("POST", "/internal/charge", "application/json", "{}"), HTTP_OK);
	assert_int_equal(get("/"), HTTP_NOT_FOUND);
}

TEST(a_request_id_is_kept_from_our_own_programs_only)
{
	with("HTTP_X_REQUEST_ID", "stranger");
	get("/");
	assert_false(says("stranger"));
	serving.internal = true;
	with("HTTP_X_REQUEST_ID", "friend-1");
	get("/t/healthz");
	assert_true(says("X-Request-Id: friend-1\r\n"));
	with("HTTP_X_REQUEST_ID", "bad\nid");
	get("/t/healthz");
	assert_false(says("bad"));
}

/* The logged path of a GET. */
static const char *
logged(const char *path)
{
	const char *said, *from, *end;

	listen_in();
	get(path);
	said = heard();
	assert_int_equal(heard_times(said, "\"what\":\"answer\""), 1);
	from = strstr(said, "\"path\":\"") + strlen("\"path\":\"");
	end = strchr(from, '"');
	assert_non_null(end);
	return arena_strndup(scratch_memory, from, (size_t)(end - from));
}

TEST(the_log_has_ids_in_its_paths_and_nothing_else_that_was_typed)
{
	assert_string_equal(logged("/cars/12?token=secret"), "/cars/12");
	assert_string_equal(logged("/cars/MP-7K3F9QXA/edit"), "/cars/MP-7K3F9QXA/edit");
	assert_string_equal(logged("/cars/anna@example.com"), "/cars/:id");
	assert_string_equal(logged("/cars/4242424242424242/edit"), "/cars/:id/edit");
	assert_string_equal(logged("/cars/01012345678"), "/cars/:id");
	assert_string_equal(logged("/cars/a\"\n\x1b[31m"), "?");
	assert_string_equal(logged("/cars/a\"b"), "/cars/:id");
	assert_string_equal(logged("/anna@example.com"), "?");
	assert_string_equal(logged("/\xff\xfe"), "?");
	assert_string_equal(logged("/t/healthz"), "/t/healthz");
}

/* --- health ------------------------------------------------------------------------------------------------------- */

TEST(health_needs_no_database_but_readiness_does)
{
	assert_int_equal(get("/t/healthz"), HTTP_OK);
	assert_string_equal(body_of_answer(), "{\"status\":\"ok\",\"program\":\"tester\"}");
	assert_int_equal(get("/t/readyz"), HTTP_OK);
	web_use_db(NULL, "being upgraded");
	assert_int_equal(get("/t/healthz"), HTTP_OK);
	assert_int_equal(get("/t/readyz"), HTTP_BUSY);
	assert_true(says("being upgraded"));
	web_use_db(db, NULL);
	serving.dead = true;
	assert_int_equal(get("/t/readyz"), HTTP_BUSY);
}

TEST(without_a_database_every_page_is_503_with_retry_after)
{
	web_use_db(NULL, "being upgraded");
	assert_int_equal(get("/"), HTTP_BUSY);
	assert_true(says("Retry-After: 5\r\n"));
	assert_int_equal(n_handled, 0);
}

/* --- sessions ----------------------------------------------------------------------------------------------------- */

TEST(a_session_with_a_recent_visit_is_signed_in)
{
	as_kim();
	assert_int_equal(get("/mine"), HTTP_OK);
	assert_string_equal(body_of_answer(), "user 7 id 0");
	assert_true(says("Cache-Control: no-store\r\n"));
	assert_null(cookie_set("mp_seen"));
}

TEST(a_visit_after_five_minutes_is_noted_in_the_cookie)
{
	as_kim_seen(clock_now() - 301);
	assert_int_equal(get("/mine"), HTTP_OK);
	assert_non_null(cookie_set("mp_seen"));
}

TEST(a_clock_that_is_set_back_ends_no_session)
{
	as_kim_seen(clock_now() + HOUR);
	assert_int_equal(get("/mine"), HTTP_OK);
	assert_non_null(cookie_set("mp_seen"));
}

TEST(an_idle_forged_or_missing_visit_is_signed_out)
{
	as_kim_seen(clock_now() - settings.session_idle_s - 1);
	assert_int_equal(get("/mine"), HTTP_SEE_OTHER);
	with("HTTP_COOKIE", "mp_session=" SESSION);
	assert_int_equal(get("/mine"), HTTP_SEE_OTHER);
	with("HTTP_COOKIE",
		arena_printf(scratch_memory, "mp_session=" SESSION "; mp_seen=%lld.AAAA", (long long)clock_now()));
	assert_int_equal(get("/mine"), HTTP_SEE_OTHER);
	as_kim_seen(clock_now() + 100000);
	assert_int_equal(get("/mine"), HTTP_SEE_OTHER);
}

TEST(an_unknown_session_is_signed_out)
{
	with("HTTP_COOKIE", "mp_session=ANOTHER-token-000000000000000000; mp_seen=1.x");
	assert_int_equal(get("/"), HTTP_OK);
	assert_string_equal(body_of_answer(), "user 0 id 0");
}

TEST(a_browser_is_redirected_to_sign_in_and_back)
{
	assert_int_equal(get("/mine?a=1&b=%2F"), HTTP_SEE_OTHER);
	assert_true(says("Location: /account/sign-in?next=%2Fmine%3Fa%3D1%26b%3D%252F\r\n"));
}

/* The sign-in page's address names the page asked for, whatever that one's query holds. */
static void
assert_comes_back(const char *path, const char *back)
{
	struct sent *next;
	struct input in = { .max = 10 };
	char *query;

	assert_int_equal(get(path), HTTP_SEE_OTHER);
	query = strstr(out.s, "Location: /account/sign-in?");
	assert_non_null(query);
	query += strlen("Location: /account/sign-in?");
	assert_true(request_urlencoded(scratch_memory, &in, query, strcspn(query, "\r")));
	next = input_find(&in, "next");
	assert_non_null(next);
	assert_string_equal(next->value, back);
	assert_true(web_safe_path(next->value)); /* so the sign-in page takes it */
}

static const char *
query_of(const char *piece, size_t n)
{
	struct buf b = { .m = scratch_memory };

	buf_puts(&b, "/mine?q=");
	while (b.n + strlen(piece) <= n)
		buf_puts(&b, piece);
	return b.s;
}

TEST(a_signed_out_visitor_comes_back_to_a_page_with_any_query)
{
	static const char *const pieces[] = { "a", "%EA%B0%80", "%3D", "=", "+", "/?:@!$'()*,;" };
	static const size_t sizes[] = { 490, 510, 1490, 1510, 4000 };

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
			const char *path = query_of(pieces[i], sizes[k]);

			assert_comes_back(path, path);
		}
	assert_comes_back("/mine?q=\xEA\xB0\x80\\<\"", "/mine?q=%EA%B0%80%5C<\"");
	assert_comes_back(query_of("a", 4001), "/mine"); /* it would be too long for the web server to come back with */
	assert_comes_back(query_of("%41", 15000), "/mine");
}

TEST(a_signed_out_program_gets_401_whatever_its_query_holds)
{
	for (size_t n = 100; n < 16000; n += 1590) {
		with("HTTP_ACCEPT", "application/json");
		assert_int_equal(get(query_of("%EA%B0%80", n)), HTTP_UNAUTHORIZED);
		assert_true(says("\"code\":\"unauthorized\""));
	}
}

TEST(a_signed_out_form_is_401_with_a_way_to_sign_in)
{
	assert_int_equal(ask("POST", "/mine", FORM, "text=a"), HTTP_UNAUTHORIZED);
	assert_true(says("/account/sign-in"));
	assert_int_equal(n_handled, 0);
}

TEST(a_role_is_needed_where_the_route_says_so)
{
	as_kim();
	assert_int_equal(get("/desk"), HTTP_FORBIDDEN);
	assert_true(says("text/html"));
	with_api_token(API);
	assert_int_equal(get("/desk"), HTTP_FORBIDDEN);
	assert_true(says("\"code\":\"forbidden\""));
}

TEST(an_api_token_is_signed_in_and_answered_in_json)
{
	with_api_token(API);
	assert_int_equal(ask("POST", "/mine", "application/json", "{\"text\":\"a\"}"), HTTP_CREATED);
	assert_string_equal(body_of_answer(), "{\"made\":true}");
	with_api_token("not-the-token-00000000000000000000");
	assert_int_equal(get("/"), HTTP_UNAUTHORIZED);
	assert_true(says("WWW-Authenticate: Bearer\r\n"));
	assert_true(says("\"code\":\"unauthorized\""));
}

TEST(with_tls_cookies_are_host_cookies)
{
	settings.tls = true;
	as_kim();
	assert_int_equal(get("/mine"), HTTP_SEE_OTHER);
	assert_int_equal(ask("POST", "/sign-in", NULL, NULL), HTTP_SEE_OTHER);
	assert_true(says("Set-Cookie: __Host-mp_session=" SESSION "; Path=/; Max-Age="));
	assert_true(says("; HttpOnly; SameSite=Lax; Secure\r\n"));
}

TEST(signing_in_and_out_sets_and_removes_both_cookies)
{
	const char *session, *seen;

	assert_int_equal(ask("POST", "/sign-in", NULL, NULL), HTTP_SEE_OTHER);
	session = cookie_set("mp_session");
	seen = cookie_set("mp_seen");
	with("HTTP_COOKIE", arena_printf(scratch_memory, "mp_session=%s; mp_seen=%s", session, seen));
	assert_int_equal(get("/mine"), HTTP_OK);
	assert_int_equal(ask("POST", "/sign-out", NULL, NULL), HTTP_SEE_OTHER);
	assert_true(says("mp_session=; Path=/; Max-Age=0;"));
	assert_true(says("mp_seen=; Path=/; Max-Age=0;"));
}

/* --- forgery ------------------------------------------------------------------------------------------------------ */

TEST(a_change_needs_the_sessions_own_csrf_token)
{
	as_kim();
	assert_int_equal(ask("POST", "/mine", FORM, "text=a"), HTTP_FORBIDDEN);
	as_kim();
	assert_int_equal(ask("POST", "/mine", FORM, "text=a&csrf=wrong"), HTTP_FORBIDDEN);
	assert_int_equal(n_handled, 0);
	as_kim();
	assert_int_equal(ask("POST", "/mine", FORM, arena_printf(scratch_memory, "text=a&csrf=%s", csrf_of_kim())),
		HTTP_SEE_OTHER);
	assert_true(says("Location: /done?text=a\r\n"));
}

TEST(json_with_a_session_needs_it_too)
{
	as_kim();
	assert_int_equal(ask("POST", "/mine", "application/json", "{\"text\":\"a\"}"), HTTP_FORBIDDEN);
	assert_true(says("\"code\":\"csrf\""));
	as_kim();
	with("HTTP_X_CSRF_TOKEN", csrf_of_kim());
	assert_int_equal(ask("POST", "/mine", "application/json", "{\"text\":\"a\"}"), HTTP_CREATED);
}

TEST(json_does_not_replace_the_csrf_token_where_there_are_no_sessions)
{
	struct program provider = program;

	assert_int_equal(ask("POST", "/echo", "application/json", "{\"text\":\"a\"}"), HTTP_CREATED);
	provider.own_db = "provider";
	serving.p = &provider;
	assert_int_equal(ask("POST", "/echo", "application/json", "{\"text\":\"a\"}"), HTTP_FORBIDDEN);
	assert_int_equal(ask("POST", "/hook", "application/json", "{\"text\":\"a\"}"), HTTP_CREATED);
	serving.p = &program;
}

TEST(another_site_is_refused_even_with_the_token)
{
	as_kim();
	with("HTTP_SEC_FETCH_SITE", "cross-site");
	assert_int_equal(ask("POST", "/mine", FORM, arena_printf(scratch_memory, "text=a&csrf=%s", csrf_of_kim())),
		HTTP_FORBIDDEN);
}

TEST(a_signed_out_form_is_protected_by_a_token_of_its_own)
{
	const char *anon;

	assert_int_equal(get("/nowhere"), HTTP_NOT_FOUND);
	anon = cookie_set("mp_anon");
	assert_non_null(anon);
	assert_true(says(secret_sign(scratch_memory, "csrf", anon)));
	assert_int_equal(ask("POST", "/echo", FORM, "text=a"), HTTP_FORBIDDEN);
	with("HTTP_COOKIE", arena_printf(scratch_memory, "mp_anon=%s", anon));
	assert_int_equal(
		ask("POST", "/echo", FORM,
			arena_printf(scratch_memory, "text=a&csrf=%s", secret_sign(scratch_memory, "csrf", anon))),
		HTTP_SEE_OTHER);
	with("HTTP_COOKIE", arena_printf(scratch_memory, "mp_anon=%s", anon));
	assert_int_equal(get("/nowhere"), HTTP_NOT_FOUND);
	assert_null(cookie_set("mp_anon"));
}

/* --- bodies ------------------------------------------------------------------------------------------------------- */

TEST(a_body_beyond_the_limit_is_413_and_not_read)
{
	size_t n = (size_t)settings.max_body_bytes + 1;
	char *big = arena_alloc(scratch_memory, n + 1);

	memset(big, 'a', n);
	assert_int_equal(ask_n("POST", "/hook", FORM, big, n), HTTP_TOO_LARGE);
	assert_int_equal(n_handled, 0);
}

TEST(an_upload_may_be_eight_mib_not_nine)
{
	static const char head[] = "--X\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a\"\r\n\r\n";
	size_t n = (size_t)9 << 20, eight = (size_t)8 << 20;
	char *big = arena_alloc(scratch_memory, n);

	assert_int_equal(ask_n("POST", "/upload", "multipart/form-data; boundary=X", big, n), HTTP_TOO_LARGE);
	memcpy(big, head, sizeof(head) - 1);
	memcpy(big + sizeof(head) - 1 + eight, "\r\n--X--\r\n", 9);
	assert_int_equal(ask_n("POST", "/upload", "multipart/form-data; boundary=X", big, sizeof(head) - 1 + eight + 9),
		HTTP_OK);
	assert_string_equal(body_of_answer(), "file 8388608");
}

TEST(multipart_is_only_for_routes_that_take_files)
{
	assert_int_equal(ask("POST", "/hook", "multipart/form-data; boundary=X", "--X--"), HTTP_UNSUPPORTED);
	assert_int_equal(ask("POST", "/hook", "text/plain", "text=a"), HTTP_UNSUPPORTED);
	assert_int_equal(ask("POST", "/hook", "application/x-www-form-urlencodedly", "text=a"), HTTP_UNSUPPORTED);
}

TEST(bad_json_is_400_with_its_code)
{
	assert_int_equal(ask("POST", "/hook", "application/json", "{\"text\":"), HTTP_BAD_REQUEST);
	assert_true(says("\"code\":\"bad_json\""));
}

TEST(a_body_shorter_than_its_length_is_400)
{
	with("CONTENT_LENGTH", "100");
	assert_int_equal(ask("POST", "/hook", FORM, "text=a"), HTTP_BAD_REQUEST);
	with("CONTENT_LENGTH", "-1");
	assert_int_equal(ask("POST", "/hook", FORM, "text=a"), HTTP_BAD_REQUEST);
	with("CONTENT_LENGTH", "6x");
	assert_int_equal(ask("POST", "/hook", FORM, "text=a"), HTTP_BAD_REQUEST);
}

TEST(a_thousand_fields_are_400)
{
	struct buf text = { .m = scratch_memory };

	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "f%d=1&", i);
	assert_int_equal(ask("POST", "/hook", FORM, text.s), HTTP_BAD_REQUEST);
}

TEST(bad_fields_are_listed_in_the_json_error)
{
	assert_int_equal(
		ask("POST", "/hook", "application/json", "{\"text\":\"\",\"admin\":true}"), HTTP_UNPROCESSABLE);
	assert_true(says("{\"error\":{\"code\":\"invalid\",\"message\":\"Please look at the marked fields.\","
			 "\"fields\":{\"text\":\"Please fill this in.\",\"admin\":\"This field is not supported.\"}"));
}

TEST(a_raw_body_is_left_alone)
{
	assert_int_equal(ask_n("POST", "/raw", "application/octet-stream", "\0\xff%", 3), HTTP_OK);
	assert_string_equal(body_of_answer(), "3");
}

TEST(the_same_fields_have_the_same_hash_in_any_order_and_form)
{
	const char *first;

	ask("POST", "/hash", FORM, "car_id=3&at=x&csrf=1&form_key=K1");
	first = arena_strdup(scratch_memory, body_of_answer());
	assert_memory_equal(first, "K1 ", 3);
	with("HTTP_IDEMPOTENCY_KEY", "K2");
	ask("POST", "/hash", "application/json", "{\"at\":\"x\",\"car_id\":3}");
	assert_string_equal(body_of_answer() + 3, first + 3);
	assert_memory_equal(body_of_answer(), "K2 ", 3);
	ask("POST", "/hash", FORM, "car_id=4&at=x");
	assert_string_not_equal(body_of_answer() + 1, first + 3);
}

TEST(an_idempotency_key_is_plain_and_not_long)
{
	char key[300];

	memset(key, 'k', sizeof(key));
	key[299] = '\0';
	with("HTTP_IDEMPOTENCY_KEY", key);
	assert_int_equal(ask("POST", "/hash", FORM, "a=1"), HTTP_BAD_REQUEST);
	with("HTTP_IDEMPOTENCY_KEY", "a\xff");
	assert_int_equal(ask("POST", "/hash", FORM, "a=1"), HTTP_BAD_REQUEST);
}

/* --- internal failures -------------------------------------------------------------------------------------------- */

TEST(a_get_cannot_write_unless_its_route_says_so)
{
	assert_int_equal(get("/write"), HTTP_BROKEN);
	assert_int_equal(ask("POST", "/write", NULL, NULL), HTTP_OK);
	assert_int_equal(get("/write-by-get"), HTTP_OK);
}

TEST(a_sticky_failure_becomes_the_500_page_and_drops_cookies)
{
	assert_int_equal(ask("POST", "/wrong-sql", NULL, NULL), HTTP_BROKEN);
	assert_false(says("all is well"));
	assert_null(cookie_set("mp_session"));
	assert_true(says("X-Request-Id: "));
	assert_int_equal(get("/"), HTTP_OK);
}

static bool
note_sync(void *arg)
{
	return *(bool *)arg = true;
}

/* Another program has committed without syncing: does our answer wait for the sync? */
static bool
waits_for_the_disk(const char *method, const char *path, int status)
{
	static const struct db_role all = { .name = "all", .owns = "*" };
	struct db *other = scratch_open(&all);
	struct lock *l = lock_open(scratch, "motorpool");
	bool was_left = false;

	db_do(other, "INSERT INTO note (text) VALUES ('x')");
	assert_int_equal(ask(method, path, FORM, "text=x"), status);
	assert_true(lock_synced(l, lock_latest(l), note_sync, &was_left));
	lock_close(l);
	db_close(other);
	return !was_left;
}

TEST(pages_that_only_read_do_not_wait_for_the_disk_and_changes_do)
{
	assert_false(waits_for_the_disk("GET", "/", HTTP_OK));
	assert_true(waits_for_the_disk("POST", "/hook", HTTP_SEE_OTHER));
	assert_true(waits_for_the_disk("GET", "/write-by-get", HTTP_OK));
}

TEST(a_transaction_left_open_is_rolled_back_and_500)
{
	assert_int_equal(ask("POST", "/leave-open", NULL, NULL), HTTP_BROKEN);
	assert_false(db_in_transaction(db));
	assert_false(db_exists(db, "SELECT 1 FROM note WHERE text = 'left' /*scan*/"));
}

TEST(a_handler_without_a_reply_is_500)
{
	assert_int_equal(ask("POST", "/nothing", NULL, NULL), HTTP_BROKEN);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

TEST(every_answer_carries_the_security_headers)
{
	static const char *const paths[] = { "/", "/nowhere", "/mine", "/t/healthz", "/?a=%zz" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		get(paths[i]);
		assert_true(says("Content-Security-Policy: default-src 'none'; "));
		assert_true(says("X-Content-Type-Options: nosniff\r\n"));
		assert_true(says("Cross-Origin-Opener-Policy: same-origin\r\n"));
		assert_true(says("Cache-Control: "));
	}
}

TEST(redirects_stay_on_our_own_site)
{
	assert_int_equal(get("/go/evil.example"), HTTP_BROKEN);
	assert_int_equal(ask("POST", "/pay", FORM, "to=https%3A%2F%2Fevil.example%2F"), HTTP_BROKEN);
	assert_int_equal(ask("POST", "/pay", FORM, "to=http%3A%2F%2Flocalhost%3A8080.evil.example%2F"), HTTP_BROKEN);
	assert_int_equal(ask("POST", "/pay", FORM, "to=%2F%2Fevil.example"), HTTP_BROKEN);
	assert_int_equal(
		ask("POST", "/pay", FORM, "to=http%3A%2F%2Flocalhost%3A8080%2Fsandbox%2Fcard%3Fa%3D1"), HTTP_SEE_OTHER);
	assert_true(says("Location: http://localhost:8080/sandbox/card?a=1\r\n"));
}

TEST(the_providers_own_origin_is_allowed_for_forms_and_redirects)
{
	const char *was = rental.provider_public_url;
	struct buf fixed = serving.fixed;

	rental.provider_public_url = "https://pay.example:8443/page";
	reply_open(scratch_memory);
	assert_int_equal(ask("POST", "/pay", FORM, "to=https%3A%2F%2Fpay.example%3A8443%2Fcard"), HTTP_SEE_OTHER);
	assert_true(says("form-action 'self' https://pay.example:8443; "));
	assert_int_equal(ask("POST", "/pay", FORM, "to=https%3A%2F%2Fpay.example%3A8443.evil.example%2F"), HTTP_BROKEN);
	rental.provider_public_url = was;
	serving.fixed = fixed;
	serving.provider_origin = "";
}

TEST(only_own_paths_are_safe)
{
	static const char *const bad[] = { "", "//evil", "/\\evil", "\\\\evil", "http://evil", "evil", "/a b", "/a\nb",
		"/\t/evil", "/\x80" };

	assert_true(web_safe_path("/"));
	assert_true(web_safe_path("/cars?from=2026-05-01T10%3A00&b=//x"));
	assert_false(web_safe_path(NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(web_safe_path(bad[i]));
}

TEST(the_language_comes_from_the_user_then_the_cookie_then_the_browser)
{
	with("HTTP_ACCEPT_LANGUAGE", "ko-KR,ko;q=0.9");
	get("/nowhere");
	assert_true(says("<html lang=\"ko\">"));
	with("HTTP_ACCEPT_LANGUAGE", "ko-KR,ko;q=0.9");
	with("HTTP_COOKIE", "mp_lang=en");
	get("/nowhere");
	assert_true(says("<html lang=\"en\">"));
	with("HTTP_ACCEPT_LANGUAGE", "ko-KR,ko;q=0.9");
	as_kim();
	get("/nowhere");
	assert_true(says("<html lang=\"en\">"));
}

TEST(what_is_shown_is_escaped)
{
	assert_int_equal(get("/nowhere/<script>alert(1)</script>?q=%22%3E%3Cscript%3E"), HTTP_NOT_FOUND);
	assert_false(says("<script>alert"));
}

TEST(json_goes_to_clients_that_accept_it_and_pages_to_browsers)
{
	with("HTTP_ACCEPT", "application/json");
	get("/nowhere");
	assert_true(says("\"code\":\"not_found\""));
	with("HTTP_ACCEPT", "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8");
	get("/nowhere");
	assert_true(says("<!doctype html>"));
}

/* --- lists -------------------------------------------------------------------------------------------------------- */

static struct web *
listing(const char *query)
{
	static struct web w;
	static struct web_inside in;
	char *text = arena_strdup(scratch_memory, query);

	w = (struct web){ .m = scratch_memory, .in = &in, .method = GET, .path = "/cars", .query = query };
	memset(&in, 0, sizeof(in));
	in.query.max = 20;
	assert_true(request_urlencoded(w.m, &in.query, text, strlen(text)));
	return &w;
}

TEST(a_page_has_its_rows_and_the_next_and_previous_page)
{
	struct paging p = web_paging(listing("body=suv&page=2"), 45, 20);

	assert_int_equal(p.n_pages, 3);
	assert_int_equal(p.first, 21);
	assert_int_equal(p.last, 40);
	assert_int_equal(p.offset, 20);
	assert_string_equal(p.prev_url, "/cars?body=suv");
	assert_string_equal(p.next_url, "/cars?body=suv&page=3");
}

TEST(a_page_number_out_of_range_is_clamped)
{
	static const char *const queries[] = { "page=0", "page=-1", "page=x", "page=99999999999999999999", "page=" };

	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
		assert_int_equal(web_paging(listing(queries[i]), 45, 20).page, 1);
	assert_int_equal(web_paging(listing("page=9"), 45, 20).page, 3);
	assert_int_equal(web_paging(listing("page=9"), 0, 20).first, 0);
	assert_null(web_paging(listing(""), 0, 20).next_url);
}

TEST(a_sort_link_reverses_the_order_and_returns_to_the_first_page)
{
	static const char *const columns[] = { "plate", "price", NULL };
	bool down;

	assert_string_equal(web_sort_link(listing("page=3&q=a%26b"), "price").url, "/cars?q=a%26b&sort=price");
	assert_string_equal(web_sort_link(listing("sort=price"), "price").url, "/cars?sort=-price");
	assert_true(web_sort_link(listing("sort=-price"), "price").down);
	assert_int_equal(web_sort(listing("sort=-price"), columns, &down), 1);
	assert_true(down);
	assert_int_equal(web_sort(listing("sort=-secret"), columns, &down), -1);
	assert_false(down);
}

/* A refused form: a browser sees it again with what was typed, a program gets the error. */
static void
posted(const char *body, int status, const char *answer)
{
	if (*body == '{')
		with("HTTP_ACCEPT", "application/json");
	assert_int_equal(ask("POST", "/form", *body == '{' ? "application/json" : FORM, body), status);
	if (!strstr(out.s, answer))
		fail_msg("%s: %s", body, out.s);
}

TEST(a_refused_form_is_shown_again_to_a_browser)
{
	posted("text=marked", HTTP_UNPROCESSABLE, "form marked: Please look at the marked fields., 1 marked");
	posted("text=taken", HTTP_CONFLICT, "form taken: It is taken., 0 marked");
	posted("text=later", HTTP_BUSY, "form later: It is closed. Please try again in 7 seconds., 0 marked");
	posted("text=later", HTTP_BUSY, "Retry-After: 7");
	posted("text=gone", HTTP_NOT_FOUND, "<!doctype html>");
	posted("text=good", HTTP_SEE_OTHER, "Location: /done?text=good");
}

TEST(a_refused_form_is_an_error_for_a_program)
{
	posted("{\"text\":\"marked\"}", HTTP_UNPROCESSABLE, "\"fields\":{\"text\":\"not this one\"}");
	posted("{\"text\":\"taken\"}", HTTP_CONFLICT, "\"code\":\"taken\"");
	posted("{\"text\":\"later\"}", HTTP_BUSY, "\"retry_after_s\":7");
	posted("{\"text\":\"gone\"}", HTTP_NOT_FOUND, "\"code\":\"not_found\"");
	posted("{\"text\":\"good\"}", HTTP_CREATED, "\"page\":3");
	posted("{\"text\":\"nothing\"}", HTTP_NO_CONTENT, "Status: 204");
}

TEST(tabs_keep_the_address_and_drop_the_page)
{
	assert_int_equal(get("/tabs?view=all&q=x&page=3&done=saved"), HTTP_OK);
	assert_non_null(
		strstr(out.s, "/tabs?q=x&done=saved Open 4 0, /tabs?view=all&q=x&done=saved All 9 1, It is saved."));
}

TEST_MAIN("web", begin_all, end_all, fresh, NULL)
