/* ask.h - the client's side of a mount's socket: for ld.linkfs and the commands of linkfs.
 *
 * Blocking; one thread. Errors are one line of text, for a person.
 */
#ifndef FS_ASK_H
#define FS_ASK_H

#include "transport.h"

struct ask {
	int fd; /* -1: not connected */
	struct msg_client_hello hello;
	char *mountpoint; /* as the mount process knows it */
};

#define ASK_HELLO_MS 5000

/* Connects to the linkfs mounted at MOUNTPOINT (as the kernel shows it). 0, or -errno with WHY. */
int ask_open(const char *mountpoint, struct ask *ret, char *why, size_t why_sz);
void ask_close(struct ask *a);
/* Sends M and waits for its answer, however long. Takes nothing; RET's descriptors are the caller's to end
 * (packet_done). 0, or -errno with WHY: the mount process is gone or speaks another language. */
int ask_send(struct ask *a, struct msg *m, const char *text, const int *fds, int fd_cnt, char *why, size_t why_sz);
int ask_wait(struct ask *a, uint16_t type, struct packet *ret, char *why, size_t why_sz);

#endif
