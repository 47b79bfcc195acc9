/* synthetics.c - the table of synthetic sections, by enum syn_id (ORDER syn, layout/layout.h). A new one is one file
 * syn_NAME.c, one id, one row here. */
#include "render.h"

uint8_t syn_word_align(const struct layout *l)
{
	return word_sz(l) == 8 ? 3 : 2;
}

const struct synthetic *const synthetics[SYN_CNT] = {
	[SYN_INTERP] = &syn_interp,
	[SYN_PROPERTY] = &syn_property,
	[SYN_BUILD_ID] = &syn_build_id,
	[SYN_HASH] = &syn_hash,
	[SYN_GNU_HASH] = &syn_gnu_hash,
	[SYN_DYNSYM] = &syn_dynsym,
	[SYN_DYNSTR] = &syn_dynstr,
	[SYN_VERSYM] = &syn_versym,
	[SYN_VERDEF] = &syn_verdef,
	[SYN_VERNEED] = &syn_verneed,
	[SYN_RELA_DYN] = &syn_rela_dyn,
	[SYN_RELA_PLT] = &syn_rela_plt,
	[SYN_EH_FRAME_HDR] = &syn_eh_frame_hdr,
	[SYN_EH_FRAME] = &syn_eh_frame,
	[SYN_PLT] = &syn_plt,
	[SYN_PLTGOT] = &syn_pltgot,
	[SYN_DYNAMIC] = &syn_dynamic,
	[SYN_GOT] = &syn_got,
	[SYN_GOTPLT] = &syn_gotplt,
	[SYN_COPY_RO] = &syn_copy_ro,
	[SYN_COPY] = &syn_copy,
	[SYN_COMMON] = &syn_common,
	[SYN_TLS_COMMON] = &syn_tls_common,
	[SYN_COMMENT] = &syn_comment,
	[SYN_SYMTAB] = &syn_symtab,
	[SYN_STRTAB] = &syn_strtab,
	[SYN_SHSTRTAB] = &syn_shstrtab,
};
