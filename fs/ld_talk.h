/* ld_talk.h - what ld.linkfs says beside errors: under LINKFS_VERBOSE=1 which way a link goes, why, and what it cost; and on
 * a terminal what takes long.
 */
#ifndef FS_LD_TALK_H
#define FS_LD_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "progress.h"

struct linkfs_linker;
struct linkfs_image;

bool ld_is_verbose(void);
/* If verbose: "linkfs: OUTPUT: MODE mode: WHY". */
void ld_tell_mode(const char *output, const char *mode, const char *why);
/* If verbose: "linkfs: OUTPUT: 12 inputs (3.4M), linked in 12ms, 5.0M written in 3ms". WRITE_MS < 0: not written yet. */
void ld_tell_done(const char *output, uint64_t inputs, uint64_t input_bytes, double link_ms, uint64_t size,
		  double write_ms);

/* Progress of a link: in this process; on the mount at MOUNTPOINT, for -o PATH; of compiling for it; of writing. */
struct progress *ld_progress_link(const char *output, const struct linkfs_linker *linker);
struct progress *ld_progress_mount(const char *output, const char *mountpoint, const char *path);
struct progress *ld_progress_compile(const char *output);
struct progress *ld_progress_write(const char *output, const struct linkfs_image *image);

#endif
