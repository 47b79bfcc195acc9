/* report.c - the texts of .linkfs/info/NAME and .linkfs/stats: "key: value" lines, every key always
 * there (but for the inputs that are not leased: a line each), and .linkfs/outputs, paragraphs of them.
 */
#include "outputs.h"
#include "kept.h"
#include "linkfs.h"
#include "watch.h"
#include "worker_link.h"

#include <inttypes.h>

static void put(struct text *t, const char *key, uint64_t value)
{
	text_printf(t, "%s: %" PRIu64 "\n", key, value);
}

static bool is_on_disk(const struct output *o)
{
	return o->state == OUTPUT_SETTLED || o->state == OUTPUT_FILE;
}

static const char *state_of(const struct link *l)
{
	if (l->output && is_on_disk(l->output))
		return "settled";
	if (l->output && l->output->kept)
		return "ok";
	if (l->gen)
		return l->gen->is_lost ? "lost" : "ok";
	if (l->output)
		return l->output->state == OUTPUT_LINKING ? "linking" : "failed";
	return l->has_failed || l->linked_at ? "failed" : "new"; /* nobody wanted it yet; in the table alone */
}

/* A live link's recipe persists, and the same inputs give the same bytes. */
static bool is_restart_safe(const struct link *l)
{
	const struct output *o = l->output;

	return !o || is_on_disk(o) || (o->kept_sz && o->is_restart_safe);
}

/* A line of its own, whatever bytes are in it: control characters and backslashes as in mountinfo. */
static void put_text(struct text *t, const char *key, const char *value)
{
	text_printf(t, "%s: ", key);
	while (*value) {
		size_t n = 0;
		while ((unsigned char)value[n] >= ' ' && value[n] != 0x7f && value[n] != '\\')
			n++;
		text_append(t, value, n);
		value += n;
		if (*value)
			text_printf(t, "\\%03o", (unsigned char)*value++);
	}
	text_append(t, "\n", 1);
}

/* The inputs that are not leased, each once, and why. */
static void put_inputs(struct fs *fs, const struct resolved *r, struct text *ret)
{
	static const char *const keys[] = {
		[CUSTODY_COPIED] = "copied_input", [CUSTODY_CHECKED] = "checked_input", [CUSTODY_LOST] = "lost_input"
	};

	fs->inputs.round++;
	for (uint32_t k = 0; k < r->record->probe_cnt; k++) {
		const struct probe *p = &r->record->probes[k];
		struct input *i = r->input && p->at.fd_idx >= 0 ? r->input[p->at.fd_idx] : NULL;
		if (!i || i->seen == fs->inputs.round || i->state == CUSTODY_NEW || i->state == CUSTODY_LEASED)
			continue;
		CLEAN_TEXT struct text t = { 0 };
		i->seen = fs->inputs.round;
		text_printf(&t, "%s: %s", p->path, i->why ? i->why : "");
		if (t.s)
			put_text(ret, keys[i->state], t.s);
	}
}

/* What stands at -o, as far as the mount knows: a symbolic link to it, a plain file made of it, or something else. */
static const char *shown_by(const struct link *l)
{
	if (!l->output)
		return "name";
	return is_on_disk(l->output) ? "file" : l->output->state == OUTPUT_PLACED ? "link" : "nothing";
}

/* What is known of an output that the mount before this one made, and nobody has looked at since; else of none. */
static struct generation not_there(const struct output *o)
{
	static struct cache_file no_file;
	struct generation g = { .file = &no_file };
	const struct kept_head *k = o ? o->kept : NULL;

	if (!k)
		return g;
	g.size = k->size;
	g.input_bytes = k->input_bytes;
	g.eager_bytes = k->eager_bytes;
	g.relocs_total = k->relocs_total;
	g.link_us = k->link_us;
	return g;
}

/* What info and the table say of a link. */
static void put_link(struct fs *fs, const struct link *l, struct text *ret)
{
	const struct generation other = not_there(l->output), *g = l->gen ? l->gen : &other;
	struct inputs_sum sum;

	text_printf(ret, "state: %s\n", state_of(l));
	text_printf(ret, "mode: %s\n", !l->output ? "live" : l->output->state == OUTPUT_FILE ? "file" : "mount");
	put(ret, "generation", g->node.id);
	put(ret, "size", g->size);
	put(ret, "inputs", l->gen ? g->resolved->distinct : 0);
	put(ret, "input_bytes", g->input_bytes);
	text_printf(ret, "link_ms: %" PRIu64 ".%03u\n", g->link_us / 1000, (unsigned)(g->link_us % 1000));
	put(ret, "filled_bytes", g->file->filled_bytes);
	put(ret, "eager_bytes", g->eager_bytes);
	put(ret, "relocs_total", g->relocs_total);
	put(ret, "relocs_applied", g->relocs_before + g->relocs_now);
	put_text(ret, "relink_reason", l->reason ? l->reason : "first link");
	text_printf(ret, "restart_safe: %s\n", is_restart_safe(l) ? "yes" : "no");
	if (l->output)
		text_printf(ret, "id: %s\n", l->output->id);
	put(ret, "cached_bytes", g->file->bytes);
	text_printf(ret, "shown_by: %s\n", shown_by(l));
	put(ret, "linked_at", (uint64_t)l->linked_at);
	resolved_sum(fs, g->resolved, &sum);
	put(ret, "leased_inputs", sum.leased);
	put(ret, "copied_inputs", sum.copied);
	put(ret, "checked_inputs", sum.checked);
	put(ret, "lost_inputs", sum.lost);
	put(ret, "pinned_bytes", sum.pinned_bytes);
	put(ret, "log_bytes", l->log.sz);
}

void report_info(struct fs *fs, const struct link *l, struct text *ret)
{
	inputs_deleted_bytes(fs);
	put_link(fs, l, ret);
	if (l->gen)
		put_inputs(fs, l->gen->resolved, ret);
}

static void put_paragraph(struct fs *fs, const struct link *l, struct text *ret)
{
	put_text(ret, "name", l->name);
	put_link(fs, l, ret);
	text_append(ret, "\n", 1);
}

void report_table(struct fs *fs, struct text *ret)
{
	const struct output *o;
	const struct link *l;

	inputs_deleted_bytes(fs);
	TAILQ_FOREACH (l, &fs->tree.links, all)
		if (l->recipe)
			put_paragraph(fs, l, ret);
	TAILQ_FOREACH (o, &fs->outputs->all, all)
		put_paragraph(fs, o->link, ret);
}

/* RssAnon + RssShmem of a process, in bytes. */
static uint64_t anon_bytes(pid_t pid)
{
	char path[64], line[256];
	uint64_t sum = 0, kb;

	if (pid <= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %" SCNu64, &kb) == 1 || sscanf(line, "RssShmem: %" SCNu64, &kb) == 1)
			sum += kb * 1024;
	fclose(f);
	return sum;
}

void report_stats(struct fs *fs, struct text *ret)
{
	const struct fs_counters *c = &fs->count;
	const struct cache_counters *cache = &fs->cache.count;

	put(ret, "links", fs->tree.link_cnt + fs->outputs->cnt);
	put(ret, "generations", fs->generation_cnt);
	put(ret, "inputs", fs->inputs.cnt);
	put(ret, "input_bytes", fs->inputs.bytes);
	put(ret, "mappings", fs->linker.mappings);
	put(ret, "cache_bytes", fs->cache.bytes);
	put(ret, "cache_limit", fs->cache.limit);
	put(ret, "anon_bytes", anon_bytes(getpid()) + anon_bytes(worker_link_pid(fs)));
	put(ret, "pinned_deleted_bytes", inputs_deleted_bytes(fs));
	put(ret, "reads", c->reads);
	put(ret, "fills", cache->fills);
	put(ret, "filled_bytes", cache->filled_bytes);
	put(ret, "relocs_applied", c->relocs_applied);
	put(ret, "evictions", cache->evictions);
	put(ret, "lease_breaks", c->lease_breaks);
	put(ret, "snapshots", c->snapshots);
	put(ret, "worker_restarts", c->worker_restarts);
	put(ret, "worker_pid", (uint64_t)worker_link_pid(fs));
	put(ret, "parsed_objects", fs->linker.parsed_objects);
	put(ret, "scanned_objects", fs->linker.scanned_objects);
	put(ret, "resolutions", fs->linker.resolutions);
	/* more than the promised keys */
	put(ret, "outputs", fs->outputs->cnt);
	put(ret, "links_made", c->links_made);
	put(ret, "replays", c->replays);
	put(ret, "fill_errors", cache->fill_errors);
	put(ret, "stored_bytes", c->stored_bytes);
	put(ret, "leases", fs->inputs.leases);
	put(ret, "watches", watches_cnt(fs));
	put(ret, "verify_stats", c->verify_stats);
	put(ret, "verify_watched", c->verify_watched);
	put(ret, "snapshot_bytes", fs->inputs.copy_bytes);
	put(ret, "mount_pid", (uint64_t)getpid());
	text_printf(ret, "version: %s\n", LINKFS_VERSION);
	const char *now;
	put(ret, "linking", worker_link_linking(fs, &now));
	put_text(ret, "linking_now", now);
	text_printf(ret, "doing: %s\n", linkfs_doing_text(fs->doing));
	put_text(ret, "cache_dir", fs->cfg.cache_dir);
	put(ret, "started_at", (uint64_t)fs->start_time.tv_sec);
}
