/* report.c - the texts of .linkfs/info/NAME and .linkfs/stats: "key: value" lines, every key always there.
 */
#include "outputs.h"
#include "linkfs.h"
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
	return !l->gen ? (l->output && l->output->state == OUTPUT_LINKING ? "linking" : "failed")
	       : l->gen->is_lost ? "lost"
				 : "ok";
}

/* A live link's recipe persists, and the same inputs give the same bytes. */
static bool is_restart_safe(const struct link *l)
{
	const struct output *o = l->output;

	return !o || is_on_disk(o) || (o->keep == KEEP_DONE && o->is_restart_safe);
}

void report_info(struct fs *fs, const struct link *l, struct text *ret)
{
	static struct cache_file no_file;
	static const struct generation none = { .file = &no_file };
	const struct generation *g = l->gen ? l->gen : &none;

	(void)fs;
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
	text_printf(ret, "relink_reason: %s\n", l->reason ? l->reason : "first link");
	text_printf(ret, "restart_safe: %s\n", is_restart_safe(l) ? "yes" : "no");
	if (l->output)
		text_printf(ret, "id: %s\n", l->output->id);
	put(ret, "cached_bytes", g->file->bytes);
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
	/* more than the promised keys */
	put(ret, "outputs", fs->outputs->cnt);
	put(ret, "links_made", c->links_made);
	put(ret, "replays", c->replays);
	put(ret, "fill_errors", cache->fill_errors);
	put(ret, "leases", fs->inputs.leases);
	put(ret, "snapshot_bytes", fs->inputs.copy_bytes);
	put(ret, "mount_pid", (uint64_t)getpid());
	text_printf(ret, "version: %s\n", LINKFS_VERSION);
	text_printf(ret, "cache_dir: %s\n", fs->cfg.cache_dir);
}
