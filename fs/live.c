/* live.c - live links: never older than their inputs, never in the way of a directory.
 *
 *     Idle --step()--> Verifying --live_verified(), all as it was--> Idle
 *       \                  \--something changed--> Linking
 *        \--never linked, or another recipe--> Linking --live_linked()--> Idle
 *                                                  \--live_found_dep()--> Idle
 *     A link that reads other live links is Waiting for them (deps.c) before it is Verifying or Linking.
 *
 * Requests that need the link to be fresh wait in a batch for one look at the inputs, or one link, that began after
 * they came; later ones wait for the next. LOOKUP alone never waits for a link: while there is none it gets a
 * placeholder node, whose GETATTR waits and tells the truth, and whose OPEN waits and then says ESTALE once, so that
 * the kernel looks the name up again and finds the generation. That second LOOKUP comes from the same thread and is
 * granted the generation the first was promised, whatever changed in between: its open() began before.
 */
#include "kept.h"
#include "worker_link.h"

#define GRANT_MS 10000 /* on a busy machine the second look comes late */
#define FAILURE_MS 3000

static void drop_grant(struct fs *fs, struct grant *g)
{
	struct generation *gen = g->gen;

	*g = (struct grant){ 0 };
	generation_unref(fs, gen);
}

static void grant(struct fs *fs, struct link *l, const struct parked *p)
{
	struct grant *g = &l->grant[l->grant_next++ % GRANTS];

	if (!p->pid)
		return;
	drop_grant(fs, g);
	*g = (struct grant){ .pid = p->pid, .gen = generation_ref(l->gen), .until = now_ms() + GRANT_MS };
}

/* The node a thread was promised a moment ago, NULL: none. It may ask more than once (to revalidate, then to look up)
 * until it has opened it. */
static struct node *find_grant(struct fs *fs, struct link *l, pid_t pid)
{
	struct node *found = NULL;
	int64_t now = now_ms();

	for (unsigned i = 0; i < GRANTS; i++) {
		struct grant *g = &l->grant[i];
		if (g->pid && now > g->until)
			drop_grant(fs, g);
		else if (g->pid && g->pid == pid)
			found = &g->gen->node;
	}
	return found;
}

void live_opened(struct fs *fs, struct link *l, pid_t pid)
{
	for (unsigned i = 0; pid && i < GRANTS; i++)
		if (l->grant[i].pid == pid)
			drop_grant(fs, &l->grant[i]);
}

void live_answer(struct fs *fs, struct link *l, struct parked *p, struct replies *out)
{
	switch (p->kind) {
	case PARK_LOOKUP:
		park_answer_entry(fs, p, l->gen ? &l->gen->node : link_node(l, NODE_LIVE), out);
		return;
	case PARK_GETATTR:
		node_attr(fs, l->gen ? &l->gen->node : link_node(l, NODE_LIVE), &p->attr);
		park_answer(fs, p, OUT_ATTR, 0, out);
		return;
	case PARK_REPORT:
		if (p->what == NODE_INFO) {
			report_info(fs, l, &p->text);
			park_answer(fs, p, p->text.failed ? OUT_ERROR : OUT_OPEN, ENOMEM, out);
			return;
		}
		if (!l->gen)
			break;
		p->gen = generation_ref(l->gen);
		worker_link_map(fs, p, out);
		return;
	case PARK_OPEN:
		if (!l->gen)
			break;
		grant(fs, l, p);
		park_answer(fs, p, OUT_ERROR, ESTALE, out);
		return;
	case PARK_DEP: /* whether it went well is for the reader's link to tell */
		park_answer(fs, p, OUT_ATTR, 0, out);
		return;
	case PARK_READ:
	case PARK_PASS:
	case PARK_DIVERT:
	case PARK_WRITE:
	case PARK_RESIZE:
	case PARK_RESTORE:
	case PARK_PROOF:
	case PARK_WARM:
		break;
	}
	park_answer(fs, p, OUT_ERROR, EIO, out);
}

static void fail_batch(struct fs *fs, struct link *l, struct replies *out)
{
	struct parked *p;

	while ((p = TAILQ_FIRST(&l->batch))) {
		if (p->kind == PARK_LOOKUP)
			park_answer_entry(fs, p, link_node(l, NODE_LIVE), out);
		else if (p->kind == PARK_REPORT && p->what == NODE_INFO)
			live_answer(fs, l, p, out);
		else
			park_answer(fs, p, OUT_ERROR, EIO, out);
	}
}

static void answer_batch(struct fs *fs, struct link *l, struct replies *out)
{
	struct parked *p;

	while ((p = TAILQ_FIRST(&l->batch)))
		live_answer(fs, l, p, out);
}

static void note_failure(struct link *l, const char *diag)
{
	l->has_failed = true;
	l->log.sz = 0;
	text_append(&l->log, diag, strlen(diag));
	/* The longer it took, the longer it is believed: it may have cost others a linker process. */
	int64_t now = now_ms(), took = now - l->link_began;
	l->failed_until = now + (3 * took > FAILURE_MS ? 3 * took : FAILURE_MS);
}

static void start_link(struct fs *fs, struct link *l, const char *reason, struct replies *out)
{
	struct parked *p, *next;
	char *copy = strdup(reason);

	free(l->reason);
	l->reason = copy;
	l->state = LIVE_LINKING;
	l->link_began = now_ms();
	for (p = TAILQ_FIRST(&l->batch); p; p = next) {
		next = TAILQ_NEXT(p, on);
		if (p->kind == PARK_LOOKUP)
			park_answer_entry(fs, p, link_node(l, NODE_LIVE), out);
	}
	if (worker_link_link(fs, l) == 0)
		return;
	l->state = LIVE_IDLE;
	note_failure(l, "linkfs: error: out of memory\n");
	l->gen = generation_unref(fs, l->gen);
	answer_batch(fs, l, out);
}

/* A look at the inputs, or a link, for the batch. */
static void begin(struct fs *fs, struct link *l, struct replies *out)
{
	bool is_current = l->linked_version == l->recipe_version;

	if (l->is_unseen && is_current) {
		fail_batch(fs, l, out);
	} else if (is_current && l->resolved) {
		l->state = LIVE_VERIFYING;
		if (verifier_is_fresh(fs, l)) {
			live_verified(fs, l, l->resolved, NULL, out);
		} else if (verifier_submit(fs, l, true)) {
			l->state = LIVE_IDLE;
			start_link(fs, l, "no memory to look at its inputs", out);
		}
	} else if (is_current && l->has_failed && now_ms() < l->failed_until) {
		answer_batch(fs, l, out);
	} else {
		start_link(fs, l, l->linked_version ? "the recipe changed" : "first link", out);
	}
}

static void step(struct fs *fs, struct link *l, struct replies *out)
{
	struct parked *p;

	while (l->state == LIVE_IDLE && !TAILQ_EMPTY(&l->waiting)) {
		while ((p = TAILQ_FIRST(&l->waiting)))
			park_on(fs, &l->batch, p);
		if (l->deps_version != l->recipe_version)
			deps_clear(fs, l);
		l->deps_version = l->recipe_version;
		if (l->dep_cnt) {
			l->state = LIVE_WAITING;
			deps_freshen(fs, l, out);
		} else {
			begin(fs, l, out);
		}
	}
}

void live_deps_fresh(struct fs *fs, struct link *l, struct replies *out)
{
	if (l->state != LIVE_WAITING)
		return; /* removed meanwhile */
	l->state = LIVE_IDLE;
	if (l->output) {
		output_go_on(fs, l->output);
		return;
	}
	if (l->has_unseen_dep)
		fail_batch(fs, l, out);
	else
		begin(fs, l, out);
	step(fs, l, out);
}

void live_found_dep(struct fs *fs, struct link *l, struct replies *out)
{
	struct parked *p;

	if (l->output) {
		l->state = LIVE_WAITING;
		deps_freshen(fs, l, out);
		return;
	}
	if (l->state != LIVE_LINKING)
		return;
	l->state = LIVE_IDLE;
	while ((p = TAILQ_LAST(&l->batch, park_queue))) { /* before those that came later */
		park_on(fs, &l->waiting, p);
		TAILQ_REMOVE(&l->waiting, p, on);
		TAILQ_INSERT_HEAD(&l->waiting, p, on);
	}
	step(fs, l, out);
}

void live_park(struct fs *fs, struct parked *p, struct replies *out)
{
	struct link *l = p->link;

	if (l->output) {
		if (!restore_park(fs, p, out))
			live_answer(fs, l, p, out); /* what it is, it stays */
		return;
	}
	if (p->kind == PARK_LOOKUP) {
		struct node *n = find_grant(fs, l, p->pid);
		if (!n && (l->state == LIVE_LINKING || !l->resolved || l->linked_version != l->recipe_version))
			n = link_node(l, NODE_LIVE);
		if (n) {
			park_answer_entry(fs, p, n, out);
			return;
		}
	}
	park_on(fs, &l->waiting, p);
	step(fs, l, out);
}

void live_verified(struct fs *fs, struct link *l, const struct resolved *seen, const char *change, struct replies *out)
{
	if (l->state != LIVE_VERIFYING)
		return; /* removed meanwhile */
	l->state = LIVE_IDLE;
	if (l->linked_version != l->recipe_version)
		start_link(fs, l, "the recipe changed", out);
	else if (change || l->resolved != seen)
		start_link(fs, l, change ? change : "its inputs changed", out);
	else if (l->gen && l->gen->is_lost)
		start_link(fs, l, "its generation was lost", out);
	else
		answer_batch(fs, l, out);
	step(fs, l, out);
}

void live_unseen(struct fs *fs, struct link *l, struct replies *out)
{
	l->is_unseen = true;
	if (l->state != LIVE_VERIFYING)
		return;
	link_log(fs, l, "the file system of an input, or of a name that was looked for, does not answer: "
			"whether the link is still what it should be can't be told");
	l->state = LIVE_IDLE;
	fail_batch(fs, l, out);
	step(fs, l, out);
}

void live_seen(struct fs *fs, struct link *l)
{
	(void)fs;
	l->is_unseen = false;
}

void live_linked(struct fs *fs, struct link *l, uint64_t version, struct generation *gen, struct resolved *resolved,
		 const char *diag, struct replies *out)
{
	if (l->state != LIVE_LINKING)
		return;
	l->state = LIVE_IDLE;
	if (version != l->recipe_version) {
		start_link(fs, l, "the recipe changed", out);
		return;
	}
	l->is_unseen = false;
	if (!resolved)
		verifier_forget(fs, l);
	fs->count.links_made++;
	generation_unref(fs, l->gen);
	resolved_unref(fs, l->resolved);
	l->gen = generation_ref(gen);
	l->resolved = resolved_ref(resolved);
	l->linked_version = version;
	l->linked_at = time(NULL);
	note_failure(l, diag);
	l->has_failed = !gen;
	if (resolved)
		verifier_submit(fs, l, false); /* so that the first look finds watches */
	if (!gen && fs->cfg.is_foreground)
		fprintf(stderr, "linkfs: %s: the link failed:\n%s", l->name, diag);
	answer_batch(fs, l, out);
	step(fs, l, out);
}

void live_removed(struct fs *fs, struct link *l, struct replies *out)
{
	struct parked *p;

	while ((p = TAILQ_FIRST(&l->batch)) || (p = TAILQ_FIRST(&l->waiting)))
		park_answer(fs, p, OUT_ERROR, p->kind == PARK_LOOKUP ? ENOENT : ESTALE, out);
	l->state = LIVE_IDLE;
	for (unsigned i = 0; i < GRANTS; i++)
		drop_grant(fs, &l->grant[i]);
	verifier_forget(fs, l);
	l->gen = generation_unref(fs, l->gen);
	l->resolved = resolved_unref(fs, l->resolved);
}
