/* test_call - a synchronous call to a callee that answers, hangs, dies half-way, sends a wrong length or no FastCGI at
 * all. */
#include "test.h"

#include "lib/call/call.c"

#include "scratch.h"
#include "listen.h"
#include "lib/web/gateway.h"

/* --- a callee --------------------------------------------------------------------------------------------------- */

static struct arena *m;
static int listening = -1;

static void
read_request(int fd, char *to, size_t room)
{
	size_t n = 0;

	while (n < room) {
		ssize_t got = read(fd, to + n, room - n);

		if (got <= 0)
			break;
		n += (size_t)got;
		/* until the empty STDIN record */
		if (n >= 8 && to[n - 7] == STDIN && to[n - 4] == 0 && to[n - 3] == 0)
			break;
	}
}

static struct buf
records(const char *text, size_t n, bool ended)
{
	static const char done[8];
	struct buf b = { .m = m };

	for (size_t at = 0; at < n; at += 7) /* small records: the answer comes in many */
		put_record(&b, STDOUT, text + at, n - at < 7 ? n - at : 7);
	if (ended)
		put_record(&b, END_REQUEST, done, sizeof(done));
	return b;
}

static void
send_records(int fd, const char *text, bool ended)
{
	struct buf b = records(text, strlen(text), ended);

	for (size_t at = 0; at < b.n; at += 11) /* in pieces that do not end with a record */
		if (send(fd, b.s + at, b.n - at < 11 ? b.n - at : 11, MSG_NOSIGNAL) < 0)
			return;
}

static int
answers(void *arg)
{
	char request[70000];
	int fd = accept(listening, NULL, NULL);

	read_request(fd, request, sizeof(request));
	send_records(fd, arg, true);
	return 0;
}

static int
dies(void *arg)
{
	char request[70000];
	int fd = accept(listening, NULL, NULL);

	read_request(fd, request, sizeof(request));
	send_records(fd, arg, false);
	return 0;
}

static int
hangs(void *arg)
{
	char request[70000];
	int fd = accept(listening, NULL, NULL);

	(void)arg;
	read_request(fd, request, sizeof(request));
	pause();
	return 0;
}

static int
hangs_up_unread(void *arg)
{
	int fd = accept(listening, NULL, NULL);

	(void)arg;
	close(fd);
	return 0;
}

static int
sends_no_fastcgi(void *arg)
{
	char request[70000];
	int fd = accept(listening, NULL, NULL);

	read_request(fd, request, sizeof(request));
	return write(fd, arg, strlen(arg)) < 0;
}

/* --- calling ---------------------------------------------------------------------------------------------------- */

TEST_SETUP(begin)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (scratch_begin(state) != 0)
		return -1;
	m = scratch_memory;
	mkdir(scratch_path("run"), 0700);
	call_open(scratch);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/run/payment.internal.sock", scratch);
	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	return bind(listening, (struct sockaddr *)&at, sizeof(at)) || listen(listening, 8);
}

TEST_SETUP(end)
{
	close(listening);
	return scratch_end(state);
}

static struct call
charge(int deadline_ms)
{
	return (struct call){
		.program = "payment",
		.path = "/internal/charge",
		.body = "{\"amount\":207000}",
		.deadline_ms = deadline_ms,
	};
}

static enum call_outcome
call_with(int (*callee)(void *arg), const char *arg, struct call *c)
{
	pid_t pid = scratch_fork(callee, (void *)(uintptr_t)arg);
	enum call_outcome outcome = call_do(m, c);

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return outcome;
}

/* The callee answers with the request id it was sent. */
static int
answers_with_request_id(void *arg)
{
	int fd = accept(listening, NULL, NULL);
	char asked[4096];
	const char *at = NULL;
	ssize_t n = 0;

	(void)arg;
	while (!at && n < (ssize_t)sizeof(asked)) {
		ssize_t more = read(fd, asked + n, sizeof(asked) - (size_t)n);

		if (more <= 0)
			return 1;
		n += more;
		at = memmem(asked, (size_t)n, "HTTP_X_REQUEST_IDr-1", strlen("HTTP_X_REQUEST_IDr-1"));
	}
	return 0;
}

TEST(the_request_id_is_passed_on_and_the_call_is_a_line_in_the_log)
{
	struct call c = charge(10000);
	const char *said;
	pid_t pid;

	log_request("r-1");
	log_subject("MP-1");
	listen_in();
	pid = scratch_fork(answers_with_request_id, NULL);
	assert_int_equal(call_do(m, &c), CALL_UNKNOWN);
	said = heard();
	assert_int_equal(scratch_wait(pid), 0);
	log_request(NULL);
	assert_int_equal(heard_times(said, "\n"), 1);
	assert_non_null(strstr(said,
		"\"request\":\"r-1\",\"subject\":\"MP-1\",\"what\":\"call\",\"to\":\"payment\","
		"\"path\":\"/internal/charge\",\"outcome\":\"unknown\""));
}

TEST(a_whole_answer_has_its_status_and_body)
{
	struct call c = charge(10000);

	assert_int_equal(call_with(answers,
				 "Status: 402\r\nContent-Type: application/json\r\nContent-Length:"
				 " 21\r\n\r\n{\"error\":\"declined\"}\n",
				 &c),
		CALL_ANSWERED);
	assert_int_equal(c.status, 402);
	assert_string_equal(c.answer, "{\"error\":\"declined\"}\n");
}

TEST(an_answer_without_a_status_is_200)
{
	struct call c = charge(10000);

	assert_int_equal(call_with(answers, "Content-Type: application/json\r\n\r\n{}", &c), CALL_ANSWERED);
	assert_int_equal(c.status, 200);
	assert_string_equal(c.answer, "{}");
}

TEST(without_a_listener_it_is_certainly_not_sent)
{
	struct call c = charge(10000);

	c.program = "none";
	assert_int_equal(call_do(m, &c), CALL_NOT_SENT);
	close(listening);
	c.program = "payment";
	assert_int_equal(call_do(m, &c), CALL_NOT_SENT);
}

TEST(a_callee_that_dies_half_way_leaves_it_unknown)
{
	struct call c = charge(10000);

	assert_int_equal(call_with(dies, "", &c), CALL_UNKNOWN);
	assert_int_equal(call_with(dies, "Status: 200\r\nContent-Le", &c), CALL_UNKNOWN);
	assert_int_equal(call_with(dies, "Status: 200\r\nContent-Length: 2\r\n\r\n{}", &c), CALL_UNKNOWN);
}

TEST(a_callee_that_hangs_leaves_it_unknown_at_the_deadline)
{
	struct call c = charge(50);

	assert_int_equal(call_with(hangs, NULL, &c), CALL_UNKNOWN);
}

TEST(a_callee_that_hangs_up_without_reading_leaves_it_unknown)
{
	struct call c = charge(10000);

	assert_int_not_equal(call_with(hangs_up_unread, NULL, &c), CALL_ANSWERED);
}

TEST(an_answer_shorter_than_its_header_says_is_unknown)
{
	struct call c = charge(10000);

	assert_int_equal(call_with(answers, "Status: 200\r\nContent-Length: 20\r\n\r\n{}", &c), CALL_UNKNOWN);
	assert_int_equal(call_with(answers, "Status: 200\r\n", &c), CALL_UNKNOWN);
}

TEST(an_answer_that_is_no_fastcgi_is_unknown)
{
	struct call c = charge(10000);

	assert_int_equal(call_with(sends_no_fastcgi, "HTTP/1.1 200 OK\r\n\r\n", &c), CALL_UNKNOWN);
}

TEST(a_callee_that_never_accepts_is_unknown_since_all_was_sent)
{
	struct call c = charge(50);

	assert_int_equal(call_do(m, &c), CALL_UNKNOWN);
}

/* More than a socket holds: the callee never had a whole request, so it did nothing. */
TEST(a_request_that_could_not_be_sent_whole_is_not_sent)
{
	struct call c = charge(50);
	char *big = arena_alloc(m, 8 << 20);

	memset(big, 'x', (8 << 20) - 1);
	c.body = big;
	assert_int_equal(call_do(m, &c), CALL_NOT_SENT);
}

TEST(a_full_backlog_is_not_sent_at_the_deadline)
{
	struct call c = charge(20);

	assert_int_equal(listen(listening, 0), 0);
	for (int i = 0; i < 3; i++) /* each leaves its connection in the backlog, which has room for one */
		call_do(m, &c);
	assert_int_equal(call_do(m, &c), CALL_NOT_SENT);
}

/* --- a worker of ours as callee --------------------------------------------------------------------------------- */

static int
be_worker(void *arg)
{
	struct exchange x = { .env = NULL };
	struct buf head = { .m = m }, body = { .m = m };

	(void)arg;
	buf_puts(&head, "Status: 200\r\nContent-Length: 2\r\n\r\n");
	buf_puts(&body, "{}");
	if (dup2(listening, 0) < 0)
		return 99;
	gateway_open("", false);
	while (gateway_next(&x))
		gateway_send(&x, &head, &body);
	return 0;
}

static int
call_it(void *arg)
{
	struct call c = charge(30000);

	(void)arg;
	return call_do(m, &c) == CALL_ANSWERED ? 0 : 1;
}

/* The connection woke this worker and no other, so no other would serve it. */
TEST(a_worker_told_to_end_while_a_connection_wakes_it_serves_that_one)
{
	pid_t worker = scratch_fork(be_worker, NULL), caller;

	scratch_sleep_ms(200);
	kill(worker, SIGSTOP);
	caller = scratch_fork(call_it, NULL);
	scratch_sleep_ms(100);
	kill(worker, SIGTERM);
	kill(worker, SIGCONT);
	assert_int_equal(scratch_wait(caller), 0);
	assert_int_equal(scratch_wait(worker), 0);
}

TEST_MAIN("call", NULL, NULL, begin, end)
