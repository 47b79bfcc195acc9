/* record.h - the resolved record: every name a link probed, with what was there.
 *
 * The linker process builds it while it links; the mount process keeps it with the generation, compares it with the
 * file system to learn whether the link is still fresh, and hands it to the next linker process after a crash.
 * Format: msg.h. Reading checks everything, since the writer may have been dying.
 */
#ifndef FS_RECORD_H
#define FS_RECORD_H

#include "msg.h"
#include "util.h"

/* One probe, decoded. PATH points into the record's bytes. */
struct probe {
	const char *path;
	struct record_probe at;
};

/* A record that was read: immutable. */
struct record {
	char *bytes;
	size_t sz;
	const char *cwd; /* absolute */
	uint32_t probe_cnt;
	uint32_t fd_cnt;
	struct probe *probes;
};

/* Building: head first, then probes, then record_end, which fills in the counts. */
void record_begin(struct text *t, const char *cwd);
void record_add(struct text *t, const char *path, const struct record_probe *probe);
/* 0 or -ENOMEM. */
int record_end(struct text *t, uint32_t probe_cnt, uint32_t fd_cnt);

/* Takes BYTES (malloc-ed) on success alone. -EPROTO: not a record. */
int record_read(char *bytes, size_t sz, struct record **ret);
struct record *record_free(struct record *r);

#endif
