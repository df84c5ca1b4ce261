/*
 * test_toss - what the provider's answers mean for the money, over real HTTP: a server on the loopback answers what a
 * test wants, or hangs, or closes the connection.
 */
#include "test.h"

#include "scratch.h"

#include "cgi-bin/payment/toss.c"
#include "domain/rental.h"
#include "lib/base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

/* --- the server --------------------------------------------------------------------------------------------------- */

static struct {
	int fd, port;
	pthread_t thread;
	const char *head;               /* of the next answers: "HTTP/1.1 200 OK" */
	const char *body;
	int hang_ms;
	volatile bool is_over;          /* the test has ended */
	bool cuts;                      /* closes the connection instead of answering */
	bool leaves;                    /* answers once; takes the next request and exits */
	char asked[8192];               /* the last request */
	volatile int n_asked;
} server;

static size_t
body_length(const char *request)
{
	const char *s = strcasestr(request, "content-length:");

	return s ? strtoul(s + 15, NULL, 10) : 0;
}

static bool
read_request(int fd)
{
	char text[sizeof(server.asked)] = "";
	size_t n = 0;
	const char *end_of_head;

	for (;;) {
		ssize_t got = recv(fd, text + n, sizeof(text) - 1 - n, 0);

		if (got <= 0)
			return false;
		n += (size_t)got;
		text[n] = '\0';
		end_of_head = strstr(text, "\r\n\r\n");
		if (end_of_head && n >= (size_t)(end_of_head + 4 - text) + body_length(text))
			break;
	}
	memcpy(server.asked, text, sizeof(text));
	return true;
}

/* Cancelled in the middle, dprintf would leak its buffer. */
static void
say(int fd, const char *head, const char *body)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	dprintf(fd, "%s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", head, strlen(body), body);
	pthread_setcancelstate(state, NULL);
}

static void
serve(int fd)
{
	while (read_request(fd)) {
		server.n_asked++;
		for (int waited_ms = 0; waited_ms < server.hang_ms && !server.is_over; waited_ms += 10)
			scratch_sleep_ms(10);
		if (server.is_over)
			return;
		if (server.leaves && server.n_asked > 1)
			shutdown(server.fd, SHUT_RDWR);
		if (server.cuts || (server.leaves && server.n_asked > 1))
			return;
		say(fd, server.head, server.body);
	}
}

static void *
run_server(void *arg)
{
	int fd;

	while ((fd = accept(server.fd, NULL, NULL)) >= 0) {
		serve(fd);
		close(fd);
	}
	return arg;
}

static struct arena *m;

TEST_SETUP(begin)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	const char *why = "";

	if (scratch_begin(state) != 0)
		return -1;
	memset(&server, 0, sizeof(server));
	server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(server.fd, (struct sockaddr *)&at, n) != 0 || listen(server.fd, 8) != 0
		|| getsockname(server.fd, (struct sockaddr *)&at, &n) != 0)
		return -1;
	server.port = ntohs(at.sin_port);
	server.head = "HTTP/1.1 200 OK";
	server.body = "{}";
	pthread_create(&server.thread, NULL, run_server, NULL);
	scratch_write(scratch_path("payment.key"), "test_sk_abc\n");
	chmod(scratch_path("payment.key"), 0600);
	scratch_write(scratch_path("motorpool.conf"),
		arena_printf(scratch_memory, "provider_url = http://127.0.0.1:%d\n", server.port));
	if (!rental_settings_open(".", scratch, &why))
		return -1;
	if (!m)
		m = arena_new(64 << 20);
	return 0;
}

TEST_SETUP(end)
{
	server.is_over = true;
	shutdown(server.fd, SHUT_RDWR);
	close(server.fd);
	pthread_cancel(server.thread);
	pthread_join(server.thread, NULL);
	return scratch_end(state);
}

#define DONE_PAYMENT "{\"paymentKey\":\"pk_1\",\"orderId\":\"MP-TEST01\",\"status\":\"DONE\",\"totalAmount\":1000," \
	"\"balanceAmount\":1000," \
	"\"card\":{\"number\":\"43301234****1234\",\"issuerCode\":\"41\"}}"

static struct provider_answer
charge_within(int ms)
{
	struct provider_order o = {
		.key = "MP-TEST01",
		.name = "Car",
		.customer_key = "cust",
		.billing_key = "bk/../x",
		.currency = "KRW",
		.amount = 1000,
	};

	return provider->charge(m, &o, clock_ms() + ms);
}

static enum provider_outcome
charge_when(const char *head, const char *body)
{
	server.head = head;
	server.body = body;
	return charge_within(30000).outcome;
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

TEST(a_payment_that_is_done_is_ok_and_names_its_card)
{
	struct provider_answer a;

	server.body = DONE_PAYMENT;
	a = charge_within(30000);
	assert_int_equal(a.outcome, PROVIDER_OK);
	assert_string_equal(a.payment_key, "pk_1");
	assert_string_equal(a.key, "MP-TEST01");
	assert_int_equal(a.amount, 1000);
	assert_string_equal(a.last4, "1234");
	assert_string_equal(a.brand, "41");
}

TEST(the_request_carries_the_key_twice_and_keys_cannot_change_the_path)
{
	charge_when("HTTP/1.1 200 OK", DONE_PAYMENT);
	assert_non_null(strstr(server.asked, "POST /v1/billing/bk%2F..%2Fx HTTP/1.1"));
	assert_non_null(strstr(server.asked, "Authorization: Basic dGVzdF9za19hYmM6")); /* test_sk_abc: */
	assert_non_null(strstr(server.asked, "Idempotency-Key: MP-TEST01"));
	assert_non_null(strstr(server.asked, "\"orderId\":\"MP-TEST01\""));
	assert_non_null(strstr(server.asked, "\"amount\":1000"));
}

TEST(a_declined_card_has_our_code_and_the_providers)
{
	struct provider_answer a;

	server.head = "HTTP/1.1 403 Forbidden";
	server.body = "{\"code\":\"REJECT_CARD_PAYMENT\",\"message\":\"x\"}";
	a = charge_within(30000);
	assert_int_equal(a.outcome, PROVIDER_DECLINED);
	assert_string_equal(a.reason, "insufficient_funds REJECT_CARD_PAYMENT");
}

TEST(what_may_have_happened_is_unknown)
{
	assert_int_equal(charge_when("HTTP/1.1 500 Oops", "{\"code\":\"REJECT_CARD_PAYMENT\"}"), PROVIDER_UNKNOWN);
	assert_int_equal(charge_when("HTTP/1.1 503 Busy", ""), PROVIDER_UNKNOWN);
	assert_int_equal(charge_when("HTTP/1.1 400 Bad", "{\"code\":\"ALREADY_PROCESSED_PAYMENT\"}"), PROVIDER_UNKNOWN);
	assert_int_equal(charge_when("HTTP/1.1 400 Bad", "{\"code\":\"PROVIDER_ERROR\"}"), PROVIDER_UNKNOWN);
	assert_int_equal(
		charge_when("HTTP/1.1 409 Conflict", "{\"code\":\"IDEMPOTENT_REQUEST_PROCESSING\"}"), PROVIDER_UNKNOWN);
	assert_int_equal(charge_when("HTTP/1.1 400 Bad", "{\"code\":\"A_CODE_OF_NEXT_YEAR\"}"), PROVIDER_UNKNOWN);
	assert_int_equal(charge_when("HTTP/1.1 400 Bad", "{\"code\":null}"), PROVIDER_UNKNOWN);
	assert_int_equal(charge_when("HTTP/1.1 404 No", "<html>a proxy</html>"), PROVIDER_UNKNOWN);
	assert_int_equal(charge_when("HTTP/1.1 200 OK", "<html>a proxy</html>"), PROVIDER_UNKNOWN);
	assert_int_equal(charge_when("HTTP/1.1 200 OK", "{\"status\":\"DONE\"}"), PROVIDER_UNKNOWN);
	assert_int_equal(charge_when("HTTP/1.1 200 OK", "[]"), PROVIDER_UNKNOWN);
}

TEST(what_certainly_did_not_happen_is_later)
{
	assert_int_equal(charge_when("HTTP/1.1 429 Slow", "{\"code\":\"TOO_MANY_REQUESTS\"}"), PROVIDER_LATER);
	assert_int_equal(charge_when("HTTP/1.1 400 Bad", "{\"code\":\"INVALID_REQUEST\"}"), PROVIDER_LATER);
	assert_int_equal(charge_when("HTTP/1.1 401 No", "{\"code\":\"UNAUTHORIZED_KEY\"}"), PROVIDER_LATER);
}

TEST(a_provider_that_does_not_listen_was_certainly_not_asked)
{
	struct provider_answer a;

	shutdown(server.fd, SHUT_RDWR);
	close(server.fd);
	rental.provider_url = "http://127.0.0.1:1";
	a = charge_within(30000);
	assert_int_equal(a.outcome, PROVIDER_LATER);
	assert_string_equal(a.reason, "provider_down");
}

TEST(after_the_deadline_nothing_is_sent)
{
	assert_int_equal(charge_within(0).outcome, PROVIDER_LATER);
	assert_int_equal(server.n_asked, 0);
}

TEST(a_closed_connection_is_unknown)
{
	server.cuts = true;
	assert_int_equal(charge_within(30000).outcome, PROVIDER_UNKNOWN);
}

/* It took the request on a reused connection and went down without an answer: curl then tries again. */
TEST(a_provider_that_goes_down_during_a_request_is_unknown)
{
	server.leaves = true;
	assert_int_equal(charge_when("HTTP/1.1 200 OK", DONE_PAYMENT), PROVIDER_OK);
	assert_int_equal(charge_when("HTTP/1.1 200 OK", DONE_PAYMENT), PROVIDER_UNKNOWN);
	assert_int_equal(server.n_asked, 2);
}

TEST(an_answer_after_the_deadline_is_unknown_and_not_waited_for)
{
	int64_t began = clock_ms();

	server.hang_ms = 60000;
	server.body = DONE_PAYMENT;
	assert_int_equal(charge_within(200).outcome, PROVIDER_UNKNOWN);
	assert_true(clock_ms() - began < server.hang_ms);
}

TEST(a_redirect_is_not_followed_and_the_key_is_not_sent)
{
	server.head =
		arena_printf(m, "HTTP/1.1 307 Over there\r\nLocation: http://127.0.0.1:%d/elsewhere", server.port);
	server.body = "";
	assert_int_equal(charge_within(30000).outcome, PROVIDER_UNKNOWN);
	assert_int_equal(server.n_asked, 1);
}

TEST(an_endless_answer_is_cut_off)
{
	char *long_text = arena_alloc(m, 400001);

	memset(long_text, 'x', 400000);
	assert_int_equal(charge_when("HTTP/1.1 200 OK", long_text), PROVIDER_UNKNOWN);
}

TEST(a_look_up_has_four_answers)
{
	server.body = DONE_PAYMENT;
	assert_int_equal(provider->look_up(m, "MP-TEST01", clock_ms() + 30000).outcome, PROVIDER_OK);
	assert_non_null(strstr(server.asked, "GET /v1/payments/orders/MP-TEST01 "));
	server.body =
		"{\"orderId\":\"MP-TEST01\",\"status\":\"ABORTED\",\"failure\":{\"code\":\"INVALID_STOPPED_CARD\"}}";
	assert_int_equal(provider->look_up(m, "MP-TEST01", clock_ms() + 30000).outcome, PROVIDER_DECLINED);
	server.body = "{\"orderId\":\"MP-TEST01\",\"status\":\"IN_PROGRESS\"}";
	assert_int_equal(provider->look_up(m, "MP-TEST01", clock_ms() + 30000).outcome, PROVIDER_NOTHING);
	server.head = "HTTP/1.1 404 No";
	server.body = "{\"code\":\"NOT_FOUND_PAYMENT\"}";
	assert_int_equal(provider->look_up(m, "MP-TEST01", clock_ms() + 30000).outcome, PROVIDER_NOTHING);
	server.body = "<html>404 of some web server</html>";
	assert_int_equal(provider->look_up(m, "MP-TEST01", clock_ms() + 30000).outcome, PROVIDER_UNKNOWN);
	server.head = "HTTP/1.1 403 No";
	server.body = "{\"code\":\"REJECT_CARD_COMPANY\"}";
	assert_int_equal(provider->look_up(m, "MP-TEST01", clock_ms() + 30000).outcome, PROVIDER_UNKNOWN);
}

TEST(a_refund_carries_its_key_in_the_reason)
{
	struct provider_refund r = {
		.payment_key = "pk_1", .key = "MP-TEST01-cancel", .reason = "고객 요청", .amount = 500
	};

	server.body = DONE_PAYMENT;
	assert_int_equal(provider->refund(m, &r, clock_ms() + 30000).outcome, PROVIDER_OK);
	assert_non_null(strstr(server.asked, "POST /v1/payments/pk_1/cancel "));
	assert_non_null(strstr(server.asked, "고객 요청 [MP-TEST01-cancel]"));
	assert_non_null(strstr(server.asked, "\"cancelAmount\":500"));
}

TEST(a_refund_that_cannot_be_made_is_not_recorded_as_done)
{
	struct provider_refund r = { .payment_key = "pk_1", .key = "MP-TEST01-cancel", .reason = "", .amount = 500 };

	server.head = "HTTP/1.1 403 No";
	server.body = "{\"code\":\"NOT_CANCELABLE_AMOUNT\"}";
	assert_int_not_equal(provider->refund(m, &r, clock_ms() + 30000).outcome, PROVIDER_OK);
	assert_int_equal(server.n_asked, 2); /* it has looked up its refund in the payment */
}

TEST(a_refund_of_which_less_is_left_says_so)
{
	struct provider_refund r = { .payment_key = "pk_1", .key = "MP-TEST01-cancel", .reason = "", .amount = 500 };
	struct provider_answer a;

	server.head = "HTTP/1.1 400 No";
	server.body = "{\"code\":\"ALREADY_CANCELED_PAYMENT\"}";
	a = provider->refund(m, &r, clock_ms() + 30000);
	assert_int_equal(a.outcome, PROVIDER_UNKNOWN);
	assert_true(a.has_less);
	server.head = "HTTP/1.1 200 OK";
	server.body = DONE_PAYMENT;
	assert_false(provider->refund(m, &r, clock_ms() + 30000).has_less);
}

TEST(a_reduced_refund_is_another_request_with_the_same_mark)
{
	struct provider_refund r = {
		.payment_key = "pk_1", .key = "MP-TEST01-cancel", .reason = "", .amount = 300, .withheld = 200
	};

	server.body = DONE_PAYMENT;
	provider->refund(m, &r, clock_ms() + 30000);
	assert_non_null(strstr(server.asked, "Idempotency-Key: MP-TEST01-cancel-300\r\n"));
	assert_non_null(strstr(server.asked, "[MP-TEST01-cancel]"));
}

/* A cancelled payment without our mark: somebody else has cancelled it, and it is not our refund. */
TEST(a_refund_is_ours_only_with_its_mark)
{
	struct provider_refund r = { .payment_key = "pk_1", .key = "MP-TEST01-cancel", .reason = "", .amount = 500 };

	server.body = "{\"status\":\"CANCELED\",\"balanceAmount\":0,\"cancels\":[{\"cancelReason\":\"by hand\"}]}";
	assert_int_equal(toss_look_up_refund(m, &r, clock_ms() + 30000).outcome, PROVIDER_UNKNOWN);
	server.body = "{\"status\":\"PARTIAL_CANCELED\",\"balanceAmount\":500,\"cancels\":[]}";
	assert_int_equal(toss_look_up_refund(m, &r, clock_ms() + 30000).outcome, PROVIDER_NOTHING);
	server.body = "{\"status\":\"CANCELED\",\"balanceAmount\":0,"
		      "\"cancels\":[{\"cancelReason\":\"x [MP-TEST01-cancel]\"}]}";
	assert_int_equal(toss_look_up_refund(m, &r, clock_ms() + 30000).outcome, PROVIDER_OK);
}

TEST(the_cancellations_of_a_payment_name_our_refunds)
{
	struct provider_cancels c;

	server.body =
		"{\"status\":\"CANCELED\",\"cancels\":["
		"{\"transactionKey\":\"t1\",\"cancelAmount\":300,\"cancelReason\":\"customer [MP-TEST01-cancel]\"},"
		"{\"transactionKey\":\"t2\",\"cancelAmount\":200,\"cancelReason\":\"by [hand] \"}]}";
	c = provider->cancels(m, "pk/1", clock_ms() + 30000);
	assert_non_null(strstr(server.asked, "GET /v1/payments/pk%2F1 "));
	assert_int_equal(c.outcome, PROVIDER_OK);
	assert_int_equal(c.n, 2);
	assert_string_equal(c.list[0].refund_key, "MP-TEST01-cancel");
	assert_string_equal(c.list[1].refund_key, "");
	assert_string_equal(c.list[1].transaction_key, "t2");
	assert_int_equal(c.list[1].amount, 200);
	server.head = "HTTP/1.1 404 No";
	server.body = "{\"code\":\"NOT_FOUND_PAYMENT\"}";
	assert_int_equal(provider->cancels(m, "pk_1", clock_ms() + 30000).outcome, PROVIDER_NOTHING);
	server.head = "HTTP/1.1 500 No";
	assert_int_equal(provider->cancels(m, "pk_1", clock_ms() + 30000).outcome, PROVIDER_UNKNOWN);
}

TEST(transactions_are_listed_in_local_time_and_anything_else_is_unknown)
{
	struct provider_changes c;

	server.body = "[{\"transactionKey\":\"t1\",\"orderId\":\"MP-TEST01\",\"status\":\"DONE\"},"
		      "{\"transactionKey\":\"t2\",\"orderId\":\"MP-TEST01\",\"status\":\"PARTIAL_CANCELED\"}]";
	c = provider->changes(m, 1800000000, 1800086400, "t 0", clock_ms() + 30000);
	assert_non_null(strstr(server.asked, "GET /v1/transactions?startDate=2027-01-15T"));
	assert_non_null(strstr(server.asked, "&startingAfter=t%200 "));
	assert_int_equal(c.outcome, PROVIDER_OK);
	assert_int_equal(c.n, 2);
	assert_false(c.list[0].is_cancel);
	assert_true(c.list[1].is_cancel);
	assert_false(c.has_more);
	server.body = "{}";
	assert_int_equal(provider->changes(m, 1, 2, "", clock_ms() + 30000).outcome, PROVIDER_UNKNOWN);
	server.head = "HTTP/1.1 401 No";
	server.body = "[]";
	assert_int_equal(provider->changes(m, 1, 2, "", clock_ms() + 30000).outcome, PROVIDER_UNKNOWN);
}

TEST(long_reasons_are_cut_between_characters)
{
	assert_string_equal(cut_text(m, "가나다", 4), "가");
	assert_string_equal(cut_text(m, "가나다", 9), "가나다");
	assert_string_equal(cut_text(m, "abc", 2), "ab");
}

TEST(a_webhook_names_a_charge_or_nothing)
{
	assert_string_equal(provider->parse_webhook(m,
				    "{\"eventType\":\"PAYMENT_STATUS_CHANGED\",\"data\":{\"orderId\":\"MP-TEST01\"}}"),
		"MP-TEST01");
	assert_null(provider->parse_webhook(m, "{\"eventType\":\"PAYMENT_STATUS_CHANGED\",\"data\":{\"orderId\":7}}"));
	assert_null(provider->parse_webhook(
		m, "{\"eventType\":\"DEPOSIT_CALLBACK\",\"data\":{\"orderId\":\"MP-TEST01\"}}"));
	assert_null(provider->parse_webhook(m, "{\"eventType\":\"PAYMENT_STATUS_CHANGED\",\"data\":[]}"));
	assert_null(provider->parse_webhook(m, "[[[[[["));
	assert_null(provider->parse_webhook(m, ""));
}

TEST(one_connection_serves_many_calls)
{
	for (int i = 0; i < 5; i++)
		assert_int_equal(charge_when("HTTP/1.1 200 OK", DONE_PAYMENT), PROVIDER_OK);
	assert_int_equal(server.n_asked, 5);
}

TEST(a_key_that_others_can_read_is_not_used)
{
	charge_when("HTTP/1.1 401 No", "{\"code\":\"UNAUTHORIZED_KEY\"}"); /* drops the key it has read */
	chmod(scratch_path("payment.key"), 0644);
	assert_int_equal(charge_when("HTTP/1.1 200 OK", DONE_PAYMENT), PROVIDER_LATER);
	assert_int_equal(server.n_asked, 1);
}

TEST(a_new_key_is_read_after_the_old_one_was_refused)
{
	charge_when("HTTP/1.1 401 No", "{\"code\":\"UNAUTHORIZED_KEY\"}");
	scratch_write(scratch_path("payment.key"), "test_sk_new\n");
	assert_int_equal(charge_when("HTTP/1.1 200 OK", DONE_PAYMENT), PROVIDER_OK);
	assert_non_null(strstr(server.asked, "Authorization: Basic dGVzdF9za19uZXc6"));
	charge_when("HTTP/1.1 401 No", "{\"code\":\"UNAUTHORIZED_KEY\"}"); /* the next test has another key */
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return test_run("toss", NULL, NULL, begin, end);
}
