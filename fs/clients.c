/* clients.c - the socket of the mount: what ld.linkfs and the commands of linkfs ask for.
 *
 * One thread waits for all of them. A client asks for one thing at a time; what its link needs is opened by the linker
 * process while it waits, so that it may delete its files the moment it has the verdict. Its end of the socket closed
 * before -o was placed means that it was interrupted: its link, and no other, is given up.
 *
 * The socket lies in the cache directory, which is this user's alone; the peer's user is checked all the same.
 */
#include "outputs.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "kept.h"
#include "pathwalk.h"
#include "transport.h"

#define CLIENTS_MAX 512
#define RECIPE_MAX ((uint64_t)64 << 20)

struct client {
	TAILQ_ENTRY(client) on;
	int fd;
	struct output *output; /* what it asked for, until it is placed or failed */
	uint64_t old_dev, old_ino; /* of the file that stood there; 0: none */
	enum msg_type waits_for; /* of the settling thread; 0: nothing */
	bool is_broken;		 /* to be dropped: it does not take what it is sent */
};

struct clients {
	pthread_t thread;
	int listen_fd, wake_fd;
	TAILQ_HEAD(client_list, client) all;
	unsigned cnt;
	bool is_stopping;
	char *path;    /* of the socket */
	char name[32]; /* in cache_dir/sockets */
	int dir_fd;
	dev_t dev; /* of the socket's file: another mount may have put its own there since */
	ino_t ino;
	struct msg_client_hello hello;
};

/* --- answers (lock held) --- */

static void send_to(struct client *c, struct msg *m, const char *text, const int *fds, int fd_cnt)
{
	if (transport_send(c->fd, m, text, fds, fd_cnt, false))
		c->is_broken = true;
}

__attribute__((format(printf, 3, 4))) static void refuse_link(struct client *c, int error, const char *fmt, ...)
{
	struct msg m = { .type = MSG_CLIENT_LINK | MSG_REPLY, .error = error };
	char text[PATH_MAX + 256] = "linkfs: error: ";
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - n - 1, fmt, ap);
	va_end(ap);
	strcat(text, "\n");
	m.u.client_verdict.diag_sz = strlen(text);
	CLEAN_FD int fd = blob_new("linkfs-diagnostics", text, strlen(text), NULL, 0);
	if (fd < 0)
		c->is_broken = true;
	else
		send_to(c, &m, NULL, &fd, 1);
}

static bool is_input(const struct resolved *r, uint64_t dev, uint64_t ino)
{
	for (uint32_t i = 0; ino && i < r->record->probe_cnt; i++) {
		const struct record_probe *p = &r->record->probes[i].at;
		if (p->fd_idx >= 0 && p->id.dev == dev && p->id.ino == ino)
			return true;
	}
	return false;
}

/* Its client will make it a plain file. */
static bool is_for_disk(const struct fs *fs, const struct output *o)
{
	return fs->cfg.settle_ms >= 0 && o->link->gen->size < SMALL_OUTPUT;
}

void client_verdict(struct fs *fs, struct client *c, struct output *o, const char *diag, const struct msg_verdict *v,
		    int sides_fd)
{
	const struct generation *g = o->link->gen;
	if (g && is_input(g->resolved, c->old_dev, c->old_ino)) {
		refuse_link(c, -EINVAL, "%s: cannot write the output: it is one of the inputs", o->link->name);
		return; /* goes with its client */
	}
	struct msg m = { .type = MSG_CLIENT_LINK | MSG_REPLY, .error = g ? 0 : v ? -EINVAL : -EIO };
	struct msg_client_verdict *cv = &m.u.client_verdict;
	int fds[2] = { -1, sides_fd };

	cv->diag_sz = strlen(diag);
	cv->needs_lto = v && v->needs_lto;
	cv->is_refused = !g && v && v->is_refused;
	if (g) {
		cv->map_sz = v->map_sz;
		cv->deps_sz = v->deps_sz;
		cv->size = g->size;
		cv->inputs = g->resolved->distinct;
		cv->input_bytes = g->input_bytes;
		cv->link_us = g->link_us;
		cv->is_for_disk = is_for_disk(fs, o);
	}
	fds[0] = blob_new("linkfs-diagnostics", diag, cv->diag_sz, NULL, 0);
	if (fds[0] < 0)
		c->is_broken = true;
	else
		send_to(c, &m, o->id, fds, sides_fd < 0 ? 1 : 2);
	cleanup_fd(&fds[0]);
	if (!g) {
		o->client = NULL;
		c->output = NULL;
	}
}

void clients_answer(struct fs *fs, enum msg_type what, unsigned cnt, const char *left)
{
	struct client *c;

	if (!fs->clients)
		return;
	TAILQ_FOREACH (c, &fs->clients->all, on) {
		struct msg m = { .type = (uint16_t)(what | MSG_REPLY), .error = *left ? -EIO : 0, .u.place.cnt = cnt };
		if (c->waits_for != what)
			continue;
		c->waits_for = 0;
		send_to(c, &m, left, NULL, 0);
	}
}

bool clients_want(const struct fs *fs, enum msg_type what)
{
	const struct client *c;

	if (!fs->clients)
		return false;
	TAILQ_FOREACH (c, &fs->clients->all, on)
		if (c->waits_for == what)
			return true;
	return false;
}

const char *clients_socket_path(const struct fs *fs)
{
	return fs->clients->path;
}

/* --- requests --- */

/* A blob that its sender can no longer change, and that reading can't wait for. */
static char *read_sealed(int fd, uint64_t sz)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_WRITE;
	char *text;

	if (sz > RECIPE_MAX || fd < 0 || (fcntl(fd, F_GET_SEALS) & seals) != seals || blob_read(fd, sz, &text))
		return NULL;
	return text;
}

static bool on_link(struct fs *fs, struct client *c, struct packet *p)
{
	const struct msg_client_link *rq = &p->msg.u.client_link;

	if (p->fd_cnt != 1 || rq->path_sz > RECORD_PATH_MAX || rq->recipe_sz > RECIPE_MAX)
		return false;
	CLEAN_MEM char *blob = read_sealed(p->fds[0], rq->recipe_sz + rq->path_sz);
	CLEAN_MEM char *path = blob ? strdup(blob + rq->recipe_sz) : NULL;
	if (!path || !output_path_ok(path))
		return false;
	blob[rq->recipe_sz] = 0;
	if (strlen(blob) != rq->recipe_sz)
		return false;
	fs_lock(fs);
	c->old_dev = rq->old_dev;
	c->old_ino = rq->old_ino;
	if (c->output) { /* one at a time: it goes, with what it asked for before */
		fs_unlock(fs);
		return false;
	}
	int r = output_new(fs, c, path, blob, rq->mode & 0777, &c->output);
	if (r) {
		c->output = NULL;
		refuse_link(c, -EIO, "the mount can't take this link: %s", strerror(-r));
	} else {
		blob = NULL;
	}
	fs_unlock(fs);
	return true;
}

static dev_t own_st_dev(const struct fs *fs)
{
	return makedev((unsigned)(fs->own_dev >> 32), (unsigned)fs->own_dev);
}

static bool on_place(struct fs *fs, struct client *c, struct packet *p)
{
	struct msg m = { .type = MSG_CLIENT_PLACE | MSG_REPLY };
	struct stat st, link;

	if (p->fd_cnt < 1 || p->fd_cnt > 2 || fstat(p->fds[0], &st) < 0 || !S_ISDIR(st.st_mode) ||
	    st.st_dev == own_st_dev(fs))
		return false;
	if (p->fd_cnt == 2 &&
	    (stat_known(p->fds[1], &link) < 0 || !S_ISLNK(link.st_mode) || link.st_dev == own_st_dev(fs)))
		return false;

	fs_lock(fs);
	struct output *o = c->output;
	if (o && o->state == OUTPUT_MADE) {
		output_placed(fs, o, p->msg.u.place.mtime_ns, packet_take_fd(p, 0), packet_take_fd(p, 1));
		if (!is_for_disk(fs, o))
			kept_write(fs, o); /* it is there when ld.linkfs ends, whatever ends the mount */
		m.u.place.mtime_ns = timespec_ns(&o->link->gen->mtime);
		send_to(c, &m, NULL, NULL, 0);
	} else {
		c->is_broken = true;
	}
	fs_unlock(fs);
	return true;
}

static void on_placed(struct fs *fs, struct client *c, const struct msg *rq)
{
	fs_lock(fs);
	struct output *o = c->output;
	if (o && o->state == OUTPUT_PLACED) {
		if (rq->u.place.is_settled) {
			o->state = OUTPUT_SETTLED;
			kept_drop(fs, o);
		}
		o->client = NULL;
		c->output = NULL;
		settler_wake(fs);
	}
	fs_unlock(fs);
}

static bool on_note(struct fs *fs, struct packet *p)
{
	const char *end = strchr(p->text, '\n');
	CLEAN_MEM char *path = end ? strndup(p->text, (size_t)(end - p->text)) : NULL;

	if (!path || !output_path_ok(path))
		return false;
	fs_lock(fs);
	outputs_note(fs, path, end + 1);
	fs_unlock(fs);
	return true;
}

static void on_recipe(struct fs *fs, struct client *c, const char *name)
{
	struct msg m = { .type = MSG_CLIENT_RECIPE | MSG_REPLY, .error = -ENOENT };
	CLEAN_FD int fd = -1;

	fs_lock(fs);
	const struct output *o = *name == '/' ? output_by_path(fs, name) : output_by_id(fs, name);
	if (o && o->link->recipe) { /* of one that was not looked at since a restart it is not known */
		fd = blob_new("linkfs-recipe", o->link->recipe, o->link->recipe_sz, NULL, 0);
		m.error = fd < 0 ? fd : 0;
		m.u.client_link.recipe_sz = o->link->recipe_sz;
	}
	send_to(c, &m, NULL, &fd, fd >= 0);
	fs_unlock(fs);
}

static bool on_request(struct fs *fs, struct client *c, struct packet *p)
{
	switch (p->msg.type) {
	case MSG_CLIENT_LINK:
		return on_link(fs, c, p);
	case MSG_CLIENT_PLACE:
		return on_place(fs, c, p);
	case MSG_CLIENT_PLACED:
		on_placed(fs, c, &p->msg);
		return true;
	case MSG_CLIENT_SETTLE:
	case MSG_CLIENT_GC:
		fs_lock(fs);
		c->waits_for = p->msg.type;
		settler_wake(fs);
		fs_unlock(fs);
		return true;
	case MSG_CLIENT_NOTE:
		return on_note(fs, p);
	case MSG_CLIENT_RECIPE:
		on_recipe(fs, c, p->text);
		return true;
	default:
		return false;
	}
}

/* --- the thread --- */

static void drop(struct fs *fs, struct client *c)
{
	struct clients *cs = fs->clients;

	fs_lock(fs);
	if (c->output)
		output_abandon(fs, c->output);
	TAILQ_REMOVE(&cs->all, c, on);
	cs->cnt--;
	settler_wake(fs);
	fs_unlock(fs);
	close(c->fd);
	free(c);
}

static void take_client(struct fs *fs)
{
	struct clients *cs = fs->clients;
	struct ucred peer;
	socklen_t sz = sizeof(peer);
	CLEAN_FD int fd = accept4(cs->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	struct msg hello = { .type = MSG_CLIENT_HELLO, .u.hello = cs->hello };

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &sz) < 0 || peer.uid != fs->uid)
		return;
	struct client *c = cs->cnt < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (!c || transport_send(fd, &hello, fs->cfg.mountpoint, NULL, 0, false)) {
		free(c);
		return;
	}
	c->fd = take_fd(&fd);
	fs_lock(fs);
	TAILQ_INSERT_TAIL(&cs->all, c, on);
	cs->cnt++;
	fs_unlock(fs);
}

static void serve_client(struct fs *fs, struct client *c)
{
	struct packet p;
	int r = transport_recv(c->fd, &p, false);

	if (r == -EAGAIN)
		return;
	bool ok = r == 1 && on_request(fs, c, &p);
	if (r == 1)
		packet_done(&p);
	if (!ok)
		drop(fs, c);
}

/* The clients to poll, as pollfds from PF[2] on. Those that are broken go. */
static nfds_t prepare(struct fs *fs, struct pollfd *pf, struct client **ret)
{
	struct clients *cs = fs->clients;
	struct client *c, *broken;
	nfds_t n;

	do {
		n = 0;
		broken = NULL;
		fs_lock(fs);
		TAILQ_FOREACH (c, &cs->all, on) {
			if (c->is_broken)
				broken = c;
			ret[n] = c;
			pf[2 + n++] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
		}
		fs_unlock(fs);
		if (broken)
			drop(fs, broken);
	} while (broken);
	pf[0] = (struct pollfd){ .fd = cs->wake_fd, .events = POLLIN };
	pf[1] = (struct pollfd){ .fd = cs->listen_fd, .events = POLLIN };
	return n;
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct clients *cs = fs->clients;
	struct pollfd pf[CLIENTS_MAX + 2];
	struct client *polled[CLIENTS_MAX];

	for (;;) {
		nfds_t n = prepare(fs, pf, polled);
		if (poll(pf, n + 2, -1) < 0)
			continue;
		if (pf[0].revents)
			break;
		for (nfds_t i = 0; i < n; i++)
			if (pf[2 + i].revents)
				serve_client(fs, polled[i]); /* drops itself alone */
		if (pf[1].revents)
			take_client(fs);
	}
	while (!TAILQ_EMPTY(&cs->all))
		drop(fs, TAILQ_FIRST(&cs->all));
	return NULL;
}

/* --- start and end --- */

static int look_at_ourselves(const struct fs *fs, struct msg_client_hello *ret)
{
	struct stat ns, root;

	if (stat("/proc/self/ns/mnt", &ns) < 0 || stat("/", &root) < 0)
		return -errno;
	*ret = (struct msg_client_hello){
		.mount_ns = ns.st_ino,
		.root_dev = (uint64_t)major(root.st_dev) << 32 | minor(root.st_dev),
		.root_ino = root.st_ino,
		.own_dev = fs->own_dev,
	};
	return 0;
}

/* Through /proc/self/fd, since the name of a socket may have 107 bytes and a cache directory's any number. */
static int bind_socket(struct clients *cs)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct stat st;

	snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/%s", cs->dir_fd, cs->name);
	flock(cs->dir_fd, LOCK_EX); /* where there are no locks the time between two calls is what can go wrong */
	if (unlinkat(cs->dir_fd, cs->name, 0) < 0 && errno != ENOENT)
		return -errno;
	cs->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (cs->listen_fd < 0 || bind(cs->listen_fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    fchmodat(cs->dir_fd, cs->name, 0600, 0) < 0 || fstatat(cs->dir_fd, cs->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    listen(cs->listen_fd, 64) < 0)
		return -errno;
	cs->dev = st.st_dev;
	cs->ino = st.st_ino;
	flock(cs->dir_fd, LOCK_UN);
	return 0;
}

/* A mount that was detached and is served to its last user outlives the start of the next one at its place. While we are
 * bound to it our inode is not given to another. */
static void unlink_socket(const struct clients *cs)
{
	struct stat st;

	flock(cs->dir_fd, LOCK_EX);
	if (fstatat(cs->dir_fd, cs->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == cs->dev && st.st_ino == cs->ino)
		unlinkat(cs->dir_fd, cs->name, 0);
	flock(cs->dir_fd, LOCK_UN);
}

static int open_socket(struct fs *fs, struct clients *cs)
{
	snprintf(cs->name, sizeof(cs->name), "%016" PRIx64, recipes_hash(fs->cfg.mountpoint));
	if (mkdirat(fs->cache_dir_fd, "sockets", 0700) < 0 && errno != EEXIST)
		return -errno;
	cs->dir_fd = openat(fs->cache_dir_fd, "sockets", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (cs->dir_fd < 0)
		return -errno;
	if (asprintf(&cs->path, "%s/sockets/%s", fs->cfg.cache_dir, cs->name) < 0) {
		cs->path = NULL;
		return -ENOMEM;
	}
	return bind_socket(cs);
}

static void clients_free(struct clients *cs)
{
	if (cs->listen_fd >= 0)
		unlink_socket(cs);
	cleanup_fd(&cs->listen_fd);
	cleanup_fd(&cs->dir_fd);
	cleanup_fd(&cs->wake_fd);
	free(cs->path);
	free(cs);
}

int clients_start(struct fs *fs)
{
	struct clients *cs = calloc(1, sizeof(*cs));

	if (!cs)
		return -ENOMEM;
	cs->listen_fd = cs->dir_fd = -1;
	TAILQ_INIT(&cs->all);
	cs->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int r = cs->wake_fd < 0 ? -errno : look_at_ourselves(fs, &cs->hello);
	if (!r)
		r = open_socket(fs, cs);
	fs->clients = cs;
	if (!r)
		r = -pthread_create(&cs->thread, NULL, run, fs);
	if (r) {
		fs->clients = NULL;
		clients_free(cs);
	}
	return r;
}

void clients_stop(struct fs *fs)
{
	struct clients *cs = fs->clients;
	uint64_t one = 1;

	if (!cs)
		return;
	ssize_t n = write(cs->wake_fd, &one, sizeof(one));
	(void)n;
	pthread_join(cs->thread, NULL);
	fs_lock(fs);
	fs->clients = NULL;
	fs_unlock(fs);
	clients_free(cs);
}
