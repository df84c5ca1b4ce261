/*
 * key - the merchant's secret key. A real provider issues it on its web site; the sandbox creates one on its first
 * start where payment reads it ($VAR/payment.key, 0600). An existing key is used.
 */
#include "sandbox.h"

#include "lib/base/folder.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char expected[400];      /* "Basic " and base64 of "KEY:" */

/* Written under another name and linked: complete or not there at all; the second of two processes keeps the first
 * key. */
static bool
create_key_file(const char *var_dir, const char *path)
{
	struct arena *m = arena_new(65536);
	char *temp = arena_printf(m, "%s/payment.key.XXXXXX", var_dir);
	const char *key = arena_printf(m, "test_sk_%s\n", secret_token(m));
	int fd = mkostemp(temp, O_CLOEXEC); /* 0600 */
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, key, strlen(key)) == (ssize_t)strlen(key) && fsync(fd) == 0
		&& (link(temp, path) == 0 || errno == EEXIST);
	close(fd);
	unlink(temp);
	return ok && folder_sync(var_dir);
}

static bool
load_key(const char *path)
{
	char key[200] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd >= 0 ? read(fd, key, sizeof(key) - 2) : -1;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	key[strcspn(key, " \t\r\n")] = '\0';
	strcat(key, ":");
	strcpy(expected, "Basic ");
	sodium_bin2base64(expected + 6, sizeof(expected) - 6, (const unsigned char *)key, strlen(key),
		sodium_base64_VARIANT_ORIGINAL);
	return true;
}

bool
sandbox_key_open(const char *var_dir)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/payment.key", var_dir);
	if (load_key(path) || (errno == ENOENT && create_key_file(var_dir, path) && load_key(path)))
		return true;
	log_error("sandbox", "payment.key: %s", strerror(errno));
	return false;
}

bool
sandbox_key_ok(const char *authorization)
{
	return authorization && *expected && secret_same(authorization, expected);
}
