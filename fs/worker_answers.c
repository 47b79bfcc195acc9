/* worker_answers.c - what the linker process says: verdicts, finished ranges, texts; to live.c, cache.c and park.c.
 *
 * It may have gone mad before it dies, so nothing it says is taken unchecked; what makes no sense has it replaced.
 */
#include "custody.h"
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

/* A finished link whose inputs are being taken into custody. */
struct finished {
	struct link *link;	   /* referenced */
	struct resolved *resolved; /* referenced */
	char *recipe, *diag;
	struct msg_verdict verdict;
	int sides_fd; /* texts for the client; -1: none */
	uint64_t gen_id, version, epoch;
	unsigned tries;
};

static void finished_free(struct fs *fs, struct finished *f)
{
	resolved_unref(fs, f->resolved);
	link_unref(fs, f->link);
	cleanup_fd(&f->sides_fd);
	free(f->recipe);
	free(f->diag);
	free(f);
}

static void drop_image(struct fs *fs, uint64_t gen_id, uint64_t epoch)
{
	struct generation ghost = { .load_id = gen_id, .loaded_epoch = epoch };

	worker_link_drop(fs, &ghost);
}

/* TEXT is room for the answer. */
static const char *why_not_taken(int err, char *text, size_t text_sz)
{
	snprintf(text, text_sz, "the mount can't take the finished link: %s%s", strerror(-err),
		 err == -EMFILE ? ": it holds the inputs of all links open: raise ulimit -n, or remove links" : "");
	return text;
}

/* SEEN: it is believed until one of these inputs changes; NULL: they have nothing to do with it, and it is tried again
 * soon. */
static void fail_finished(struct fs *fs, const struct finished *f, struct resolved *seen, const char *why,
			  struct replies *out)
{
	char text[512];

	snprintf(text, sizeof(text), "linkfs: error: %s\n", why);
	job_link_made(fs, f->link, f->version, NULL, seen, text, NULL, -1, out);
	drop_image(fs, f->gen_id, f->epoch);
}

/* Does somebody still wait for this very link? */
static bool is_wanted(const struct finished *f)
{
	const struct link *l = f->link;

	return l->output ? l->is_named && l->output->client
			 : l->state == LIVE_LINKING && f->version == l->recipe_version;
}

/* An input is not what was linked. */
static void link_again(struct fs *fs, const struct finished *f, const char *changed, struct replies *out)
{
	char why[400];

	if (is_wanted(f) && f->tries < CHANGES_MAX && worker_link_link_again(fs, f->link, f->tries + 1) == 0) {
		drop_image(fs, f->gen_id, f->epoch);
		return;
	}
	snprintf(why, sizeof(why), "%.300s: it changes again and again while it is linked: who is writing to it?", changed);
	fail_finished(fs, f, f->resolved, why, out);
}

/* The inputs of a link are in custody, or not. */
static void on_custody(struct fs *fs, void *ctx, int err, const char *changed, struct replies *out)
{
	struct finished *f = ctx;
	struct generation *g = NULL;
	char why[200];

	if (!err && !(err = generation_new(fs, f->gen_id, f->link, f->recipe, f->resolved, &f->verdict, &g)))
		g->loaded_epoch = f->epoch;
	if (g && g->file->fd >= fs->fd_room) {
		err = -EMFILE;
		g = generation_unref(fs, g);
	}
	if (g) {
		job_link_made(fs, f->link, f->version, g, f->resolved, f->diag, &f->verdict, f->sides_fd, out);
	} else if (err == -ESTALE) {
		link_again(fs, f, changed, out);
	} else if (err == -ETIMEDOUT) {
		snprintf(why, sizeof(why), "%.100s: the file system does not answer", changed);
		fail_finished(fs, f, NULL, why, out);
	} else {
		fail_finished(fs, f, NULL, why_not_taken(err, why, sizeof(why)), out);
	}
	generation_unref(fs, g);
	finished_free(fs, f);
}

/* Takes RESOLVED's reference, J's descriptors and recipe and DIAG, but for -ENOMEM. */
static int begin_custody(struct fs *fs, struct job *j, struct resolved *resolved, char **diag, struct packet *p)
{
	struct finished *f = calloc(1, sizeof(*f));

	if (!f || custody_submit(fs, j->gen_id, resolved, j->fds, j->fd_cnt, on_custody, f)) {
		free(f);
		return -ENOMEM;
	}
	*f = (struct finished){
		.link = link_ref(j->link),
		.resolved = resolved,
		.recipe = j->recipe,
		.diag = *diag,
		.verdict = p->msg.u.verdict,
		.sides_fd = packet_take_fd(p, 1),
		.gen_id = j->gen_id,
		.version = j->version,
		.epoch = fs->worker->epoch,
		.tries = j->tries,
	};
	j->recipe = *diag = NULL;
	j->fds = NULL;
	j->fd_cnt = 0;
	return 0;
}

static void on_link_verdict(struct fs *fs, struct job *j, struct packet *p, struct replies *out)
{
	const struct msg *m = &p->msg;
	CLEAN_MEM char *diag = NULL;
	struct record *record = NULL;
	struct resolved *resolved = NULL;

	int err = j->has_no_room ? -EMFILE : read_verdict(p, &diag, &record);
	if (!err && record)
		err = resolved_new(fs, record, m->error ? NULL : j->fds, j->fd_cnt, &resolved);
	if (err)
		record_free(record);
	if (!err && !m->error) {
		err = resolved ? begin_custody(fs, j, resolved, &diag, p) : -EPROTO;
		if (!err)
			return;
	}
	if (err) {
		char text[256], why[200];
		snprintf(text, sizeof(text), "linkfs: error: %s\n", why_not_taken(err, why, sizeof(why)));
		job_link_made(fs, j->link, j->version, NULL, resolved, text, NULL, -1, out);
	} else {
		job_link_made(fs, j->link, j->version, NULL, resolved, diag, &m->u.verdict, p->fd_cnt > 1 ? p->fds[1] : -1,
			      out);
	}
	if (j->is_circle)
		link_log(fs, j->link, "%s: its inputs are made from it: a live link can't read itself", j->link->name);
	if (!m->error)
		drop_image(fs, j->gen_id, fs->worker->epoch);
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
	struct link *live = tree_link(fs, p->text);
	CLEAN_MEM char *real = NULL;
	struct output *waits;
	const struct node *n = dirs_resolve(fs, p->text, &real, &waits);
	int fd = -1;

	if (waits)
		live = waits->link; /* to be restored like a live link is made fresh */
	if (live && !deps_has(j->link, live)) {
		m.error = deps_add(j->link, live);
		j->is_circle |= m.error == -ELOOP;
		j->has_new_dep |= !m.error;
		m.error = m.error ? m.error : -EAGAIN;
		return transport_send(fs->worker->control, &m, NULL, NULL, 0, false) == 0;
	}

	if (n && n->gen) {
		m.error = 0;
		m.gen = n->gen->load_id;
		m.u.own_id = n->id;
	} else if (n && n->copy) {
		m.error = n->copy->writers ? -ETXTBSY : 0;
		fd = n->copy->fd;
	} else if (real) {
		m.error = 0;
	} else if (live) {
		m.error = -EIO; /* it failed: its log says why */
	} else if (!*p->text) {
		m.error = -EISDIR;
	}
	return transport_send(fs->worker->control, &m, real, &fd, !m.error && fd >= 0 ? 1 : 0, false) == 0;
}

/* Was an input of G copied after its original went to the linker process? That may have read the original too late. */
static bool is_overtaken(const struct generation *g, const struct job *j)
{
	for (uint32_t i = 0; i < g->resolved->record->fd_cnt; i++)
		if (g->resolved->input[i]->copy_seq > j->copy_seq)
			return true;
	return false;
}

/* G is with the linker process, which must know what is kept before it makes any of its bytes. */
static void keep_replayed(struct fs *fs, struct generation *g)
{
	struct job *k = NULL;

	if (job_new_keep(fs, g->node.id, g->resolved, &k))
		return; /* whoever needs it asks for another */
	if (!k) {
		g->loaded_epoch = fs->worker->epoch;
		return;
	}
	k->gen = generation_ref(g);
	g->replay = k;
}

/* What the linker makes is a function of what it was given: the bytes need not be looked at. */
static bool is_same_verdict(const struct generation *g, const struct msg_verdict *v)
{
	return v->size == g->size && v->input_bytes == g->input_bytes && v->eager_bytes == g->eager_bytes &&
	       v->relocs_total == g->relocs_total;
}

static void on_replay_verdict(struct fs *fs, struct job *j, struct packet *p)
{
	struct generation *g = j->gen;

	fs->count.replays++;
	if (is_overtaken(g, j))
		return; /* whoever needs it asks for another */
	if (p->msg.error)
		generation_lose(fs, g, *p->text ? p->text : strerror(-p->msg.error));
	else if (!is_same_verdict(g, &p->msg.u.verdict))
		generation_lose(fs, g, "made again it is another one");
	else
		keep_replayed(fs, g);
}

/* Descriptors are given out from the lowest number up: a high one tells that there are not many left. */
static bool is_over(const struct fs *fs, const struct packet *p)
{
	for (int i = 0; i < p->fd_cnt; i++)
		if (p->fds[i] >= fs->fd_room)
			return true;
	return p->is_cut;
}

static bool add_fds(struct fs *fs, struct job *j, struct packet *p)
{
	j->has_no_room |= is_over(fs, p);
	if (j->has_no_room) {
		job_close_fds(j);
		return true; /* the verdict is on its way */
	}
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
		return j && add_fds(fs, j, p);
	case MSG_OWN | MSG_REPLY:
		j = job_find(w, p->msg.id, JOB_LINK);
		return j && on_own(fs, j, p);
	case MSG_LINK | MSG_REPLY:
		fs->linker = p->msg.u.verdict.linker;
		if ((j = job_find(w, p->msg.id, JOB_LINK)) && has_to_wait(fs, j, &p->msg))
			return true;
		if (j && j->has_new_dep && p->msg.error) {
			struct link *l = link_ref(j->link);
			job_free(fs, j);
			live_found_dep(fs, l, out);
			link_unref(fs, l);
			return true;
		}
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
	case MSG_STAGE | MSG_REPLY:
		if (!(j = job_find(fs->worker, m->id, JOB_STAGE)))
			return false;
		take_image_stats(fs, j->gen, &m->u.stage.image);
		warmer_staged(fs, (unsigned)j->stage.stage, m->error ? NULL : ring_ref(fs->worker->ring), m->error);
		break;
	case MSG_MAP | MSG_REPLY:
		if (!(j = job_find(fs->worker, m->id, JOB_MAP)))
			return false;
		on_map(fs, j, p, out);
		break;
	case MSG_STATS | MSG_REPLY:
		if (!(j = job_find(fs->worker, m->id, JOB_STATS)))
			return false;
		fs->linker = m->u.stats.linker;
		fs->doing = m->u.stats.doing;
		jobs_answer_stats(fs, j, out);
		break;
	case MSG_BELL | MSG_REPLY:
		return ++fs->worker->bells <= fs->worker->naps; /* the answers themselves: worker_link.c */
	case MSG_LOOK | MSG_REPLY:
		return notifier_answered(fs);
	case MSG_KEEP | MSG_REPLY:
		if (m->error || !(j = job_find(fs->worker, m->id, JOB_KEEP)))
			return false; /* one that can't must not go on reading the original */
		if (j->gen)
			j->gen->loaded_epoch = fs->worker->epoch;
		break;
	default:
		return false;
	}
	job_free(fs, j);
	return true;
}
