/* fallback.h - the linker that a build would have started, had not `linkfs run` put ld.linkfs in its place.
 *
 * It makes what ld.linkfs refuses. Used by mains alone.
 */
#ifndef FS_FALLBACK_H
#define FS_FALLBACK_H

#include <stdbool.h>

#define RUN_LD "LINKFS_LD"		 /* set under linkfs run: the path of ld.linkfs */
#define RUN_FALLBACK "LINKFS_FALLBACK"	 /* set for one ld.linkfs: which program was asked for */
#define RUN_DIR "libexec/linkfs/run"	 /* a folder of linkers' names that lead to ld.linkfs */

/* Is this process, called ARGV0, linkfs run's choice? */
bool fallback_is_run(const char *argv0);
/* The program asked for: the one that the environment names, else the next in PATH with ARGV0's name. The caller frees;
 * NULL: there is none. */
char *fallback_find(const char *argv0);
/* Is in place of this process from now on, whatever linkfs run preloads. -errno: it can't be started. */
int fallback_exec(const char *path, char **argv);

#endif
