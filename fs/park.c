/* park.c - requests that wait without a thread, and answers on their way out.
 *
 * A parked request stands in exactly one queue (a link's, a generation's, a job's) until park_answer moves it to a list
 * of replies; from there it is sent once, without the lock. Whatever happens in between (deadline, killed caller,
 * removed link) goes through the same door, so that no request is answered twice or forgotten.
 */
#include "outputs.h"
#include "worker_link.h"

#include <signal.h>

void replies_init(struct replies *r)
{
	TAILQ_INIT(&r->list);
}

/* For an answer: longer than all attempts at what it waits for. EIO after that, but for the kinds in park_sweep. */
static int64_t patience_ms(const struct fs *fs, enum park_kind kind)
{
	if (kind == PARK_LOOKUP)
		return VERIFY_PATIENCE_MS;
	if (kind == PARK_PASS)
		return PASS_PATIENCE_MS;
	if (kind == PARK_WARM)
		return WARM_MS;
	if (kind == PARK_RESTORE)
		return RESTORE_PATIENCE_MS;
	return CRASHES_MAX * (fs->cfg.link_timeout_ms + fs->cfg.fill_timeout_ms);
}

struct parked *parked_new(fuse_req_t req, enum park_kind kind, struct link *link, struct generation *gen,
			  const struct fuse_file_info *fi)
{
	struct parked *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->req = req;
	p->kind = kind;
	p->pid = fuse_req_ctx(req)->pid;
	p->deadline = now_ms() + patience_ms(fuse_req_userdata(req), kind);
	p->link = link_ref(link);
	p->gen = generation_ref(gen);
	if (fi)
		p->fi = *fi;
	return p;
}

struct parked *parked_dep(struct fs *fs, struct link *d, struct link *reader)
{
	struct parked *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->kind = PARK_DEP;
	p->deadline = now_ms() + patience_ms(fs, PARK_DEP);
	p->link = link_ref(d);
	p->reader = link_ref(reader);
	return p;
}

void park_on(struct fs *fs, struct park_queue *q, struct parked *p)
{
	if (p->queue) {
		TAILQ_REMOVE(p->queue, p, on);
	} else {
		TAILQ_INSERT_TAIL(&fs->parked, p, all);
		fs->parked_cnt++;
		if (p->kind == PARK_LOOKUP || p->kind == PARK_PASS || p->kind == PARK_RESTORE || p->kind == PARK_WARM)
			worker_link_wake(fs); /* its deadline is near */
	}
	p->queue = q;
	TAILQ_INSERT_TAIL(q, p, on);
}

void park_answer(struct fs *fs, struct parked *p, enum outcome outcome, int error, struct replies *out)
{
	if (p->queue) {
		TAILQ_REMOVE(p->queue, p, on);
		TAILQ_REMOVE(&fs->parked, p, all);
		fs->parked_cnt--;
		p->queue = NULL;
	}
	if (p->kind == PARK_DEP) { /* nobody outside waits */
		struct link *reader = p->reader;
		link_unref(fs, p->link);
		free(p);
		deps_answered(fs, reader, outcome != OUT_ERROR || error != EIO, out);
		link_unref(fs, reader);
		return;
	}
	p->outcome = outcome;
	p->error = error;
	TAILQ_INSERT_TAIL(&out->list, p, on);
}

void park_answer_entry(struct fs *fs, struct parked *p, struct node *n, struct replies *out)
{
	node_remember(fs, n);
	p->entry = (struct fuse_entry_param){ .ino = n->id, .attr_timeout = n->gen ? 1.0 : 0.0 };
	node_attr(fs, n, &p->entry.attr);
	park_answer(fs, p, OUT_ENTRY, 0, out);
}

/* Was the calling thread killed? Signals that have a handler do not count: stat and open do not return EINTR on an
 * ordinary file, and programs rely on it. (A fatal signal shows as SIGKILL pending for each thread of its process.) */
static bool is_caller_killed(pid_t pid)
{
	char path[64], line[256];
	unsigned long long mask = 0;
	bool killed = false;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = pid ? fopen(path, "re") : NULL;
	if (!f)
		return pid && errno == ENOENT;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "SigPnd: %llx", &mask) == 1 || sscanf(line, "ShdPnd: %llx", &mask) == 1)
			killed |= mask >> (SIGKILL - 1) & 1;
	fclose(f);
	return killed;
}

void park_sweep(struct fs *fs, struct replies *out)
{
	int64_t now = now_ms();
	struct parked *p, *next;

	for (p = TAILQ_FIRST(&fs->parked); p; p = next) {
		next = TAILQ_NEXT(p, all);
		if (p->req && fuse_req_interrupted(p->req) && is_caller_killed(p->pid)) {
			bytes_forget(fs, p);
			park_answer(fs, p, OUT_ERROR, EINTR, out);
		} else if (now >= p->deadline && p->kind == PARK_LOOKUP) {
			park_answer_entry(fs, p, link_node(p->link, NODE_LIVE), out);
		} else if (now >= p->deadline && (p->kind == PARK_PASS || p->kind == PARK_RESTORE)) {
			park_answer(fs, p, OUT_ERROR, ENOENT, out);
		} else if (now >= p->deadline && p->kind == PARK_WARM) {
			warmer_hurry(fs, p->gen);
		} else if (now >= p->deadline && p->kind == PARK_REPORT && p->what == NODE_STATS) {
			report_stats(fs, &p->text);
			park_answer(fs, p, p->text.failed ? OUT_ERROR : OUT_OPEN, ENOMEM, out);
		} else if (now >= p->deadline) {
			bool is_dep = p->kind == PARK_DEP;
			bytes_forget(fs, p);
			struct link *l = p->link ? p->link : p->gen ? p->gen->link : NULL;
			if (l)
				link_log(fs, l, "no answer within %d s: the request was failed",
					 (int)(patience_ms(fs, p->kind) / 1000));
			park_answer(fs, p, OUT_ERROR, EIO, out);
			if (is_dep) /* its link goes on, which may answer others */
				next = TAILQ_FIRST(&fs->parked);
		}
	}
}

static int send_open(struct fs *fs, struct parked *p)
{
	fs_lock(fs);
	int err = opened_new(fs, &p->text, &p->fi);
	fs_unlock(fs);
	if (err)
		return fuse_reply_err(p->req, err);
	int r = fuse_reply_open(p->req, &p->fi);
	if (r) { /* nobody else will */
		fs_lock(fs);
		opened_close(&p->fi);
		fs_unlock(fs);
	}
	return r;
}

static int send_one(struct fs *fs, struct parked *p)
{
	switch (p->outcome) {
	case OUT_ENTRY:
		return fuse_reply_entry(p->req, &p->entry);
	case OUT_ATTR:
		return fuse_reply_attr(p->req, &p->attr, 0.0);
	case OUT_OPEN:
		return send_open(fs, p);
	case OUT_PROVEN:
		return fuse_reply_open(p->req, &p->fi);
	case OUT_DATA:
		return bytes_send(p);
	case OUT_WRITE:
		return copy_write(p->req, p->copy, p->text.s, p->text.sz, p->write_off);
	case OUT_RESIZE:
		return copy_resize(fs, p);
	case OUT_ERROR:
		break;
	}
	return fuse_reply_err(p->req, p->error);
}

void replies_send(struct fs *fs, struct replies *out)
{
	struct parked *p;

	if (TAILQ_EMPTY(&out->list))
		return;
	TAILQ_FOREACH (p, &out->list, on)
		p->error = send_one(fs, p);
	fs_lock(fs);
	while ((p = TAILQ_FIRST(&out->list))) {
		TAILQ_REMOVE(&out->list, p, on);
		struct node *n = p->outcome == OUT_ENTRY && p->error ? tree_node(fs, p->entry.ino) : NULL;
		if (n)
			node_forget(fs, n, 1); /* the kernel never heard of it */
		if (p->outcome == OUT_PROVEN && p->error)
			p->gen->opens--; /* nobody else will */
		if (p->outcome == OUT_DATA)
			cache_unpin(&fs->cache, p->gen->file, p->read.off, p->read.sz);
		generation_unref(fs, p->gen);
		link_unref(fs, p->link);
		copy_unref(fs, p->copy);
		free(p->text.s);
		free(p);
	}
	fs_unlock(fs);
}
