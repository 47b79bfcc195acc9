/* object_packed.c - compressed sections: their headers at the door, their bytes when a link asks for them.
 *
 * A compressed section counts with its size and alignment once decompressed; isec.off is its index in object.packed,
 * which knows where the stream lies. The header is checked while parsing, the stream by who decompresses it: once for
 * all links that share the object. Debug sections named .zdebug_* with a "ZLIB" mark are the form that came before
 * SHF_COMPRESSED; they stand for .debug_*.
 * Sources: gABI ch. 4, "Section Compression"; GNU binutils' documentation of --compress-debug-sections=zlib-gnu.
 */
#include "object_parse.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum {
	OLD_HEADER = 12,        /* "ZLIB", then the size, big-endian whatever the object's order */
	CHDR_ZLIB = 1,
	CHDR_ZSTD = 2,
	/* The most that a byte of a stream can stand for: memory is not given to a header that promises more. */
	ZLIB_RATIO = 1032,      /* a match of 258 bytes takes two bits at least */
	ZSTD_RATIO = 32 * 1024, /* a block of 128 KiB takes four bytes at least */
};
#define MAX_SZ UINT32_MAX /* bytes of a stream, and of what it becomes: zlib counts in 32 bits */

/* What a header says. */
struct promise {
	uint64_t sz, align;
	uint32_t codec;
	uint32_t header_sz;
};

static void read_header(const struct object *o, const struct isec *s, struct promise *ret)
{
	const uint8_t *p = o->data + s->off;
	if (!(s->flags & SHF_COMPRESSED))
		*ret = (struct promise){ load64(p + 4, true), UINT64_C(1) << s->p2align, CHDR_ZLIB, OLD_HEADER };
	else if (o->elf_class == ELFCLASS64)
		*ret = (struct promise){ load64(p + 8, o->is_be), load64(p + 16, o->is_be), load32(p, o->is_be),
					 sizeof(Elf64_Chdr) };
	else
		*ret = (struct promise){ load32(p + 4, o->is_be), load32(p + 8, o->is_be), load32(p, o->is_be),
					 sizeof(Elf32_Chdr) };
}

static int check_promise(struct parser *p, uint32_t idx, const struct promise *c)
{
	uint64_t stream_sz = p->o->secs[idx].sz - c->header_sz;
	uint64_t ratio = c->codec == CHDR_ZLIB ? ZLIB_RATIO : ZSTD_RATIO;
	if (c->codec != CHDR_ZLIB && c->codec != CHDR_ZSTD)
		return fail_sec(p, idx, 0, "cannot decompress: type %u: expected %d (zlib) or %d (zstd)", c->codec, CHDR_ZLIB,
				CHDR_ZSTD);
	if ((c->align & (c->align - 1)) || c->align > UINT64_C(1) << MAX_P2ALIGN)
		return fail_sec(p, idx, 0, "cannot decompress: alignment is 0x%llx: expected a power of two, at most 2^%d",
				(unsigned long long)c->align, MAX_P2ALIGN);
	if (c->sz > MAX_SZ || stream_sz > MAX_SZ)
		return fail_sec(p, idx, 0, "cannot decompress: 0x%llx bytes from 0x%llx: expected less than 4 GiB",
				(unsigned long long)c->sz, (unsigned long long)stream_sz);
	if (c->sz / ratio > stream_sz)
		return fail_sec(p, idx, 0, "cannot decompress: 0x%llx bytes from 0x%llx: more than any stream can hold",
				(unsigned long long)c->sz, (unsigned long long)stream_sz);
	return 0;
}

static bool is_old_name(const char *name)
{
	return !strncmp(name, ".zdebug_", strlen(".zdebug_"));
}

bool object_is_packed(const struct object *o, const struct isec *s)
{
	if (s->flags & SHF_COMPRESSED)
		return true;
	return is_old_name(isec_name(o, s)) && !(s->flags & SHF_ALLOC) && s->type != SHT_NOBITS && s->sz >= OLD_HEADER &&
	       !memcmp(o->data + s->off, "ZLIB", 4);
}

/* ".zdebug_x" without its z. */
static char *new_name(const char *name)
{
	char *copy = strdup(name + 1);
	if (copy)
		copy[0] = '.';
	return copy;
}

int object_add_packed(struct parser *p, uint32_t idx)
{
	struct object *o = p->o;
	struct isec *s = &o->secs[idx];
	struct promise c;
	uint64_t least = o->elf_class == ELFCLASS64 ? sizeof(Elf64_Chdr) : sizeof(Elf32_Chdr);
	if ((s->flags & SHF_COMPRESSED) && ((s->flags & SHF_ALLOC) || s->type == SHT_NOBITS || s->sz < least))
		return fail_sec(p, idx, 0, "compressed section: is allocated, empty or shorter than its header");
	read_header(o, s, &c);
	int r = check_promise(p, idx, &c);
	if (r)
		return r;
	if (!(o->packed_cnt & (o->packed_cnt - 1))) { /* full: it has a power of two's room */
		struct packed *more = reallocarray(o->packed, o->packed_cnt ? 2 * (size_t)o->packed_cnt : 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		o->packed = more;
	}
	struct packed *k = &o->packed[o->packed_cnt];
	*k = (struct packed){ .off = s->off + c.header_sz, .sz = s->sz - c.header_sz, .sec = idx,
			      .is_zstd = c.codec == CHDR_ZSTD };
	if (is_old_name(isec_name(o, s))) {
		k->name = new_name(isec_name(o, s));
		if (!k->name)
			return -ENOMEM;
	}
	s->off = o->packed_cnt++;
	s->sz = c.sz;
	s->p2align = c.align ? (uint8_t)__builtin_ctzll(c.align) : 0;
	s->flags &= ~(uint32_t)SHF_COMPRESSED;
	s->is_compressed = true;
	return 0;
}

void object_free_packed(struct object *o)
{
	for (uint32_t i = 0; i < o->packed_cnt; i++) {
		free(o->packed[i].name);
		free(atomic_load_explicit(&o->packed[i].data, memory_order_relaxed));
	}
	free(o->packed);
}

/* ---- the streams ---- */

/* Streams may follow each other; bytes behind the last one that is needed are not looked at, as in GNU ld. */
static const char *unpack_zlib(const uint8_t *src, uint64_t src_sz, uint8_t *dst, uint64_t dst_sz, uint64_t *ret_got)
{
	z_stream z = { .next_in = (Bytef *)src, .avail_in = (uInt)src_sz, .next_out = dst, .avail_out = (uInt)dst_sz };
	const char *why = NULL;
	int rc = inflateInit(&z);
	if (rc != Z_OK)
		return zError(rc);
	while (!why && z.avail_in && z.avail_out) {
		rc = inflate(&z, Z_FINISH);
		if (rc == Z_STREAM_END)
			rc = inflateReset(&z);
		if (rc == Z_BUF_ERROR)
			why = z.avail_out ? "the stream is too short" : "the stream is longer than its header says";
		else if (rc != Z_OK)
			why = z.msg ? z.msg : zError(rc);
	}
	if (!why && z.avail_out)
		why = "the stream is too short";
	inflateEnd(&z); /* its messages are constants */
	*ret_got = dst_sz - z.avail_out;
	return why;
}

static const char *unpack_zstd(const uint8_t *src, uint64_t src_sz, uint8_t *dst, uint64_t dst_sz, uint64_t *ret_got)
{
	size_t got = ZSTD_decompress(dst, dst_sz, src, src_sz);
	if (ZSTD_isError(got))
		return ZSTD_getErrorName(got);
	*ret_got = got;
	return got == dst_sz ? NULL : "the stream is too short";
}

/* What strings in a mergeable section must be, as finish_merge asks of the others. */
static const char *check_strings(const struct isec *s, const uint8_t *data)
{
	if (s->kind != ISEC_MERGE || !(s->flags & SHF_STRINGS))
		return NULL;
	for (uint32_t i = 0; i < s->entsize; i++)
		if (data[s->sz - 1 - i])
			return "string is not null terminated";
	return NULL;
}

static int complain(const struct object *o, const struct isec *s, struct diag *d, uint64_t place, uint64_t at,
		    const char *what, const char *why, uint64_t got)
{
	diag_error(d, place, "%s:(%s+0x%llx): %s%s: got 0x%llx bytes, expected 0x%llx", o->name, isec_name(o, s),
		   (unsigned long long)at, what, why, (unsigned long long)got, (unsigned long long)s->sz);
	return -EINVAL;
}

int object_unpack(struct object *o, uint32_t i, struct diag *d, uint64_t place, uint64_t *ret_made)
{
	struct packed *k = &o->packed[i];
	const struct isec *s = &o->secs[k->sec];
	uint64_t got = 0;
	uint8_t *data, *other = NULL;
	*ret_made = 0;
	if (atomic_load_explicit(&k->data, memory_order_acquire))
		return 0;
	data = malloc(s->sz + 1); /* never 0 */
	if (!data)
		return -ENOMEM;
	const char *why = (k->is_zstd ? unpack_zstd : unpack_zlib)(o->data + k->off, k->sz, data, s->sz, &got);
	int r = why ? complain(o, s, d, place, 0, "cannot decompress: ", why, got) : 0;
	why = r ? NULL : check_strings(s, data);
	if (why)
		r = complain(o, s, d, place, s->sz - s->entsize, "", why, got);
	if (r || !atomic_compare_exchange_strong(&k->data, &other, data)) {
		free(data);
		return r;
	}
	*ret_made = s->sz;
	return 0;
}
