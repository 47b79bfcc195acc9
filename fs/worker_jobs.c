/* worker_jobs.c - requests to the linker process: queued, sent, and sent again until they are answered.
 *
 * A job stays in the queue until it is answered. When a linker process dies, the jobs that were with it are sent to the
 * next one. If it crashed, they are then sent one at a time, so that the one that crashes it again is known and failed.
 * Requests about a generation wait until the linker process has it: a new one is first sent its recipe, its record and
 * its inputs. Links and replays go one at a time as well, since one thread makes them.
 */
#include "kept.h"
#include "worker_priv.h"

#include <inttypes.h>

#include "transport.h"

/* --- jobs --- */

struct job *job_new(struct fs *fs, enum job_type type, struct link *l, struct generation *g)
{
	struct worker_link *w = fs->worker;
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->type = type;
	j->id = ++w->next_id;
	j->blob_fd = j->keep_fd = -1;
	j->link = link_ref(l);
	j->gen = generation_ref(g);
	TAILQ_INIT(&j->waiters);
	TAILQ_INSERT_TAIL(&w->jobs, j, on);
	return j;
}

void job_close_fds(struct job *j)
{
	for (uint32_t i = 0; i < j->fd_cnt; i++)
		cleanup_fd(&j->fds[i]);
	free(j->fds);
	j->fds = NULL;
	j->fd_cnt = 0;
}

void job_unsend(struct worker_link *w, struct job *j)
{
	if (j->is_sent)
		w->sent_cnt--;
	if (j->is_sent || j->fds_sent)
		w->is_control_busy &= j->type != JOB_LINK && j->type != JOB_REPLAY;
	j->is_sent = j->has_no_room = false;
	j->fds_sent = 0;
	if (!w->sent_cnt)
		w->is_quarantined = false;
	job_close_fds(j);
}

void job_free(struct fs *fs, struct job *j)
{
	job_unsend(fs->worker, j);
	TAILQ_REMOVE(&fs->worker->jobs, j, on);
	if (j->gen && j->gen->replay == j)
		j->gen->replay = NULL;
	cleanup_fd(&j->blob_fd);
	if (j->is_kept) {
		*j->is_kept = true;
		pthread_cond_broadcast(&fs->worker->kept);
	}
	free(j->recipe);
	free(j->pieces);
	generation_unref(fs, j->gen);
	generation_unref(fs, j->needs);
	link_unref(fs, j->link);
	free(j);
}

void jobs_answer_stats(struct fs *fs, struct job *j, struct replies *out)
{
	struct parked *p;

	while ((p = TAILQ_FIRST(&j->waiters))) {
		report_stats(fs, &p->text);
		park_answer(fs, p, p->text.failed ? OUT_ERROR : OUT_OPEN, ENOMEM, out);
	}
}

void jobs_answer_error(struct fs *fs, struct job *j, int error, struct replies *out)
{
	struct parked *p;

	while ((p = TAILQ_FIRST(&j->waiters)))
		park_answer(fs, p, OUT_ERROR, error, out);
}

void generation_lose(struct fs *fs, struct generation *g, const char *why)
{
	if (g->is_lost)
		return;
	g->is_lost = true;
	cache_file_keep(&fs->cache, g->file);
	if (g->is_unproven)
		restore_failed(fs, g->link->output);
	link_log(fs, g->link, "generation %" PRIu64 " is lost: %s; what was not read yet can't be made any more",
		 g->node.id, why);
}

void job_link_made(struct fs *fs, struct link *l, uint64_t version, struct generation *g, struct resolved *resolved,
		   const char *diag, const struct msg_verdict *v, int sides_fd, struct replies *out)
{
	if (l->output)
		output_linked(fs, l->output, g, resolved, diag, v, sides_fd);
	else
		live_linked(fs, l, version, g, resolved, diag, out);
}

/* Ends a job that can't be done. */
void job_fail(struct fs *fs, struct job *j, int error, const char *why, struct replies *out)
{
	char diag[512];

	switch (j->type) {
	case JOB_LINK:
		snprintf(diag, sizeof(diag), "linkfs: error: %s\n", why);
		job_link_made(fs, j->link, j->version, NULL, NULL, diag, NULL, -1, out);
		break;
	case JOB_REPLAY:
		generation_lose(fs, j->gen, why);
		break;
	case JOB_FILL:
		cache_filled(&fs->cache, j->gen->file, j->off, j->sz, error == -EIO ? -ECANCELED : error, why, out);
		break;
	case JOB_STAGE:
		warmer_staged(fs, (unsigned)j->stage.stage, NULL, error);
		break;
	case JOB_MAP:
		jobs_answer_error(fs, j, EIO, out);
		break;
	case JOB_PROOF:
		jobs_answer_error(fs, j, ESTALE, out); /* the kernel looks the name up again */
		break;
	case JOB_STATS:
		jobs_answer_stats(fs, j, out); /* what is known without the linker process */
		break;
	case JOB_DROP:
	case JOB_KEEP:
		break;
	}
	job_free(fs, j);
}

void jobs_end_keeps(struct fs *fs)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&fs->worker->jobs); j; j = next) {
		next = TAILQ_NEXT(j, on);
		if (j->type == JOB_KEEP)
			job_free(fs, j);
	}
}

struct job *job_find(struct worker_link *w, uint64_t id, enum job_type type)
{
	struct job *j;

	TAILQ_FOREACH (j, &w->jobs, on)
		if (j->id == id && j->is_sent)
			return j->type == type ? j : NULL;
	return NULL;
}

/* --- sending (lock held, any thread) --- */

static int make_blob(struct job *j)
{
	const struct record *r = j->type == JOB_REPLAY ? j->gen->resolved->record : NULL;
	const char *recipe = j->type == JOB_REPLAY ? j->gen->recipe : j->recipe;

	if (j->blob_fd >= 0)
		return 0;
	j->recipe_sz = strlen(recipe);
	j->record_sz = r ? r->sz : 0;
	j->blob_fd = blob_new("linkfs-request", recipe, j->recipe_sz, r ? r->bytes : "", j->record_sz);
	return j->blob_fd < 0 ? j->blob_fd : 0;
}

static int send_inputs(struct fs *fs, struct job *j)
{
	struct worker_link *w = fs->worker;
	const struct resolved *r = j->gen->resolved;

	if (!j->fds_sent)
		j->copy_seq = fs->inputs.copy_seq;
	while (j->fds_sent < r->record->fd_cnt) {
		struct msg m = { .type = MSG_FDS, .id = j->id, .gen = j->gen->load_id };
		int fds[MSG_FD_MAX], cnt = 0;
		for (uint32_t i = j->fds_sent; i < r->record->fd_cnt && cnt < MSG_FD_MAX; i++) {
			uint64_t is_leased = r->input[i]->state == CUSTODY_LEASED;
			uint64_t is_copied = r->input[i]->state == CUSTODY_COPIED;
			m.u.fds.known[cnt / 64] |= (is_leased | is_copied) << (cnt % 64);
			m.u.fds.copied[cnt / 64] |= is_copied << (cnt % 64);
			fds[cnt++] = r->input[i]->fd;
		}
		int err = transport_send(w->control, &m, NULL, fds, cnt, false);
		if (err)
			return err;
		w->is_control_busy = true; /* nobody may come in between */
		j->fds_sent += (uint32_t)cnt;
	}
	return 0;
}

static int send_link(struct fs *fs, struct job *j)
{
	struct worker_link *w = fs->worker;
	int err = make_blob(j);

	if (!err && j->type == JOB_REPLAY)
		err = send_inputs(fs, j);
	if (err)
		return err;
	struct msg m = {
		.type = MSG_LINK,
		.id = j->id,
		.gen = j->type == JOB_REPLAY ? j->gen->load_id : j->gen_id,
		.u.link = { .recipe_sz = j->recipe_sz,
			    .record_sz = j->record_sz,
			    .wants_sides = j->type == JOB_LINK && j->link->output },
	};
	err = transport_send(w->control, &m, NULL, &j->blob_fd, 1, false);
	if (!err)
		w->is_control_busy = true;
	return err;
}

static int send_short(struct worker_link *w, struct job *j)
{
	struct msg m = { .id = j->id, .gen = j->gen ? j->gen->load_id : j->gen_id };
	int err;

	if (j->gen && j->type != JOB_KEEP && j->type != JOB_STAGE && j->gen->backing_epoch != w->epoch) {
		struct msg b = { .type = MSG_BACKING, .gen = m.gen, .u.range.sz = j->gen->size };
		err = transport_send(w->fill, &b, NULL, &j->gen->file->fd, 1, false);
		if (err)
			return err;
		j->gen->backing_epoch = w->epoch;
	}
	switch (j->type) {
	case JOB_KEEP:
		m.type = MSG_KEEP;
		m.u.keep_cnt = j->keep_cnt;
		return transport_send(w->fill, &m, NULL, (int[]){ j->blob_fd, j->keep_fd }, j->keep_fd < 0 ? 1 : 2,
				      false);
	case JOB_FILL:
		m.type = MSG_FILL;
		m.u.range.off = j->off;
		m.u.range.sz = j->sz;
		break;
	case JOB_STAGE:
		m.type = MSG_STAGE;
		m.u.stage = j->stage;
		memcpy(ring_stage(w->ring, (unsigned)j->stage.stage), j->pieces, j->stage.cnt * sizeof(*j->pieces));
		break;
	case JOB_MAP:
		m.type = MSG_MAP;
		break;
	case JOB_STATS:
		m.type = MSG_STATS;
		break;
	default:
		m.type = MSG_DROP;
	}
	err = ring_ask(w->ring, &m);
	if (err != -EAGAIN)
		w->ring_until = 0;
	else if (!w->ring_until)
		w->ring_until = now_ms() + FILL_DEADLINE_MS;
	return err == -EAGAIN ? -EXFULL : err;
}

/* Does the linker process have the generation? If not, sees to it that it will. */
static bool is_loaded(struct fs *fs, struct generation *g)
{
	struct worker_link *w = fs->worker;

	if (g->loaded_epoch == w->epoch)
		return true;
	if (g->replay || g->is_lost)
		return false;
	if (!resolved_is_intact(g->resolved))
		generation_lose(fs, g, "an input changed, and the linker process that knew it is gone");
	else
		g->replay = job_new(fs, JOB_REPLAY, NULL, g); /* without memory: tried again at the next tick */
	if (g->replay)
		g->load_id = tree_next_id(&fs->tree);
	return false;
}

static bool is_control_job(const struct job *j)
{
	return j->type == JOB_LINK || j->type == JOB_REPLAY;
}

/* May J go now? */
static bool may_send(struct fs *fs, struct job *j)
{
	struct worker_link *w = fs->worker;

	if (j->is_sent || (w->is_quarantined && j->type != JOB_KEEP) || (j->not_before && now_ms() < j->not_before))
		return false;
	if (j->needs && !j->needs->is_lost && !is_loaded(fs, j->needs))
		return false;
	if (j->type == JOB_PROOF) {
		is_loaded(fs, j->gen); /* that is all it is for: jobs_end_proofs */
		return false;
	}
	if (is_control_job(j) ? w->is_control_busy && !j->fds_sent
			      : j->gen && j->type != JOB_KEEP && !is_loaded(fs, j->gen))
		return false;
	return !j->crashes || !w->sent_cnt;
}

static void set_sent(struct fs *fs, struct job *j)
{
	struct worker_link *w = fs->worker;

	j->is_sent = true;
	if (j->type != JOB_KEEP) /* whose time ran from the start */
		j->deadline = now_ms() + (is_control_job(j) ? fs->cfg.link_timeout_ms : fs->cfg.fill_timeout_ms);
	w->sent_cnt++;
	if (j->crashes)
		w->is_quarantined = true;
}

/* Sends what can be sent. Never waits: what does not fit goes when the dispatcher finds room. */
void jobs_pump(struct fs *fs)
{
	struct worker_link *w = fs->worker;
	struct job *j, *next;

	if (w->state != WORKER_UP)
		return;
	for (j = TAILQ_FIRST(&w->jobs); j; j = next) {
		bool is_control = is_control_job(j);
		if (!may_send(fs, j)) {
			next = TAILQ_NEXT(j, on);
			continue;
		}
		int err = is_control ? send_link(fs, j) : send_short(w, j);
		next = TAILQ_NEXT(j, on);
		if (err == -EAGAIN) {
			if (is_control)
				w->wants_control = true;
			else
				w->wants_fill = true;
			worker_link_wake(fs);
			return;
		}
		if (err == -EXFULL)
			return; /* tried again after the next answer, and at each tick */
		if (err == -EPROTO)
			worker_kill(fs, "the ring is damaged");
		if (err == -EPIPE || err == -ECONNRESET || err == -EPROTO)
			return; /* its end will be seen by the dispatcher */
		if (err)
			continue; /* out of descriptors or memory: the next tick tries again */
		if (j->type == JOB_DROP)
			job_free(fs, j);
		else
			set_sent(fs, j);
	}
}

void jobs_end_proofs(struct fs *fs, struct replies *out)
{
	struct worker_link *w = fs->worker;
	struct job *j, *next;

	for (j = TAILQ_FIRST(&w->jobs); j; j = next) {
		struct parked *p;
		next = TAILQ_NEXT(j, on);
		if (j->type != JOB_PROOF || w->state != WORKER_UP || j->gen->loaded_epoch != w->epoch)
			continue;
		j->gen->is_unproven = false;
		while ((p = TAILQ_FIRST(&j->waiters))) {
			j->gen->opens++;
			park_answer(fs, p, OUT_PROVEN, 0, out);
		}
		job_free(fs, j);
	}
}

/* TEXT is room for the answer. */
static const char *why_not_started(const struct worker_link *w, char *text, size_t text_sz)
{
	snprintf(text, text_sz, "the linker process can't be started: %s", w->failed_why);
	return text;
}

/* TEXT is room for the answer. */
static const char *why_given_up(const struct fs *fs, const struct job *j, char *text, size_t text_sz)
{
	bool is_link = is_control_job(j);

	if (j->was_late)
		snprintf(text, text_sz, "the linker process was not done with %s within %s_timeout=%gs, twice",
			 is_link ? "this link" : "these bytes", is_link ? "link" : "fill",
			 (double)(is_link ? fs->cfg.link_timeout_ms : fs->cfg.fill_timeout_ms) / 1000);
	else
		snprintf(text, text_sz, "the linker process died twice while making %s",
			 is_link ? "this link" : "these bytes");
	return text;
}

/* Fills of lost generations, jobs that killed too often. */
void jobs_fail_hopeless(struct fs *fs, struct replies *out)
{
	struct worker_link *w = fs->worker;
	bool again;

	do {
		struct job *j;
		again = false;
		TAILQ_FOREACH (j, &w->jobs, on) {
			const char *why = NULL;
			char text[160];
			if (j->is_sent)
				continue;
			if (j->gen && j->gen->is_lost && j->gen->loaded_epoch != w->epoch)
				why = "an input changed, or the link can't be remade";
			else if (j->crashes >= CRASHES_MAX)
				why = why_given_up(fs, j, text, sizeof(text));
			else if (j->kills >= KILLS_MAX)
				why = "the linker process was killed again and again while at this";
			else if (w->failed_starts >= 5 && w->state == WORKER_DOWN)
				why = why_not_started(w, text, sizeof(text));
			if (!why)
				continue;
			job_fail(fs, j, j->gen && j->gen->is_lost ? -ESTALE : -ECANCELED, why, out);
			again = true;
			break;
		}
	} while (again);
}

static int link_once(struct fs *fs, struct link *l, unsigned tries, int64_t not_before)
{
	struct job *j = job_new(fs, JOB_LINK, l, NULL);

	if (!j)
		return -ENOMEM;
	j->recipe = strdup(l->recipe ? l->recipe : "");
	if (!j->recipe) {
		job_free(fs, j);
		return -ENOMEM;
	}
	j->version = l->recipe_version;
	j->tries = tries;
	j->not_before = not_before;
	j->gen_id = tree_next_id(&fs->tree);
	jobs_pump(fs);
	return 0;
}

bool worker_link_cancel(struct fs *fs, const struct link *l)
{
	struct job *j;

	TAILQ_FOREACH (j, &fs->worker->jobs, on) {
		if (j->type != JOB_LINK || j->link != l)
			continue;
		if (j->is_sent)
			return false;
		job_free(fs, j);
		return true;
	}
	return true;
}

int worker_link_link(struct fs *fs, struct link *l)
{
	return link_once(fs, l, 0, 0);
}

int worker_link_link_again(struct fs *fs, struct link *l, unsigned tries)
{
	return link_once(fs, l, tries, now_ms() + (tries < 25 ? tries * 10 : 250));
}

/* A KEEP of CNT identities. NULL: no memory. */
static struct job *new_keep(struct fs *fs, const struct msg_identity *id, size_t cnt)
{
	struct job *j = job_new(fs, JOB_KEEP, NULL, NULL);

	if (!j)
		return NULL;
	j->keep_cnt = cnt;
	j->deadline = now_ms() + KEEP_DEADLINE_MS;
	j->blob_fd = blob_new("linkfs-keep", id, cnt * sizeof(*id), NULL, 0);
	if (j->blob_fd >= 0)
		return j;
	job_free(fs, j);
	return NULL;
}

int job_new_keep(struct fs *fs, uint64_t gen_id, const struct resolved *r, struct job **ret)
{
	CLEAN_MEM struct msg_identity *ids = calloc((size_t)r->record->fd_cnt + 1, sizeof(*ids));
	size_t cnt = 0;

	for (uint32_t k = 0; ids && k < r->record->fd_cnt; k++)
		if (r->input[k]->state == CUSTODY_LEASED)
			ids[cnt++] = r->input[k]->id;
	struct job *j = ids && cnt ? new_keep(fs, ids, cnt) : NULL;
	if (!ids || (cnt && !j))
		return -ENOMEM;
	if (j)
		j->gen_id = gen_id;
	*ret = j;
	return 0;
}

static void wait_for_keep(struct fs *fs, struct job *j)
{
	struct worker_link *w = fs->worker;
	bool is_kept = false;

	j->is_kept = &is_kept;
	jobs_pump(fs);
	worker_link_wake(fs);
	while (!is_kept)
		pthread_cond_wait(&w->kept, &fs->lock);
}

void worker_link_keep_leased(struct fs *fs, uint64_t gen, const struct resolved *r)
{
	struct job *j = NULL;

	/* Without memory they are looked at, as if not leased. */
	if (fs->worker && fs->worker->state == WORKER_UP && job_new_keep(fs, gen, r, &j) == 0 && j)
		wait_for_keep(fs, j);
}

void worker_link_keep_copy(struct fs *fs, const struct input *i)
{
	if (!fs->worker || fs->worker->state != WORKER_UP)
		return; /* it has no input yet, or nothing it says counts any more */
	struct job *j = new_keep(fs, &i->id, 1);
	if (!j) {
		worker_link_replace(fs, "no memory to tell it of an input");
		return;
	}
	j->keep_fd = i->fd;
	wait_for_keep(fs, j);
}

void worker_link_distrust(struct fs *fs, const struct input *i, const char *why)
{
	struct generation *g;

	TAILQ_FOREACH (g, &fs->generations, all)
		if (resolved_has(g->resolved, i))
			generation_lose(fs, g, why);
	worker_link_replace(fs, why);
}

int worker_link_fill(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz)
{
	struct job *j = job_new(fs, JOB_FILL, NULL, g);

	if (!j)
		return -ENOMEM;
	j->off = off;
	j->sz = sz;
	jobs_pump(fs);
	if (g->is_lost)
		worker_link_wake(fs);
	return 0;
}

int worker_link_stage(struct fs *fs, struct generation *g, unsigned stage, const struct linkfs_range *piece, unsigned cnt)
{
	struct job *j = fs->worker && !g->is_lost ? job_new(fs, JOB_STAGE, NULL, g) : NULL;

	if (!j)
		return g->is_lost ? -ESTALE : -ENOMEM;
	j->pieces = malloc(cnt * sizeof(*piece));
	if (!j->pieces) {
		job_free(fs, j);
		return -ENOMEM;
	}
	memcpy(j->pieces, piece, cnt * sizeof(*piece));
	j->stage = (struct msg_stage){ .stage = stage, .cnt = cnt };
	jobs_pump(fs);
	return 0;
}

unsigned worker_link_linking(const struct fs *fs, const char **ret_now)
{
	const struct job *j;
	unsigned cnt = 0;

	*ret_now = "";
	if (!fs->worker)
		return 0;
	TAILQ_FOREACH (j, &fs->worker->jobs, on) {
		if (j->type == JOB_LINK && j->is_sent)
			*ret_now = j->link->name;
		cnt += j->type == JOB_LINK;
	}
	return cnt;
}

void worker_link_map(struct fs *fs, struct parked *p, struct replies *out)
{
	struct job *j = job_new(fs, JOB_MAP, NULL, p->gen);

	if (!j) {
		park_answer(fs, p, OUT_ERROR, ENOMEM, out);
		return;
	}
	park_on(fs, &j->waiters, p);
	jobs_pump(fs);
}

void worker_link_prove(struct fs *fs, struct parked *p, struct replies *out)
{
	struct job *j = job_new(fs, JOB_PROOF, NULL, p->gen);

	if (!j) {
		park_answer(fs, p, OUT_ERROR, ENOMEM, out);
		return;
	}
	park_on(fs, &j->waiters, p);
	jobs_pump(fs);
	worker_link_wake(fs);
}

void worker_link_stats(struct fs *fs, struct parked *p, struct replies *out)
{
	struct job *j = fs->worker->state == WORKER_UP ? job_new(fs, JOB_STATS, NULL, NULL) : NULL;

	if (!j) {
		report_stats(fs, &p->text);
		park_answer(fs, p, p->text.failed ? OUT_ERROR : OUT_OPEN, ENOMEM, out);
		return;
	}
	p->deadline = now_ms() + STATS_PATIENCE_MS;
	park_on(fs, &j->waiters, p);
	jobs_pump(fs);
}

void worker_link_drop(struct fs *fs, const struct generation *g)
{
	struct worker_link *w = fs->worker;
	struct job *j =
		w && w->state == WORKER_UP && g->loaded_epoch == w->epoch ? job_new(fs, JOB_DROP, NULL, NULL) : NULL;

	if (j) {
		j->gen_id = g->load_id;
		worker_link_wake(fs);
	}
}

void worker_link_unload(struct fs *fs, struct generation *g)
{
	const struct job *j;

	if (!g->loaded_epoch || g->replay)
		return;
	TAILQ_FOREACH (j, &fs->worker->jobs, on)
		if (j->gen == g)
			return; /* what is asked for now could be overtaken by that */
	worker_link_drop(fs, g);
	g->relocs_before += g->relocs_now;
	g->relocs_now = 0;
	g->loaded_epoch = g->backing_epoch = 0;
}

pid_t worker_link_pid(const struct fs *fs)
{
	return fs->worker ? fs->worker->pid : 0;
}

void worker_link_wake(struct fs *fs)
{
	uint64_t one = 1;
	ssize_t n = fs->worker ? write(fs->worker->wake_fd, &one, sizeof(one)) : 0;

	(void)n; /* full means it will wake anyway */
}
