/* check_mapper.c - linker/input/mapper: R1-R5, B1, B2, B5, and the defects D1-D4 and D6 of the seed (SEEDS.md 1, 4.1). */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "fake_os.h"
#include "mapper.h"
#include "temp.h"

static char dir[PATH_MAX];

static const char *path_of(const char *name)
{
	static char path[PATH_MAX + 32];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static uint8_t byte_at(uint64_t i)
{
	return (uint8_t)(i * 7 + (i >> 8));
}

/* A file of SZ bytes that differ; the name is opened for reading. */
static int make_file(const char *name, uint64_t sz)
{
	uint8_t *data = malloc(sz + 1);
	for (uint64_t i = 0; i < sz; i++)
		data[i] = byte_at(i);
	int fd = open(path_of(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, sz), (ssize_t)sz);
	close(fd);
	free(data);
	fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static struct mapper *make(const struct mapper_config *cfg)
{
	struct mapper *m;
	ck_assert_int_eq(mapper_new(cfg, &m), 0);
	return m;
}

static struct infile *add(struct mapper *m, int fd)
{
	struct infile *f;
	ck_assert_int_eq(mapper_add(m, fd, "some/path", &f), 0);
	return f;
}

static struct mapper_stats stats(const struct mapper *m)
{
	struct mapper_stats s;
	mapper_stats(m, &s);
	return s;
}

static const struct size_row {
	const char *name;
	uint64_t sz, threshold;
	bool is_mapped;
} size_rows[] = {
	{ "empty", 0, 0, false },
	{ "one byte", 1, 0, false },
	{ "below the threshold", 16383, 0, false },
	{ "at the threshold", 16384, 0, true },
	{ "above the threshold", 16385, 0, true },
	{ "a setting", 100, 100, true },
	{ "below a setting", 99, 100, false },
	{ "several pages", 100001, 0, true },
};

START_TEST(test_sizes)
{
	const struct size_row *row = &size_rows[_i];
	struct mapper *m = make(&(struct mapper_config){ .heap_threshold = row->threshold });
	struct infile *f = add(m, make_file("f", row->sz));
	ck_assert_msg(f->sz == row->sz && f->is_mapped == row->is_mapped, "%s: %llu bytes, mapped %d", row->name,
		      (unsigned long long)f->sz, f->is_mapped);
	ck_assert_msg((f->data == NULL) == (row->sz == 0), "%s: data", row->name);
	for (uint64_t i = 0; i < f->sz; i++)
		ck_assert_msg(f->data[i] == byte_at(i), "%s: byte %llu", row->name, (unsigned long long)i);
	ck_assert_str_eq(f->path, "some/path");
	ck_assert_uint_eq(stats(m).mappings, row->is_mapped);
	ck_assert_uint_eq(stats(m).bytes, row->sz);
	ck_assert_uint_eq(stats(m).fallbacks, 0);
	mapper_unref(m, f);
	mapper_free(m);
}
END_TEST

/* R2, D2, D6: a slice lies in the file or is refused, whatever the numbers. */
static const struct slice_row {
	uint64_t off, sz;
	bool has;
} slice_rows[] = {
	{ 0, 0, true }, { 0, 100, true }, { 100, 0, true }, { 99, 1, true }, { 99, 2, false }, { 101, 0, false },
	{ 0, 101, false }, { UINT64_MAX, 1, false }, { 1, UINT64_MAX, false }, { UINT64_MAX, UINT64_MAX, false },
	{ UINT64_C(1) << 32, 1, false }, { 50, UINT64_C(0xffffffffffffffd0), false },
};

START_TEST(test_slices)
{
	const struct infile f = { .sz = 100 };
	ck_assert_int_eq(infile_has(&f, slice_rows[_i].off, slice_rows[_i].sz), slice_rows[_i].has);
}
END_TEST

START_TEST(test_same_version_is_shared)
{
	struct mapper *m = make(NULL);
	struct infile *a = add(m, make_file("f", 20000));
	char second[PATH_MAX + 8];
	snprintf(second, sizeof(second), "%s/g", dir);
	ck_assert_int_eq(link(path_of("f"), second), 0);
	struct infile *c = add(m, open(path_of("f"), O_RDONLY)), *d = add(m, open(path_of("g"), O_RDONLY));
	ck_assert_ptr_eq(c, d); /* two names of one inode */
	ck_assert_ptr_ne(a, c); /* linking has changed the ctime */
	ck_assert_uint_eq(stats(m).files, 2);
	ck_assert_uint_eq(atomic_load(&c->refs), 2);
	bool rehash = false;
	ck_assert_int_eq(infile_check(a, &rehash), 0);
	ck_assert(rehash);
	ck_assert_int_eq(infile_check(c, &rehash), 0);
	ck_assert(!rehash);
	mapper_free(m);
}
END_TEST

START_TEST(test_changed_file_is_another)
{
	struct mapper *m = make(NULL);
	struct infile *a = add(m, make_file("f", 20000));
	struct infile *b = add(m, make_file("f", 30000)); /* the same inode */
	bool rehash;
	ck_assert_ptr_ne(a, b);
	ck_assert_uint_eq(a->st.st_ino, b->st.st_ino);
	ck_assert_int_eq(infile_check(a, &rehash), -ESTALE);
	ck_assert_int_eq(infile_check(b, &rehash), 0);
	mapper_unref(m, a);
	mapper_unref(m, b);
	mapper_trim(m, UINT64_MAX); /* keeps everything that can be found again */
	ck_assert_uint_eq(stats(m).files, 1);
	ck_assert_ptr_eq(add(m, open(path_of("f"), O_RDONLY)), b);
	mapper_free(m);
}
END_TEST

/* R4, D1, D4: the budget is kept, and comes back when files go. */
START_TEST(test_budget)
{
	struct mapper *m = make(&(struct mapper_config){ .budget = 2 });
	struct infile *f[3];
	for (int i = 0; i < 3; i++)
		f[i] = add(m, make_file((char[]){ (char)('a' + i), 0 }, 20000));
	ck_assert(f[0]->is_mapped && f[1]->is_mapped && !f[2]->is_mapped);
	ck_assert_int_eq(memcmp(f[2]->data, f[0]->data, 20000), 0);
	ck_assert_uint_eq(stats(m).fallbacks, 1);
	mapper_unref(m, f[0]);
	mapper_trim(m, 0);
	ck_assert_uint_eq(stats(m).mappings, 1);
	ck_assert(add(m, make_file("d", 20000))->is_mapped);
	mapper_free(m);
}
END_TEST

struct failing {
	int fail_cnt, error, maps, unmaps;
};

static int failing_map(void *ctx, void *hint, size_t sz, int prot, int flags, int fd, uint64_t off, void **ret_addr)
{
	struct failing *f = ctx;
	f->maps++;
	ck_assert_int_eq(prot, PROT_READ); /* R5 */
	if (f->fail_cnt-- > 0)
		return -f->error;
	return os_kernel_ops()->map(NULL, hint, sz, prot, flags, fd, off, ret_addr);
}

static int failing_unmap(void *ctx, void *addr, size_t sz)
{
	((struct failing *)ctx)->unmaps++;
	return os_kernel_ops()->unmap(NULL, addr, sz);
}

/* D1: a mapping that fails gives its slot back, and the bytes come another way. */
START_TEST(test_failed_mapping)
{
	static const int errors[] = { ENOMEM, ENODEV, EACCES };
	struct failing ctx = { .fail_cnt = 5, .error = errors[_i] };
	struct os_ops ops = *os_kernel_ops();
	struct os os;
	ops.map = failing_map;
	ops.unmap = failing_unmap;
	os_init(&os, &ops, &ctx, 0);
	struct mapper *m = make(&(struct mapper_config){ .budget = 1, .os = &os });
	for (int i = 0; i < 6; i++) {
		struct infile *f = add(m, make_file((char[]){ (char)('a' + i), 0 }, 20000));
		ck_assert_int_eq(f->is_mapped, i == 5);
		ck_assert_uint_eq(f->data[19999], byte_at(19999));
	}
	ck_assert_uint_eq(stats(m).fallbacks, 5);
	mapper_free(m);
	ck_assert_int_eq(ctx.maps, 6);
	ck_assert_int_eq(ctx.unmaps, 1);
}
END_TEST

/* B1: the longest unused go first; what is in use stays. */
START_TEST(test_trim)
{
	struct mapper *m = make(NULL);
	struct infile *f[4];
	for (int i = 0; i < 4; i++)
		f[i] = add(m, make_file((char[]){ (char)('a' + i), 0 }, 20000));
	mapper_unref(m, f[2]);
	mapper_unref(m, f[0]);
	mapper_unref(m, f[1]);
	mapper_trim(m, 60000);
	ck_assert_uint_eq(stats(m).files, 4);
	mapper_trim(m, 40000); /* f[2] goes */
	ck_assert_uint_eq(stats(m).files, 3);
	ck_assert_ptr_eq(add(m, open(path_of("a"), O_RDONLY)), f[0]);
	mapper_trim(m, 0); /* f[1] goes */
	ck_assert_uint_eq(stats(m).files, 2);
	ck_assert_uint_eq(f[0]->data[1], byte_at(1));
	ck_assert_uint_eq(f[3]->data[1], byte_at(1));
	mapper_free(m);
}
END_TEST

static int products_freed;

static void free_product(void *product)
{
	ck_assert_ptr_eq(product, &products_freed);
	products_freed++;
}

/* A copy takes the place of a mapping that is being read, and of the descriptor; the file then does what it likes. */
START_TEST(test_keep)
{
	static const uint64_t sizes[] = { 100000, 300 };
	uint64_t sz = sizes[_i];
	struct mapper *m = make(NULL);
	struct stat st;
	bool rehash;
	struct infile *f = add(m, make_file("kept", sz));
	const uint8_t *data = f->data;
	int copy = make_file("copy", sz), shorter = make_file("shorter", sz - 1);
	st = f->st;
	ck_assert_int_eq(mapper_replace(m, &st, shorter), -EINVAL);
	ck_assert_int_eq(mapper_replace(m, &st, copy), 0);
	close(copy);
	close(shorter);
	int fd = open(path_of("kept"), O_WRONLY | O_TRUNC | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(infile_check(f, &rehash), 0);
	ck_assert_ptr_eq(f->data, data);
	for (uint64_t i = 0; i < sz; i++)
		ck_assert_uint_eq(f->data[i], byte_at(i));
	ck_assert_uint_eq(stats(m).mappings, _i == 0);
	/* The name leads elsewhere now. */
	struct infile *now = add(m, open(path_of("kept"), O_RDONLY | O_CLOEXEC));
	ck_assert_ptr_ne(now, f);
	/* Another linker process would be given the copy under the old identity. */
	struct infile *same;
	ck_assert_int_eq(mapper_add_as(m, make_file("again", sz), &st, true, "kept", &same), 0);
	ck_assert_ptr_eq(same, f);
	ck_assert_int_eq(mapper_add_as(m, make_file("again", sz + 1), &st, true, "kept", &same), -ESTALE);
	/* Nobody has it: nothing to do. */
	st.st_ino++;
	ck_assert_int_eq(mapper_replace(m, &st, f->fd), 0);
	mapper_unref(m, f);
	mapper_unref(m, f);
	mapper_unref(m, now);
	mapper_trim(m, UINT64_MAX);
	ck_assert_uint_eq(stats(m).files, 1); /* NOW alone can be found again */
	mapper_free(m);
}
END_TEST

/* Who vouches for a file must not be given one that was opened by name and may have changed since. */
START_TEST(test_kept_is_another)
{
	struct mapper *m = make(NULL);
	struct infile *plain = add(m, make_file("plain", 50000)), *kept;
	struct stat st = plain->st;
	ck_assert_int_eq(mapper_add_as(m, make_file("copy", 50000), &st, true, "plain", &kept), 0);
	ck_assert_ptr_ne(plain, kept);
	ck_assert(atomic_load(&kept->is_kept));
	ck_assert(!atomic_load(&plain->is_kept));
	mapper_unref(m, plain);
	mapper_unref(m, kept);
	mapper_free(m);
}
END_TEST

START_TEST(test_idle_count)
{
	struct mapper *m = make(&(struct mapper_config){ .idle_max = 3 });
	char name[16];
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "idle%d", i);
		mapper_unref(m, add(m, make_file(name, 100)));
	}
	mapper_trim(m, UINT64_MAX);
	ck_assert_uint_eq(stats(m).files, 3);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "idle%d", i);
		unlink(path_of(name));
	}
	mapper_trim(m, UINT64_MAX);
	ck_assert_uint_eq(stats(m).files, 0);
	mapper_free(m);
}
END_TEST

START_TEST(test_drop)
{
	struct mapper *m = make(NULL);
	struct infile *f = add(m, make_file("f", 20000));
	int fd = f->fd;
	f->product = &products_freed;
	f->product_free = free_product;
	mapper_trim(m, 0);
	ck_assert_uint_eq(stats(m).files, 1); /* in use */
	infile_ref(f);
	mapper_unref(m, f);
	mapper_trim(m, 0);
	ck_assert_uint_eq(stats(m).files, 1); /* still */
	mapper_unref(m, f);
	ck_assert_int_eq(products_freed, 0);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	mapper_trim(m, 0);
	ck_assert_int_eq(products_freed, 1);
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
	ck_assert_uint_eq(stats(m).files + stats(m).bytes + stats(m).mappings, 0);
	mapper_free(m);
}
END_TEST

START_TEST(test_streams)
{
	enum { SZ = 200000 };
	struct mapper *m = make(NULL);
	int fds[2];
	struct infile *f = NULL;
	ck_assert_int_eq(mapper_add(m, open(dir, O_RDONLY | O_DIRECTORY), "d", &f), -EISDIR);
	ck_assert_int_eq(mapper_add(m, -1, "d", &f), -EBADF);
	ck_assert_ptr_null(f);
	ck_assert_uint_eq(add(m, open("/dev/null", O_RDONLY))->sz, 0);
	ck_assert_int_eq(pipe(fds), 0);
	pid_t pid = fork();
	if (!pid) {
		for (uint64_t i = 0; i < SZ; i++) {
			uint8_t b = byte_at(i);
			if (write(fds[1], &b, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	close(fds[1]);
	f = add(m, fds[0]);
	waitpid(pid, NULL, 0);
	ck_assert_uint_eq(f->sz, SZ);
	ck_assert(!f->is_mapped);
	for (uint64_t i = 0; i < SZ; i++)
		ck_assert_uint_eq(f->data[i], byte_at(i));
	bool rehash;
	ck_assert_int_eq(infile_check(f, &rehash), 0);
	mapper_free(m);
}
END_TEST

/* ---- B2, D3: truncation under a mapping ---- */

struct reading {
	const volatile uint8_t *at;
	int want, inner;
};

static int read_byte(void *ctx)
{
	struct reading *r = ctx;
	return *r->at;
}

static int read_nested(void *ctx)
{
	struct reading *r = ctx;
	r->inner = mapper_guard(read_byte, r);
	return 7;
}

START_TEST(test_truncated_input)
{
#if defined(__SANITIZE_THREAD__)
	SKIP("the thread sanitizer does not survive a jump out of its signal handler");
#endif
	struct mapper *m = make(NULL);
	struct infile *f = add(m, make_file("f", 40000));
	struct infile *other = add(m, make_file("other", 40000));
	struct reading r = { .at = f->data + 39999, .want = byte_at(39999) };
	bool rehash;
	ck_assert_int_eq(mapper_guard(read_byte, &r), r.want);
	ck_assert_int_eq(truncate(path_of("f"), 100), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(mapper_guard(read_byte, &r), -ESTALE);
	ck_assert_int_eq(mapper_guard(read_nested, &r), 7);
	ck_assert_int_eq(r.inner, -ESTALE);
	ck_assert_int_eq(infile_check(f, &rehash), -ESTALE);
	r.at = other->data + 39999;
	ck_assert_int_eq(mapper_guard(read_byte, &r), r.want);
	mapper_free(m);
}
END_TEST

/* What is not an input's SIGBUS, or not in a guard, ends the process as ever. */
static void die(int how)
{
	struct mapper *m = make(NULL);
	struct infile *f = add(m, make_file("f", 40000));
	struct reading r = { .at = f->data + 39999 };
	signal(SIGSEGV, SIG_DFL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	if (how == 0) { /* no guard */
		if (truncate(path_of("f"), 100) || read_byte(&r))
			_exit(1);
	} else if (how == 1) { /* a mapping that is not an input's */
		int fd = make_file("h", 40000);
		r.at = (uint8_t *)mmap(NULL, 40000, PROT_READ, MAP_PRIVATE, fd, 0) + 39999;
		if (truncate(path_of("h"), 100) || mapper_guard(read_byte, &r))
			_exit(1);
	} else { /* sent, not faulted */
		raise(SIGBUS);
	}
	_exit(0);
}

START_TEST(test_other_sigbus)
{
	int status;
	pid_t pid = fork();
	if (!pid)
		die(_i);
	waitpid(pid, &status, 0);
	/* A sanitizer has a handler of its own, which exits. */
	ck_assert(HAS_SANITIZER ? status != 0 : WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}
END_TEST

/* ---- many threads ---- */

enum { THREADS = 4, ROUNDS = 300, FILES = 8 };

static void *use_files(void *arg)
{
	struct mapper *m = arg;
	for (int i = 0; i < ROUNDS; i++) {
		char path[PATH_MAX + 32];
		snprintf(path, sizeof(path), "%s/t%d", dir, i % FILES);
		struct infile *f;
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || mapper_add(m, fd, path, &f))
			return arg;
		if (f->data[f->sz - 1] != byte_at(f->sz - 1))
			return arg;
		mapper_unref(m, f);
		if (i % 16 == 0)
			mapper_trim(m, 30000);
	}
	return NULL;
}

START_TEST(test_threads)
{
	struct mapper *m = make(&(struct mapper_config){ .budget = 5 });
	pthread_t threads[THREADS];
	for (int i = 0; i < FILES; i++) {
		char name[16];
		snprintf(name, sizeof(name), "t%d", i);
		close(make_file(name, 16000 + 500 * (uint64_t)i));
	}
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, use_files, m), 0);
	for (int i = 0; i < THREADS; i++) {
		void *bad;
		pthread_join(threads[i], &bad);
		ck_assert_ptr_null(bad);
	}
	mapper_trim(m, 0);
	ck_assert_uint_eq(stats(m).files + stats(m).bytes + stats(m).mappings, 0);
	mapper_free(m);
}
END_TEST

int main(void)
{
	if (temp_dir_make(dir))
		return EXIT_FAILURE;
	Suite *suite = suite_create("mapper");
	TCase *tc = tcase_create("mapper");
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_sizes, 0, (int)ARRAY_CNT(size_rows));
	tcase_add_loop_test(tc, test_slices, 0, (int)ARRAY_CNT(slice_rows));
	tcase_add_test(tc, test_same_version_is_shared);
	tcase_add_test(tc, test_changed_file_is_another);
	tcase_add_test(tc, test_budget);
	tcase_add_loop_test(tc, test_failed_mapping, 0, 3);
	tcase_add_test(tc, test_trim);
	tcase_add_loop_test(tc, test_keep, 0, 2);
	tcase_add_test(tc, test_kept_is_another);
	tcase_add_test(tc, test_idle_count);
	tcase_add_test(tc, test_drop);
	tcase_add_test(tc, test_streams);
	tcase_add_test(tc, test_truncated_input);
	tcase_add_loop_test(tc, test_other_sigbus, 0, 3);
	tcase_add_test(tc, test_threads);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return temp_dir_remove(dir) || failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
