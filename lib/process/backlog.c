/* backlog.c - the length of a listening socket's backlog, by netlink; backlog.h describes it. */
#include "backlog.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static int diag = -1;
static bool is_tried;

bool
backlog_open(void)
{
	struct timeval limit = { .tv_usec = 50000 }; /* the kernel answers at once, or not at all */

	if (!is_tried) {
		is_tried = true;
		diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
		if (diag >= 0)
			setsockopt(diag, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	}
	return diag >= 0;
}

static bool
send_query(ino_t inode)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} q = {
		.head = { .nlmsg_len = sizeof(q), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = AF_UNIX,
			.udiag_states = ~0U,
			.udiag_ino = (uint32_t)inode,
			.udiag_show = UDIAG_SHOW_RQLEN,
			.udiag_cookie = { ~0U, ~0U } },
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return sendto(diag, &q, sizeof(q), 0, (struct sockaddr *)&kernel, sizeof(kernel)) == (ssize_t)sizeof(q);
}

/* The length is an attribute that follows the answer; -1: it is an error. */
static int
parse_length(const char *s, size_t n)
{
	const struct nlmsghdr *head = (const void *)s;
	size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct unix_diag_msg));

	if (n < at || head->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -1;
	while (at + sizeof(struct nlattr) <= n) {
		const struct nlattr *a = (const void *)(s + at);

		if (a->nla_len < sizeof(*a) || at + a->nla_len > n)
			return -1;
		if (a->nla_type == UNIX_DIAG_RQLEN && a->nla_len >= sizeof(*a) + sizeof(struct unix_diag_rqlen))
			return (int)((const struct unix_diag_rqlen *)(a + 1))->udiag_rqueue;
		at += NLA_ALIGN(a->nla_len);
	}
	return -1;
}

static int
has_connection(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

int
backlog_length(int listening_fd)
{
	_Alignas(8) char answer[512];
	struct stat st;
	ssize_t n;
	int length;

	if (!backlog_open() || fstat(listening_fd, &st) != 0 || !send_query(st.st_ino))
		return has_connection(listening_fd);
	n = recv(diag, answer, sizeof(answer), 0);
	length = n > 0 ? parse_length(answer, (size_t)n) : -1;
	if (length >= 0)
		return length;
	close(diag); /* this kernel has no unix_diag */
	diag = -1;
	return has_connection(listening_fd);
}
