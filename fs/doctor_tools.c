/* doctor_tools.c - see doctor.h. What a build would link with: the parts of this installation, the linkers in $PATH, the one
 * that each compiler calls, and which of them made a program that was tried.
 *
 * Compilers and linkers are run with their words thrown away but for the first line, and for a minute at most.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "doctor.h"
#include "fallback.h"
#include "linkfs.h"
#include "util.h"
#include "who.h"

#define PATIENCE_S 60
#define LINE_SZ	   256
#define WORDS_MAX  56 /* of $CC */

/* Runs ARGV in DIR with IN_FD and OUT_FD (-1: nothing) as its standard streams. The exit status, or -1: it could not be
 * run, or took too long. */
static int run(const char *dir, char *const *argv, int in_fd, int out_fd)
{
	int status;

	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);
		if (chdir(dir) < 0 || null < 0 || dup2(in_fd < 0 ? null : in_fd, 0) < 0 ||
		    dup2(out_fd < 0 ? null : out_fd, 1) < 0 || dup2(null, 2) < 0)
			_exit(127);
		alarm(PATIENCE_S);
		execvp(argv[0], argv);
		_exit(127);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The first line of what ARGV says; "": nothing, or it fails. */
static void ask(char *const *argv, char ret[PATH_MAX])
{
	CLEAN_FD int fd = memfd_create("linkfs-doctor", MFD_CLOEXEC);

	*ret = 0;
	if (fd < 0 || run(".", argv, -1, fd))
		return;
	ssize_t n = pread(fd, ret, PATH_MAX - 1, 0);
	ret[n > 0 ? n : 0] = 0;
	ret[strcspn(ret, "\n")] = 0;
}

/* COMPILER as words, which MEMORY holds. How many; at most WORDS_MAX. */
static int compiler_words(const char *compiler, char **memory, char *ret[WORDS_MAX])
{
	char *save = NULL;
	int n = 0;

	*memory = strdup(compiler);
	if (!*memory)
		return 0;
	for (char *w = strtok_r(*memory, " ", &save); w && n < WORDS_MAX; w = strtok_r(NULL, " ", &save))
		ret[n++] = w;
	return n;
}

/* --- linkers --- */

/* This program's installation. */
struct parts {
	char prefix[PATH_MAX];
	char ld[PATH_MAX + 16];
	struct stat st; /* of ld */
};

static int find_parts(struct parts *p)
{
	static const char *const names[] = {"libexec/linkfs/ld", RUN_DIR "/ld", "lib/linkfs/run/liblinkfs-run.so"};
	char path[PATH_MAX + 64];
	struct stat st;

	ssize_t n = readlink("/proc/self/exe", p->prefix, sizeof(p->prefix) - 1);
	p->prefix[n > 0 ? n : 0] = 0;
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(p->prefix, '/');
		if (slash)
			*slash = 0;
	}
	snprintf(p->ld, sizeof(p->ld), "%s/bin/ld.linkfs", p->prefix);
	if (stat(p->ld, &p->st) < 0)
		return doctor_say(BAD, "%s: %s: linkfs is not installed completely", p->ld, strerror(errno));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", p->prefix, names[i]);
		if (stat(path, &st) < 0)
			return doctor_say(BAD, "%s: %s: linkfs is not installed completely", path, strerror(errno));
		if (i < 2 && (st.st_dev != p->st.st_dev || st.st_ino != p->st.st_ino))
			return doctor_say(BAD, "%s: it is not %s: linkfs is not installed properly", path, p->ld);
	}
	return doctor_say(OK, "linkfs %s is complete in %s", LINKFS_VERSION, p->prefix);
}

static bool is_ours(const char *path, const struct parts *p)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == p->st.st_dev && st.st_ino == p->st.st_ino;
}

/* What a linker says of itself, in parentheses, or "". */
static void ask_version(char *path, char ret[LINE_SZ])
{
	char *const argv[] = {path, (char *)"--version", NULL};
	char line[PATH_MAX];

	ask(argv, line);
	snprintf(ret, LINE_SZ, *line ? " (%.200s)" : "%.0s", line);
}

static int check_path(const struct parts *p)
{
	char path[PATH_MAX], version[LINE_SZ];
	int bad = 0;

	if (doctor_find("ld.linkfs", NULL, path)) {
		bad += doctor_say(
			NOTE,
			"ld.linkfs is not in $PATH: linkfs run does without; clang --ld-path= wants %s, gcc -B "
			"%s/libexec/linkfs",
			p->ld, p->prefix);
	} else if (is_ours(path, p)) {
		bad += doctor_say(OK, "ld.linkfs in $PATH is %s", path);
	} else {
		ask_version(path, version);
		bad += doctor_say(NOTE,
				  "ld.linkfs in $PATH is %s%s, of another installation than this program: remove one, "
				  "or put %s/bin in front",
				  path, version, p->prefix);
	}
	if (doctor_find("ld", NULL, path))
		return bad + doctor_say(NOTE,
					"there is no ld in $PATH: what ld.linkfs can't make, such as -r, nobody makes: "
					"install binutils");
	ask_version(path, version);
	bad += doctor_say(OK, "ld in $PATH is %s%s", path, version);
	if (!is_ours(path, p))
		return bad;
	if (doctor_find("ld", &p->st, path))
		return bad + doctor_say(NOTE, "what ld.linkfs can't make, such as -r, nobody makes: there is no other ld in "
					      "$PATH: install binutils");
	return bad + doctor_say(OK, "what ld.linkfs can't make is made by %s", path);
}

/* --- compilers --- */

/* Which linker does COMPILER call, maybe several words? */
static int check_caller(const char *compiler, const struct parts *p)
{
	CLEAN_MEM char *memory = NULL;
	char *argv[WORDS_MAX + 2], said[PATH_MAX], path[PATH_MAX], version[LINE_SZ];
	const char *mount = getenv("LINKFS_MOUNT");
	bool is_clang = strstr(compiler, "clang");

	int n = compiler_words(compiler, &memory, argv);
	if (!n || (!strchr(argv[0], '/') && doctor_find(argv[0], NULL, path)))
		return doctor_say(NOTE, "%s: there is no such program in $PATH", compiler);
	argv[n++] = (char *)"-print-prog-name=ld";
	argv[n] = NULL;
	ask(argv, said);
	if (!*said)
		return doctor_say(NOTE, "%s does not tell which linker it calls", compiler);
	if (strchr(said, '/'))
		strcpy(path, said);
	else if (doctor_find(said, NULL, path))
		return doctor_say(BAD, "%s calls %s, which is not in $PATH: install binutils, or use linkfs run",
				  compiler, said);
	if (access(path, X_OK) < 0)
		return doctor_say(BAD, "%s calls %s: %s: install binutils, or use linkfs run", compiler, path,
				  strerror(errno));
	if (is_ours(path, p))
		return doctor_say(OK, "%s calls %s, which is ld.linkfs", compiler, path);
	ask_version(path, version);
	bool is_asked = mount && *mount;
	return doctor_say(is_asked ? NOTE : OK,
			  "%s calls %s%s%s: linkfs run -- COMMAND, or %s%s%s, makes that ld.linkfs", compiler, path,
			  version, is_asked ? ", though LINKFS_MOUNT is set" : "", is_clang ? "--ld-path=" : "-B",
			  is_clang ? p->ld : p->prefix, is_clang ? "" : "/libexec/linkfs");
}

/* Below linkfs run: does what it set still lead anywhere? */
static int check_environment(const struct parts *p)
{
	const char *ld = getenv(RUN_LD);

	if (!ld || !*ld)
		return 0;
	if (access(ld, X_OK) < 0)
		return doctor_say(BAD,
				  RUN_LD
				  "=%s: %s: unset it, COMPILER_PATH and LD_PRELOAD, which a linkfs run set that is "
				  "gone",
				  ld, strerror(errno));
	return is_ours(ld, p) ? 0
			      : doctor_say(NOTE, RUN_LD "=%s: this is below a linkfs run of another installation", ld);
}

int doctor_linkers(void)
{
	static const char *const compilers[] = {"gcc", "clang"};
	const char *cc = getenv("CC");
	struct parts p;
	int bad = find_parts(&p);

	if (bad)
		return bad;
	bad += check_environment(&p) + check_path(&p);
	bool is_given = cc && *cc;
	char path[PATH_MAX];
	if (is_given)
		bad += check_caller(cc, &p);
	for (size_t i = 0; i < sizeof(compilers) / sizeof(compilers[0]); i++)
		if (!(is_given && !strcmp(cc, compilers[i])) && !doctor_find(compilers[i], NULL, path))
			bad += check_caller(compilers[i], &p);
	return bad;
}

/* What cc makes, and where it wants it: a program in a directory of its own below DIR, as a build would. Its linker's name
 * is in RET_LINKER. */
static enum who_kind try_cc(const char *dir, char **argv, int n, const char *out, char ret_linker[WHO_SZ])
{
	static const char source[] = "int main(void) { return 0; }\n";
	char *const tail[] = {(char *)"-x", (char *)"c", (char *)"-", (char *)"-o", (char *)(size_t)out, NULL};
	enum who_kind kind = WHO_NO_ELF;

	CLEAN_FD int in = memfd_create("linkfs-doctor", MFD_CLOEXEC);
	if (in < 0 || pwrite(in, source, sizeof(source) - 1, 0) != (ssize_t)sizeof(source) - 1)
		return kind;
	memcpy(argv + n, tail, sizeof(tail));
	if (run(dir, argv, in, -1))
		return kind;
	CLEAN_FD int fd = open(out, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		who_linked(fd, &kind, ret_linker);
	unlink(out);
	return kind;
}

int doctor_compiler(const char *dir)
{
	CLEAN_MEM char *words = NULL, *tmp = NULL, *out = NULL, *real = realpath(dir, NULL);
	char *argv[WORDS_MAX + 8], linker[WHO_SZ] = "";

	const char *cc = getenv("CC");
	int n = compiler_words(cc && *cc ? cc : "cc", &words, argv);
	if (asprintf(&tmp, "%s/.linkfs-doctor.XXXXXX", real ? real : dir) < 0)
		tmp = NULL;
	if (!n || !tmp)
		return doctor_say(BAD, "out of memory");
	if (!real || !mkdtemp(tmp))
		return doctor_say(NOTE, "%s: %s: whether %s links with linkfs here can't be tried", dir,
				  strerror(errno), argv[0]);
	if (asprintf(&out, "%s/prog", tmp) < 0)
		out = NULL;
	enum who_kind kind = out ? try_cc(real, argv, n, out, linker) : WHO_NO_ELF;
	rmdir(tmp);
	if (kind != WHO_LINKED)
		return doctor_say(NOTE, "%s makes no program in %s: it can't be seen which linker it uses", argv[0],
				  dir);
	if (who_is_linkfs(linker))
		return doctor_say(OK, "%s links with %s in %s", argv[0], linker, dir);
	return doctor_say(
		NOTE, "%s does not link with linkfs in %s (%s): linkfs run -- COMMAND does, or gcc -B, clang --ld-path",
		argv[0], dir, *linker ? linker : "no linker names itself");
}
