/* shelf.c - a few arenas in a row, oldest first.
 *
 * Arenas are rewound when they come, not when they go: then a failure finds somebody who can free them. Those that must make
 * room, the one for the same purpose, then the oldest, are freed outside the lock: unmapping takes milliseconds.
 */
#include "shelf.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

struct place {
	struct arena *arena; /* owned */
	const char *purpose;
	uint64_t sz;         /* bytes resident, at most */
};

struct shelf {
	pthread_mutex_t lock; /* guards what follows */
	struct place places[SHELF_MAX_CNT];
	size_t cnt;
	uint64_t sz;          /* the sum of theirs */
};

int shelf_new(struct shelf **ret_shelf)
{
	struct shelf *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	*ret_shelf = s;
	return 0;
}

struct shelf *shelf_free(struct shelf *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->cnt; i++)
		arena_free(s->places[i].arena);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return NULL;
}

static struct arena *take_from(struct shelf *s, size_t i)
{
	struct arena *a = s->places[i].arena;

	s->sz -= s->places[i].sz;
	s->cnt--;
	memmove(s->places + i, s->places + i + 1, (s->cnt - i) * sizeof(s->places[0]));
	return a;
}

/* NULL: none is for PURPOSE. */
static struct arena *take_for(struct shelf *s, const char *purpose)
{
	for (size_t i = 0; i < s->cnt; i++)
		if (s->places[i].purpose == purpose)
			return take_from(s, i);
	return NULL;
}

int shelf_take(struct shelf *s, const char *purpose, struct arena **ret_arena)
{
	struct arena *a = NULL;

	if (s) {
		pthread_mutex_lock(&s->lock);
		a = take_for(s, purpose);
		pthread_mutex_unlock(&s->lock);
	}
	*ret_arena = a;
	return a ? 0 : arena_new(&(struct arena_config){ .name = purpose }, ret_arena);
}

struct arena *shelf_give(struct shelf *s, const char *purpose, struct arena *a)
{
	struct arena *out[SHELF_MAX_CNT + 1];
	struct arena_stats st;
	size_t out_cnt = 0;

	if (!s || !a || arena_rewind(a))
		return arena_free(a);
	arena_stats(a, &st);
	if (st.used > SHELF_MAX_BYTES)
		return arena_free(a);
	pthread_mutex_lock(&s->lock);
	out[out_cnt++] = take_for(s, purpose);
	while (s->cnt == SHELF_MAX_CNT || s->sz > SHELF_MAX_BYTES - st.used)
		out[out_cnt++] = take_from(s, 0);
	s->places[s->cnt++] = (struct place){ a, purpose, st.used };
	s->sz += st.used;
	pthread_mutex_unlock(&s->lock);
	while (out_cnt)
		arena_free(out[--out_cnt]);
	return NULL;
}
