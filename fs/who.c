/* who.c - see who.h.
 *
 * Sections are found by name. .comment holds strings, each terminated: compilers' and, as "Linker: NAME VERSION" or
 * "mold VERSION", the linker's. Those of inputs that another linker had made with -r may be there, too: our own line
 * goes before them.
 */
#include "who.h"

#include <elf.h>
#include <sys/stat.h>

#include "elfbytes.h"
#include "util.h"

#define SECTIONS_MAX 1000000
#define NAMES_MAX    ((uint64_t)16 << 20)
#define COMMENT_MAX  ((uint64_t)64 << 10)

struct elf {
	int fd;
	bool is64, be;
	uint64_t size; /* of the file */
	uint64_t shoff, shnum, shstrndx;
	unsigned shentsize;
};

struct section {
	uint32_t name, type;
	uint64_t off, sz, link;
};

/* Exactly SZ bytes. 0 or -errno; -ENODATA: the file ends before. */
static int read_at(const struct elf *e, uint64_t off, void *to, size_t sz)
{
	if (off > e->size || sz > e->size - off)
		return -ENODATA;
	for (size_t got = 0; got < sz;) {
		ssize_t n = pread(e->fd, (char *)to + got, sz - got, (off_t)(off + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		got += (size_t)n;
	}
	return 0;
}

static int read_section(const struct elf *e, uint64_t i, struct section *ret)
{
	unsigned char b[sizeof(Elf64_Shdr)];
	int r = read_at(e, e->shoff + i * e->shentsize, b, e->is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr));

	if (r)
		return r;
	ret->name = load32(b, e->be);
	ret->type = load32(b + 4, e->be);
	ret->off = e->is64 ? load64(b + offsetof(Elf64_Shdr, sh_offset), e->be)
			   : load32(b + offsetof(Elf32_Shdr, sh_offset), e->be);
	ret->sz = e->is64 ? load64(b + offsetof(Elf64_Shdr, sh_size), e->be)
			  : load32(b + offsetof(Elf32_Shdr, sh_size), e->be);
	ret->link = load32(b + (e->is64 ? offsetof(Elf64_Shdr, sh_link) : offsetof(Elf32_Shdr, sh_link)), e->be);
	return 0;
}

/* 0: it has sections, or none that can be used (.shnum 0). 1: not ELF. */
static int read_header(struct elf *e, enum who_kind *ret_kind)
{
	unsigned char h[sizeof(Elf64_Ehdr)];
	int r = read_at(e, 0, h, EI_NIDENT);

	if (r || memcmp(h, ELFMAG, SELFMAG) || h[EI_CLASS] < ELFCLASS32 || h[EI_CLASS] > ELFCLASS64 ||
	    h[EI_DATA] < ELFDATA2LSB || h[EI_DATA] > ELFDATA2MSB)
		return r && r != -ENODATA ? r : 1;
	e->is64 = h[EI_CLASS] == ELFCLASS64;
	e->be = h[EI_DATA] == ELFDATA2MSB;
	r = read_at(e, 0, h, e->is64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr));
	if (r)
		return r == -ENODATA ? 1 : r;
	unsigned type = load16(h + EI_NIDENT, e->be);
	*ret_kind = type == ET_EXEC || type == ET_DYN ? WHO_LINKED : WHO_NOT_LINKED;
	size_t tail = e->is64 ? offsetof(Elf64_Ehdr, e_shentsize) : offsetof(Elf32_Ehdr, e_shentsize);
	e->shoff = e->is64 ? load64(h + offsetof(Elf64_Ehdr, e_shoff), e->be)
			   : load32(h + offsetof(Elf32_Ehdr, e_shoff), e->be);
	e->shentsize = load16(h + tail, e->be);
	e->shnum = load16(h + tail + 2, e->be);
	e->shstrndx = load16(h + tail + 4, e->be);
	if (!e->shoff || e->shoff > e->size || e->shentsize != (e->is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)))
		e->shnum = e->shstrndx = 0;
	return 0;
}

/* Numbers that do not fit the header stand in section 0. */
static int read_counts(struct elf *e)
{
	struct section first;

	if (!e->shoff || e->shoff > e->size || !e->shentsize || (e->shnum && e->shstrndx != SHN_XINDEX))
		return 0;
	int r = read_section(e, 0, &first);
	if (r)
		return r == -ENODATA ? 0 : r;
	if (!e->shnum)
		e->shnum = first.sz;
	if (e->shstrndx == SHN_XINDEX)
		e->shstrndx = first.link;
	return 0;
}

/* The first words of S, if they name a linker. */
static bool names_linker(const char *s, size_t sz, char *ret)
{
	static const char *const heads[] = {"Linker: ", "mold "};
	size_t skip = sizeof("Linker: ") - 1;

	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(heads[i]);
		if (sz < n || memcmp(s, heads[i], n))
			continue;
		s += i ? 0 : skip;
		sz -= i ? 0 : skip;
		/* NAME VERSION, without what follows: dates and commits */
		size_t end = 0, words = 0;
		while (end < sz && s[end] && end < WHO_SZ - 1 && !(s[end] == ' ' && ++words == 2))
			end++;
		snprintf(ret, WHO_SZ, "%.*s", (int)end, s);
		return true;
	}
	return false;
}

static int read_comment(const struct elf *e, const struct section *s, char *ret)
{
	size_t sz = (size_t)(s->sz < COMMENT_MAX ? s->sz : COMMENT_MAX);
	CLEAN_MEM char *text = malloc(sz + 1);
	char name[WHO_SZ];

	if (!text)
		return -ENOMEM;
	int r = read_at(e, s->off, text, sz);
	if (r)
		return r == -ENODATA ? 0 : r;
	text[sz] = 0;
	for (size_t at = 0; at < sz; at += strlen(text + at) + 1)
		if (names_linker(text + at, strlen(text + at), name) && (!*ret || who_is_linkfs(name)))
			memcpy(ret, name, sizeof(name));
	return 0;
}

/* Its note is a string behind a header and a name of 4 bytes each. */
static int read_gold(const struct elf *e, const struct section *s, char *ret)
{
	char text[WHO_SZ + 16] = "";
	size_t sz = (size_t)(s->sz < sizeof(text) - 1 ? s->sz : sizeof(text) - 1);
	int r = read_at(e, s->off, text, sz);

	if (r)
		return r == -ENODATA ? 0 : r;
	if (sz > 16 && !*ret)
		snprintf(ret, WHO_SZ, "%s", text + 16);
	return 0;
}

static int read_sections(const struct elf *e, char *ret)
{
	struct section names, s;
	int r = e->shstrndx < e->shnum && e->shnum <= SECTIONS_MAX ? read_section(e, e->shstrndx, &names) : -ENODATA;

	if (r || names.sz > NAMES_MAX || names.sz > e->size)
		return r == -ENODATA ? 0 : r;
	CLEAN_MEM char *text = calloc(1, (size_t)names.sz + 1);
	if (!text)
		return -ENOMEM;
	r = read_at(e, names.off, text, (size_t)names.sz);
	for (uint64_t i = 1; i < e->shnum && !r; i++) {
		r = read_section(e, i, &s);
		const char *name = !r && s.name < names.sz ? text + s.name : "";
		if (!r && s.type == SHT_PROGBITS && !strcmp(name, ".comment"))
			r = read_comment(e, &s, ret);
		else if (!r && s.type == SHT_NOTE && !strcmp(name, ".note.gnu.gold-version"))
			r = read_gold(e, &s, ret);
	}
	return r == -ENODATA ? 0 : r;
}

int who_linked(int fd, enum who_kind *ret_kind, char ret_linker[WHO_SZ])
{
	struct elf e = { .fd = fd };
	struct stat st;

	*ret_kind = WHO_NO_ELF;
	*ret_linker = 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	e.size = (uint64_t)st.st_size;
	int r = read_header(&e, ret_kind);
	if (r || *ret_kind != WHO_LINKED)
		return r < 0 ? r : 0;
	r = read_counts(&e);
	return r ? r : read_sections(&e, ret_linker);
}

int who_is_linkfs(const char *linker)
{
	return !strncmp(linker, "linkfs", 6) && (linker[6] == ' ' || !linker[6]);
}
