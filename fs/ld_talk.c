/* ld_talk.c - see ld_talk.h.
 *
 * What a mount is doing for us it tells in .linkfs/stats, as it tells everybody; it is asked at most a few times a second,
 * and only once a link has taken long.
 */
#include "ld_talk.h"

#include "keys.h"
#include "linkfs.h"
#include "show.h"

bool ld_is_verbose(void)
{
	const char *verbose = getenv("LINKFS_VERBOSE");

	return verbose && !strcmp(verbose, "1");
}

void ld_tell_mode(const char *output, const char *mode, const char *why)
{
	if (ld_is_verbose())
		fprintf(stderr, "linkfs: %s: %s mode: %s\n", output, mode, why);
}

void ld_tell_done(const char *output, uint64_t inputs, uint64_t input_bytes, double link_ms, uint64_t size,
		  double write_ms)
{
	char bytes[AMOUNT_SZ], linked[AMOUNT_SZ], made[AMOUNT_SZ], wrote[AMOUNT_SZ];

	if (!ld_is_verbose())
		return;
	fprintf(stderr, "linkfs: %s: %llu input%s (%s), linked in %s, %s%s%s\n", output, (unsigned long long)inputs,
		inputs == 1 ? "" : "s", show_bytes(bytes, input_bytes), show_ms(linked, link_ms),
		show_bytes(made, size), write_ms < 0 ? "" : " written in ",
		write_ms < 0 ? "" : show_ms(wrote, write_ms));
}

/* --- progress: contexts are never freed while their thread may run --- */

static void what_link(void *ctx, char *buf, size_t sz)
{
	const struct linkfs_linker *const *linker = ctx;
	enum linkfs_doing doing = linkfs_linker_doing(*linker);

	snprintf(buf, sz, "%s", doing == LINKFS_DOING_NOTHING ? "reading the command line" : linkfs_doing_text(doing));
}

struct progress *ld_progress_link(const char *output, const struct linkfs_linker *linker)
{
	const struct linkfs_linker **ctx = malloc(sizeof(*ctx));

	if (!ctx)
		return NULL;
	*ctx = linker;
	return progress_start(output, what_link, ctx);
}

struct on_mount {
	const char *stats; /* the file to ask, behind path */
	char path[];	   /* of -o */
};

static void what_mount(void *ctx, char *buf, size_t sz)
{
	const struct on_mount *m = ctx;
	CLEAN_KEYS struct keyfile f = { 0 };

	if (keyfile_read(m->stats, &f) || !f.cnt) {
		snprintf(buf, sz, "waiting for the mount");
		return;
	}
	const struct keys *k = &f.par[0];
	uint64_t cnt = keys_number(k, "linking");
	if (!strcmp(keys_text(k, "linking_now"), m->path))
		snprintf(buf, sz, "%s", keys_text(k, "doing"));
	else if (cnt > 1)
		snprintf(buf, sz, "waiting, %llu links are to be made", (unsigned long long)cnt);
	else
		snprintf(buf, sz, cnt ? "waiting for the linker process" : "inputs are leased or copied");
}

struct progress *ld_progress_mount(const char *output, const char *mountpoint, const char *path)
{
	static const char name[] = "/.linkfs/stats";
	size_t sz = strlen(path) + 1;
	struct on_mount *m = malloc(sizeof(*m) + sz + strlen(mountpoint) + sizeof(name));

	if (!m)
		return NULL;
	memcpy(m->path, path, sz);
	m->stats = strcat(strcpy(m->path + sz, mountpoint), name);
	return progress_start(output, what_mount, m);
}

static void what_compile(void *ctx, char *buf, size_t sz)
{
	(void)ctx;
	snprintf(buf, sz, "compiling intermediate code");
}

struct progress *ld_progress_compile(const char *output)
{
	return progress_start(output, what_compile, NULL);
}

static void what_write(void *ctx, char *buf, size_t sz)
{
	const struct linkfs_image *const *image = ctx;
	struct linkfs_image_stats s;
	char share[AMOUNT_SZ];

	linkfs_image_stats(*image, &s);
	snprintf(buf, sz, "writing, %s", show_share(share, s.filled_bytes, linkfs_image_size(*image)));
}

struct progress *ld_progress_write(const char *output, const struct linkfs_image *image)
{
	const struct linkfs_image **ctx = malloc(sizeof(*ctx));

	if (!ctx)
		return NULL;
	*ctx = image;
	return progress_start(output, what_write, ctx);
}
