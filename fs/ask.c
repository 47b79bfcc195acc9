/* ask.c - see ask.h. */
#include "ask.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util.h"

/* Where .linkfs/socket points to, reached through its directory: its name may be longer than an address can be. */
static int connect_to(const char *path)
{
	const char *slash = strrchr(path, '/');
	CLEAN_MEM char *dir = slash && slash != path ? strndup(path, (size_t)(slash - path)) : strdup("/");
	CLEAN_FD int dir_fd = dir && slash ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	CLEAN_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (dir_fd < 0 || fd < 0)
		return -errno;
	if (snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/%s", dir_fd, slash + 1) >=
	    (int)sizeof(at.sun_path))
		return -ENAMETOOLONG;
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	return take_fd(&fd);
}

static int take_hello(struct ask *a)
{
	struct pollfd pf = { .fd = a->fd, .events = POLLIN };
	struct packet p;

	int n = poll(&pf, 1, ASK_HELLO_MS);
	if (n <= 0)
		return n < 0 ? -errno : -ETIMEDOUT;
	int r = transport_recv(a->fd, &p, false);
	if (r <= 0)
		return r ? r : -ECONNRESET;
	packet_done(&p);
	if (p.msg.type != MSG_CLIENT_HELLO)
		return -EPROTO;
	a->hello = p.msg.u.hello;
	a->mountpoint = strdup(p.text);
	return a->mountpoint ? 0 : -ENOMEM;
}

int ask_open(const char *mountpoint, struct ask *ret, char *why, size_t why_sz)
{
	CLEAN_MEM char *name = NULL;
	char path[PATH_MAX];

	*ret = (struct ask){ .fd = -1 };
	if (asprintf(&name, "%s/.linkfs/socket", mountpoint) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	ssize_t n = readlink(name, path, sizeof(path) - 1);
	if (n < 0) {
		int r = -errno;
		snprintf(why, why_sz, "%s: %s%s", name, strerror(-r),
			 r == -EACCES ? ": it is another user's mount" : "");
		return r;
	}
	path[n] = 0;
	ret->fd = connect_to(path);
	int r = ret->fd < 0 ? ret->fd : take_hello(ret);
	if (!r)
		return 0;
	snprintf(why, why_sz, "%s: %s", path,
		 r == -EPROTO ? "the mount speaks another version of the protocol: mount it anew" : strerror(-r));
	ask_close(ret);
	return r;
}

void ask_close(struct ask *a)
{
	cleanup_fd(&a->fd);
	a->fd = -1;
	free(a->mountpoint);
	a->mountpoint = NULL;
}

int ask_send(struct ask *a, struct msg *m, const char *text, const int *fds, int fd_cnt, char *why, size_t why_sz)
{
	int r = transport_send(a->fd, m, text, fds, fd_cnt, true);

	if (r)
		snprintf(why, why_sz, "%s: the mount process: %s", a->mountpoint, strerror(-r));
	return r;
}

int ask_wait(struct ask *a, uint16_t type, struct packet *ret, char *why, size_t why_sz)
{
	int r = transport_recv(a->fd, ret, true);

	if (r == 1 && ret->msg.type == (type | MSG_REPLY))
		return 0;
	if (r == 1)
		packet_done(ret);
	r = r == 0 ? -ECONNRESET : r == 1 ? -EPROTO : r;
	snprintf(why, why_sz, "%s: %s", a->mountpoint,
		 r == -ECONNRESET ? "the mount process has ended, or gave this request up" : strerror(-r));
	return r;
}
