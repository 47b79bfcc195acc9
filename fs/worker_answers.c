/* worker_answers.c - what the linker process says: verdicts, finished ranges, texts; to live.c, cache.c and park.c.
 *
 * It may have gone mad before it dies, so nothing it says is taken unchecked; what makes no sense has it replaced.
 */
#include "outputs.h"
#include "worker_priv.h"

#define INPUTS_MAX ((uint32_t)1 << 20)

static void take_image_stats(struct fs *fs, struct generation *g, const struct msg_image_stats *s)
{
	if (s->relocs_applied <= g->relocs_now)
		return; /* overtaken by a later answer */
	fs->count.relocs_applied += s->relocs_applied - g->relocs_now;
	g->relocs_now = s->relocs_applied;
}

/* A verdict's blob: the diagnostics (terminated, to free) and the record. */
static int read_verdict(struct packet *p, char **ret_diag, struct record **ret_record)
{
	const struct msg_verdict *v = &p->msg.u.verdict;

	if (p->fd_cnt != (v->map_sz || v->deps_sz ? 2 : 1) || v->diag_sz > MSG_BLOB_MAX ||
	    v->record_sz > MSG_BLOB_MAX - v->diag_sz || v->map_sz > MSG_BLOB_MAX || v->deps_sz > MSG_BLOB_MAX)
		return -EPROTO;
	CLEAN_MEM char *blob = NULL;
	int err = blob_read(p->fds[0], v->diag_sz + v->record_sz, &blob);
	if (err)
		return err;
	CLEAN_MEM char *bytes = malloc(v->record_sz + 1);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, blob + v->diag_sz, v->record_sz);
	blob[v->diag_sz] = 0;
	*ret_record = NULL;
	if (v->record_sz) {
		err = record_read(bytes, v->record_sz, ret_record);
		if (err)
			return err;
		bytes = NULL;
	}
	*ret_diag = blob;
	blob = NULL;
	return 0;
}

static void on_link_verdict(struct fs *fs, struct job *j, struct packet *p, struct replies *out)
{
	const struct msg *m = &p->msg;
	CLEAN_MEM char *diag = NULL;
	struct record *record = NULL;
	struct resolved *resolved = NULL;
	struct generation *g = NULL;
	int err = read_verdict(p, &diag, &record);

	if (!err && record)
		err = resolved_new(fs, record, m->error ? NULL : j->fds, j->fd_cnt, &resolved);
	if (err)
		record_free(record);
	if (!err && !m->error)
		err = resolved ? generation_new(fs, j->gen_id, j->link, j->recipe, resolved, &m->u.verdict, &g)
			       : -EPROTO;
	if (g)
		g->loaded_epoch = fs->worker->epoch;
	if (err) {
		char text[256];
		snprintf(text, sizeof(text), "linkfs: error: the mount can't take the finished link: %s\n",
			 strerror(-err));
		job_link_made(fs, j, NULL, resolved, text, NULL, -1, out);
	} else {
		job_link_made(fs, j, g, resolved, diag, &m->u.verdict, p->fd_cnt > 1 ? p->fds[1] : -1, out);
	}
	if (!g && !m->error) {
		struct generation ghost = { .node.id = j->gen_id, .loaded_epoch = fs->worker->epoch };
		worker_link_drop(fs, &ghost);
	}
	generation_unref(fs, g);
	resolved_unref(fs, resolved);
}

/* The link reads an output that this linker process does not have yet: it is made again when it has. */
static bool has_to_wait(struct fs *fs, struct job *j, const struct msg *m)
{
	struct node *n = m->error == -EAGAIN ? tree_node(fs, m->u.verdict.needs) : NULL;

	if (!n || !n->gen || n->gen->is_lost || n->gen->loaded_epoch == fs->worker->epoch)
		return false;
	generation_unref(fs, j->needs);
	j->needs = generation_ref(n->gen);
	job_unsend(fs->worker, j);
	return true;
}

/* While a link is made: what stands at a path below the mount point? */
static bool on_own(struct fs *fs, struct job *j, struct packet *p)
{
	struct msg m = { .type = MSG_OWN, .id = j->id, .error = -ENOENT };
	CLEAN_MEM char *real = NULL;
	const struct node *n = dirs_resolve(fs, p->text, &real);
	int fd = -1;

	if (n && n->copy && n->copy->fd < 0)
		n = &n->copy->gen->node; /* nobody has written to it */
	if (n && n->gen) {
		m.error = 0;
		m.gen = n->id;
	} else if (n && n->copy) {
		m.error = n->copy->writers ? -ETXTBSY : 0;
		fd = n->copy->fd;
	} else if (real) {
		m.error = 0;
	} else if (!*p->text || tree_link(fs, p->text)) {
		m.error = -EDEADLK;
	}
	return transport_send(fs->worker->control, &m, real, &fd, !m.error && fd >= 0 ? 1 : 0, false) == 0;
}

static void on_replay_verdict(struct fs *fs, struct job *j, struct packet *p)
{
	struct generation *g = j->gen;

	fs->count.replays++;
	if (p->msg.error)
		generation_lose(fs, g, *p->text ? p->text : strerror(-p->msg.error));
	else if (p->msg.u.verdict.size != g->size)
		generation_lose(fs, g, "made again it has another size");
	else
		g->loaded_epoch = fs->worker->epoch;
}

static bool add_fds(struct job *j, struct packet *p)
{
	if (j->fd_cnt + (uint32_t)p->fd_cnt > INPUTS_MAX)
		return false;
	int *fds = realloc(j->fds, sizeof(*fds) * (j->fd_cnt + (uint32_t)p->fd_cnt + 1));
	if (!fds)
		return false;
	j->fds = fds;
	for (int i = 0; i < p->fd_cnt; i++)
		j->fds[j->fd_cnt++] = packet_take_fd(p, i);
	return true;
}

bool answer_control(struct fs *fs, struct packet *p, struct replies *out)
{
	struct worker_link *w = fs->worker;
	struct job *j;

	switch (p->msg.type) {
	case MSG_HELLO | MSG_REPLY:
		w->state = WORKER_UP;
		w->failed_starts = 0;
		return true;
	case MSG_FDS | MSG_REPLY:
		j = job_find(w, p->msg.id, JOB_LINK);
		return j && add_fds(j, p);
	case MSG_OWN | MSG_REPLY:
		j = job_find(w, p->msg.id, JOB_LINK);
		return j && on_own(fs, j, p);
	case MSG_LINK | MSG_REPLY:
		fs->linker = p->msg.u.verdict.linker;
		if ((j = job_find(w, p->msg.id, JOB_LINK)) && has_to_wait(fs, j, &p->msg))
			return true;
		if (j)
			on_link_verdict(fs, j, p, out);
		else if ((j = job_find(w, p->msg.id, JOB_REPLAY)))
			on_replay_verdict(fs, j, p);
		if (j)
			job_free(fs, j);
		return j;
	default:
		return false;
	}
}

static void on_map(struct fs *fs, struct job *j, struct packet *p, struct replies *out)
{
	struct parked *q;
	char *map = NULL;
	uint64_t sz = p->msg.u.map_sz;

	if (p->msg.error || p->fd_cnt != 1 || blob_read(p->fds[0], sz, &map)) {
		jobs_answer_error(fs, j, EIO, out);
		return;
	}
	while ((q = TAILQ_FIRST(&j->waiters))) {
		text_append(&q->text, map, sz);
		park_answer(fs, q, q->text.failed ? OUT_ERROR : OUT_OPEN, ENOMEM, out);
	}
	free(map);
}

bool answer_fill(struct fs *fs, struct packet *p, struct replies *out)
{
	const struct msg *m = &p->msg;
	struct job *j = NULL;

	switch (m->type) {
	case MSG_FILL | MSG_REPLY:
		if (!(j = job_find(fs->worker, m->id, JOB_FILL)))
			return false;
		take_image_stats(fs, j->gen, &m->u.range.image);
		cache_filled(&fs->cache, j->gen->file, j->off, j->sz, m->error, p->text, out);
		break;
	case MSG_MAP | MSG_REPLY:
		if (!(j = job_find(fs->worker, m->id, JOB_MAP)))
			return false;
		on_map(fs, j, p, out);
		break;
	case MSG_STATS | MSG_REPLY:
		if (!(j = job_find(fs->worker, m->id, JOB_STATS)))
			return false;
		fs->linker = m->u.stats;
		jobs_answer_stats(fs, j, out);
		break;
	case MSG_BELL | MSG_REPLY:
		return ++fs->worker->bells <= fs->worker->naps; /* the answers themselves: worker_link.c */
	default:
		return false;
	}
	job_free(fs, j);
	return true;
}
