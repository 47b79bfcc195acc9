/* search.c - finds libraries and files: -l over -L, script-relative names, the sysroot.
 *
 * Every candidate is tried by opening it, so that whoever owns the opener sees each probe, found or not.
 * Source: GNU ld manual, "-l namespec", "-L searchdir", "--sysroot"; "File Commands" for names inside scripts.
 */
#include "search.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *search_beside(const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');
	char *path;
	if (name[0] == '/' || !slash)
		return strdup(name);
	return asprintf(&path, "%.*s/%s", (int)(slash - file), file, name) < 0 ? NULL : path;
}

static int try_open(struct search_state *st, char *path, char **ret_path)
{
	const struct linkfs_opener *op = st->in->priv->opener;
	int fd = path ? op->open(op->ctx, path) : -ENOMEM;
	if (fd >= 0)
		*ret_path = path;
	else
		free(path);
	return fd;
}

static const char *lib_dir(const struct search_state *st, size_t i)
{
	const struct options *opt = st->in->opt;
	if (i < opt->lib_path_cnt)
		return opt->lib_paths[i];
	i -= opt->lib_path_cnt;
	return st->from && i < st->from->dir_cnt ? st->from->dirs[i] : NULL;
}

/* -l NAME: in each folder libNAME.so, then libNAME.a; -l :NAME: the file of that name. */
static int next_library(struct search_state *st, char **ret_path)
{
	const struct operand *op = st->op;
	for (;; st->step++) {
		const char *dir = lib_dir(st, st->step / 2);
		bool is_archive = st->step % 2;
		char *path = NULL;
		int n;
		if (!dir)
			return -ENOENT;
		if (op->name[0] == ':') {
			if (is_archive)
				continue;
			n = asprintf(&path, "%s/%s", dir, op->name + 1);
		} else {
			if (!is_archive && op->is_static)
				continue;
			n = asprintf(&path, "%s/lib%s%s", dir, op->name, is_archive ? ".a" : ".so");
		}
		int fd = try_open(st, n < 0 ? NULL : path, ret_path);
		if (fd >= 0) {
			st->step++;
			return fd;
		}
	}
}

static void report_library(const struct search_state *st)
{
	size_t sz = 0;
	char *text = NULL;
	FILE *f = open_memstream(&text, &sz);
	if (f) {
		for (size_t i = 0; lib_dir(st, i); i++)
			fprintf(f, "\n>>> searched %s", lib_dir(st, i));
		if (!lib_dir(st, 0))
			fprintf(f, "\n>>> no folder was given by -L");
		fclose(f);
	}
	diag_error(st->in->diag, st->in->priv->place, "unable to find library -l%s%s", st->op->name, text ? text : "");
	free(text);
}

/* A plain name. Inside a script: below the sysroot if the script is; else as is, beside the script, then over -L. */
static int next_file(struct search_state *st, char **ret_path)
{
	const char *name = st->op->name, *root = st->in->opt->sysroot;
	size_t root_len = root ? strlen(root) : 0;
	if (!st->from) {
		int fd = st->step++ ? -ENOENT : try_open(st, strdup(name), ret_path);
		if (fd < 0)
			diag_error(st->in->diag, st->in->priv->place, "cannot open %s: %s", name, strerror(-fd));
		return fd;
	}
	for (;; st->step++) {
		char *path = NULL;
		int n = 0;
		if (st->step == 0) {
			if (name[0] != '/' || !root_len || strncmp(st->from->path, root, root_len))
				continue;
			n = asprintf(&path, "%s%s", root, name);
		} else if (st->step == 1) {
			path = strdup(name);
		} else if (name[0] == '/') {
			return -ENOENT;
		} else if (st->step == 2) {
			path = search_beside(st->from->path, name);
		} else {
			const char *dir = lib_dir(st, st->step - 3);
			if (!dir)
				return -ENOENT;
			n = asprintf(&path, "%s/%s", dir, name);
		}
		int fd = try_open(st, n < 0 ? NULL : path, ret_path);
		if (fd >= 0) {
			st->step++;
			return fd;
		}
	}
}

int search_next(struct search_state *st, char **ret_path)
{
	if (st->op->kind == OPERAND_LIBRARY) {
		int fd = next_library(st, ret_path);
		if (fd < 0)
			report_library(st);
		return fd;
	}
	int fd = next_file(st, ret_path);
	if (fd < 0 && st->from)
		diag_error(st->in->diag, st->in->priv->place, "%s: cannot find %s, which it names", st->from->path,
			   st->op->name);
	return fd;
}
