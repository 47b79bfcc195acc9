/* property.c - .note.gnu.property: what all objects promise together.
 *
 * AND properties hold only where every object has them; OR properties where one has; OR-AND where every object has the
 * entry. Source: "Linux Extensions to gABI", Program Property; which numbers are what is the arch's.
 */
#include "sections_priv.h"

static bool get(const struct object *o, uint32_t type, uint32_t *ret_value)
{
	for (uint32_t i = 0; i < o->property_cnt; i++)
		if (o->properties[i].type == type) {
			*ret_value = o->properties[i].value;
			return true;
		}
	return false;
}

int property_merge(struct sections *s)
{
	const struct arch *a = s->in->arch;
	uint32_t all = UINT32_MAX, any = 0;
	for (uint32_t k = 0; k < s->st->obj_cnt; k++) {
		const struct object *o = s->in->files[s->st->objs[k]].obj;
		uint32_t v = 0;
		all &= a->property_and && get(o, a->property_and, &v) ? v : 0;
		any |= a->property_or && get(o, a->property_or, &v) ? v : 0;
	}
	s->property_and = s->st->obj_cnt ? all : 0;
	s->property_or = any;
	if (s->in->opt->z_ibt || s->in->opt->z_force_ibt)
		s->property_and |= a->property_ibt_bit;
	s->has_property = s->property_and || s->property_or;
	s->plt_ibt = a->plt_ibt_entry_size && ((s->property_and & a->property_ibt_bit) || s->in->opt->z_ibtplt);
	return 0;
}
