/* transport.c - packets over a pair of SOCK_SEQPACKET sockets.
 *
 * SEQPACKET keeps the borders of messages, so that several threads can share an end without a lock, and tells of the
 * other side's end. Payloads that do not fit a packet go as sealed memfds: the receiver reads them with pread, never
 * through a mapping, so a sender that misbehaves can shorten nothing under a reader.
 */
#include "transport.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "util.h"

int transport_pair(int ret_end[2])
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	/* Room for many requests: what does not fit waits in the sender's queue. */
	for (int i = 0; i < 2; i++) {
		int sz = 1 << 20;
		setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &sz, sizeof(sz));
		ret_end[i] = fds[i];
	}
	return 0;
}

int transport_send(int end, struct msg *m, const char *text, const int *fds, int fd_cnt, bool wait)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * MSG_FD_MAX)];
	} control;
	size_t text_sz = text ? strnlen(text, MSG_TEXT_MAX) : 0;
	struct iovec iov[2] = { { m, sizeof(*m) }, { (void *)(uintptr_t)text, text_sz } };
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = text_sz ? 2 : 1 };

	if (fd_cnt < 0 || fd_cnt > MSG_FD_MAX)
		return -EINVAL;
	m->magic = MSG_MAGIC;
	m->version = MSG_VERSION;
	m->text_sz = (uint32_t)text_sz;
	if (fd_cnt) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = control.space;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_cnt);
		struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_cnt);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * (size_t)fd_cnt);
	}
	for (;;) {
		ssize_t n = sendmsg(end, &mh, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
		if (n >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	}
}

static void collect_fds(struct msghdr *mh, struct packet *p)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t cnt = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < cnt; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (p->fd_cnt < MSG_FD_MAX)
				p->fds[p->fd_cnt++] = fd;
			else
				close(fd);
		}
	}
}

int transport_recv(int end, struct packet *ret, bool wait)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * MSG_FD_MAX)];
	} control;
	struct iovec iov[2] = { { &ret->msg, sizeof(ret->msg) }, { ret->text, MSG_TEXT_MAX } };
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 2, .msg_control = control.space };
	ssize_t n;

	ret->fd_cnt = 0;
	do {
		mh.msg_controllen = sizeof(control.space);
		n = recvmsg(end, &mh, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == ECONNRESET || errno == EPIPE))
		return 0;
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	collect_fds(&mh, ret);
	if (n == 0) {
		packet_done(ret);
		return 0;
	}
	size_t text_sz = (size_t)n - sizeof(struct msg);
	if ((size_t)n < sizeof(struct msg) || ret->msg.magic != MSG_MAGIC || ret->msg.version != MSG_VERSION ||
	    ret->msg.text_sz != text_sz || (mh.msg_flags & MSG_TRUNC)) {
		packet_done(ret);
		return -EPROTO;
	}
	ret->text[text_sz] = 0;
	ret->is_cut = mh.msg_flags & MSG_CTRUNC;
	return 1;
}

void packet_done(struct packet *p)
{
	for (int i = 0; i < p->fd_cnt; i++) {
		if (p->fds[i] >= 0)
			close(p->fds[i]);
		p->fds[i] = -1;
	}
	p->fd_cnt = 0;
}

int packet_take_fd(struct packet *p, int i)
{
	return i >= 0 && i < p->fd_cnt ? take_fd(&p->fds[i]) : -1;
}

static int write_all(int fd, const char *p, size_t sz)
{
	while (sz) {
		ssize_t n = write(fd, p, sz);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		sz -= (size_t)n;
	}
	return 0;
}

int blob_new(const char *name, const void *a, size_t a_sz, const void *b, size_t b_sz)
{
	CLEAN_FD int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	int r = write_all(fd, a, a_sz);
	if (!r)
		r = write_all(fd, b, b_sz);
	if (!r && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		r = -errno;
	return r ? r : take_fd(&fd);
}

int blob_read(int fd, uint64_t sz, char **ret)
{
	if (sz > MSG_BLOB_MAX)
		return -EPROTO;
	CLEAN_MEM char *buf = malloc(sz + 1);
	if (!buf)
		return -ENOMEM;
	for (uint64_t got = 0; got < sz;) {
		ssize_t n = pread(fd, buf + got, sz - got, (off_t)got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPROTO;
		got += (uint64_t)n;
	}
	buf[sz] = 0;
	*ret = buf;
	buf = NULL;
	return 0;
}
