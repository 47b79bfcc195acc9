/* check_place.c - fs/place: a new file takes the place of a symbolic link, and of nothing else: whatever others rename to
 * that name at the same time, the last of it is what stands there.
 */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "place.h"
#include "temp.h"
#include "util.h"

enum { TIMEOUT_SEC = 100, ROUNDS = 1000, NEW_FILES = 3, SPIN_MAX = 3000 };

static int dir_fd;
static atomic_uint begun, ended; /* rounds */

static const char *new_name(unsigned i)
{
	static const char *const names[NEW_FILES] = { "1", "2", "3" };

	return names[i];
}

static void spin(unsigned *seed)
{
	for (volatile int left = rand_r(seed) % SPIN_MAX; left > 0; left--)
		;
}

/* Once a round, at some moment of it: new files, one after the other. */
static void *rename_all(void *arg)
{
	unsigned seed = 1;

	(void)arg;
	for (unsigned round = 1; round <= ROUNDS; round++) {
		while (atomic_load(&begun) < round)
			sched_yield();
		spin(&seed);
		for (unsigned i = 0; i < NEW_FILES; i++)
			ck_assert_int_eq(renameat(dir_fd, new_name(i), dir_fd, "name"), 0);
		atomic_store(&ended, round);
	}
	return NULL;
}

static void begin_round(unsigned round)
{
	for (unsigned i = 0; i < NEW_FILES; i++) {
		CLEAN_FD int fd = openat(dir_fd, new_name(i), O_WRONLY | O_CREAT | O_EXCL, 0600);
		ck_assert_int_eq(write(fd, new_name(i), 1), 1);
	}
	unlinkat(dir_fd, "name", 0);
	ck_assert_int_eq(symlinkat("target", dir_fd, "name"), 0);
	atomic_store(&begun, round);
}

START_TEST(test_what_is_renamed_meanwhile_wins)
{
	char path[PATH_MAX];
	unsigned seed = 2;
	pthread_t other;

	ck_assert_int_eq(temp_dir_make(path), 0);
	dir_fd = open(path, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(dir_fd, 0);
	ck_assert_int_eq(pthread_create(&other, NULL, rename_all, NULL), 0);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		struct placing p;
		char last = 0;
		ck_assert_int_eq(placing_begin(&p, dir_fd), 0);
		begin_round(round);
		spin(&seed);
		int r = placing_end_over_link(&p, "name", "target", 0600, (struct timespec){ 0 });
		ck_assert(r == 0 || r == -ESTALE);
		placing_done(&p);
		while (atomic_load(&ended) < round)
			sched_yield();
		CLEAN_FD int fd = openat(dir_fd, "name", O_RDONLY | O_NOFOLLOW);
		ck_assert_int_eq(read(fd, &last, 1), 1);
		ck_assert_msg(last == *new_name(NEW_FILES - 1), "round %u: %c", round, last);
	}
	pthread_join(other, NULL);
	unlinkat(dir_fd, "name", 0);
	ck_assert_int_eq(rmdir(path), 0); /* no name was left behind */
	close(dir_fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("place");
	TCase *c = tcase_create("place");
	SRunner *r = srunner_create(s);

	tcase_set_timeout(c, TIMEOUT_SEC);
	tcase_add_test(c, test_what_is_renamed_meanwhile_wins);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
