/*
 * webhook - notifies the merchant that a payment has changed: a POST to BASE_URL/payments/webhook. A thread sends them,
 * so that no answer waits for it; it does not use the database. A webhook that fails is tried a few times and then
 * dropped: merchants must not depend on webhooks alone.
 */
#include "sandbox.h"

#include "lib/base/log.h"
#include "lib/base/settings.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ROOM  64                /* waiting at most; more are dropped */
#define TRIES 4

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	char *body[ROOM];
	int first, n;
	bool runs;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };

/* --- one POST ----------------------------------------------------------------------------------------------------- */

/* "http://localhost:8080/x" -> host, port, path. No https. */
static bool
split_url(const char *url, char *host, char *port, char *path)
{
	*path = '\0';
	strcpy(port, "80");
	if (sscanf(url, "http://%199[^:/]:%9[0-9]%199s", host, port, path) >= 2)
		return true;
	return sscanf(url, "http://%199[^:/]%199s", host, path) >= 1;
}

static int
connect_to(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	struct timeval limit = { .tv_sec = 2 };
	int fd = -1;

	if (getaddrinfo(host, port, &hints, &list) != 0)
		return -1;
	for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd;
}

static bool
post_webhook(const char *body)
{
	char host[200], port[10], path[200], head[1000], answer[64] = "";
	int fd, n;

	if (!split_url(settings.base_url, host, port, path) || (fd = connect_to(host, port)) < 0)
		return false;
	n = snprintf(head, sizeof(head),
		"POST %s/payments/webhook HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\n",
		path, host, port, strlen(body));
	if (send(fd, head, (size_t)n, MSG_NOSIGNAL) == n
		&& send(fd, body, strlen(body), MSG_NOSIGNAL) == (ssize_t)strlen(body))
		n = (int)recv(fd, answer, sizeof(answer) - 1, 0);
	close(fd);
	return strncmp(answer, "HTTP/1.1 2", 10) == 0 || strncmp(answer, "HTTP/1.0 2", 10) == 0;
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

static char *
next_body(void)
{
	char *body;

	pthread_mutex_lock(&queue.lock);
	while (queue.n == 0)
		pthread_cond_wait(&queue.more, &queue.lock);
	body = queue.body[queue.first];
	queue.first = (queue.first + 1) % ROOM;
	queue.n--;
	pthread_mutex_unlock(&queue.lock);
	return body;
}

static void *
send_webhooks(void *arg)
{
	for (;;) {
		char *body = next_body();

		for (int i = 0; i < TRIES && !post_webhook(body); i++)
			usleep(200000u << i);
		free(body);
	}
	return arg;
}

/* With the queue locked. */
static void
start_thread(void)
{
	pthread_t thread;

	if (queue.runs || pthread_create(&thread, NULL, send_webhooks, NULL) != 0)
		return;
	pthread_detach(thread);
	queue.runs = true;
}

void
webhook_send(const char *body, int n)
{
	pthread_mutex_lock(&queue.lock);
	start_thread();
	for (int i = 0; i < n && queue.n < ROOM; i++) {
		char *copy = strdup(body);

		if (!copy)
			abort();
		queue.body[(queue.first + queue.n++) % ROOM] = copy;
	}
	pthread_cond_signal(&queue.more);
	pthread_mutex_unlock(&queue.lock);
}
