/* ring.h - short requests to the linker process and its answers, through memory both have mapped.
 *
 * One sealed memfd per linker process holds two bounded rings of struct msg: requests (written by the mount process
 * under fs.lock, taken by any thread of the linker process) and answers (written by any of its threads, taken by the
 * mount process under fs.lock). What carries descriptors goes by the sockets (transport.h). Behind them are a few buffers
 * for bytes that are passed on and kept nowhere: who uses which, the requests say.
 *
 * The mount process believes nothing it finds there: it has its own count of both rings, reads a slot's sequence to see
 * whose turn the slot is, copies the message once, and looks at the copy. Nonsense is -EPROTO, and costs the linker
 * process its life. It never waits here.
 */
#ifndef FS_RING_H
#define FS_RING_H

#include "transport.h"

#define RING_SLOTS 128u /* of each direction; a power of two */
#define STAGE_CNT  8u   /* buffers: some are being filled, some read, the others keep these at work; */
#define STAGE_SZ   ((uint64_t)512 << 10) /* bytes of each. They take memory once they were used */

struct ring;

/* Mount process: a new ring; one reference. RET_FD, to be given to the linker process, is the caller's to close. */
int ring_new(struct ring **ret, int *ret_fd);
/* Linker process: maps what it was given (FD stays the caller's). -EPROTO: that is no ring. */
int ring_open(int fd, struct ring **ret);
/* References are counted by fs.lock's holder. The last one unmaps. NULL is fine; returns NULL. */
struct ring *ring_ref(struct ring *r);
struct ring *ring_unref(struct ring *r);
/* Buffer I < STAGE_CNT of STAGE_SZ bytes, as long as there is a reference. */
unsigned char *ring_stage(const struct ring *r, unsigned i);

/* --- mount process, all but ring_watch with fs.lock held --- */

/* Sends one request (magic and version are filled in). -EAGAIN: full. -EPROTO: the ring is damaged. */
int ring_ask(struct ring *r, struct msg *m);
/* 1: *RET is the next answer, well-formed, without descriptors. 0: none there. -EPROTO: rubbish. */
int ring_answer(struct ring *r, struct packet *ret);
bool ring_has_answer(const struct ring *r);
/* Before the thread that polls the sockets sleeps: from now on an answer rings the bell (see ring_reply). False: one is
 * there already. ring_awake takes it back. */
bool ring_sleep(struct ring *r);
void ring_awake(struct ring *r);
/* One thread at a time may look out for the next answer instead of being woken for it: ring_watch_begin (false: somebody
 * does, or there is but one CPU, or it was in vain too often), ring_watch without the lock and with a reference (true: an
 * answer is there), then ring_watch_end: true, there are answers nobody else will be woken for. */
bool ring_watch_begin(struct ring *r);
bool ring_watch(struct ring *r);
bool ring_watch_end(struct ring *r, bool was_seen);

/* --- linker process, any thread --- */

/* Waits for a request: looks for it some microseconds, then sleeps. 1, or -EPROTO. */
int ring_take(struct ring *r, struct packet *ret);
/* The same, but -EAGAIN instead of sleeping. */
int ring_try_take(struct ring *r, struct packet *ret);
/* Sends one answer with its text (NULL: none). Waits while the ring is full. True: the mount process sleeps, and is to be
 * woken by a MSG_BELL over the fill socket. */
bool ring_reply(struct ring *r, struct msg *m, const char *text);

#endif
