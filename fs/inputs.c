/* inputs.c - custody: descriptors of every input of a live generation, one per identity.
 *
 * The mount process holds them so that a crash of the linker loses nothing, deleted inputs live on, and a new linker
 * process can be given exactly the files the old one saw. It never looks into them. What keeps their bytes as they are:
 * lease.c (leases and their breaks), snapshot.c (copies), custody.c (which of the two, before a link counts).
 */
#include "fs.h"
#include "pathwalk.h"

static struct input_bucket *bucket_of(struct inputs *in, const struct msg_identity *id)
{
	uint64_t h = (id->ino * 0x9e3779b97f4a7c15ull) ^ id->dev;

	return &in->bucket[(h >> 20) % INPUT_BUCKETS];
}

struct input *input_unref(struct fs *fs, struct input *i)
{
	struct inputs *in = &fs->inputs;

	if (--i->ref)
		return NULL;
	LIST_REMOVE(i, hash);
	in->cnt--;
	in->bytes -= i->id.size;
	if (i->lease_fd >= 0) {
		close(i->lease_fd); /* which ends the lease */
		in->leases--;
	}
	if (i->state == CUSTODY_COPIED)
		in->copy_bytes -= i->id.size;
	if (i->is_copy_memory)
		in->copy_memory_bytes -= i->id.size;
	close(i->fd);
	free(i);
	return NULL;
}

/* Takes *FD where the input is new. NULL without memory. */
static struct input *input_get(struct inputs *in, const struct msg_identity *id, int *fd)
{
	struct input_bucket *b = bucket_of(in, id);
	struct input *i;

	LIST_FOREACH (i, b, hash) {
		/* One that is lost goes with those who saw it so; whoever comes has it looked at again. */
		if (i->state != CUSTODY_LOST && identity_equal(&i->id, id)) {
			i->ref++;
			return i;
		}
	}
	i = calloc(1, sizeof(*i));
	if (!i)
		return NULL;
	i->id = *id;
	i->fd = take_fd(fd);
	i->lease_fd = -1;
	i->ref = 1;
	LIST_INSERT_HEAD(b, i, hash);
	in->cnt++;
	in->bytes += id->size;
	return i;
}

int input_set_copy(struct fs *fs, struct input *i, int copy, bool is_memory)
{
	int original = i->fd;

	i->fd = copy;
	i->state = CUSTODY_COPIED;
	i->copy_seq = ++fs->inputs.copy_seq;
	i->is_copy_memory = is_memory;
	fs->inputs.copy_bytes += i->id.size;
	if (is_memory)
		fs->inputs.copy_memory_bytes += i->id.size;
	fs->count.snapshots++;
	return original;
}

int resolved_new(struct fs *fs, struct record *record, int *fds, uint32_t fd_cnt, struct resolved **ret)
{
	uint32_t distinct = 0;
	int err = 0;

	fs->inputs.round++;
	if (fds && fd_cnt != record->fd_cnt)
		return -EPROTO;
	struct resolved *r = calloc(1, sizeof(*r));
	struct input **input = fds ? calloc(fd_cnt ? fd_cnt : 1, sizeof(*input)) : NULL;
	if (!r || (fds && !input))
		err = -ENOMEM;
	for (uint32_t i = 0; fds && !err && i < record->probe_cnt; i++) {
		const struct record_probe *p = &record->probes[i].at;
		if (p->fd_idx < 0)
			continue;
		if (p->stat_error || input[p->fd_idx] || fds[p->fd_idx] < 0)
			err = -EPROTO;
		else if (!(input[p->fd_idx] = input_get(&fs->inputs, &p->id, &fds[p->fd_idx])))
			err = -ENOMEM;
		if (!err) {
			distinct += input[p->fd_idx]->seen != fs->inputs.round;
			input[p->fd_idx]->seen = fs->inputs.round;
		}
	}
	for (uint32_t i = 0; fds && !err && i < fd_cnt; i++)
		if (!input[i])
			err = -EPROTO;
	if (err) {
		for (uint32_t i = 0; input && i < fd_cnt; i++)
			if (input[i])
				input_unref(fs, input[i]);
		free(input);
		free(r);
		return err;
	}
	*r = (struct resolved){ .ref = 1, .record = record, .input = input, .distinct = distinct };
	*ret = r;
	return 0;
}

struct resolved *resolved_ref(struct resolved *r)
{
	if (r)
		r->ref++;
	return r;
}

struct resolved *resolved_unref(struct fs *fs, struct resolved *r)
{
	if (!r || --r->ref)
		return NULL;
	for (uint32_t i = 0; r->input && i < r->record->fd_cnt; i++)
		input_unref(fs, r->input[i]);
	free(r->input);
	record_free(r->record);
	free(r);
	return NULL;
}

bool resolved_is_intact(const struct resolved *r)
{
	for (uint32_t k = 0; k < r->record->fd_cnt; k++) {
		const struct input *i = r->input[k];
		struct stat st;
		if (i->state == CUSTODY_LEASED || i->state == CUSTODY_COPIED)
			continue;
		if (i->state == CUSTODY_LOST || stat_known(i->fd, &st))
			return false;
		struct msg_identity now = identity_of(&st);
		if (!identity_same_content(&now, &i->id))
			return false;
	}
	return true;
}

bool resolved_has(const struct resolved *r, const struct input *i)
{
	for (uint32_t k = 0; r->input && k < r->record->fd_cnt; k++)
		if (r->input[k] == i)
			return true;
	return false;
}

uint64_t inputs_deleted_bytes(struct fs *fs)
{
	uint64_t sum = 0;

	for (size_t b = 0; b < INPUT_BUCKETS; b++) {
		struct input *i;
		LIST_FOREACH (i, &fs->inputs.bucket[b], hash) {
			struct stat st;
			i->is_deleted = i->state != CUSTODY_COPIED && stat_known(i->fd, &st) == 0 && st.st_nlink == 0;
			if (i->is_deleted)
				sum += (uint64_t)st.st_size;
		}
	}
	return sum;
}

void resolved_sum(struct fs *fs, const struct resolved *r, struct inputs_sum *ret)
{
	*ret = (struct inputs_sum){ 0 };
	fs->inputs.round++;
	for (uint32_t k = 0; r && r->input && k < r->record->fd_cnt; k++) {
		struct input *i = r->input[k];
		if (i->seen == fs->inputs.round)
			continue;
		i->seen = fs->inputs.round;
		ret->leased += i->state == CUSTODY_LEASED;
		ret->copied += i->state == CUSTODY_COPIED;
		ret->checked += i->state == CUSTODY_CHECKED;
		ret->lost += i->state == CUSTODY_LOST;
		if (i->state == CUSTODY_COPIED || i->is_deleted)
			ret->pinned_bytes += i->id.size;
	}
}
