/* keys.c - see keys.h. */
#include "keys.h"

#include <fcntl.h>

#define FILE_MAX ((size_t)1 << 30)

/* What was read is the caller's, terminated. Such files have no size before they are read. */
static int read_all(const char *path, char **ret)
{
	CLEAN_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct text t = { 0 };
	int r = fd < 0 ? -errno : 0;

	while (!r) {
		if (!text_reserve(&t, 65536) || t.sz > FILE_MAX) {
			r = t.failed ? -ENOMEM : -EFBIG;
			break;
		}
		ssize_t n = read(fd, t.s + t.sz, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			r = n < 0 ? -errno : 0;
			break;
		}
		t.sz += (size_t)n;
	}
	if (r) {
		free(t.s);
		return r;
	}
	t.s[t.sz] = 0;
	*ret = t.s;
	return 0;
}

/* "\012" is a line feed. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; to++) {
		unsigned v = 0, n = 0;
		if (*s == '\\')
			while (n < 3 && s[1 + n] >= '0' && s[1 + n] <= '7')
				v = v * 8 + (unsigned)(s[1 + n++] - '0');
		*to = n == 3 && v && v < 256 ? (char)v : *s;
		s += n == 3 && v && v < 256 ? 4 : 1;
	}
	*to = 0;
}

/* How many lines, and paragraphs at most. */
static void count(const char *s, size_t *ret_lines, size_t *ret_pars)
{
	*ret_lines = *ret_pars = 1;
	for (; *s; s++) {
		*ret_lines += *s == '\n';
		*ret_pars += *s == '\n' && s[1] == '\n';
	}
}

int keyfile_parse(char *text, struct keyfile *ret)
{
	size_t lines, pars, at = 0;

	count(text, &lines, &pars);
	*ret = (struct keyfile){ .text = text };
	ret->all = calloc(lines, sizeof(*ret->all));
	ret->par = calloc(pars + 1, sizeof(*ret->par));
	if (!ret->all || !ret->par) {
		keyfile_done(ret);
		return -ENOMEM;
	}
	for (char *line = text, *next; *line; line = next) {
		char *end = strchrnul(line, '\n');
		next = end + (*end != 0);
		*end = 0;
		char *colon = strstr(line, ": ");
		struct keys *p = &ret->par[ret->cnt];
		if (!*line && p->cnt)
			ret->cnt++;
		if (!colon)
			continue;
		*colon = 0;
		unescape(colon + 2);
		if (!p->cnt++)
			p->key = &ret->all[at];
		ret->all[at++] = (struct key){ .key = line, .value = colon + 2 };
	}
	ret->cnt += ret->par[ret->cnt].cnt != 0;
	return 0;
}

int keyfile_read(const char *path, struct keyfile *ret)
{
	char *text;
	int r = read_all(path, &text);

	*ret = (struct keyfile){ 0 };
	return r ? r : keyfile_parse(text, ret);
}

void keyfile_done(struct keyfile *f)
{
	free(f->text);
	free(f->all);
	free(f->par);
	*f = (struct keyfile){ 0 };
}

const char *keys_text(const struct keys *k, const char *key)
{
	for (size_t i = 0; i < k->cnt; i++)
		if (!strcmp(k->key[i].key, key))
			return k->key[i].value;
	return "";
}

uint64_t keys_number(const struct keys *k, const char *key)
{
	return strtoull(keys_text(k, key), NULL, 10);
}

double keys_double(const struct keys *k, const char *key)
{
	return strtod(keys_text(k, key), NULL);
}
