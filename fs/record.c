/* record.c - building and reading resolved records (record.h; layout in msg.h). */
#include "record.h"

static void append_padded(struct text *t, const char *s, size_t sz)
{
	static const char zeros[8];

	text_append(t, s, sz);
	text_append(t, zeros, 8 - sz % 8); /* at least one: every name is terminated in place */
}

void record_begin(struct text *t, const char *cwd)
{
	struct record_head h = { .magic = RECORD_MAGIC, .cwd_sz = (uint32_t)strlen(cwd) };

	text_append(t, &h, sizeof(h));
	append_padded(t, cwd, h.cwd_sz);
}

void record_add(struct text *t, const char *path, const struct record_probe *probe)
{
	struct record_probe p = *probe;

	p.path_sz = (uint32_t)strlen(path);
	text_append(t, &p, sizeof(p));
	append_padded(t, path, p.path_sz);
}

int record_end(struct text *t, uint32_t probe_cnt, uint32_t fd_cnt)
{
	if (t->failed)
		return -ENOMEM;
	struct record_head *h = (struct record_head *)(void *)t->s;
	h->probe_cnt = probe_cnt;
	h->fd_cnt = fd_cnt;
	return 0;
}

/* The name of SZ bytes at *OFF, which moves behind it; NULL: it does not fit or is not one. */
static const char *read_name(const char *bytes, size_t total, size_t *off, uint32_t sz)
{
	size_t padded = (size_t)sz + 8 - sz % 8;

	if (sz > RECORD_PATH_MAX || padded > total - *off || memchr(bytes + *off, 0, sz) || bytes[*off + sz])
		return NULL;
	const char *name = bytes + *off;
	*off += padded;
	return name;
}

static int read_probes(struct record *r, size_t off)
{
	for (uint32_t i = 0; i < r->probe_cnt; i++) {
		struct probe *p = &r->probes[i];
		if (r->sz - off < sizeof(p->at))
			return -EPROTO;
		memcpy(&p->at, r->bytes + off, sizeof(p->at));
		off += sizeof(p->at);
		p->path = read_name(r->bytes, r->sz, &off, p->at.path_sz);
		if (!p->path || p->at.fd_idx < -1 || (p->at.fd_idx >= 0 && (uint32_t)p->at.fd_idx >= r->fd_cnt))
			return -EPROTO;
	}
	return off == r->sz ? 0 : -EPROTO;
}

int record_read(char *bytes, size_t sz, struct record **ret)
{
	struct record_head h;
	size_t off = sizeof(h);

	if (sz < sizeof(h))
		return -EPROTO;
	memcpy(&h, bytes, sizeof(h));
	if (h.magic != RECORD_MAGIC || h.probe_cnt > sz / sizeof(struct record_probe) || h.fd_cnt > h.probe_cnt)
		return -EPROTO;
	const char *cwd = read_name(bytes, sz, &off, h.cwd_sz);
	if (!cwd)
		return -EPROTO;
	struct record *r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	*r = (struct record){ .bytes = bytes, .sz = sz, .cwd = cwd, .probe_cnt = h.probe_cnt, .fd_cnt = h.fd_cnt };
	r->probes = calloc(h.probe_cnt ? h.probe_cnt : 1, sizeof(*r->probes));
	int err = r->probes ? read_probes(r, off) : -ENOMEM;
	if (err) {
		r->bytes = NULL;
		record_free(r);
		return err;
	}
	*ret = r;
	return 0;
}

struct record *record_free(struct record *r)
{
	if (r) {
		free(r->bytes);
		free(r->probes);
	}
	free(r);
	return NULL;
}
