/* transport.h - one connection between the mount process and the linker process: packets and descriptors.
 *
 * For what carries descriptors, and for links; the many short requests without any go through ring.h.
 * Threads: several may send and several may receive at once; a packet is never torn.
 */
#ifndef FS_TRANSPORT_H
#define FS_TRANSPORT_H

#include <stdbool.h>

#include "msg.h"

/* A received packet. Descriptors not taken (set to -1) are closed by packet_done. */
struct packet {
	struct msg msg;
	char text[MSG_TEXT_MAX + 1]; /* terminated */
	int fd_cnt;
	int fds[MSG_FD_MAX];
	bool is_cut; /* there was no room for all descriptors that were sent */
};

/* A connected pair; both ends are close-on-exec and non-blocking only where MSG_DONTWAIT asks for it. */
int transport_pair(int ret_end[2]);

/* Fills magic, version and text_sz, sends one packet. TEXT may be NULL; longer than MSG_TEXT_MAX is cut.
 * -EAGAIN: full, and WAIT is false. -EPIPE, -ECONNRESET: the other side is gone. */
int transport_send(int end, struct msg *m, const char *text, const int *fds, int fd_cnt, bool wait);

/* 1: *ret is a well-formed packet. 0: the other side is gone. -EAGAIN: none there, and WAIT is false. -EPROTO:
 * rubbish. */
int transport_recv(int end, struct packet *ret, bool wait);

void packet_done(struct packet *p);
/* Gives descriptor I to the caller, -1 if there is none. */
int packet_take_fd(struct packet *p, int i);

/* A sealed memfd holding A then B. Returns the descriptor or -errno. */
int blob_new(const char *name, const void *a, size_t a_sz, const void *b, size_t b_sz);
/* Reads exactly SZ bytes of a blob; the result (one byte longer, terminated) is the caller's to free. */
int blob_read(int fd, uint64_t sz, char **ret);

#endif
