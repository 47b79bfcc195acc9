/* preload.c - liblinkfs-run.so: below `linkfs run`, who starts a linker starts ld.linkfs.
 *
 * Preloaded into every program of the build. Each function of the exec family looks at the name of what is to be started;
 * a linker's is replaced by $LINKFS_LD, and LINKFS_FALLBACK says which one it was. Programs that install symbolic links
 * as such are started by `linkfs before-install`. What is not there, or can't be executed, is left to fail as it would.
 * Statically linked programs do without: PATH and COMPILER_PATH lead them to the same linker. So do programs of another
 * class or CPU, which are started without this library: their dynamic linker would complain of it on standard error.
 *
 * The callers include children of vfork and of threads: nothing here allocates, locks or changes a global after the
 * constructor. Only the C library is used; it is no part of the other programs.
 */
#include <alloca.h>
#include <errno.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))
#define FALLBACK "LINKFS_FALLBACK="
#define PRELOAD "LD_PRELOAD="
#define ENV_MAX 16384 /* strings; a larger environment is passed on as it is, and ld.linkfs looks in PATH */

extern char **environ;

typedef char *const *strings;

static int (*next_execve)(const char *, strings, strings);
static int (*next_execvpe)(const char *, strings, strings);
static int (*next_spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, strings,
			 strings);
static int (*next_spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, strings,
			  strings);
static int (*next_execveat)(int, const char *, strings, strings, int);
static int (*next_fexecve)(int, strings, strings);

static char ld[PATH_MAX]; /* "": nothing is replaced */
static struct stat ld_stat;
static char linkfs[PATH_MAX]; /* beside it; "": nothing is on a mount */
static const char *own_name;  /* as LD_PRELOAD has it */
static const ElfW(Ehdr) *own_header;

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("LINKFS_LD");
	Dl_info own;

	if (dladdr(&next_execve, &own) && own.dli_fname && own.dli_fbase) {
		own_name = own.dli_fname;
		own_header = own.dli_fbase;
	}
	next_execve = (int (*)(const char *, strings, strings))dlsym(RTLD_NEXT, "execve");
	next_execvpe = (int (*)(const char *, strings, strings))dlsym(RTLD_NEXT, "execvpe");
	*(void **)&next_spawn = dlsym(RTLD_NEXT, "posix_spawn");
	*(void **)&next_spawnp = dlsym(RTLD_NEXT, "posix_spawnp");
	*(void **)&next_execveat = dlsym(RTLD_NEXT, "execveat");
	*(void **)&next_fexecve = dlsym(RTLD_NEXT, "fexecve");
	if (path && strlen(path) < sizeof(ld) && stat(path, &ld_stat) == 0)
		strcpy(ld, path);
	const char *mode = getenv("LINKFS_MODE"), *slash = strrchr(ld, '/');
	if (slash && !(mode && !strcmp(mode, "file")))
		snprintf(linkfs, sizeof(linkfs), "%.*s/linkfs", (int)(slash - ld), ld);
}

/* A constructor of another library may come first. */
static void start_early(void)
{
	if (!next_execve)
		start();
}

/* --- names --- */

/* Version numbers as in ld.lld-14. */
static bool is_version(const char *s)
{
	return !*s || (*s == '-' && s[1] && s[1 + strspn(s + 1, "0123456789.")] == 0);
}

static bool is_plain_name(const char *name)
{
	static const char *const names[] = { "ld.bfd", "ld.gold", "ld.lld", "ld.mold", "ld" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);
		if (!strncmp(name, names[i], n) && is_version(name + n))
			return true;
	}
	return false;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* By name alone: is it an ELF linker? Those that are several programs in one are told which by ARGV. */
static bool is_linker(const char *path, strings argv)
{
	const char *name = base_name(path), *dash = strrchr(name, '-');

	if (is_plain_name(name))
		return true;
	if (!strcmp(name, "mold"))
		return argv[0] && !(argv[1] && (!strcmp(argv[1], "-run") || !strcmp(argv[1], "--run")));
	if (!strncmp(name, "rust-lld", 8) || (!strncmp(name, "lld", 3) && is_version(name + 3))) {
		if (argv[0] && argv[1] && argv[2] && !strcmp(argv[1], "-flavor"))
			return !strcmp(argv[2], "gnu") || !strcmp(argv[2], "ld.lld");
		return argv[0] && !strncmp(base_name(argv[0]), "ld.lld", 6);
	}
	/* TRIPLET-ld of a system with shared libraries; those of bare machines have scripts of their own. */
	const char *system = strstr(name, "linux-");
	for (; system && dash && dash > system; dash--)
		if (*dash == '-' && is_plain_name(dash + 1))
			return true;
	return false;
}

/* Does it install what a build made, and copy symbolic links as they are? */
static bool is_installer(const char *path, strings argv)
{
	const char *name = base_name(path);

	if (!argv[0] || !linkfs[0])
		return false;
	if (!strcmp(name, "meson"))
		return argv[1] && !strcmp(argv[1], "install");
	if (!strcmp(name, "cpack"))
		return true;
	for (size_t i = 1; !strcmp(name, "cmake") && argv[i]; i++)
		if (!strcmp(argv[i], "--install") || !strcmp(base_name(argv[i]), "cmake_install.cmake"))
			return true;
	return false;
}

/* --- replacing --- */

enum kind { KEPT, LINKER, INSTALLER, FOREIGN };

static enum kind kind_of(const char *path, strings argv)
{
	return !ld[0] || !path || !argv ? KEPT :
	       is_linker(path, argv)    ? LINKER :
	       is_installer(path, argv) ? INSTALLER :
					  KEPT;
}

/* A program that this library can't be loaded into? */
static bool is_foreign(const char *path)
{
	ElfW(Ehdr) h;
	int saved = errno, fd = own_header ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	ssize_t n = fd < 0 ? -1 : pread(fd, &h, sizeof(h), 0);

	if (fd >= 0)
		close(fd);
	errno = saved;
	/* What is compared is at the same place in either class. */
	return n == sizeof(h) && !memcmp(h.e_ident, ELFMAG, SELFMAG) &&
	       (memcmp(h.e_ident, own_header->e_ident, EI_VERSION) || h.e_machine != own_header->e_machine);
}

/* What is to be started instead of PATH, if that can be executed and is not ld.linkfs already. */
static enum kind find_kind(const char *path, strings argv)
{
	enum kind kind = kind_of(path, argv);
	struct stat st;

	if (!ld[0] || !path || stat(path, &st) < 0 || !S_ISREG(st.st_mode) || access(path, X_OK) < 0 ||
	    (st.st_dev == ld_stat.st_dev && st.st_ino == ld_stat.st_ino))
		return KEPT;
	return kind ? kind : is_foreign(path) ? FOREIGN : KEPT;
}

/* Where execvp would find NAME. False: nowhere. */
static bool find_in_path(const char *name, char *ret, size_t sz)
{
	const char *path = getenv("PATH");
	struct stat st;

	if (strchr(name, '/'))
		return snprintf(ret, sz, "%s", name) < (int)sz;
	for (const char *s = path ? path : "/bin:/usr/bin", *end;; s = end + 1) {
		end = strchrnul(s, ':');
		int n = snprintf(ret, sz, "%.*s%s%s", (int)(end - s), s, end == s ? "" : "/", name);
		if (n > 0 && (size_t)n < sz && stat(ret, &st) == 0 && S_ISREG(st.st_mode) && access(ret, X_OK) == 0)
			return true;
		if (!*end)
			return false;
	}
}

static size_t count(strings list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* ENVP with FALLBACK, which may be among it already, in TO. */
static strings with_fallback(strings envp, char *fallback, char **to)
{
	size_t n = 0;

	for (strings s = envp; s && *s; s++)
		if (strncmp(*s, FALLBACK, sizeof(FALLBACK) - 1))
			to[n++] = *s;
	to[n++] = fallback;
	to[n] = NULL;
	return to;
}

/* ENVP without this library in LD_PRELOAD, in TO; TEXT has room for all that LD_PRELOAD is. */
static strings without_library(strings envp, char *text, char **to)
{
	const size_t own = own_name ? strlen(own_name) : 0;
	size_t n = 0;

	for (strings s = envp; s && *s; s++) {
		if (strncmp(*s, PRELOAD, sizeof(PRELOAD) - 1)) {
			to[n++] = *s;
			continue;
		}
		char *end = stpcpy(text, PRELOAD), *first = end;
		for (const char *word = *s + sizeof(PRELOAD) - 1; *word; word += strspn(word, ": ")) {
			size_t len = strcspn(word, ": ");
			if (len && (len != own || strncmp(word, own_name, own))) {
				if (end != first)
					*end++ = ':';
				end = mempcpy(end, word, len);
			}
			word += len;
		}
		*end = 0;
		if (end != first)
			to[n++] = text;
	}
	to[n] = NULL;
	return to;
}

/* How long LD_PRELOAD is. */
static size_t preload_size(strings envp)
{
	size_t size = 0;

	for (strings s = envp; s && *s; s++)
		if (!strncmp(*s, PRELOAD, sizeof(PRELOAD) - 1) && strlen(*s) > size)
			size = strlen(*s);
	return size;
}

/* `linkfs before-install PATH` and ARGV, in TO. */
static strings with_installer(const char *path, strings argv, char **to)
{
	size_t n = 0;

	to[n++] = linkfs;
	to[n++] = (char *)"before-install";
	to[n++] = (char *)(size_t)path;
	while ((to[n] = *argv++))
		n++;
	return to;
}

/* Evaluates CALL with `program`, `args` and `env`: what is started instead of PATH. The memory is the caller's stack. */
#define INSTEAD(kind, path, argv, envp, call)                                                            \
	({                                                                                               \
		char fallback_[sizeof(FALLBACK) + PATH_MAX];                                             \
		size_t cnt_ = count(envp);                                                               \
		const char *program = kind == LINKER ? ld : kind == INSTALLER ? linkfs : path;           \
		strings env = envp, args = (strings)argv;                                                \
		if (kind == INSTALLER)                                                                   \
			args = with_installer(path, args, alloca((count(args) + 4) * sizeof(char *)));   \
		else if (kind == FOREIGN)                                                                \
			env = cnt_ < ENV_MAX ? without_library(envp, alloca(preload_size(envp) + 1),     \
							       alloca((cnt_ + 1) * sizeof(char *))) :    \
					       envp;                                                     \
		else if (cnt_ < ENV_MAX && snprintf(fallback_, sizeof(fallback_), FALLBACK "%s", path) < \
						   (int)sizeof(fallback_))                               \
			env = with_fallback(envp, fallback_, alloca((cnt_ + 2) * sizeof(char *)));       \
		call;                                                                                    \
	})

/* --- the exec family --- */

PUBLIC int execve(const char *path, char *const argv[], char *const envp[])
{
	start_early();
	enum kind kind = find_kind(path, argv);
	if (!kind)
		return next_execve(path, argv, envp);
	return INSTEAD(kind, path, argv, envp, next_execve(program, args, env));
}

PUBLIC int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

PUBLIC int execvpe(const char *name, char *const argv[], char *const envp[])
{
	char found[PATH_MAX];

	start_early();
	enum kind kind = find_in_path(name, found, sizeof(found)) ? find_kind(found, argv) : KEPT;
	if (!kind)
		return next_execvpe(name, argv, envp);
	return INSTEAD(kind, found, argv, envp, next_execve(program, args, env));
}

PUBLIC int execvp(const char *name, char *const argv[])
{
	return execvpe(name, argv, environ);
}

/* The arguments of a list that begins with FIRST, in `argv`. */
#define TAKE_ARGS(first)                                                              \
	size_t cnt_ = 1;                                                              \
	va_list ap;                                                                   \
	va_start(ap, first);                                                          \
	while (va_arg(ap, const char *))                                              \
		cnt_++;                                                               \
	va_end(ap);                                                                   \
	const char **argv = alloca((cnt_ + 1) * sizeof(*argv));                       \
	argv[0] = first;                                                              \
	argv[cnt_] = NULL;                                                            \
	va_start(ap, first);                                                          \
	for (size_t i_ = 1; i_ < cnt_; i_++)                                          \
		argv[i_] = va_arg(ap, const char *)

PUBLIC int execl(const char *path, const char *first, ...)
{
	TAKE_ARGS(first);
	va_end(ap);
	return execve(path, (strings)argv, environ);
}

PUBLIC int execlp(const char *name, const char *first, ...)
{
	TAKE_ARGS(first);
	va_end(ap);
	return execvpe(name, (strings)argv, environ);
}

PUBLIC int execle(const char *path, const char *first, ...)
{
	TAKE_ARGS(first);
	(void)va_arg(ap, const char *); /* the list's end */
	strings envp = va_arg(ap, strings);
	va_end(ap);
	return execve(path, (strings)argv, envp);
}

/* What the descriptor is called, with SUFFIX behind. */
static bool name_of_fd(int fd, const char *suffix, char *ret, size_t sz)
{
	char link[40];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, ret, sz);
	if (n < 0 || (size_t)n + strlen(suffix) + 2 > sz)
		return false;
	snprintf(ret + n, sz - (size_t)n, "%s%s", *suffix ? "/" : "", suffix);
	return true;
}

PUBLIC int fexecve(int fd, char *const argv[], char *const envp[])
{
	char path[PATH_MAX];

	start_early();
	enum kind kind = name_of_fd(fd, "", path, sizeof(path)) ? find_kind(path, argv) : KEPT;
	if (!kind)
		return next_fexecve(fd, argv, envp);
	return INSTEAD(kind, path, argv, envp, next_execve(program, args, env));
}

PUBLIC int execveat(int dir_fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	char full[PATH_MAX];

	start_early();
	if (!next_execveat) {
		errno = ENOSYS;
		return -1;
	}
	bool is_own = path[0] == '/' || (dir_fd == AT_FDCWD && path[0]);
	const char *name = is_own ? path : name_of_fd(dir_fd, path, full, sizeof(full)) ? full : NULL;
	enum kind kind = find_kind(name, argv);
	if (!kind)
		return next_execveat(dir_fd, path, argv, envp, flags);
	return INSTEAD(kind, name, argv, envp, next_execve(program, args, env));
}

PUBLIC int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	start_early();
	enum kind kind = find_kind(path, argv);
	if (!kind)
		return next_spawn(pid, path, actions, attr, argv, envp);
	return INSTEAD(kind, path, argv, envp, next_spawn(pid, program, actions, attr, args, env));
}

PUBLIC int posix_spawnp(pid_t *pid, const char *name, const posix_spawn_file_actions_t *actions,
			const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	char found[PATH_MAX];

	start_early();
	enum kind kind = find_in_path(name, found, sizeof(found)) ? find_kind(found, argv) : KEPT;
	if (!kind)
		return next_spawnp(pid, name, actions, attr, argv, envp);
	return INSTEAD(kind, found, argv, envp, next_spawn(pid, program, actions, attr, args, env));
}
