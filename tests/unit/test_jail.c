/* test_jail - what a jailed worker can and cannot do, each tried in a child process. */
#include "test.h"

#include "lib/process/jail.c"

#include "scratch.h"

#include <curl/curl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/un.h>

static char here[4096];

static struct jail
a_jail(int may)
{
	return (struct jail){ .may = may,
		.root = here,
		.var = scratch,
		.bin = "/nowhere",
		.execute = may & JAIL_EXECUTE ? "/bin/true" : NULL };
}

/* In a jailed child: does what is tried succeed? */
static bool
works(int may, bool (*try)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct jail j = a_jail(may);
		const char *says;

		_exit(!jail_enter(&j, &says) ? 2 : try() ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 2);
	return WEXITSTATUS(status) == 0;
}

static bool has_landlock(void) { return syscall(SYS_landlock_create_ruleset, NULL, 0,
	LANDLOCK_CREATE_RULESET_VERSION) > 0; }

static bool try_inet(void) { return can_open_socket(AF_INET, SOCK_STREAM) && can_open_socket(AF_INET6, SOCK_DGRAM); }
static bool try_packet(void) { return can_open_socket(AF_PACKET, SOCK_RAW) || can_open_socket(AF_ALG,
	SOCK_SEQPACKET) || can_open_socket(AF_VSOCK, SOCK_STREAM); }
static bool try_unix(void) { return can_open_socket(AF_UNIX, SOCK_STREAM); }
static bool try_trace(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0; }
static bool try_look(void) { return can_open("/etc/passwd", O_RDONLY) || can_open("/root",
	O_RDONLY | O_DIRECTORY) || can_open("/", O_RDONLY | O_DIRECTORY); }
static bool try_read(void) { return can_open("motorpool.conf", O_RDONLY) && can_open("templates",
	O_RDONLY | O_DIRECTORY) && can_open("/usr/share/zoneinfo/Asia/Seoul", O_RDONLY); }
static bool try_deface(void) { return can_open("motorpool.conf", O_WRONLY) || can_open("/tmp/motorpool-jail",
	O_WRONLY | O_CREAT) || can_open("/usr/share/motorpool", O_WRONLY | O_CREAT); }
static bool try_mount(void) { return syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL) == 0 || syscall(SYS_unshare,
	0x10000000) == 0; }
static bool try_kernel(void) { return syscall(SYS_bpf, 0, NULL,
	0) == 0 || errno != EPERM || syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0) == 0 || errno != EPERM; }

static bool
try_write(void)
{
	const char *a = scratch_path("a"), *b = scratch_path("b");

	return can_open(a, O_RDWR | O_CREAT) && rename(a, b) == 0 && unlink(b) == 0;
}

static bool
can_spawn(const char *path)
{
	char *argv[] = { (char *)(uintptr_t)path, NULL }, *env[] = { NULL };
	int status;
	pid_t pid;

	return posix_spawn(&pid, path, NULL, NULL, argv, env) == 0 && waitpid(pid, &status, 0) == pid
		&& WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
static bool try_run(void) { return can_spawn("/bin/true"); }
static bool try_run_other(void) { return can_spawn("/bin/echo") || can_spawn("/bin/sh"); }

TEST(a_worker_can_serve)
{
	assert_true(works(0, try_unix));
	assert_true(works(0, try_read));
	assert_true(works(0, try_write));
}

TEST(none_can_trace_mount_or_change_the_kernel)
{
	for (int may = 0; may < 4; may++) {
		assert_false(works(may, try_trace));
		assert_false(works(may, try_mount));
		assert_false(works(may, try_kernel));
		assert_false(works(may, try_packet));
	}
}

TEST(the_network_is_only_for_those_that_need_it)
{
	assert_false(works(0, try_inet));
	assert_false(works(JAIL_EXECUTE, try_inet));
	assert_true(works(JAIL_NETWORK, try_inet));
}

/* As payment resolves its card provider's name, in a thread. Port 1 refuses the connection, but only after the name was
 * resolved. */
static bool
try_name(void)
{
	CURL *curl = curl_easy_init();
	char url[300] = "http://", name[256] = "";
	CURLcode rc;

	gethostname(name, sizeof(name) - 1);
	snprintf(url, sizeof(url), "http://%s:1/", name);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 5000L);
	rc = curl_easy_perform(curl);
	curl_easy_cleanup(curl);
	return rc == CURLE_COULDNT_CONNECT;
}

TEST(with_the_network_comes_name_resolution)
{
	if (!try_name()) /* this machine cannot resolve its own name */
		skip();
	assert_true(works(JAIL_NETWORK, try_name));
	assert_false(works(0, try_name));
}

static bool try_ask(void) { return kill(getppid(), 0) == 0 && kill(1 << 22, 0) != 0 && errno == ESRCH; }
static bool try_signal(void) { return kill(getppid(), SIGCONT) == 0; }

TEST(a_worker_may_test_whether_a_process_exists_but_not_signal_it)
{
	assert_true(works(0, try_ask));
	assert_false(works(0, try_signal));
}

TEST(only_the_named_program_can_be_executed_and_only_by_those_that_need_it)
{
	assert_false(works(0, try_run));
	assert_false(works(JAIL_NETWORK, try_run));
	assert_true(works(JAIL_EXECUTE, try_run));
	if (has_landlock())
		assert_false(works(JAIL_EXECUTE, try_run_other));
}

TEST(other_files_cannot_be_opened)
{
	if (!has_landlock())
		skip();
	assert_false(works(0, try_look));
	assert_false(works(0, try_deface));
	assert_false(works(JAIL_EXECUTE | JAIL_NETWORK, try_look));
}

/* Without a jail each check finds a hole. */
TEST(the_self_test_can_fail)
{
	struct jail j = a_jail(0);
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(hole_in_filter(0) && hole_in_filter(JAIL_NETWORK) && hole_in_ruleset(&j) ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	unlink("/tmp/motorpool-jail-test");
}

/* A worker that cannot open what it needs does not serve. */
TEST(a_jail_that_is_too_narrow_is_noticed)
{
	int status;
	pid_t pid;

	if (!has_landlock())
		skip();
	pid = fork();
	if (pid == 0) {
		struct jail j = a_jail(0);
		const char *says;

		j.var = "/nowhere";
		_exit(jail_enter(&j, &says) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
}

int
main(void)
{
	if (!getcwd(here, sizeof(here)))
		return 1;
	return test_run("jail", NULL, NULL, scratch_begin, scratch_end);
}
