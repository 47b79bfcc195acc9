/* mount.c - the mount process from start to end.
 *
 * Order matters: everything that can fail comes before mounting; the mount's device is known before any thread looks at
 * files; the linker process starts after that, since it must never enter it. At the end the kernel has let go of the
 * mount (ENODEV ends the loop) before the threads are stopped.
 */
#include "mount.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include "custody.h"
#include "kept.h"
#include "mountinfo.h"
#include "outputs.h"
#include "watch.h"
#include "worker_link.h"

static int make_dirs(const char *path)
{
	CLEAN_MEM char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *s = copy + 1; *s; s++) {
		if (*s != '/')
			continue;
		*s = 0;
		if (mkdir(copy, 0700) < 0 && errno != EEXIST)
			return -errno;
		*s = '/';
	}
	return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int open_cache_dir(const char *path)
{
	int r = make_dirs(path);

	if (r)
		return r;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static struct fuse_session *new_session(struct fs *fs)
{
	char opts[128];
	char *argv[] = { "linkfs", "-o", opts, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);

	/* default_permissions: without it the kernel reuses one user's answer for others. */
	snprintf(opts, sizeof(opts), "default_permissions,fsname=linkfs,subtype=linkfs%s",
		 fs->cfg.allow_other ? ",allow_other" : "");
	struct fuse_session *se = fuse_session_new(&args, &linkfs_ops, sizeof(linkfs_ops), fs);
	fuse_opt_free_args(&args);
	return se;
}

/* The signals that end the mount, blocked in every thread and read by the dispatcher; those of leases are blocked, too. */
static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	sigset_t all = set;
	lease_add_signals(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* Raises the limit of descriptors as far as may be. Returns how many of them inputs and outputs may take; with the rest
 * the linker process can always be replaced and a client be answered. */
static int raise_file_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return 768;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_NOFILE, &files);
	rlim_t limit = files.rlim_cur < (1 << 30) ? files.rlim_cur : 1 << 30;
	return (int)(limit - (limit / 4 < 256 ? limit / 4 : 256));
}

static void fs_init(struct fs *fs, const struct mount_request *rq, int ready_fd)
{
	*fs = (struct fs){
		.cfg =
			{
				.mountpoint = rq->mountpoint,
				.cache_dir = rq->cache_dir,
				.cache_limit = rq->cache_limit,
				.threads = rq->threads,
				.allow_other = rq->allow_other,
				.is_foreground = rq->is_foreground,
				.settle_ms = rq->settle_ms,
				.link_timeout_ms = rq->link_timeout_ms ? rq->link_timeout_ms : LINK_DEADLINE_MS,
				.watches = rq->watches,
				.fill_timeout_ms = rq->fill_timeout_ms ? rq->fill_timeout_ms : FILL_DEADLINE_MS,
			},
		.uid = geteuid(),
		.gid = getegid(),
		.cache_dir_fd = -1,
		.ready_fd = ready_fd,
	};
	pthread_mutex_init(&fs->lock, NULL);
	clock_gettime(CLOCK_REALTIME, &fs->start_time);
	fs->busy_at = now_ms();
	tree_init(&fs->tree);
	TAILQ_INIT(&fs->generations);
	TAILQ_INIT(&fs->parked);
	LIST_INIT(&fs->opened);
	bytes_init(fs);
}

/* Each has requests on the way that wait for answers of ours: OPENs that are held, a look of the linker process. So they end
 * while somebody still answers. */
static void notices_stop(struct fs *fs)
{
	warmer_stop(fs);
	notifier_stop(fs);
}

/* With the mount in place: threads, then the loop until the kernel lets go. */
static int serve(struct fs *fs, int binary_fd, int signal_fd, const char **ret_what, bool *ret_is_held)
{
	struct mount_entry at;

	int r = mountinfo_find(fs->cfg.mountpoint, &at);
	*ret_what = "the mount is not in the mount table";
	if (!r) {
		fs->own_dev = mount_dev(&at);
		*ret_what = "can't start threads";
		r = loop_make(fs);
	}
	if (!r)
		r = watches_start(fs);
	if (!r)
		r = verifier_start(fs);
	if (!r)
		r = passer_start(fs);
	if (!r)
		r = notifier_start(fs);
	if (!r)
		r = warmer_start(fs);
	if (!r)
		r = copier_start(fs);
	if (!r)
		r = bytes_start(fs);
	if (!r)
		r = lease_start(fs);
	if (!r)
		r = custody_start(fs);
	if (!r)
		r = worker_link_start(fs, binary_fd, signal_fd);
	if (!r)
		r = restorer_start(fs);
	if (!r)
		r = settler_start(fs);
	if (!r) {
		*ret_what = "can't make its socket in the cache directory";
		r = clients_start(fs);
	}
	if (!r) {
		*ret_what = "serving requests";
		r = loop_run(fs, notices_stop);
	}
	notices_stop(fs); /* where the loop was not reached */
	/* Before the descriptor is closed under those who might still reply. */
	clients_stop(fs);
	settler_stop(fs);
	copier_stop(fs);
	*ret_is_held = !restorer_stop(fs);
	*ret_is_held |= !verifier_stop(fs);
	*ret_is_held |= !passer_stop(fs);
	*ret_is_held |= !custody_stop(fs);
	lease_stop(fs);
	watches_stop(fs);
	worker_link_stop(fs);
	bytes_stop(fs);
	fuse_session_unmount(fs->se);
	loop_free(fs);
	return r;
}

/* What is left of links and generations, so that a leak checker sees leaks alone. */
static void fs_done(struct fs *fs)
{
	struct replies out;
	struct link *l;

	replies_init(&out);
	fs_lock(fs);
	outputs_done(fs);
	opened_done(fs);
	while ((l = TAILQ_FIRST(&fs->tree.links)))
		tree_remove_link(fs, l, &out);
	for (size_t i = 0; i < NODE_BUCKETS; i++) {
		struct node *n, *next;
		for (n = LIST_FIRST(&fs->tree.by_id[i]); n; n = next) {
			/* Forgetting may free neighbours (a link has five nodes): begin the bucket anew after each. */
			next = n->nlookup ? LIST_FIRST(&fs->tree.by_id[i]) : LIST_NEXT(n, hash);
			if (n->nlookup) {
				node_forget(fs, n, n->nlookup);
				next = LIST_FIRST(&fs->tree.by_id[i]);
			}
		}
	}
	fs_unlock(fs);
	replies_send(fs, &out);
	free(fs->outputs);
	watches_done(fs);
	bytes_done(fs);
	recipes_close(fs);
	cleanup_fd(&fs->cache_dir_fd);
	pthread_mutex_destroy(&fs->lock);
}

int mount_serve(const struct mount_request *rq, int ready_fd, char *err, unsigned err_sz)
{
	struct fs *fs = malloc(sizeof(*fs));
	const char *what = "out of memory";
	bool is_held = false;
	CLEAN_FD int binary_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	CLEAN_FD int signal_fd = -1;
	int r = fs ? 0 : -ENOMEM;

	/* Its threads wait for one lock most of the time; an arena for each would take 64 MiB of address space. */
	mallopt(M_ARENA_MAX, 2);
	if (!r) {
		fs_init(fs, rq, ready_fd);
		r = outputs_init(fs);
	}
	if (!r) {
		fs->fd_room = raise_file_limit();
		what = "can't open /proc/self/exe: is /proc mounted?";
		r = binary_fd < 0 ? -ENOENT : 0;
	}
	if (!r && (r = signal_fd = block_signals()) >= 0) {
		what = "can't use its cache directory";
		r = fs->cache_dir_fd = open_cache_dir(rq->cache_dir);
	}
	if (r >= 0 && fs)
		r = recipes_open(fs);
	if (r >= 0 && fs)
		r = kept_open(fs);
	if (r >= 0 && fs) {
		what = "libfuse can't make a session";
		fs->se = new_session(fs);
		r = fs->se ? 0 : -EINVAL;
	}
	if (!r && fs) {
		what = "can't mount (is /dev/fuse there, and may this user open it? libfuse says more above)";
		r = fuse_session_mount(fs->se, rq->mountpoint) ? -EPERM : 0;
	}
	if (!r && fs)
		r = serve(fs, binary_fd, signal_fd, &what, &is_held);
	if (r)
		snprintf(err, err_sz, "%s: %s: %s", rq->mountpoint, what, strerror(-r));
	if (!fs)
		return r;
	if (fs->ready_fd >= 0) {
		ssize_t n = r ? write(fs->ready_fd, err, strlen(err)) : 0;
		(void)n;
		cleanup_fd(&fs->ready_fd);
	}
	if (is_held)
		return r; /* a thread hangs in a file system and may come back: the end of the process is near */
	fs_done(fs);
	if (fs->se) /* after those who waited were answered, whom it forgets */
		fuse_session_destroy(fs->se);
	free(fs);
	return r;
}
