/* jail.c - seccomp and Landlock, by their system calls; jail.h describes it. */
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#endif

/* --- seccomp: system calls ------------------------------------------------------------------- */

#define CALL(name) SYS_##name

static const int allowed[] = {
	/* files */
	CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64), CALL(preadv), CALL(pwritev),
	CALL(lseek), CALL(openat), CALL(close), CALL(close_range), CALL(fstat), CALL(newfstatat), CALL(statx),
	CALL(statfs), CALL(fstatfs), CALL(faccessat), CALL(faccessat2), CALL(readlinkat), CALL(unlinkat),
	CALL(renameat), CALL(renameat2), CALL(linkat), CALL(mkdirat), CALL(fchmod), CALL(fchmodat), CALL(fchown),
	CALL(ftruncate), CALL(fallocate), CALL(fsync), CALL(fdatasync), CALL(flock), CALL(fcntl), CALL(getdents64),
	CALL(getcwd), CALL(umask), CALL(utimensat), CALL(fadvise64), CALL(dup), CALL(dup3), CALL(pipe2), CALL(ioctl),
	CALL(memfd_create), CALL(sendfile),
	/* memory, locks, existing threads */
	CALL(mmap), CALL(munmap), CALL(mremap), CALL(mprotect), CALL(madvise), CALL(brk), CALL(futex),
	CALL(set_robust_list), CALL(get_robust_list), CALL(rseq), CALL(set_tid_address), CALL(sched_yield),
	CALL(sched_getaffinity), CALL(membarrier),
	/* existing sockets, and unix ones (socket() is checked below) */
	CALL(connect), CALL(accept4), CALL(bind), CALL(sendto), CALL(sendmsg), CALL(recvfrom), CALL(recvmsg),
	CALL(shutdown), CALL(getsockopt), CALL(setsockopt), CALL(getsockname), CALL(getpeername), CALL(sendmmsg),
	CALL(recvmmsg), CALL(ppoll), CALL(pselect6), CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_pwait),
	CALL(signalfd4), CALL(eventfd2),
	/* the process itself */
	CALL(exit), CALL(exit_group), CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn),
	CALL(rt_sigtimedwait), CALL(sigaltstack), CALL(tgkill), CALL(gettid), CALL(getpid), CALL(getppid), CALL(getuid),
	CALL(geteuid), CALL(getgid), CALL(getegid), CALL(getgroups), CALL(prlimit64), CALL(getrusage), CALL(prctl),
	CALL(restart_syscall),
	/* time, random numbers, the machine */
	CALL(clock_gettime), CALL(clock_getres), CALL(clock_nanosleep), CALL(nanosleep), CALL(gettimeofday),
	CALL(times), CALL(getrandom), CALL(uname), CALL(sysinfo),
#ifdef __x86_64__
	/* older forms of the above */
	CALL(open), CALL(stat), CALL(lstat), CALL(access), CALL(readlink), CALL(unlink), CALL(rename), CALL(link),
	CALL(mkdir), CALL(rmdir), CALL(chmod), CALL(dup2), CALL(pipe), CALL(poll), CALL(select), CALL(epoll_wait),
	CALL(time), CALL(arch_prctl), CALL(getrlimit), CALL(pause),
#endif
};

/* for threads, posix_spawn() and the start of a program */
static const int allowed_to_start[] = { CALL(clone), CALL(clone3), CALL(wait4), CALL(waitid), CALL(kill),
	CALL(pidfd_open), CALL(setrlimit),
#ifdef __x86_64__
	CALL(vfork),
#endif
};
static const int allowed_to_execute[] = { CALL(execve), CALL(seccomp) };

/* Socket families; name resolution uses AF_NETLINK. */
static const int local_families[] = { AF_UNIX }, network_families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

#define N(list) ((int)(sizeof(list) / sizeof((list)[0])))
#define MAX_STEPS 512

struct filter { struct sock_filter step[MAX_STEPS]; int n; };

static void
filter_add(struct filter *f, int code, uint32_t k, int yes, int no)
{
	f->step[f->n++] = (struct sock_filter){ (uint16_t)code, (uint8_t)yes, (uint8_t)no, k };
}

static void
filter_allow_list(struct filter *f, const int *list, int n)
{
	for (int i = 0; i < n; i++) {
		filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)list[i], 0, 1);
		filter_add(f, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	}
}

static void
filter_refuse(struct filter *f)
{
	filter_add(f, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
}

#ifdef MACHINE
/* Signal 0 only tells whether a process exists (breaker_permit.c). */
static void
filter_allow_signal_0(struct filter *f)
{
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, CALL(kill), 0, 4);
	filter_add(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]), 0, 0);
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
	filter_add(f, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	filter_refuse(f);
}

static void
filter_build(struct filter *f, int may)
{
	const int *families = may & JAIL_NETWORK ? network_families : local_families;

	filter_add(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
	filter_add(f, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	filter_add(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	filter_allow_list(f, allowed, N(allowed));
	if (may & (JAIL_NETWORK | JAIL_EXECUTE))
		filter_allow_list(f, allowed_to_start, N(allowed_to_start));
	if (may & JAIL_EXECUTE)
		filter_allow_list(f, allowed_to_execute, N(allowed_to_execute));
	filter_allow_signal_0(f);
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, CALL(socket), 2, 0);
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, may & JAIL_NETWORK ? CALL(socketpair) : CALL(socket), 1,
		0); /* for libcurl's resolver threads */
	filter_refuse(f);
	filter_add(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]), 0, 0);
	filter_allow_list(f, families, may & JAIL_NETWORK ? N(network_families) : N(local_families));
	filter_refuse(f);
}
#endif

static bool
filter_install(int may)
{
#ifdef MACHINE
	static struct filter f;
	struct sock_fprog program = { .filter = f.step };

	f.n = 0;
	filter_build(&f, may);
	program.len = (unsigned short)f.n;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0;
#else
	(void)may;
	(void)filter_allow_list, (void)filter_refuse;
	return errno = ENOSYS, false;
#endif
}

/* --- Landlock: files -------------------------------------------------------------------------------------------- */

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define MAY_READ  (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define MAY_WRITE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
	LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_TRUNCATE)
#define OF_A_FILE (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	LANDLOCK_ACCESS_FS_TRUNCATE)

/* In addition to the release: time zones, libraries loaded later, name resolution, certificates. Not all of /etc. */
static const char *const readable[] = {
	"/usr/share", "/usr/lib", "/lib", "/lib64", "/etc/ssl", "/etc/ca-certificates", "/etc/localtime",
	"/etc/timezone", "/etc/resolv.conf", "/run/systemd/resolve", "/etc/hosts", "/etc/host.conf",
	"/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/ld.so.cache", "/proc", "/dev/urandom",
	"/dev/null", NULL,
};
/* Needed to execute any program. */
static const char *const loaders[] = { "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", NULL };

struct ruleset { int fd; uint64_t handled; };

/* A path that does not exist is left out. */
static void
ruleset_allow(const struct ruleset *r, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access & r->handled };
	struct stat st;

	if (!path)
		return;
	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= OF_A_FILE;
	syscall(SYS_landlock_add_rule, r->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
}

static void
ruleset_fill(const struct ruleset *r, const struct jail *j)
{
	for (const char *const *path = readable; *path; path++)
		ruleset_allow(r, *path, MAY_READ);
	ruleset_allow(r, "/dev/null", MAY_READ | LANDLOCK_ACCESS_FS_WRITE_FILE);
	ruleset_allow(r, j->root, MAY_READ);
	ruleset_allow(r, j->bin, MAY_READ);
	ruleset_allow(r, j->locale, MAY_READ);
	ruleset_allow(r, j->var, MAY_READ | MAY_WRITE);
	if (!(j->may & JAIL_EXECUTE))
		return;
	ruleset_allow(r, j->execute, MAY_READ | LANDLOCK_ACCESS_FS_EXECUTE);
	for (const char *const *path = loaders; *path; path++)
		ruleset_allow(r, *path, MAY_READ | LANDLOCK_ACCESS_FS_EXECUTE);
}

/* Returns the version in force; 0: the kernel has none. */
static int
restrict_files(const struct jail *j)
{
	int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr all = { .handled_access_fs = (1ULL << 13) - 1 };
	struct ruleset r;

	if (version <= 0)
		return 0;
	if (version >= 2)
		all.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		all.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	r.handled = all.handled_access_fs;
	r.fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (r.fd < 0)
		return 0;
	ruleset_fill(&r, j);
	if (syscall(SYS_landlock_restrict_self, r.fd, 0) != 0)
		version = 0;
	close(r.fd);
	return version;
}

/* --- trying what is forbidden -------------------------------------------------------------------------------- */

static bool
can_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool
can_open_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* An empty path: without a filter it is ENOENT. */
static bool
can_execute(void)
{
	return syscall(SYS_execve, "", NULL, NULL) == 0 || errno != EPERM;
}

static const char *
hole_in_filter(int may)
{
	if (syscall(SYS_ptrace, PTRACE_TRACEME, 0, NULL, NULL) == 0)
		return "it can be traced";
	if (can_open_socket(AF_PACKET, SOCK_RAW) || can_open_socket(AF_ALG, SOCK_SEQPACKET))
		return "it can open raw sockets";
	if (!(may & JAIL_NETWORK) && can_open_socket(AF_INET, SOCK_STREAM))
		return "it can use the network";
	if (!(may & JAIL_EXECUTE) && can_execute())
		return "it can execute programs";
	return NULL;
}

static const char *
hole_in_ruleset(const struct jail *j)
{
	char path[4200];

	snprintf(path, sizeof(path), "%.4000s/motorpool.conf", j->root);
	if (can_open("/", O_RDONLY | O_DIRECTORY) || can_open("/etc/shadow", O_RDONLY)
		|| can_open("/etc", O_RDONLY | O_DIRECTORY))
		return "it can read files outside its release and state folder";
	if (can_open(path, O_WRONLY) || can_open("/tmp/motorpool-jail-test", O_WRONLY | O_CREAT))
		return "it can write outside its state folder";
	if (!can_open(path, O_RDONLY) || !can_open(j->var, O_RDONLY | O_DIRECTORY))
		return "it cannot read what it needs";
	return NULL;
}

bool
jail_enter(const struct jail *j, const char **says)
{
	static char text[80];
	const char *hole = NULL;
	bool filtered;
	int version;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return *says = "the kernel lets it gain privileges", false;
	version = restrict_files(j);
	filtered = filter_install(j->may);
	if (filtered)
		hole = hole_in_filter(j->may);
	if (!hole && version)
		hole = hole_in_ruleset(j);
	if (hole)
		return *says = hole, false;
	snprintf(text, sizeof(text), "%s, %s%.0d", filtered ? "seccomp" : "no seccomp here",
		version ? "Landlock " : "no Landlock here", version);
	*says = text;
	return true;
}
