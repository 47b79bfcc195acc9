/* kept.h - the products of the symbols stage of a process's last links, for links that would make them again.
 *
 * A product is a function of what the stage reads (recipe.h): a link that reads the same takes it, and pays for two copies of
 * arrays that later stages write to. So an edit of a function's body resolves nothing, whatever was linked meanwhile.
 *
 * Threads: by the linker's lock, but for kept_made. A product lives as long as a link or the list has it.
 */
#ifndef LINKFS_KEPT_H
#define LINKFS_KEPT_H

#include <stdint.h>

struct inputs;
struct kept;
struct recipe;
struct symtab;

int kept_new(struct kept **ret_kept);
struct kept *kept_free(struct kept *k); /* takes NULL, returns NULL */
/* How many links resolved their symbols because nothing kept fitted. Any thread. */
uint64_t kept_made(const struct kept *k);

/* For symtab.c. The product of a link that read what IN gives to read: 1, and IN is as the stage leaves it; 0: none. The
 * recipe is NOW; with NULL nothing fits. Errors as symtab_resolve's. */
int kept_find(struct kept *k, struct inputs *in, const struct recipe *now, struct symtab **ret_symtab);
/* Keeps what was made of NOW, which it takes over, and replaces *SYMTAB by one that shares it. Nothing happens without memory,
 * and where NOW turns out to be incomparable. */
void kept_add(struct kept *k, struct recipe *now, struct symtab **symtab);
/* Frees a symtab that shares a product. */
void kept_release(struct symtab *st);

#endif
