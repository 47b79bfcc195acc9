/* outsyms.h - which symbols of an object .symtab has, as far as states of sections and options decide it.
 *
 * Scanning counts an object's local ones with the rest it finds (scanned.h); layout counts the globals and renders all.
 * Source: GNU ld manual -x, -X.
 */
#ifndef LINKFS_OUTSYMS_H
#define LINKFS_OUTSYMS_H

#include "sections.h"

static inline bool outsym_is_in_output(const struct sections *s, uint32_t file, const struct object *o, uint32_t shndx)
{
	if (shndx >= UINT32_C(0xffff0000))
		return shndx == OBJ_SHN_ABS || shndx == OBJ_SHN_COMMON;
	if (!shndx || shndx >= o->sec_cnt || (!s->eh_sz && o->secs[shndx].kind == ISEC_EH_FRAME))
		return false;
	return sec_is(s->st, gsec(s->st, file, shndx), SEC_LIVE);
}

static inline bool outsym_keeps_local(const struct sections *s, uint32_t file, const struct object *o, const struct esym *e)
{
	const struct options *opt = s->in->opt;
	if (e->type == STT_SECTION || e->name >= o->strtab_sz || !o->strtab[e->name] || opt->discard == DISCARD_ALL)
		return false;
	if (!outsym_is_in_output(s, file, o, e->shndx))
		return false;
	bool is_temp = o->strtab[e->name] == '.' && o->strtab[e->name + 1] == 'L';
	if (is_temp && opt->discard == DISCARD_LOCALS)
		return false;
	/* By default temporaries go where they name pieces of merged strings (ld: -X for merged sections). */
	return !(is_temp && opt->discard == DISCARD_DEFAULT && e->shndx < o->sec_cnt &&
		 (o->secs[e->shndx].flags & SHF_MERGE));
}

#endif
