/* generation.c - immutable generations: one finished link, one inode, one backing file.
 *
 * A generation is made when a verdict comes in and never changes but for which of its bytes have been made. It lives as
 * long as anybody can see it: the link it is current for, the kernel (lookups, open files), requests on their way.
 * Its bytes are bytes.c's matter.
 */
#include "fs.h"
#include "worker_link.h"

/* The newest of the inputs and a live link's recipe: a function of both, so that a remount does not make outputs look
 * younger. */
static struct timespec newest(const struct link *l, const struct resolved *r)
{
	int64_t ns = l->output ? 0 : timespec_ns(&l->recipe_mtime);

	for (uint32_t i = 0; i < r->record->probe_cnt; i++) {
		const struct record_probe *p = &r->record->probes[i].at;
		if (!p->stat_error && p->fd_idx >= 0 && p->id.mtime_ns > ns)
			ns = p->id.mtime_ns;
	}
	return timespec_of_ns(ns);
}

int generation_new(struct fs *fs, uint64_t id, struct link *link, const char *recipe, struct resolved *resolved,
		   const struct msg_verdict *v, struct generation **ret)
{
	struct generation *g = calloc(1, sizeof(*g));
	char *copy = strdup(recipe);
	struct cache_file *file = NULL;
	int err = g && copy ? cache_file_new(&fs->cache, fs->cache_dir_fd, v->size, g, &file) : -ENOMEM;
	if (err) {
		free(g);
		free(copy);
		return err;
	}
	*g = (struct generation){
		.node = { .id = id, .kind = NODE_GENERATION, .gen = g },
		.ref = 1,
		.load_id = id,
		.link = link_ref(link),
		.resolved = resolved_ref(resolved),
		.recipe = copy,
		.size = v->size,
		.mode = 0755,
		.mtime = newest(link, resolved),
		.file = file,
		.input_bytes = v->input_bytes,
		.eager_bytes = v->eager_bytes,
		.relocs_total = v->relocs_total,
		.link_us = v->link_us,
	};
	g->newest = g->mtime;
	cache_file_code(file, v->code_off, v->code_sz);
	if (link->gen)
		cache_file_expect(file, link->gen->file);
	tree_add_node(&fs->tree, &g->node);
	TAILQ_INSERT_TAIL(&fs->generations, g, all);
	fs->generation_cnt++;
	*ret = g;
	return 0;
}

struct generation *generation_ref(struct generation *g)
{
	if (g)
		g->ref++;
	return g;
}

struct generation *generation_unref(struct fs *fs, struct generation *g)
{
	if (!g || --g->ref)
		return NULL;
	worker_link_drop(fs, g);
	TAILQ_REMOVE(&fs->generations, g, all);
	fs->generation_cnt--;
	LIST_REMOVE(&g->node, hash);
	cache_file_free(&fs->cache, g->file);
	resolved_unref(fs, g->resolved);
	link_unref(fs, g->link);
	free(g->recipe);
	free(g);
	return NULL;
}

void generation_attr(const struct fs *fs, const struct generation *g, struct stat *ret)
{
	uint64_t blocks = g->file->bytes / 512;

	*ret = (struct stat){
		.st_ino = g->node.id,
		.st_mode = S_IFREG | g->mode,
		.st_nlink = 1,
		.st_uid = fs->uid,
		.st_gid = fs->gid,
		.st_size = (off_t)g->size,
		.st_blksize = CHUNK_SZ,
		.st_blocks = (blkcnt_t)(blocks > 8 ? blocks : 8), /* tar -S takes a file without blocks for zeros */
		.st_mtim = g->mtime,
		.st_ctim = g->mtime,
		.st_atim = g->mtime,
	};
}
