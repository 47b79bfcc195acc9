/* cmd_doctor.c - linkfs doctor: is the set-up in order (doctor.c), and which symbolic links below a directory lead to a
 * mount that does not show them any more?
 *
 * Such a link is listed with its reason, removed, or linked again by the command line that the mount remembers. The
 * link is looked at once more before it is removed; what took its place meanwhile stays.
 */
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "ask.h"
#include "commands.h"
#include "doctor.h"
#include "keys.h"
#include "mountinfo.h"
#include "recipe_text.h"
#include "show.h"
#include "subject.h"

enum cure { LIST, RELINK, REMOVE };

/* nftw has no argument for its function. */
static struct doctor {
	enum cure cure;
	size_t links, dangling, cured;
	bool failed;
	char *mountpoint; /* looked at last */
	int state;	  /* of it: 0 or -errno */
} doctor;

/* Is a linkfs there, and does it answer? Once for each mount point. */
static int look_at_mount(const char *mountpoint)
{
	struct mount_entry at;

	if (doctor.mountpoint && !strcmp(doctor.mountpoint, mountpoint))
		return doctor.state;
	free(doctor.mountpoint);
	doctor.mountpoint = strdup(mountpoint);
	if (mountinfo_find(mountpoint, &at) || strncmp(at.type, MOUNT_TYPE, strlen(MOUNT_TYPE)))
		doctor.state = -ENODEV;
	else
		doctor.state = mountinfo_probe(mountpoint, 5000);
	return doctor.state;
}

/* Why PATH, which leads to TARGET, shows nothing. False: it shows a program. */
static bool find_trouble(const char *path, const char *target, const struct target *t, char *why, size_t why_sz)
{
	CLEAN_MEM char *mountpoint = strndup(target, t->mountpoint_sz), *info = NULL;
	CLEAN_KEYS struct keyfile f = { 0 };
	struct stat st;
	int r = mountpoint ? look_at_mount(mountpoint) : -ENOMEM;

	if (r) {
		snprintf(why, why_sz, "%s: %s", mountpoint ? mountpoint : target,
			 r == -ENODEV	  ? "no linkfs is mounted there: linkfs mount may bring it back"
			 : r == -ENOTCONN ? "the mount is dead: linkfs mount may bring it back"
					  : strerror(-r));
		return true;
	}
	if (stat(path, &st) < 0) {
		snprintf(why, why_sz, "%s", errno == ENOENT ? "the mount does not know it any more" : strerror(errno));
		return true;
	}
	if (asprintf(&info, "%s/.linkfs/info%s", mountpoint, t->path) < 0) {
		info = NULL;
		return false;
	}
	if (keyfile_read(info, &f) || !f.cnt || strcmp(keys_text(&f.par[0], "state"), "lost") ||
	    strncmp(keys_text(&f.par[0], "id"), t->id, 16))
		return false;
	snprintf(why, why_sz, "its inputs are gone, and what is not made of it yet can't be");
	return true;
}

/* The command line, as the mount remembers it: NULL with WHY. */
static char *ask_recipe(const char *mountpoint, const struct target *t, char *why, size_t why_sz)
{
	char id[17], *text = NULL;
	const char *const names[] = {id, t->path};
	struct packet p;
	struct ask a;

	snprintf(id, sizeof(id), "%.16s", t->id);
	if (ask_open(mountpoint, &a, why, why_sz))
		return NULL;
	for (int i = 0; i < 2 && !text; i++) {
		struct msg m = { .type = MSG_CLIENT_RECIPE };
		if (ask_send(&a, &m, names[i], NULL, 0, why, why_sz) ||
		    ask_wait(&a, MSG_CLIENT_RECIPE, &p, why, why_sz))
			break;
		int r = p.msg.error	? p.msg.error
			: p.fd_cnt != 1 ? -EPROTO
					: blob_read(p.fds[0], p.msg.u.client_link.recipe_sz, &text);
		packet_done(&p);
		snprintf(why, why_sz, "%s",
			 r == -ENOENT ? "the mount does not remember its command line: remove it, and build again"
				      : strerror(-r));
	}
	ask_close(&a);
	return text;
}

/* Runs the ld.linkfs beside this program. 0, or 1: it has said why not. */
static int run_linker(const char *mountpoint, char **argv)
{
	static const char chdir_is[] = "--chdir=";
	char exe[PATH_MAX], *slash;
	int status = 1;

	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - sizeof("ld.linkfs"));
	exe[n > 0 ? n : 0] = 0;
	if (!(slash = strrchr(exe, '/')) || strncmp(argv[0], chdir_is, sizeof(chdir_is) - 1))
		return 1;
	strcpy(slash + 1, "ld.linkfs");
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		if (chdir(argv[0] + sizeof(chdir_is) - 1) < 0 || setenv("LINKFS_MOUNT", mountpoint, 1) < 0 ||
		    unsetenv("LINKFS_MODE") < 0)
			_exit(fail(1, "doctor: %s: %s", argv[0], strerror(errno)));
		argv[0] = exe;
		execv(exe, argv);
		_exit(fail(1, "doctor: %s: %s", exe, strerror(errno)));
	}
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return child < 0 || status;
}

static int relink(const char *target, const struct target *t, char *why, size_t why_sz)
{
	CLEAN_MEM char *mountpoint = strndup(target, t->mountpoint_sz);
	CLEAN_MEM char *text = mountpoint ? ask_recipe(mountpoint, t, why, why_sz) : NULL;
	CLEAN_MEM char **argv = NULL;

	if (!text)
		return -ENOENT;
	if (!recipe_args(text, &argv)) {
		argv = NULL;
		snprintf(why, why_sz, "its command line can't be read");
		return -EPROTO;
	}
	if (run_linker(mountpoint, argv)) {
		snprintf(why, why_sz, "it can't be linked again");
		return -EIO;
	}
	return 0;
}

static bool still_leads_to(const char *path, const char *target)
{
	char now[PATH_MAX];
	ssize_t n = readlink(path, now, sizeof(now) - 1);

	now[n > 0 ? n : 0] = 0;
	return !strcmp(now, target);
}

static void cure(const char *path, const char *target, const struct target *t)
{
	static const char *const done[] = {[RELINK] = "linked again", [REMOVE] = "removed"};
	char why[PATH_MAX + 256] = "";
	int r = 0;

	if (doctor.cure == LIST || !still_leads_to(path, target))
		return;
	if (doctor.cure == RELINK)
		r = relink(target, t, why, sizeof(why));
	else if (unlink(path) < 0)
		snprintf(why, sizeof(why), "%s", strerror(r = errno));
	if (!r && doctor.cure == RELINK && still_leads_to(path, target)) {
		/* The file was moved since; -o has the new one. */
		snprintf(why, sizeof(why), "%s is linked again, but this is another name", t->path);
		r = 1;
	}
	doctor.cured += !r;
	if (r)
		fail(1, "doctor: %s: %s", path, why);
	else
		printf("      %s: %s\n", done[doctor.cure], path);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
	char target[PATH_MAX], why[PATH_MAX + 256];
	CLEAN_TEXT struct text name = { 0 };
	struct target t;

	(void)st, (void)at;
	if (type == FTW_DNR || type == FTW_NS)
		doctor.failed =
			fail(1, "doctor: %s: it can't be looked at: %s", path, strerror(errno ? errno : EACCES));
	if (type != FTW_SL)
		return 0;
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = 0;
	if (!target_parse(target, &t))
		return 0;
	doctor.links++;
	if (!find_trouble(path, target, &t, why, sizeof(why)))
		return 0;
	doctor.dangling++;
	show_name(&name, path);
	printf("bad   %s: %s\n", name.s ? name.s : "", why);
	cure(path, target, &t);
	return 0;
}

static int walk(const char *dir)
{
	CLEAN_MEM char *real = realpath(dir, NULL);
	struct stat st;

	if (!real || stat(real, &st) < 0)
		return fail(1, "doctor: %s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fail(1, "doctor: %s: not a directory", dir);
	if (nftw(real, visit, 64, FTW_PHYS | FTW_MOUNT) < 0)
		return fail(1, "doctor: %s: %s", dir, strerror(errno));
	size_t left = doctor.dangling - doctor.cured;
	if (!doctor.dangling)
		printf("ok    %zu symbolic links below %s lead to a mount, none is dangling\n", doctor.links, dir);
	else if (left)
		printf("note  %zu of %zu are dangling: --relink makes those whose command line is known, --remove "
		       "removes them\n",
		       left, doctor.links);
	return doctor.failed || left;
}

int cmd_doctor(int argc, char **argv)
{
	const char *dir = take_mount_option(&argc, argv), *where = NULL;
	int bad;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--relink"))
			doctor.cure = RELINK;
		else if (!strcmp(argv[i], "--remove"))
			doctor.cure = REMOVE;
		else if (argv[i][0] == '-' || where)
			return fail(2, "doctor: %s: expected [--relink | --remove] [--mount=DIR] [DIR]", argv[i]);
		else
			where = argv[i];
	}
	if (doctor.cure != LIST && !where)
		return fail(2, "doctor: expected a directory whose links are to be %s",
			    doctor.cure == RELINK ? "made again" : "removed");
	/* Before the first mount there is no default place for one, and that is in order. */
	CLEAN_MEM char *standard = dir || getenv("LINKFS_MOUNT") ? NULL : mountinfo_default_dir("/mnt");
	bool is_first = standard && access(standard, F_OK) < 0 && errno == ENOENT;
	CLEAN_MEM char *mountpoint = is_first ? strdup(standard) : must_mountpoint(dir);
	if (!mountpoint)
		return 1;
	bad = doctor_system(mountpoint) + doctor_linkers();
	if (where) {
		bad += doctor.cure == LIST && access(where, F_OK) == 0 ? doctor_compiler(where) : 0;
		bad += walk(where);
	}
	free(doctor.mountpoint);
	return bad != 0;
}
