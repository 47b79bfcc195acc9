/* replay.c - runs a fuzz target over given inputs, where there is no libFuzzer.
 *
 * Each argument is a file or a folder of files (a corpus); options of libFuzzer (-runs=0) are passed over, so that
 * the same command line works with both. A folder that does not exist is an empty corpus. Every input is given to the
 * target in a block of exactly its size, so that a sanitizer sees the first byte read beyond it.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t sz);

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	if (!f || fstat(fileno(f), &st)) {
		perror(path);
		if (f)
			fclose(f);
		return 1;
	}
	size_t sz = (size_t)st.st_size;
	uint8_t *data = malloc(sz ? sz : 1);
	int bad = !data || fread(data, 1, sz, f) != sz;
	if (bad)
		fprintf(stderr, "%s: cannot read\n", path);
	else
		LLVMFuzzerTestOneInput(data, sz);
	free(data);
	fclose(f);
	return bad;
}

static int replay_dir(const char *path)
{
	struct dirent **names;
	int cnt = scandir(path, &names, NULL, alphasort);
	int bad = 0;
	for (int i = 0; i < cnt; i++) {
		char file[4096];
		int n = snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && n < (int)sizeof(file))
			bad |= replay_file(file);
		free(names[i]);
	}
	if (cnt >= 0)
		free(names);
	printf("%s: %d inputs\n", path, cnt > 2 ? cnt - 2 : 0);
	return bad;
}

int main(int argc, char **argv)
{
	int bad = 0;
	for (int i = 1; i < argc; i++) {
		struct stat st;
		if (argv[i][0] == '-')
			continue;
		if (!stat(argv[i], &st) && !S_ISDIR(st.st_mode))
			bad |= replay_file(argv[i]);
		else
			bad |= replay_dir(argv[i]);
	}
	return bad;
}
