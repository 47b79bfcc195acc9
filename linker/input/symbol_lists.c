/* symbol_lists.c - the files of --version-script and --dynamic-list: opened, held and parsed like every other input.
 *
 * What the patterns mean for symbols is symbols/versions.c's; that their bytes count into the build-id, syn_note.c's.
 * Source: GNU ld manual, "VERSION Command", --dynamic-list; scripts are also looked for in the folders of -L.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inputs_priv.h"

/* Opens NAME as it is, or below a folder of -L. *ret_path: the caller frees. */
static int open_list(struct inputs *in, const char *name, char **ret_path)
{
	const struct linkfs_opener *op = in->priv->opener;
	char *path = strdup(name);
	int fd = path ? op->open(op->ctx, path) : -ENOMEM, first = fd;
	for (size_t i = 0; fd < 0 && name[0] != '/' && i < in->opt->lib_path_cnt; i++) {
		free(path);
		if (asprintf(&path, "%s/%s", in->opt->lib_paths[i], name) < 0)
			path = NULL;
		fd = path ? op->open(op->ctx, path) : -ENOMEM;
	}
	if (fd >= 0) {
		*ret_path = path;
		return fd;
	}
	free(path);
	return first;
}

static int load(struct inputs *in, const char *name, bool is_dynamic)
{
	struct symbol_list *list = &in->lists[in->list_cnt];
	char *path = NULL;
	int fd = open_list(in, name, &path);
	int rc = fd < 0 ? fd : inputs_add_fd(in, fd, path, &list->file);
	free(path);
	if (rc < 0) {
		diag_error(in->diag, 0, "%s %s: cannot read it: %s", is_dynamic ? "--dynamic-list" : "--version-script",
			   name, strerror(-rc));
		return rc;
	}
	rc = inputs_hold(in, list->file);
	if (rc < 0)
		return rc;
	list->is_dynamic = is_dynamic;
	in->list_cnt++;
	const char *text = (const char *)list->file->data;
	return (is_dynamic ? dynamic_list_parse : version_script_parse)(text ? text : "", list->file->sz,
									 list->file->path, in->diag, 0, &list->script);
}

int symbol_lists_load(struct inputs *in)
{
	const struct options *opt = in->opt;
	int rc = 0;
	if (!opt->version_script_cnt && !opt->dynamic_list_cnt)
		return 0;
	in->lists = calloc(opt->version_script_cnt + opt->dynamic_list_cnt, sizeof(*in->lists));
	if (!in->lists)
		return -ENOMEM;
	for (size_t i = 0; i < opt->version_script_cnt && !rc; i++)
		rc = load(in, opt->version_scripts[i], false);
	for (size_t i = 0; i < opt->dynamic_list_cnt && !rc; i++)
		rc = load(in, opt->dynamic_lists[i], true);
	return rc;
}

void symbol_lists_free(struct inputs *in)
{
	for (uint32_t i = 0; i < in->list_cnt; i++)
		version_script_free(in->lists[i].script);
	free(in->lists);
}
