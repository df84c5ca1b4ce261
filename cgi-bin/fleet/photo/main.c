/*
 * fleet-photo - reads an uploaded picture from stdin, writes a JPEG of at most 960 × 640 to stdout, and ends.
 *
 * Picture decoders are a common target of attacks, so they run only here: in a process of its own without files,
 * network and other processes, with little time and memory (rlimits), which after reading its input may only compute
 * and write (seccomp). The output is redrawn and has no metadata, such as place and time. Exit status: 0 done; 2 not a
 * readable picture; 3 too many pixels; killed: treated as not readable.
 */
#include "picture.h"

#include "domain/photo.h"

#include <errno.h>
#include <gd.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IN_MAX     ((size_t)8 << 20)
#define OUT_MAX    (2 << 20)
#define MAX_WIDTH  960
#define MAX_HEIGHT 640
#define QUALITY    82
#define MEMORY     ((rlim_t)768 << 20)
#define SECONDS    4

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* --- limits ------------------------------------------------------------------------------------------------------- */

static void
limit(int what, rlim_t to)
{
	setrlimit(what, &(struct rlimit){ to, to });
}

static void
set_limits(void)
{
	close_range(3, ~0U, 0);
#ifndef __SANITIZE_ADDRESS__ /* it maps terabytes of shadow memory */
	limit(RLIMIT_AS, MEMORY);
#endif
	limit(RLIMIT_CPU, SECONDS);
	limit(RLIMIT_FSIZE, OUT_MAX);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, 3);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

#define ALLOW(call) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* Allowed: memory, writing to open files, exiting. All other calls fail with EPERM. */
static void
forbid_all_else(void)
{
#if defined(ARCH) && !defined(__SANITIZE_ADDRESS__)
	static struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(write),
		ALLOW(brk),
		ALLOW(mmap),
		ALLOW(munmap),
		ALLOW(mremap),
		ALLOW(madvise),
		ALLOW(futex),
		ALLOW(getrandom),
		ALLOW(rt_sigreturn),
		ALLOW(rt_sigprocmask),
		ALLOW(exit),
		ALLOW(exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	static const struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program); /* without it the limits above still hold */
#endif
}

/* --- the picture -------------------------------------------------------------------------------------------------- */

static gdImagePtr
decode(const struct picture *p, unsigned char *s, int n)
{
	switch (p->type) {
	case PICTURE_JPEG: return gdImageCreateFromJpegPtrEx(n, s, 1);
	case PICTURE_PNG: return gdImageCreateFromPngPtr(n, s);
	case PICTURE_WEBP: return gdImageCreateFromWebpPtr(n, s);
	case PICTURE_UNKNOWN: break;
	}
	return NULL;
}

/* Scales down, never up, on a white background. Turned later: the limits apply to the picture as it will be seen. */
static gdImagePtr
fit(gdImagePtr im, bool is_sideways)
{
	long width = gdImageSX(im), height = gdImageSY(im);
	long max_w = is_sideways ? MAX_HEIGHT : MAX_WIDTH, max_h = is_sideways ? MAX_WIDTH : MAX_HEIGHT;
	long w = width, h = height;
	gdImagePtr out;

	if (w > max_w) {
		h = height * max_w / width;
		w = max_w;
	}
	if (h > max_h) {
		w = width * max_h / height;
		h = max_h;
	}
	out = gdImageCreateTrueColor((int)(w ? w : 1), (int)(h ? h : 1));
	if (!out)
		return NULL;
	gdImageFilledRectangle(out, 0, 0, gdImageSX(out), gdImageSY(out), gdTrueColor(255, 255, 255));
	gdImageCopyResampled(out, im, 0, 0, 0, 0, gdImageSX(out), gdImageSY(out), (int)width, (int)height);
	return out;
}

/* The colour of (x, y) after turning the picture upright. side_up: EXIF orientation. */
static int
turned_pixel(gdImagePtr im, int side_up, int x, int y)
{
	int right = gdImageSX(im) - 1, low = gdImageSY(im) - 1;

	switch (side_up) {
	case 2: return gdImageTrueColorPixel(im, right - x, y);
	case 3: return gdImageTrueColorPixel(im, right - x, low - y);
	case 4: return gdImageTrueColorPixel(im, x, low - y);
	case 5: return gdImageTrueColorPixel(im, y, x);
	case 6: return gdImageTrueColorPixel(im, y, low - x);
	case 7: return gdImageTrueColorPixel(im, right - y, low - x);
	case 8: return gdImageTrueColorPixel(im, right - y, x);
	default: return gdImageTrueColorPixel(im, x, y);
	}
}

static gdImagePtr
turn(gdImagePtr im, int side_up)
{
	bool sideways = side_up >= 5;
	int w = sideways ? gdImageSY(im) : gdImageSX(im), h = sideways ? gdImageSX(im) : gdImageSY(im);
	gdImagePtr out = gdImageCreateTrueColor(w, h);

	for (int y = 0; out && y < h; y++)
		for (int x = 0; x < w; x++)
			gdImageTrueColorPixel(out, x, y) = turned_pixel(im, side_up, x, y);
	return out;
}

/* --- input and output --------------------------------------------------------------------------------------------- */

static size_t
read_input(unsigned char *to, size_t room)
{
	size_t n = 0;
	ssize_t got;

	while (n < room && (got = read(STDIN_FILENO, to + n, room - n)) > 0)
		n += (size_t)got;
	return n;
}

static bool
write_output(const char *s, size_t n)
{
	ssize_t put;

	for (; n; s += put, n -= (size_t)put)
		if ((put = write(STDOUT_FILENO, s, n)) <= 0)
			return false;
	return true;
}

static void
silent(int priority, const char *format, va_list args)
{
	(void)priority;
	(void)format;
	(void)args;
}

/* Nothing is freed: the process ends. */
static enum picture_exit
redraw(unsigned char *s, size_t n)
{
	struct picture p;
	gdImagePtr im;
	void *jpeg;
	int size;

	if (!picture_look(&p, s, n))
		return PICTURE_UNREADABLE;
	if (p.width > PICTURE_MAX_PIXELS / p.height)
		return PICTURE_TOO_LARGE;
	im = decode(&p, s, (int)n);
	if (im)
		im = fit(im, p.side_up >= 5);
	if (im && p.side_up > 1)
		im = turn(im, p.side_up);
	if (!im)
		return PICTURE_UNREADABLE;
	gdImageInterlace(im, 1);
	jpeg = gdImageJpegPtr(im, &size, QUALITY);
	return jpeg && write_output(jpeg, (size_t)size) ? PICTURE_DONE : PICTURE_UNREADABLE;
}

int
main(void)
{
	unsigned char *s = malloc(IN_MAX + 1);
	size_t n;

	set_limits();
	gdSetErrorMethod(silent);
	n = s ? read_input(s, IN_MAX + 1) : 0;
	forbid_all_else();
	_exit(n > IN_MAX ? PICTURE_TOO_LARGE : redraw(s, n));
}
