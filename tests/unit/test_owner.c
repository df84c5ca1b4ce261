/* test_owner - root becomes another user permanently, in a child process. Skipped unless root runs it. */
#include "test.h"

#include "lib/process/owner.c"

#include "scratch.h"

#define NOBODY 65534

static int
in_a_child(int (*run)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* 0: as it should be; else the number of the check that failed. */
static int
becomes_owner(void)
{
	gid_t groups[8];

	if (!owner_become(scratch))
		return 1;
	if (getuid() != NOBODY || geteuid() != NOBODY || getgid() != NOBODY || getegid() != NOBODY)
		return 2;
	for (int i = 0, n = getgroups(8, groups); i < n; i++)
		if (groups[i] == 0)
			return 3;
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
		return 4;
	return access("/etc/shadow", R_OK) == 0 ? 5 : 0;
}

static int
stays_root(void)
{
	return owner_become(scratch) && geteuid() == 0 ? 0 : 1;
}

TEST(root_becomes_the_owner_and_there_is_no_way_back)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(scratch, NOBODY, NOBODY), 0);
	assert_int_equal(in_a_child(becomes_owner), 0);
}

TEST(root_stays_root_where_the_folder_is_its_own)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_a_child(stays_root), 0);
	assert_int_equal(in_a_child(becomes_owner), 2); /* the check above can fail */
}

TEST(a_new_folder_is_given_to_the_user_and_one_in_use_is_not)
{
	struct stat st;

	if (geteuid() != 0)
		skip();
	assert_false(owner_give(scratch, "no-such-user", "/bin/true"));
	assert_false(owner_give(scratch, "", "/bin/true"));
	assert_false(owner_give(scratch, "nobody", "/proc/1/exe")); /* that user cannot execute it */
	scratch_write(scratch_path("motorpool.db"), "x");
	assert_false(owner_give(scratch, "nobody", "/bin/true"));
	unlink(scratch_path("motorpool.db"));
	assert_true(owner_give(scratch, "nobody", "/bin/true"));
	assert_int_equal(stat(scratch, &st), 0);
	assert_int_equal(st.st_uid, NOBODY);
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), 0);
}

TEST_MAIN("owner", NULL, NULL, scratch_begin, scratch_end)
