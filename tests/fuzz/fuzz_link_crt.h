/* fuzz_link_crt.h - the good object of fuzz_link.c: _start, and references of every kind to what the seeds define.
 *
 * Made by hand, so that no compiler is needed: .text with PC-relative, PLT and GOT references, .data with addresses and
 * a thread-local offset; all names but _start are weak, so that a link without them works.
 */
#ifndef LINKFS_FUZZ_LINK_CRT_H
#define LINKFS_FUZZ_LINK_CRT_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { FUZZ_CRT_MAX = 4096 };

struct fuzz_crt {
	Elf64_Ehdr eh;
	uint8_t text[64];
	uint64_t data[8];
	Elf64_Rela rel_text[5], rel_data[3];
	Elf64_Sym syms[7];
	char str[32];
	char shstr[64];
	Elf64_Shdr sh[9];
};

/* "\0_start\0f\0main\0x\0t\0env" by place. */
enum { CRT_START = 1, CRT_F, CRT_MAIN, CRT_X, CRT_T, CRT_ENV, CRT_SYMS };

static inline Elf64_Rela fuzz_crt_rela(uint64_t off, uint32_t sym, uint32_t type, int64_t addend)
{
	return (Elf64_Rela){ off, ELF64_R_INFO((uint64_t)sym, type), addend };
}

static inline Elf64_Shdr fuzz_crt_section(uint32_t name, uint32_t type, uint64_t flags, size_t off, size_t sz)
{
	return (Elf64_Shdr){ .sh_name = name, .sh_type = type, .sh_flags = flags, .sh_offset = off, .sh_size = sz,
			     .sh_addralign = 8 };
}

/* Writes it to BUF, FUZZ_CRT_MAX bytes; its size. */
static inline size_t fuzz_crt_make(uint8_t *buf)
{
	static const char str[] = "\0_start\0f\0main\0x\0t\0environ";
	static const char shstr[] = "\0.text\0.data\0.rela.text\0.rela.data\0.symtab\0.strtab\0.shstrtab";
	static const uint8_t names[CRT_SYMS] = { 0, 1, 8, 10, 15, 17, 19 };
	struct fuzz_crt c = { .eh = { .e_type = ET_REL, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
				      .e_shoff = offsetof(struct fuzz_crt, sh), .e_ehsize = sizeof(Elf64_Ehdr),
				      .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 8, .e_shstrndx = 7 } };
	memcpy(c.eh.e_ident, ELFMAG "\2\1\1", 7);
	memcpy(c.str, str, sizeof(str));
	memcpy(c.shstr, shstr, sizeof(shstr));
	/* call f; call *main(%rip) by the GOT; lea x(%rip); mov x@got(%rip); mov t@gottpoff(%rip) */
	memcpy(c.text, "\xe8....\xff\x15....\x48\x8d\x05....\x48\x8b\x05....\x48\x8b\x05....\xc3", 33);
	c.rel_text[0] = fuzz_crt_rela(1, CRT_F, R_X86_64_PLT32, -4);
	c.rel_text[1] = fuzz_crt_rela(7, CRT_MAIN, R_X86_64_GOTPCRELX, -4);
	c.rel_text[2] = fuzz_crt_rela(14, CRT_START, R_X86_64_PC32, -4);
	c.rel_text[3] = fuzz_crt_rela(21, CRT_X, R_X86_64_REX_GOTPCRELX, -4);
	c.rel_text[4] = fuzz_crt_rela(28, CRT_T, R_X86_64_GOTTPOFF, -4);
	c.rel_data[0] = fuzz_crt_rela(0, CRT_F, R_X86_64_64, 0);
	c.rel_data[1] = fuzz_crt_rela(8, CRT_X, R_X86_64_64, 4);
	c.rel_data[2] = fuzz_crt_rela(16, CRT_ENV, R_X86_64_64, 0);
	for (int i = 1; i < CRT_SYMS; i++)
		c.syms[i] = (Elf64_Sym){ .st_name = names[i], .st_info = ELF64_ST_INFO(STB_WEAK, STT_NOTYPE) };
	c.syms[CRT_START].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	c.syms[CRT_START].st_other = STV_PROTECTED;
	c.syms[CRT_START].st_shndx = 1;
	c.syms[CRT_T].st_info = ELF64_ST_INFO(STB_WEAK, STT_TLS);
#define AT(field) offsetof(struct fuzz_crt, field), sizeof(c.field)
	c.sh[1] = fuzz_crt_section(1, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, AT(text));
	c.sh[2] = fuzz_crt_section(7, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, AT(data));
	c.sh[3] = fuzz_crt_section(13, SHT_RELA, SHF_INFO_LINK, AT(rel_text));
	c.sh[4] = fuzz_crt_section(24, SHT_RELA, SHF_INFO_LINK, AT(rel_data));
	c.sh[5] = fuzz_crt_section(35, SHT_SYMTAB, 0, AT(syms));
	c.sh[6] = fuzz_crt_section(43, SHT_STRTAB, 0, AT(str));
	c.sh[7] = fuzz_crt_section(51, SHT_STRTAB, 0, AT(shstr));
#undef AT
	c.sh[3].sh_entsize = c.sh[4].sh_entsize = sizeof(Elf64_Rela);
	c.sh[3].sh_link = c.sh[4].sh_link = 5;
	c.sh[3].sh_info = 1;
	c.sh[4].sh_info = 2;
	c.sh[5].sh_entsize = sizeof(Elf64_Sym);
	c.sh[5].sh_link = 6;
	c.sh[5].sh_info = 1;
	_Static_assert(sizeof(c) <= FUZZ_CRT_MAX, "the object fits");
	memcpy(buf, &c, sizeof(c));
	return sizeof(c);
}

#endif
