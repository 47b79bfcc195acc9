/* archive.c - reads an archive's headers and index; the members' bytes stay where they are.
 *
 * Two walks: one over the member headers (60 bytes each, then the bytes, padded to an even offset), which notes where the
 * index and the table of long names lie, and one over the index, whose entries name a member by the offset of its header.
 * Special members may only come first, but nothing here depends on it, save that the long names precede their users.
 * Names: GNU "f.o/" and "/123" (into "//"), in thin archives "/123:456" for a member of a nested archive; BSD "f.o" and
 * "#1/20" (the name is the first 20 bytes of the data).
 */
#include "archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfbytes.h"
#include "object.h"

enum {
	MAGIC_SZ = 8,
	HEADER_SZ = 60,
	NAME_SZ = 16,
	SIZE_OFF = 48,
	SIZE_SZ = 10,
	END_OFF = 58,
	INTERN_BATCH = 128,
};

enum index_kind { INDEX_NONE, INDEX_GNU, INDEX_GNU64, INDEX_BSD };

struct reader {
	struct archive *a;
	const uint8_t *data;
	uint64_t sz;
	struct names *names;
	struct diag *d;
	uint64_t place;
	const uint8_t *long_names; /* "//" */
	uint64_t long_names_sz;
	enum index_kind index_kind;
	uint64_t index_off, index_sz;
	uint32_t member_cap;
};

/* A member's header, taken apart. */
struct header {
	uint64_t off;              /* of the header */
	uint64_t data_off, sz;     /* of the bytes */
	const char *name;          /* NAME_LEN bytes, not NUL-terminated */
	uint64_t name_len, nested_off;
};

#define fail(r, off, fmt, ...)                                                                                   \
	(diag_error((r)->d, (r)->place, "%s:(archive+0x%llx): " fmt, (r)->a->file->path, (unsigned long long)(off) \
		    __VA_OPT__(, ) __VA_ARGS__), -EINVAL)

bool archive_is(const uint8_t *data, uint64_t sz)
{
	return sz >= MAGIC_SZ && (!memcmp(data, "!<arch>\n", MAGIC_SZ) || !memcmp(data, "!<thin>\n", MAGIC_SZ));
}

void archive_free(void *archive)
{
	struct archive *a = archive;
	if (!a)
		return;
	for (uint32_t i = 0; i < a->member_cnt; i++)
		free((char *)a->members[i].name);
	free(a->members);
	free(a->syms);
	free(a);
}

/* The decimal digits at STR, at most MAX of them; how many there were. */
static size_t read_number(const char *str, size_t max, uint64_t *ret_value)
{
	uint64_t v = 0;
	size_t i = 0;
	while (i < max && str[i] >= '0' && str[i] <= '9' && v < UINT64_MAX / 10 - 1)
		v = v * 10 + (uint64_t)(str[i++] - '0');
	*ret_value = v;
	return i;
}

static bool is_blank(const char *str, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (str[i] != ' ')
			return false;
	return true;
}

/* "/123" or "/123:456": the name lies in the table of long names, ended by "/\n", "\n" or NUL. */
static int read_long_name(struct reader *r, struct header *h)
{
	uint64_t at, nested = 0;
	size_t used = 1 + read_number(h->name + 1, NAME_SZ - 1, &at);
	if (used < NAME_SZ && h->name[used] == ':' && r->a->is_thin) {
		size_t digits = read_number(h->name + used + 1, NAME_SZ - used - 1, &nested);
		used += 1 + digits;
		if (!digits)
			return fail(r, h->off, "member name: expected an offset after the colon");
	}
	if (!is_blank(h->name + used, NAME_SZ - used))
		return fail(r, h->off, "member name: not a number: %.16s", h->name);
	if (at >= r->long_names_sz)
		return fail(r, h->off, "member name: at 0x%llx of the table of long names: it has 0x%llx bytes",
			    (unsigned long long)at, (unsigned long long)r->long_names_sz);
	const char *name = (const char *)r->long_names + at;
	uint64_t len = 0, max = r->long_names_sz - at;
	while (len < max && name[len] && name[len] != '\n')
		len++;
	if (len && name[len - 1] == '/')
		len--;
	h->name = name;
	h->name_len = len;
	h->nested_off = nested;
	return 0;
}

static int read_bsd_name(struct reader *r, struct header *h)
{
	uint64_t len;
	size_t digits = read_number(h->name + 3, NAME_SZ - 3, &len);
	if (!digits || !is_blank(h->name + 3 + digits, NAME_SZ - 3 - digits) || len > h->sz || r->a->is_thin ||
	    h->data_off > r->sz || len > r->sz - h->data_off)
		return fail(r, h->off, "member name: its length does not fit: %.16s", h->name);
	h->name = (const char *)r->data + h->data_off;
	h->name_len = strnlen(h->name, len);
	h->data_off += len;
	h->sz -= len;
	return 0;
}

/* The plain 16 bytes: GNU ends the name with a slash, BSD pads it. */
static void read_short_name(struct header *h)
{
	uint64_t len = NAME_SZ;
	while (len && (h->name[len - 1] == ' ' || !h->name[len - 1]))
		len--;
	if (len > 1 && h->name[len - 1] == '/' && h->name[0] != '/')
		len--;
	h->name_len = len;
}

static int read_header(struct reader *r, uint64_t off, struct header *ret)
{
	if (r->sz - off < HEADER_SZ)
		return fail(r, off, "truncated: %llu bytes left: a member's header has %d",
			    (unsigned long long)(r->sz - off), HEADER_SZ);
	const char *h = (const char *)r->data + off;
	if (h[END_OFF] != '`' || h[END_OFF + 1] != '\n')
		return fail(r, off, "not a member's header: its end mark is missing");
	*ret = (struct header){ .off = off, .data_off = off + HEADER_SZ, .name = h };
	size_t digits = read_number(h + SIZE_OFF, SIZE_SZ, &ret->sz);
	if (!digits || !is_blank(h + SIZE_OFF + digits, SIZE_SZ - digits))
		return fail(r, off, "member size: not a number: %.10s", h + SIZE_OFF);
	if (!memcmp(h, "#1/", 3))
		return read_bsd_name(r, ret);
	if (h[0] == '/' && h[1] >= '0' && h[1] <= '9')
		return read_long_name(r, ret);
	read_short_name(ret);
	return 0;
}

static bool is_named(const struct header *h, const char *name)
{
	return h->name_len == strlen(name) && !memcmp(h->name, name, h->name_len);
}

static enum index_kind index_kind_of(const struct header *h)
{
	if (is_named(h, "/"))
		return INDEX_GNU;
	if (is_named(h, "/SYM64/"))
		return INDEX_GNU64;
	return is_named(h, "__.SYMDEF") || is_named(h, "__.SYMDEF SORTED") ? INDEX_BSD : INDEX_NONE;
}

static int add_member(struct reader *r, const struct header *h)
{
	struct archive *a = r->a;
	if (!h->name_len || memchr(h->name, 0, h->name_len))
		return fail(r, h->off, "a member without a name, or with a NUL in it");
	if (a->member_cnt == r->member_cap) {
		if (r->member_cap > UINT32_MAX / 2)
			return fail(r, h->off, "too many members");
		uint32_t cap = r->member_cap ? 2 * r->member_cap : 64;
		struct archive_member *members = reallocarray(a->members, cap, sizeof(*members));
		if (!members)
			return -ENOMEM;
		a->members = members;
		r->member_cap = cap;
	}
	char *name = strndup(h->name, h->name_len);
	if (!name)
		return -ENOMEM;
	a->members[a->member_cnt++] = (struct archive_member){
		.name = name,
		.off = a->is_thin ? 0 : h->data_off,
		.sz = h->sz,
		.header_off = h->off,
		.nested_off = h->nested_off,
	};
	return 0;
}

/* One header and what it describes; *ret_next is where the next one lies. */
static int read_member(struct reader *r, uint64_t off, uint64_t *ret_next)
{
	struct header h;
	int rc = read_header(r, off, &h);
	if (rc)
		return rc;
	enum index_kind kind = index_kind_of(&h);
	bool is_special = kind != INDEX_NONE || is_named(&h, "//");
	if (r->a->is_thin && !is_special) {
		*ret_next = off + HEADER_SZ;
		return add_member(r, &h);
	}
	if (h.data_off > r->sz || h.sz > r->sz - h.data_off)
		return fail(r, off, "truncated: member %.*s has 0x%llx bytes at 0x%llx: the file has 0x%llx",
			    (int)(h.name_len < 4096 ? h.name_len : 4096), h.name, (unsigned long long)h.sz,
			    (unsigned long long)h.data_off, (unsigned long long)r->sz);
	*ret_next = h.data_off + h.sz + ((h.data_off + h.sz) & 1);
	if (!is_special)
		return add_member(r, &h);
	if (kind != INDEX_NONE && r->index_kind != INDEX_NONE)
		return fail(r, off, "a second index: is it not an archive of elf objects");
	if (kind == INDEX_NONE) {
		r->long_names = r->data + h.data_off;
		r->long_names_sz = h.sz;
		return 0;
	}
	r->index_kind = kind;
	r->index_off = h.data_off;
	r->index_sz = h.sz;
	return 0;
}

/* The member whose header lies at OFF; GUESS is the one before in the index, which often is the one. */
static int find_member(struct reader *r, uint64_t off, uint64_t entry, uint32_t *io_guess)
{
	const struct archive *a = r->a;
	if (*io_guess < a->member_cnt && a->members[*io_guess].header_off == off)
		return 0;
	uint32_t lo = 0, hi = a->member_cnt;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (a->members[mid].header_off < off)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == a->member_cnt || a->members[lo].header_off != off)
		return fail(r, r->index_off, "index entry %llu: there is no member at 0x%llx", (unsigned long long)entry,
			    (unsigned long long)off);
	*io_guess = lo;
	return 0;
}

static int alloc_syms(struct reader *r, uint64_t cnt)
{
	struct archive *a = r->a;
	if (cnt > UINT32_MAX)
		return fail(r, r->index_off, "index: %llu entries are too many", (unsigned long long)cnt);
	a->syms = malloc((cnt ? cnt : 1) * sizeof(*a->syms));
	if (!a->syms)
		return -ENOMEM;
	a->sym_cnt = (uint32_t)cnt;
	return names_reserve(r->names, cnt);
}

/* The name that an entry says the member defines. */
static struct name_ref index_name(const char *str, size_t len)
{
	bool has_version = false;
	return (struct name_ref){ .str = str, .len = name_defined_len(str, len, &has_version) };
}

static int intern_syms(struct reader *r, const struct name_ref *refs, uint32_t first, uint32_t cnt)
{
	name_id ids[INTERN_BATCH];
	names_intern_many(r->names, refs, cnt, ids);
	for (uint32_t i = 0; i < cnt; i++) {
		r->a->syms[first + i].name = ids[i];
		if (!ids[i])
			return fail(r, r->index_off, "index entry %u: no name", first + i);
	}
	return 0;
}

/* Big-endian: the count, as many offsets of member headers, as many NUL-terminated names. */
static int read_gnu_index(struct reader *r)
{
	const uint8_t *at = r->data + r->index_off;
	uint64_t word = r->index_kind == INDEX_GNU64 ? 8 : 4;
	if (r->index_sz < word)
		return fail(r, r->index_off, "index: %llu bytes are too few", (unsigned long long)r->index_sz);
	uint64_t cnt = word == 8 ? load64(at, true) : load32(at, true);
	if (cnt > (r->index_sz - word) / (word + 1))
		return fail(r, r->index_off, "index: %llu entries do not fit in 0x%llx bytes", (unsigned long long)cnt,
			    (unsigned long long)r->index_sz);
	int rc = alloc_syms(r, cnt);
	if (rc)
		return rc;
	const char *str = (const char *)at + word + cnt * word, *end = (const char *)at + r->index_sz;
	uint32_t member = 0;
	struct name_ref refs[INTERN_BATCH];
	for (uint32_t first = 0, batch; first < cnt; first += batch) {
		batch = cnt - first < INTERN_BATCH ? (uint32_t)(cnt - first) : INTERN_BATCH;
		for (uint32_t i = 0; i < batch; i++) {
			const uint8_t *off = at + word + (first + i) * word;
			const char *nul = memchr(str, 0, (size_t)(end - str));
			if (!nul)
				return fail(r, r->index_off, "index entry %u: its name is cut off", first + i);
			rc = find_member(r, word == 8 ? load64(off, true) : load32(off, true), first + i, &member);
			if (rc)
				return rc;
			refs[i] = index_name(str, (size_t)(nul - str));
			r->a->syms[first + i].member = member;
			str = nul + 1;
		}
		rc = intern_syms(r, refs, first, batch);
		if (rc)
			return rc;
	}
	return 0;
}

/* The bytes of pairs (name offset, header offset), the pairs, the bytes of names, the names; in the target's order. */
static int read_bsd_index(struct reader *r)
{
	const uint8_t *at = r->data + r->index_off;
	bool be = false;
	if (r->index_sz >= 8 && load32(at, false) > r->index_sz - 8)
		be = true;
	if (r->index_sz < 8 || load32(at, be) > r->index_sz - 8 || load32(at, be) % 8)
		return fail(r, r->index_off, "index: its entries do not fit in 0x%llx bytes",
			    (unsigned long long)r->index_sz);
	uint64_t pairs_sz = load32(at, be), str_sz = load32(at + 4 + pairs_sz, be);
	const char *strs = (const char *)at + 8 + pairs_sz;
	if (str_sz > r->index_sz - 8 - pairs_sz)
		return fail(r, r->index_off, "index: its names do not fit in 0x%llx bytes",
			    (unsigned long long)r->index_sz);
	int rc = alloc_syms(r, pairs_sz / 8);
	uint32_t member = 0;
	for (uint32_t i = 0; i < r->a->sym_cnt && !rc; i++) {
		const uint8_t *pair = at + 4 + 8 * (uint64_t)i;
		uint32_t str = load32(pair, be);
		if (str >= str_sz || !memchr(strs + str, 0, str_sz - str))
			return fail(r, r->index_off, "index entry %u: its name is cut off", i);
		struct name_ref ref = index_name(strs + str, strlen(strs + str));
		rc = find_member(r, load32(pair + 4, be), i, &member);
		r->a->syms[i].member = member;
		if (!rc)
			rc = intern_syms(r, &ref, i, 1);
	}
	return rc;
}

/* Members that the index does not name although they define something: all that ar sees in intermediate code of GCC is
 * the symbol that marks it, and nothing at all in LLVM's. */
static int find_unindexed(struct reader *r)
{
	static const char mark[] = "__gnu_lto_slim";
	struct archive *a = r->a;
	name_id slim = names_find(r->names, mark, sizeof(mark) - 1);
	uint8_t *seen = calloc((size_t)a->member_cnt + 1, 1); /* 1: the mark, 2: a symbol */
	if (!seen)
		return -ENOMEM;
	for (uint32_t i = 0; i < a->sym_cnt; i++)
		seen[a->syms[i].member] |= a->syms[i].name == slim ? 1 : 2;
	for (uint32_t i = 0; i < a->member_cnt; i++) {
		struct archive_member *m = &a->members[i];
		m->is_unindexed_ir = seen[i] == 1 || (!seen[i] && !a->is_thin && object_is_bitcode(r->data + m->off, m->sz));
	}
	free(seen);
	return 0;
}

static int parse(struct reader *r)
{
	int rc = 0;
	if (!archive_is(r->data, r->sz))
		return fail(r, 0, "not an archive");
	r->a->is_thin = r->data[2] == 't';
	for (uint64_t off = MAGIC_SZ; off < r->sz && !rc;)
		rc = read_member(r, off, &off);
	if (rc || r->index_kind == INDEX_NONE)
		return rc;
	r->a->has_index = true;
	rc = r->index_kind == INDEX_BSD ? read_bsd_index(r) : read_gnu_index(r);
	return rc ? rc : find_unindexed(r);
}

int archive_parse(struct infile *f, struct names *names, struct diag *d, uint64_t place, struct archive **ret_archive)
{
	struct archive *a = calloc(1, sizeof(*a));
	int rc = -ENOMEM;
	if (a) {
		struct reader r = { .a = a, .data = f->data, .sz = f->sz, .names = names, .d = d, .place = place };
		a->file = f;
		rc = parse(&r);
	}
	if (rc == -ENOMEM || rc == -EOVERFLOW)
		diag_error(d, place, "%s: out of memory", f->path);
	if (rc) {
		archive_free(a);
		return rc;
	}
	archive_digest(a);
	*ret_archive = a;
	return 0;
}
