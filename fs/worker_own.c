/* worker_own.c - see worker_own.h.
 *
 * A link against an output reads a small part of it: its headers, its dynamic symbols and their versions. That part is
 * made here, by the linker that has the output, into a file in memory, and the rest of the output stays unmade.
 */
#include "worker_own.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "linkfs.h"
#include "transport.h"
#include "util.h"
#include "worker.h"

int own_ask(uint64_t link_id, const char *rest, struct own *ret)
{
	struct msg m = { .type = MSG_OWN | MSG_REPLY, .id = link_id };
	struct packet p;

	*ret = (struct own){ .fd = -1 };
	if (strlen(rest) > MSG_TEXT_MAX)
		return -ENAMETOOLONG;
	/* One link is made at a time, so nothing else comes from there now. */
	if (transport_send(WORKER_CONTROL_FD, &m, rest, NULL, 0, true) || transport_recv(WORKER_CONTROL_FD, &p, true) != 1)
		_exit(1);
	if (p.msg.type != MSG_OWN || p.msg.id != link_id)
		_exit(1);
	int r = p.msg.error;
	if (!r && *p.text)
		r = (ret->real = strdup(p.text)) ? 0 : -ENOMEM;
	else if (!r && p.fd_cnt)
		ret->fd = packet_take_fd(&p, 0);
	else if (!r)
		*ret = (struct own){ .gen = p.msg.gen, .id = p.msg.u.own_id, .fd = -1 };
	packet_done(&p);
	return r;
}

int own_face(struct linkfs_image *img)
{
	CLEAN_FD int fd = memfd_create("linkfs-face", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char why[256] = "";

	if (fd < 0 || ftruncate(fd, (off_t)linkfs_image_size(img)) < 0)
		return -errno;
	int r = linkfs_image_face(img, fd, why, sizeof(why));
	if (!r && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		r = -errno;
	return r ? r : take_fd(&fd);
}
