/* peer.h - one x86-64 object linked by GNU ld and by the rows of arch/x86_64.c: the code must be the same.
 *
 * Needs `as` and `ld` for x86-64, nothing else; where they are missing the test says so and passes. The object has no
 * more than a .text with every relaxable sequence and a .tdata, so that this file can evaluate its relocations in a few
 * lines. Left out is what the two decide differently on purpose: GNU ld turns most `add x@gottpoff` into lea.
 * check_reloc.c includes it after <check.h>.
 */
#ifndef LINKFS_PEER_H
#define LINKFS_PEER_H

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

#include "temp.h"

#define PEER_COMMON                                                                                           \
	".text\n.globl _start\n_start:\n"                                                                      \
	".byte 0x66\nleaq x@tlsgd(%rip),%rdi\n.word 0x6666\nrex64\ncall __tls_get_addr@PLT\n"                  \
	".byte 0x66\nleaq x@tlsgd(%rip),%rdi\n.byte 0x66\nrex64\ncall *__tls_get_addr@GOTPCREL(%rip)\n"        \
	"leaq x@tlsgd(%rip),%rdi\nmovabs $__tls_get_addr@PLTOFF,%rax\nadd %rbx,%rax\ncall *%rax\n"             \
	"leaq x@tlsgd(%rip),%rdi\nmovabs $__tls_get_addr@PLTOFF,%rax\nadd %r15,%rax\ncall *%rax\n"             \
	"leaq x@tlsld(%rip),%rdi\ncall __tls_get_addr@PLT\n"                                                   \
	"leaq x@tlsld(%rip),%rdi\ncall *__tls_get_addr@GOTPCREL(%rip)\n"                                       \
	"leaq x@tlsld(%rip),%rdi\nmovabs $__tls_get_addr@PLTOFF,%rax\nadd %rbx,%rax\ncall *%rax\n"             \
	"lea x@dtpoff(%rax),%rdx\nlea x@dtpoff+4(%rax),%r8\n"                                                  \
	"mov x@gottpoff(%rip),%rax\nmov x@gottpoff(%rip),%r9\nmov x@gottpoff(%rip),%r12\n"                     \
	"add x@gottpoff(%rip),%rsp\nadd x@gottpoff(%rip),%r12\n"                                               \
	"leaq x@tlsdesc(%rip),%rax\ncall *x@tlscall(%rax)\nleaq x@tlsdesc(%rip),%r9\n"                         \
	"mov f@GOTPCREL(%rip),%rax\nmov f@GOTPCREL(%rip),%r9\nmov f@GOTPCREL(%rip),%eax\n"                     \
	"mov f@GOTPCREL(%rip),%r9d\ncall *f@GOTPCREL(%rip)\njmp *f@GOTPCREL(%rip)\n"                           \
	"rex64 jmp *f@GOTPCREL(%rip)\nnotrack jmp *f@GOTPCREL(%rip)\n"                                         \
	"lea f(%rip),%rax\ncall f@PLT\nmovabs $f-.,%rax\n"

#define PEER_FIXED /* only where nothing moves */                                                             \
	"test %rax,f@GOTPCREL(%rip)\ntest %r9,f@GOTPCREL(%rip)\ntest %eax,f@GOTPCREL(%rip)\n"                  \
	"adc f@GOTPCREL(%rip),%rcx\nadd f@GOTPCREL(%rip),%rcx\nand f@GOTPCREL(%rip),%r10\n"                    \
	"cmp f@GOTPCREL(%rip),%rcx\nor f@GOTPCREL(%rip),%ecx\nsbb f@GOTPCREL(%rip),%rcx\n"                     \
	"sub f@GOTPCREL(%rip),%r10d\nxor f@GOTPCREL(%rip),%rcx\n"                                              \
	"mov a@GOTPCREL(%rip),%rax\nmov $f,%eax\nmov $f,%rax\nmovabs $f,%rax\n.long f\n.quad f-8\n"

#define PEER_TAIL                                                                                             \
	".globl f\nf: nop\n.globl __tls_get_addr\n.hidden __tls_get_addr\n__tls_get_addr: ret\n"               \
	".globl a\na = 0x1234\n"                                                                               \
	".section .tdata,\"awT\",@progbits\n.quad 1\n.globl x\n.hidden x\nx: .quad 2\n"

struct peer_file {
	uint8_t *bytes;
	size_t sz;
};

static bool peer_read(const char *path, struct peer_file *ret_f)
{
	FILE *in = fopen(path, "rb");
	if (!in)
		return false;
	uint8_t *bytes = malloc(1 << 20);
	size_t sz = bytes ? fread(bytes, 1, 1 << 20, in) : 0;
	fclose(in);
	*ret_f = (struct peer_file){ bytes, sz };
	return sz > sizeof(Elf64_Ehdr);
}

static const Elf64_Shdr *peer_section(const struct peer_file *f, const char *name)
{
	const Elf64_Ehdr *eh = (const void *)f->bytes;
	const Elf64_Shdr *sh = (const void *)(f->bytes + eh->e_shoff);
	const char *names = (const char *)f->bytes + sh[eh->e_shstrndx].sh_offset;

	for (unsigned i = 0; i < eh->e_shnum; i++)
		if (!strcmp(names + sh[i].sh_name, name))
			return &sh[i];
	return NULL;
}

/* The symbol NAME of F, or NULL. */
static const Elf64_Sym *peer_symbol(const struct peer_file *f, const char *name)
{
	const Elf64_Shdr *tab = peer_section(f, ".symtab"), *str = peer_section(f, ".strtab");
	const Elf64_Sym *sym = (const void *)(f->bytes + tab->sh_offset);

	for (size_t i = 0; i < tab->sh_size / sizeof(*sym); i++)
		if (!strcmp((const char *)f->bytes + str->sh_offset + sym[i].st_name, name))
			return &sym[i];
	return NULL;
}

static bool peer_write(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	if (!out)
		return false;
	bool ok = fputs(text, out) >= 0;
	return fclose(out) == 0 && ok;
}

/* Links TEXT (assembler) with GNU ld. False: the tools are not there. */
static bool peer_link(const char *text, const char *ld_options, struct peer_file *ret_obj, struct peer_file *ret_exe)
{
	char dir[PATH_MAX], cmd[2 * PATH_MAX], src[PATH_MAX + 8], obj[PATH_MAX + 8], exe[PATH_MAX + 8];

	if (temp_dir_make(dir))
		return false;
	snprintf(src, sizeof(src), "%s/a.s", dir);
	snprintf(obj, sizeof(obj), "%s/a.o", dir);
	snprintf(exe, sizeof(exe), "%s/a.exe", dir);
	snprintf(cmd, sizeof(cmd), "exec 2>/dev/null; cd '%s' && as --64 -mrelax-relocations=yes -o a.o a.s && "
		 "ld -m elf_x86_64 %s -o a.exe a.o", dir, ld_options);
	bool ok = peer_write(src, text) && system(cmd) == 0 && peer_read(obj, ret_obj) && peer_read(exe, ret_exe);
	ok &= temp_dir_remove(dir) == 0;
	return ok;
}

/* Evaluates one relocation that was not relaxed. */
static uint64_t peer_value(enum rel_kind kind, uint64_t S, int64_t A, uint64_t P, int64_t tpoff)
{
	switch (kind) {
	case REL_ABS:
		return S + (uint64_t)A;
	case REL_PC:
	case REL_PLT_PC:
		return S + (uint64_t)A - P;
	case REL_TLS_DTPOFF: /* in code of an executable, whose local-dynamic accesses were relaxed */
	case REL_TLS_LE:
		return (uint64_t)(tpoff + A);
	default:
		ck_abort_msg("kind %d is not expected here", (int)kind);
		return 0;
	}
}

static void peer_compare(const struct arch *arch, const char *text, const char *ld_options,
			 const struct relax_facts *facts, const struct relax_facts *abs_facts)
{
	struct peer_file obj = { 0 }, exe = { 0 };

	if (!peer_link(text, ld_options, &obj, &exe)) {
		fprintf(stderr, "check_reloc: no usable as and ld for x86-64: comparison with GNU ld skipped\n");
		free(obj.bytes);
		free(exe.bytes);
		return;
	}
	const Elf64_Shdr *in = peer_section(&obj, ".text"), *rela = peer_section(&obj, ".rela.text");
	const Elf64_Shdr *out = peer_section(&exe, ".text"), *tdata = peer_section(&exe, ".tdata");
	ck_assert(in && rela && out && tdata);
	ck_assert_uint_eq(in->sh_size, out->sh_size);
	const uint8_t *sec = obj.bytes + in->sh_offset;
	uint8_t *ours = malloc(in->sh_size);
	ck_assert_ptr_nonnull(ours);
	memcpy(ours, sec, in->sh_size);

	const Elf64_Rela *r = (const void *)(obj.bytes + rela->sh_offset);
	const Elf64_Sym *syms = (const void *)(obj.bytes + peer_section(&obj, ".symtab")->sh_offset);
	const char *strs = (const char *)obj.bytes + peer_section(&obj, ".strtab")->sh_offset;
	size_t cnt = rela->sh_size / sizeof(*r);

	for (size_t i = 0; i < cnt; i++) {
		uint32_t type = ELF64_R_TYPE(r[i].r_info);
		const struct rel_row *row = arch_row(arch, type);
		ck_assert_ptr_nonnull(row);
		const char *name = strs + syms[ELF64_R_SYM(r[i].r_info)].st_name;
		const Elf64_Sym *def = peer_symbol(&exe, name);
		ck_assert_ptr_nonnull(def);
		bool is_tls = ELF64_ST_TYPE(def->st_info) == STT_TLS;
		bool next_is_call =
			i + 1 < cnt &&
			!strcmp(strs + syms[ELF64_R_SYM(r[i + 1].r_info)].st_name, "__tls_get_addr");
		struct relax_values v = { .S = def->st_value, .P = out->sh_addr + r[i].r_offset, .A = r[i].r_addend };
		if (is_tls)
			v.tpoff = (int64_t)(def->st_value - ((tdata->sh_size + 7) & ~UINT64_C(7)));
		const char *bad = NULL;
		enum relax how = RELAX_NO;
		if (row->flags & ROW_MAY_RELAX)
			how = arch->relax(type, sec, in->sh_size, r[i].r_offset, r[i].r_addend, next_is_call,
					  def->st_shndx == SHN_ABS ? abs_facts : facts, &bad);
		ck_assert_msg(!bad, "%s at 0x%x: %s", row->name, (unsigned)r[i].r_offset, bad);
		if (how != RELAX_NO) {
			ck_assert(arch->apply_relax(how, type, ours + r[i].r_offset, &v));
			i += (row->flags & ROW_CONSUMES_NEXT) != 0;
			continue;
		}
		uint64_t value = peer_value(row->kind, v.S, v.A, v.P, v.tpoff);
		ck_assert(rel_fits(row, value));
		arch->fields[row->field].put(ours + r[i].r_offset, value);
	}
	for (size_t i = 0; i < in->sh_size; i++)
		ck_assert_msg(ours[i] == exe.bytes[out->sh_offset + i], ".text+0x%zx: 0x%02x, GNU ld writes 0x%02x", i,
			      ours[i], exe.bytes[out->sh_offset + i]);
	free(ours);
	free(obj.bytes);
	free(exe.bytes);
}

#endif
