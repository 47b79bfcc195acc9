/* plugin.h - a compiler's plugin for link-time optimisation, as the claimer that linkfs_ir.h wants.
 *
 * The plugin is foreign code: it runs here, in ld.linkfs, which has the environment it was called with, and nowhere else.
 * One set of plugins per process, since the interface gives its callbacks no context. One thread, but for plugins_clean_up.
 */
#ifndef FS_PLUGIN_H
#define FS_PLUGIN_H

#include "linkfs_ir.h"

struct plugins;

/* ARGS, OUTPUT: of the command line; they and what they point to stay. END: called, and must not come back, when a plugin
 * says that it can't go on; the message is printed. NULL without memory. */
struct plugins *plugins_new(const struct linkfs_plugin_args *args, const char *output, void (*end)(void *ctx), void *ctx);

/* struct linkfs_ir_claimer's, CTX being the plugins. Loads what it needs when it is first called. */
int plugins_claim(void *ctx, const struct linkfs_ir_file *f, struct linkfs_ir_object **ret_object);

/* All symbols are known: has everything compiled. 0: *ret_yields, which stay with the plugins; -EINVAL: told. */
int plugins_compile(struct plugins *ps, const struct linkfs_ir_yield **ret_yields, size_t *ret_cnt);

/* The plugins delete their temporary files. Once; later calls do nothing. From any thread: it waits for the end of what a
 * plugin is at, but PATIENCE_SEC at most; then nothing is deleted. */
void plugins_clean_up(struct plugins *ps, unsigned patience_sec);

#endif
