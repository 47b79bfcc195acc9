/* check_tree.c - fs/tree, fs/recipes, fs/inputs, fs/pathwalk: names, numbers and references, without a mount.
 */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sysmacros.h>

#include "fs.h"
#include "pathwalk.h"
#include "temp.h"

enum { TIMEOUT_SEC = 60 };

static char dir[PATH_MAX];

static struct fs *fs_new(void)
{
	struct fs *fs = calloc(1, sizeof(*fs));

	ck_assert_ptr_nonnull(fs);
	pthread_mutex_init(&fs->lock, NULL);
	tree_init(&fs->tree);
	TAILQ_INIT(&fs->generations);
	TAILQ_INIT(&fs->parked);
	fs->cfg = (struct fs_config){ .mountpoint = "/where/it/is", .cache_limit = 1 << 30 };
	fs->cache_dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fs->cache_dir_fd, 0);
	return fs;
}

static void fs_free(struct fs *fs)
{
	struct replies out;
	struct link *l;

	replies_init(&out);
	while ((l = TAILQ_FIRST(&fs->tree.links)))
		tree_remove_link(fs, l, &out);
	ck_assert(TAILQ_EMPTY(&out.list));
	recipes_close(fs);
	close(fs->cache_dir_fd);
	pthread_mutex_destroy(&fs->lock);
	free(fs);
}

static void set_up(void)
{
	ck_assert_int_eq(temp_dir_make(dir), 0);
}

static void tear_down(void)
{
	ck_assert_int_eq(temp_dir_remove(dir), 0);
}

static const struct name_row {
	const char *name;
	bool is_ok;
} name_rows[] = {
	{ "a", true },	{ "with blank", true }, { ".hidden", true }, { "...", true },	   { "", false },
	{ ".", false }, { "..", false },	{ "a/b", false },    { ".linkfs", false }, { "/", false },
};

START_TEST(test_names)
{
	const struct name_row *row = &name_rows[_i];

	ck_assert_msg(tree_name_ok(row->name) == row->is_ok, "'%s'", row->name);
}
END_TEST

START_TEST(test_long_names)
{
	char name[NAME_MAX + 2];

	memset(name, 'x', sizeof(name));
	name[NAME_MAX] = 0;
	ck_assert(tree_name_ok(name));
	name[NAME_MAX] = 'x';
	name[NAME_MAX + 1] = 0;
	ck_assert(!tree_name_ok(name));
}
END_TEST

START_TEST(test_numbers_are_never_used_again)
{
	struct fs *fs = fs_new();
	struct replies out;
	uint64_t last = 0;

	replies_init(&out);
	for (int i = 0; i < 100; i++) {
		struct link *l;
		ck_assert_int_eq(tree_add_link(fs, "name", &l), 0);
		ck_assert_ptr_eq(tree_link(fs, "name"), l);
		for (int k = 0; k < LINK_NODES; k++) {
			ck_assert_uint_gt(l->node[k].id, last);
			last = l->node[k].id;
			ck_assert_ptr_eq(tree_node(fs, last), &l->node[k]);
		}
		tree_remove_link(fs, l, &out);
		ck_assert_ptr_null(tree_link(fs, "name"));
		ck_assert_ptr_null(tree_node(fs, last));
	}
	fs_free(fs);
}
END_TEST

START_TEST(test_kernel_keeps_a_removed_link)
{
	struct fs *fs = fs_new();
	struct replies out;
	struct link *l;

	replies_init(&out);
	ck_assert_int_eq(tree_add_link(fs, "x", &l), 0);
	struct node *live = link_node(l, NODE_LIVE), *log = link_node(l, NODE_LOG);
	uint64_t live_id = live->id, log_id = log->id;
	node_remember(fs, live);
	node_remember(fs, live);
	node_remember(fs, log);
	tree_remove_link(fs, l, &out);
	ck_assert_ptr_eq(tree_node(fs, live_id), live);
	node_forget(fs, live, 1);
	node_forget(fs, live, 1);
	ck_assert_ptr_eq(tree_node(fs, live_id), live); /* the log's node holds the link */
	node_forget(fs, log, 1);
	ck_assert_ptr_null(tree_node(fs, live_id));
	ck_assert_ptr_null(tree_node(fs, log_id));
	node_forget(fs, tree_node(fs, NODE_ROOT), 5); /* the root is not counted */
	ck_assert_ptr_nonnull(tree_node(fs, NODE_ROOT));
	fs_free(fs);
}
END_TEST

START_TEST(test_rename_replaces)
{
	struct fs *fs = fs_new();
	struct replies out;
	struct link *a, *b;

	replies_init(&out);
	ck_assert_int_eq(tree_add_link(fs, "a", &a), 0);
	ck_assert_int_eq(tree_add_link(fs, "b", &b), 0);
	ck_assert_int_eq(tree_rename_link(fs, a, "b", &out), 0);
	ck_assert_ptr_null(tree_link(fs, "a"));
	ck_assert_ptr_eq(tree_link(fs, "b"), a);
	ck_assert_int_eq(tree_rename_link(fs, a, "b", &out), 0);
	ck_assert_ptr_eq(tree_link(fs, "b"), a);
	fs_free(fs);
}
END_TEST

/* --- recipes on disk --- */

static void write_recipe(struct fs *fs, const char *name, const char *text)
{
	struct link *l = tree_link(fs, name);

	if (!l)
		ck_assert_int_eq(tree_add_link(fs, name, &l), 0);
	l->has_draft = l->is_draft_dirty = true;
	l->draft.sz = 0;
	text_append(&l->draft, text, strlen(text));
	ck_assert_int_eq(recipes_commit(fs, l), 0);
}

START_TEST(test_recipes_persist)
{
	struct fs *fs = fs_new();

	ck_assert_int_eq(recipes_open(fs), 0);
	write_recipe(fs, "a", "first");
	write_recipe(fs, "a", "second, longer");
	write_recipe(fs, "b", "x");
	write_recipe(fs, "c", "y");
	ck_assert_uint_eq(fs->tree.link_cnt, 3);
	ck_assert_int_eq(recipes_rename(fs, "b", "c", false), -EEXIST);
	ck_assert_int_eq(recipes_rename(fs, "b", "c", true), 0);
	ck_assert_int_eq(recipes_rename(fs, "b", "d", true), -ENOENT);
	ck_assert_int_eq(recipes_rename(fs, "c", "d/e", true), -EINVAL);
	ck_assert_int_eq(recipes_unlink(fs, "b"), -ENOENT);
	write_recipe(fs, "gone", "z");
	ck_assert_int_eq(recipes_unlink(fs, "gone"), 0);
	ck_assert_uint_eq(fs->tree.link_cnt, 2);
	struct timespec mtime = tree_link(fs, "a")->recipe_mtime;
	fs_free(fs);

	fs = fs_new();
	ck_assert_int_eq(recipes_open(fs), 0);
	ck_assert_uint_eq(fs->tree.link_cnt, 2);
	ck_assert_str_eq(tree_link(fs, "a")->recipe, "second, longer");
	ck_assert_str_eq(tree_link(fs, "c")->recipe, "x");
	ck_assert_int_eq(tree_link(fs, "a")->recipe_mtime.tv_nsec, mtime.tv_nsec);
	fs_free(fs);

	fs = fs_new();
	fs->cfg.mountpoint = "/where/it/is/not";
	ck_assert_int_eq(recipes_open(fs), 0);
	ck_assert_uint_eq(fs->tree.link_cnt, 0);
	fs_free(fs);
}
END_TEST

START_TEST(test_commit_without_data_changes_nothing)
{
	struct fs *fs = fs_new();

	ck_assert_int_eq(recipes_open(fs), 0);
	write_recipe(fs, "a", "text");
	struct link *l = tree_link(fs, "a");
	uint64_t version = l->recipe_version;
	ck_assert_int_eq(recipes_commit(fs, l), 0);
	ck_assert_uint_eq(l->recipe_version, version);
	fs_free(fs);
}
END_TEST

/* --- custody --- */

static struct record *record_of(const char *path, const struct msg_identity *id)
{
	struct text t = { 0 };
	struct record *r = NULL;
	struct record_probe p = { .fd_idx = 0, .id = *id };

	record_begin(&t, "/");
	record_add(&t, path, &p);
	ck_assert_int_eq(record_end(&t, 1, 1), 0);
	ck_assert_int_eq(record_read(t.s, t.sz, &r), 0);
	return r;
}

START_TEST(test_one_descriptor_per_identity)
{
	struct fs *fs = fs_new();
	struct resolved *r[3];
	struct stat st;
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/input", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq((int)write(fd, "12345", 5), 5);
	ck_assert_int_eq(fstat(fd, &st), 0);
	struct msg_identity id = identity_of(&st);
	for (int i = 0; i < 3; i++) {
		int copy = dup(fd);
		ck_assert_int_eq(resolved_new(fs, record_of(path, &id), &copy, 1, &r[i]), 0);
		ck_assert_int_eq(copy < 0, i == 0); /* of a known input it stays the caller's */
		if (copy >= 0)
			close(copy);
	}
	ck_assert_uint_eq(fs->inputs.cnt, 1);
	ck_assert_uint_eq(fs->inputs.bytes, 5);
	ck_assert_uint_eq(inputs_deleted_bytes(fs), 0);
	ck_assert(resolved_is_intact(r[0]));
	ck_assert_int_eq((int)pwrite(fd, "6", 1, 9), 1);
	ck_assert(!resolved_is_intact(r[0]));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_uint_gt(inputs_deleted_bytes(fs), 0);
	for (int i = 0; i < 3; i++)
		resolved_unref(fs, r[i]);
	ck_assert_uint_eq(fs->inputs.cnt, 0);
	ck_assert_uint_eq(fs->inputs.bytes, 0);

	/* More, fewer or no descriptors than the record says. */
	struct record *bad = record_of(path, &id);
	struct resolved *none = NULL;
	int two[2] = { dup(fd), dup(fd) };
	ck_assert_int_eq(resolved_new(fs, bad, two, 2, &none), -EPROTO);
	ck_assert_int_eq(resolved_new(fs, bad, two, 0, &none), -EPROTO);
	ck_assert_int_eq(resolved_new(fs, bad, NULL, 0, &none), 0);
	resolved_unref(fs, none);
	close(two[0]);
	close(two[1]);
	close(fd);
	fs_free(fs);
}
END_TEST

/* --- walking --- */

static uint64_t dev_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev);
}

static int look(struct walker *w, const char *path)
{
	int fd = walker_look(w, path);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

START_TEST(test_walk_stops_before_the_forbidden_device)
{
	int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct walker *w = walker_new(at, dev_of("/proc"));
	struct stat st, want;

	ck_assert_int_eq(symlinkat("/proc", at, "link"), 0);
	ck_assert_int_eq(symlinkat("link/version", at, "deep"), 0);
	ck_assert_int_eq(symlinkat("loop", at, "loop"), 0);
	ck_assert_int_eq(symlinkat(".//sub/../file", at, "near"), 0);
	ck_assert_int_eq(mkdirat(at, "sub", 0700), 0);
	close(openat(at, "file", O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(look(w, "/proc"), -EDEADLK);
	ck_assert_int_eq(look(w, "/proc/version"), -EDEADLK);
	ck_assert_int_eq(look(w, "/../proc/none"), -EDEADLK);
	ck_assert_int_eq(look(w, "link"), -EDEADLK);
	ck_assert_int_eq(look(w, "deep"), -EDEADLK);
	ck_assert_int_eq(look(w, "link/none"), -EDEADLK);
	ck_assert_int_eq(look(w, "loop"), -ELOOP);
	ck_assert_int_eq(look(w, "none"), -ENOENT);
	ck_assert_int_eq(look(w, ""), -ENOENT);
	ck_assert_int_eq(look(w, "file/below"), -ENOTDIR);
	ck_assert_int_eq(look(w, "sub/none/below"), -ENOENT);
	ck_assert_int_eq(look(w, "sub"), 0);
	ck_assert_int_eq(walker_stat(w, "near", &st), 0);
	ck_assert_int_eq(fstatat(at, "file", &want, 0), 0);
	ck_assert_uint_eq(st.st_ino, want.st_ino);
	int fd = walker_open(w, "sub/../near");
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_ptr_null(walker_free(w));
	w = walker_new(at, 0);
	ck_assert_int_eq(look(w, "deep"), 0);
	walker_free(w);
	close(at);
}
END_TEST

/* What PATH leads to, opened: the inode, or -errno. */
static int64_t opened(struct walker *w, const char *path)
{
	struct stat st;
	int fd = walker_open(w, path);

	if (fd < 0)
		return fd;
	ck_assert_int_eq(fstat(fd, &st), 0);
	close(fd);
	return (int64_t)st.st_ino;
}

START_TEST(test_what_lies_in_a_directory_is_opened_as_walked_to)
{
	int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct walker *w = walker_new(at, dev_of("/proc"));
	struct stat st;

	ck_assert_int_eq(mkdirat(at, "sub", 0700), 0);
	close(openat(at, "sub/file", O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(fstatat(at, "sub/file", &st, 0), 0);
	ck_assert_int_eq(symlinkat("file", at, "sub/link"), 0);
	ck_assert_int_eq(symlinkat("nothing", at, "sub/broken"), 0);
	ck_assert_int_eq(symlinkat("/proc/version", at, "sub/deep"), 0);
	ck_assert_int_eq(mkfifoat(at, "sub/pipe", 0600), 0);
	for (int i = 0; i < 2; i++) { /* the second time the directory is known */
		ck_assert_int_eq(opened(w, "sub/file"), (int64_t)st.st_ino);
		ck_assert_int_eq(opened(w, "sub/link"), (int64_t)st.st_ino);
		ck_assert_int_eq(opened(w, "sub/../sub/file"), (int64_t)st.st_ino);
		ck_assert_int_gt(opened(w, "sub/pipe"), 0);
		ck_assert_int_gt(opened(w, "sub/."), 0);
		ck_assert_int_gt(opened(w, "sub/"), 0);
		ck_assert_int_gt(opened(w, "/dev/null"), 0);
		ck_assert_int_eq(opened(w, "sub/broken"), -ENOENT);
		ck_assert_int_eq(opened(w, "sub/none"), -ENOENT);
		ck_assert_int_eq(opened(w, "none/file"), -ENOENT);
		ck_assert_int_eq(opened(w, "sub/file/below"), -ENOTDIR);
		ck_assert_int_eq(opened(w, "/proc/version"), -EDEADLK);
		ck_assert_str_eq(walker_rest(w), "version");
		ck_assert_int_eq(opened(w, "sub/deep"), -EDEADLK);
		ck_assert_str_eq(walker_rest(w), "version");
	}
	walker_free(w);
	close(at);
}
END_TEST

START_TEST(test_walk_does_not_wait_for_a_pipe)
{
	int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct walker *w = walker_new(at, 0);

	ck_assert_int_eq(mkfifoat(at, "pipe", 0600), 0);
	int fd = walker_open(w, "pipe");
	ck_assert_int_ge(fd, 0);
	close(fd);
	walker_free(w);
	close(at);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tree");
	TCase *tc = tcase_create("tree");

	tcase_set_timeout(tc, TIMEOUT_SEC);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, test_names, 0, (int)(sizeof(name_rows) / sizeof(name_rows[0])));
	tcase_add_test(tc, test_long_names);
	tcase_add_test(tc, test_numbers_are_never_used_again);
	tcase_add_test(tc, test_kernel_keeps_a_removed_link);
	tcase_add_test(tc, test_rename_replaces);
	tcase_add_test(tc, test_recipes_persist);
	tcase_add_test(tc, test_commit_without_data_changes_nothing);
	tcase_add_test(tc, test_one_descriptor_per_identity);
	tcase_add_test(tc, test_walk_stops_before_the_forbidden_device);
	tcase_add_test(tc, test_what_lies_in_a_directory_is_opened_as_walked_to);
	tcase_add_test(tc, test_walk_does_not_wait_for_a_pipe);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
