/* keys.h - reading the mount's `key: value` files: .linkfs/stats, info/NAME, and outputs, which has paragraphs of them.
 */
#ifndef FS_KEYS_H
#define FS_KEYS_H

#include "util.h"

struct key {
	const char *key;
	const char *value; /* octal escapes undone */
};

/* A paragraph. */
struct keys {
	const struct key *key;
	size_t cnt;
};

struct keyfile {
	char *text;
	struct key *all;
	struct keys *par; /* paragraphs, in order; at least one where there is a key */
	size_t cnt;
};

/* 0 or -errno; RET is then empty. */
int keyfile_read(const char *path, struct keyfile *ret);
/* Takes TEXT (terminated). 0 or -ENOMEM. */
int keyfile_parse(char *text, struct keyfile *ret);
void keyfile_done(struct keyfile *f);
#define CLEAN_KEYS __attribute__((cleanup(keyfile_done)))

/* The first value of KEY; "" without. */
const char *keys_text(const struct keys *k, const char *key);
/* As a number; 0 where it is none. */
uint64_t keys_number(const struct keys *k, const char *key);
double keys_double(const struct keys *k, const char *key);

#endif
