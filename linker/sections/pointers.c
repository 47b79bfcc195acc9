/* pointers.c - makes an object's tables of pointers (pointers.h).
 *
 * One walk over the relocations of its writable sections, right after scanning has read them. A section with one that is
 * something else has no table; a target that is something special, or an addend that does not fit, makes a row that sends
 * the reader to the relocation itself.
 */
#include "pointers.h"

#include <stdlib.h>
#include <string.h>

#include "scanned.h"

struct making {
	struct object *o;
	const struct arch *arch;
	unsigned word;               /* bytes */
	struct list tables, pieces;
	struct pointer *rows;
	size_t row_cnt, cap;
	uint32_t merged;             /* the merged section pointed into last, 0: none yet; */
	const struct pieces *found;  /* what it consists of, and which of it that was */
	uint32_t piece;
	bool no_memory;
};

static uint32_t target(enum pointer_kind kind, uint32_t index)
{
	return (uint32_t)kind << POINTER_SHIFT | index;
}

static bool fits(uint64_t index, uint64_t addend)
{
	return index < UINT32_C(1) << POINTER_SHIFT && (int64_t)addend == (int32_t)addend;
}

/* The piece that has byte OFF: most likely at *AT or a little behind. false: OFF lies behind the last one. */
static bool find_piece(const struct pieces *p, const struct isec *is, uint64_t off, uint32_t *at, uint64_t *ret_start)
{
	if (off >= is->sz || !p->cnt)
		return false;
	if (!p->start) {
		*at = (uint32_t)(off / is->entsize);
		*ret_start = (uint64_t)*at * is->entsize;
		return *at < p->cnt;
	}
	uint32_t lo = *at < p->cnt && p->start[*at] <= off ? *at : 0, hi = p->cnt;
	for (uint32_t step = 1; step < hi - lo; step *= 4)
		if (p->start[lo + step] > off)
			hi = lo + step;
		else
			lo += step;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (p->start[mid] <= off)
			lo = mid;
		else
			hi = mid;
	}
	*at = lo;
	*ret_start = p->start[lo];
	return off >= *ret_start && off < p->start[lo + 1];
}

/* A row for the byte of a merged section that a symbol means; of a section's own symbol the addend chooses it. */
static bool point_at_piece(struct making *m, const struct esym *s, uint64_t addend, struct pointer *row)
{
	const struct isec *is = &m->o->secs[s->shndx];
	uint64_t off = s->value + (s->type == STT_SECTION ? addend : 0), rest = s->type == STT_SECTION ? 0 : addend, start;
	if (!(is->flags & SHF_ALLOC) || is->is_compressed || !is->sz || is->sz > UINT32_MAX)
		return false;
	if (m->merged != s->shndx) {
		m->found = object_pieces(m->o, s->shndx);
		m->merged = m->found ? s->shndx : 0;
		m->piece = 0;
	}
	if (!m->merged || !find_piece(m->found, is, off, &m->piece, &start) || !fits(m->pieces.cnt, off - start + rest))
		return false;
	struct pointer_piece *p = list_push(&m->pieces, sizeof(*p), &m->no_memory);
	if (!p)
		return false;
	*p = (struct pointer_piece){ s->shndx, m->piece };
	row->target = target(POINTER_PIECE, (uint32_t)(m->pieces.cnt - 1));
	row->addend = (int32_t)(off - start + rest);
	return true;
}

static bool point(struct making *m, const struct rel *r, struct pointer *row)
{
	const struct object *o = m->o;
	uint64_t addend = (uint64_t)r->addend;
	struct esym s;
	if (r->sym >= o->first_global) {
		name_id id = o->names[r->sym - o->first_global];
		row->target = target(POINTER_NAME, id);
		row->addend = (int32_t)addend;
		return fits(id, addend);
	}
	esym_get(o, r->sym, &s);
	if (!s.shndx || s.shndx >= o->sec_cnt || s.type == STT_TLS || s.type == STT_GNU_IFUNC)
		return false;
	if (o->secs[s.shndx].kind == ISEC_MERGE)
		return point_at_piece(m, &s, addend, row);
	row->target = target(POINTER_SECTION, s.shndx);
	row->addend = (int32_t)(s.value + addend);
	return o->secs[s.shndx].kind == ISEC_REGULAR && fits(s.shndx, s.value + addend);
}

static bool is_word_zero(const struct making *m, const struct isec *is, uint64_t off)
{
	const uint8_t *p = isec_bytes(m->o, is) + off;
	return !(m->word == 8 ? load64(p, false) : load32(p, false));
}

static bool is_word(const struct making *m, uint32_t type)
{
	const struct rel_row *row = arch_row(m->arch, type);
	return row && row->kind == REL_ABS && row->bits == 8 * m->word && m->arch->fields[row->field].size == m->word &&
	       type <= UINT16_MAX;
}

/* Makes ROW, the next of the table TO, for relocation R, or says that the section has none. */
static bool make_row(struct making *m, const struct isec *is, const struct rel *r, struct pointer_table *to,
		     struct pointer *row)
{
	if ((to->cnt ? r->type != to->type : !is_word(m, r->type)) || r->sym >= m->o->sym_cnt || r->off > is->sz ||
	    m->word > is->sz - r->off)
		return false;
	row->off = (uint32_t)r->off;
	if (!point(m, r, row)) {
		row->target = target(POINTER_OTHER, 0);
		row->addend = 0;
	}
	to->type = (uint16_t)r->type;
	to->is_zero = to->is_zero && is_word_zero(m, is, r->off);
	to->cnt++;
	return true;
}

/* Room for CNT rows behind those there are; NULL without memory. */
static struct pointer *reserve_rows(struct making *m, size_t cnt)
{
	if (m->cap - m->row_cnt < cnt) {
		size_t cap = 2 * m->cap + cnt;
		struct pointer *p = realloc(m->rows, cap * sizeof(*p));
		if (!p) {
			m->no_memory = true;
			return NULL;
		}
		m->rows = p;
		m->cap = cap;
	}
	return m->rows + m->row_cnt;
}

/* Are all bytes zero? Looked at where that is no more than the table's rows were: large ones with few are passed over. */
static bool is_blank(const struct making *m, const struct isec *is)
{
	const uint8_t *p = isec_bytes(m->o, is);
	if (!is->sz || is->sz / m->word / 4 > is->rel_cnt)
		return false;
	return !*p && !memcmp(p, p + 1, is->sz - 1);
}

static void add_section(struct making *m, uint32_t sec)
{
	const struct isec *is = &m->o->secs[sec];
	size_t pieces = m->pieces.cnt;
	struct pointer_table t = { .sec = sec, .first = (uint32_t)m->row_cnt, .is_sorted = !is->rel_unsorted };
	t.is_zero = true;
	if (!is->rel_cnt || is->is_rel || is->rel_unchecked || is->kind != ISEC_REGULAR || is->type == SHT_NOBITS ||
	    (is->flags & POINTER_FLAGS) != POINTER_FLAGS || is->is_compressed || is->sz > UINT32_MAX ||
	    m->row_cnt + is->rel_cnt > UINT32_MAX)
		return;
	struct pointer *rows = reserve_rows(m, is->rel_cnt);
	for (uint32_t i = 0; rows && i < is->rel_cnt; i++) {
		struct rel r;
		rel_get(m->o, is, i, &r);
		if (make_row(m, is, &r, &t, &rows[i]))
			continue;
		m->pieces.cnt = pieces;
		return;
	}
	struct pointer_table *to = list_push(&m->tables, sizeof(*to), &m->no_memory);
	if (!to)
		return;
	*to = t;
	to->is_blank = t.is_zero && is_blank(m, is);
	m->row_cnt += t.cnt;
}

static void *append(void *to, const void *data, size_t sz)
{
	if (sz)
		memcpy(to, data, sz);
	return (char *)to + sz;
}

static struct pointers *join(const struct making *m)
{
	size_t tables = m->tables.cnt * sizeof(struct pointer_table), rows = m->row_cnt * sizeof(struct pointer);
	size_t pieces = m->pieces.cnt * sizeof(struct pointer_piece), sz = sizeof(struct pointers) + tables + rows + pieces;
	struct pointers *p = m->no_memory ? NULL : malloc(sz);
	if (!p)
		return NULL;
	*p = (struct pointers){ .table_cnt = (uint32_t)m->tables.cnt, .row_cnt = (uint32_t)m->row_cnt };
	p->product.sz = sz;
	append(append(append(p + 1, m->tables.data, tables), m->rows, rows), m->pieces.data, pieces);
	return p;
}

void pointers_make(struct object *o, const struct arch *arch)
{
	struct making m = { .o = o, .arch = arch, .word = arch->elf_class == ELFCLASS64 ? 8 : 4 };
	struct object_product *none = NULL;
	if (pointers_of(o))
		return;
	for (uint32_t i = 1; i < o->sec_cnt; i++)
		add_section(&m, i);
	struct pointers *p = join(&m);
	/* The first to publish wins: the same object may stand on the command line twice. */
	if (p && !atomic_compare_exchange_strong(&o->pointers, &none, &p->product))
		free(p);
	free(m.tables.data);
	free(m.rows);
	free(m.pieces.data);
}
