/*
 * secret.c - random tokens, keyed hashes and passwords; secret.h says what each is for.
 *
 * The key signs CSRF tokens and cookies of all programs, so all read the same file. It is made once: written under a
 * temporary name, synced, and linked to its name; a second process finds the name taken and reads that key.
 *
 * Hashing a password takes 64 MiB, so at most two are hashed at a time over all processes: each holds the flock of one
 * of two slot files. A process that dies gives its slot back with its file descriptors.
 */
#include "secret.h"

#include "folder.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_SLOTS 2
#define PATH_MAX_ 4096

static unsigned char key[crypto_generichash_KEYBYTES];
static char slot_path[N_SLOTS][PATH_MAX_ + 32];

/* --- the key file ------------------------------------------------------------------------------------------------- */

/* Writes a key to a new file and links it to its name, unless another process was first. */
static bool
make_key(const char *dir, const char *path)
{
	unsigned char fresh[sizeof(key)];
	char temp[PATH_MAX_ + 64];
	bool ok = false;
	int fd;

	snprintf(temp, sizeof(temp), "%s/secret.key.XXXXXX", dir);
	fd = mkostemp(temp, O_CLOEXEC); /* 0600 */
	if (fd < 0)
		return false;
	randombytes_buf(fresh, sizeof(fresh));
	if (write(fd, fresh, sizeof(fresh)) == (ssize_t)sizeof(fresh) && fsync(fd) == 0)
		ok = link(temp, path) == 0 || errno == EEXIST;
	close(fd);
	unlink(temp);
	sodium_memzero(fresh, sizeof(fresh));
	return ok && folder_sync(dir);
}

static bool
read_key(const char *path)
{
	struct stat st;
	bool ok = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || (st.st_mode & 077) || st.st_size != (off_t)sizeof(key)) {
		log_error("secret", "secret.key must be a file of %zu bytes that only its owner can read", sizeof(key));
		errno = EPERM;
	} else {
		ok = read(fd, key, sizeof(key)) == (ssize_t)sizeof(key);
	}
	close(fd);
	return ok;
}

bool
secret_open(const char *var_dir)
{
	char path[PATH_MAX_ + 32];

	if (sodium_init() < 0 || strlen(var_dir) > PATH_MAX_)
		return false;
	snprintf(path, sizeof(path), "%s/run", var_dir);
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return false;
	for (int i = 0; i < N_SLOTS; i++)
		snprintf(slot_path[i], sizeof(slot_path[i]), "%s/run/password.%d", var_dir, i);
	snprintf(path, sizeof(path), "%s/secret.key", var_dir);
	if (read_key(path))
		return true;
	return errno == ENOENT && make_key(var_dir, path) && read_key(path);
}

/* --- tokens and hashes -------------------------------------------------------------------------------------------- */

static const char *
base64url(struct arena *m, const unsigned char *bytes, size_t n)
{
	size_t room = sodium_base64_encoded_len(n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);

	return sodium_bin2base64(arena_alloc(m, room), room, bytes, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

const char *
secret_token(struct arena *m)
{
	unsigned char bytes[24];

	randombytes_buf(bytes, sizeof(bytes));
	return base64url(m, bytes, sizeof(bytes));
}

/* Crockford's digits: no I, L, O, U, so a code survives being read over the telephone. 40 bits. */
const char *
secret_code(struct arena *m, const char *prefix)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	unsigned char bytes[8];
	char code[9] = "";

	randombytes_buf(bytes, sizeof(bytes));
	for (int i = 0; i < 8; i++)
		code[i] = digits[bytes[i] & 31];
	return arena_printf(m, "%s%s", prefix, code);
}

const char *
secret_hash(struct arena *m, const char *text)
{
	unsigned char hash[crypto_generichash_BYTES];
	char *hex = arena_alloc(m, 2 * sizeof(hash) + 1);

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, strlen(text), NULL, 0);
	return sodium_bin2hex(hex, 2 * sizeof(hash) + 1, hash, sizeof(hash));
}

/* The purpose is hashed with its NUL: "a" + "bc" and "ab" + "c" differ. */
const char *
secret_sign(struct arena *m, const char *purpose, const char *text)
{
	unsigned char hash[crypto_generichash_BYTES];
	crypto_generichash_state state;

	crypto_generichash_init(&state, key, sizeof(key), sizeof(hash));
	crypto_generichash_update(&state, (const unsigned char *)purpose, strlen(purpose) + 1);
	crypto_generichash_update(&state, (const unsigned char *)text, strlen(text));
	crypto_generichash_final(&state, hash, sizeof(hash));
	return base64url(m, hash, sizeof(hash));
}

bool
secret_same(const char *a, const char *b)
{
	size_t n;

	if (!a || !b)
		return false;
	n = strlen(a);
	return n == strlen(b) && sodium_memcmp(a, b, n) == 0;
}

/* --- passwords ---------------------------------------------------------------------------------------------------- */

static int
slot_try(int i, int how)
{
	int fd = open(slot_path[i], O_RDWR | O_CREAT | O_CLOEXEC, 0600), rc;

	if (fd < 0)
		return -1;
	do
		rc = flock(fd, how);
	while (rc != 0 && errno == EINTR);
	if (rc == 0)
		return fd;
	close(fd);
	return -1;
}

/* A free slot, else waits for one picked at random. -1: the run folder is unusable; hashing then goes on unlimited. */
static int
slot_take(void)
{
	int fd;

	for (int i = 0; i < N_SLOTS; i++) {
		fd = slot_try(i, LOCK_EX | LOCK_NB);
		if (fd >= 0)
			return fd;
	}
	fd = slot_try((int)randombytes_uniform(N_SLOTS), LOCK_EX);
	if (fd < 0)
		log_error("secret", "no slot for a password: %s", strerror(errno));
	return fd;
}

static void
slot_leave(int fd)
{
	if (fd >= 0)
		close(fd);
}

const char *
password_hash(struct arena *m, const char *password)
{
	char *hash = arena_alloc(m, crypto_pwhash_STRBYTES);
	int slot = slot_take(), rc;

	rc = crypto_pwhash_str_alg(hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
		crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13);
	slot_leave(slot);
	if (rc != 0)
		abort(); /* only memory can fail it */
	return hash;
}

/* Compared when there is no such user, so that the answer takes the same time. */
static const char unknown_user[] =
	"$argon2id$v=19$m=65536,t=2,p=1$amVhFjIZd9HCX5zVncs6IQ$lzWCZM56xkvYt9OlKK6w027xea8IC8OILKpj2ye033U";

bool
password_ok(const char *hash, const char *password)
{
	char whole[crypto_pwhash_STRBYTES] = ""; /* libsodium may read all of it */
	int slot = slot_take(), rc;

	snprintf(whole, sizeof(whole), "%s", hash ? hash : unknown_user);
	rc = crypto_pwhash_str_verify(whole, password, strlen(password));
	slot_leave(slot);
	return rc == 0 && hash;
}

const char *
secret_id(struct arena *m)
{
	static unsigned char pool[12 * 256];
	static size_t used = sizeof(pool);
	size_t room = sodium_base64_encoded_len(12, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *s = arena_alloc(m, room);

	if (used == sizeof(pool)) {
		randombytes_buf(pool, sizeof(pool));
		used = 0;
	}
	sodium_bin2base64(s, room, pool + used, 12, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	used += 12;
	return s;
}
