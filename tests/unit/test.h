/*
 * test - a unit test is written once: TEST(its_name_is_a_sentence) { … } defines it and puts it on the list that
 * TEST_MAIN runs, in the order of the file. Include it instead of cmocka.h, before anything of ours.
 *
 *	TEST_SETUP(begin)                               { …; return 0; }        before each test; another one after it
 *	TEST(two_customers_one_car_exactly_one_wins)    { … }
 *	TEST_WITH(the_same_in_berlin, in_berlin, NULL)  { … }                   with a setup of its own; NULL: none
 *	TEST_MAIN("booking", NULL, NULL, begin, end)                            once for all, then around each
 */
#ifndef MP_TEST_H
#define MP_TEST_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define TESTS_MAX 256

static struct CMUnitTest test_list[TESTS_MAX];
static bool test_is_usual[TESTS_MAX];           /* gets the setup and teardown of TEST_MAIN */
static size_t test_n;

static inline void
test_add(struct CMUnitTest t, bool is_usual)
{
	if (test_n == TESTS_MAX)
		abort();
	test_is_usual[test_n] = is_usual;
	test_list[test_n++] = t;
}

#define TEST_ADDED(name, before, after, usual) \
	static void name(void); \
	static void name##_run(void **state) { (void)state; name(); } \
	__attribute__((constructor)) static void name##_add(void) \
	{ \
		test_add((struct CMUnitTest){ #name, name##_run, (before), (after), NULL }, (usual)); \
	} \
	static void \
	name(void)

#define TEST(name)                      TEST_ADDED(name, NULL, NULL, true)
#define TEST_WITH(name, before, after)  TEST_ADDED(name, before, after, false)

/* A function of a header that tests share: not each of them calls all. */
#define SHARED static __attribute__((unused))

#define TEST_SETUP(name) \
	static int \
	name(void **state __attribute__((unused)))

static inline int
test_run(const char *group, CMFixtureFunction begin_all, CMFixtureFunction end_all, CMFixtureFunction before,
	CMFixtureFunction after)
{
	for (size_t i = 0; i < test_n; i++)
		if (test_is_usual[i]) {
			test_list[i].setup_func = before;
			test_list[i].teardown_func = after;
		}
	cmocka_set_test_filter(getenv("TEST_FILTER")); /* "two_customers*": only those; NULL: all */
	return _cmocka_run_group_tests(group, test_list, test_n, begin_all, end_all);
}

#define TEST_MAIN(group, begin_all, end_all, before, after) \
	int \
	main(void) \
	{ \
		return test_run(group, begin_all, end_all, before, after); \
	}

#endif
