/* linkfs.c - the main of linkfs: picks the subcommand. Started under the linker process's name it is that instead. */
#include "commands.h"
#include "linkfs.h"
#include "util.h"
#include "worker.h"

static const char help[] =
	"linkfs " LINKFS_VERSION " - a filesystem in which linked programs simply exist\n"
	"\n"
	"usage: linkfs run [--linkfs=auto|mount|file] [--mount=DIR] [-o OPT,...] -- COMMAND...\n"
	"                                                     a build with linkfs as its linker, on a mount that is started\n"
	"                                                     when needed, with these options (--linkfs=file: without one)\n"
	"       linkfs enable [DIR...] | linkfs disable DIR...\n"
	"                                                     what ld.linkfs links below DIR goes to the mount unasked\n"
	"       linkfs mount [-f] [-o OPT,...] [MOUNTPOINT]   serve a mount (-f: in the foreground)\n"
	"       linkfs umount [--lazy] [--no-settle] [MOUNTPOINT]\n"
	"                                                     make plain files of all outputs, and end it\n"
	"                                                     (--lazy: even while it is in use)\n"
	"       linkfs add NAME -- LD-ARGS...                 make MOUNTPOINT/NAME the output of this ld command line\n"
	"       linkfs rm NAME                                remove that link\n"
	"       linkfs status [--watch[=SECONDS] | --json] [--all] [--sort=KEY]\n"
	"                                                     what the mount holds and has done; KEY: age, name, size, time,\n"
	"                                                     made, pinned\n"
	"       linkfs why FILE                               why it was linked, why as a file, what became of its inputs\n"
	"       linkfs info FILE                              about one link: `key: value` lines\n"
	"       linkfs log [FILE]                             the diagnostics of its last link; of all links that have any\n"
	"       linkfs check [--summary] DIR...               who linked what below DIR\n"
	"       linkfs doctor [--relink | --remove] [DIR]     is the set-up in order, which links below DIR lead nowhere\n"
	"       linkfs materialize FILE-OR-DIR...             make plain files of outputs now\n"
	"       linkfs gc                                     forget outputs that nothing shows any more\n"
	"       linkfs uninstall [--user]                     end all mounts, forget all that is kept, remove linkfs itself;\n"
	"                                                     what it made stays, as plain files (--user: the program stays)\n"
	"       linkfs --version | --help\n"
	"\n"
	"NAME is a live link's; FILE is that, too, or a file that ld.linkfs made, by any name that leads to it.\n"
	"All that ask a mount take --mount=DIR where it is not the default:\n"
	"$LINKFS_MOUNT, or ${XDG_CACHE_HOME:-~/.cache}/linkfs/mnt\n"
	"\n"
	"options of a mount (-o):\n"
	"  cache_dir=DIR    recipes, and the bytes made so far (default ${XDG_CACHE_HOME:-~/.cache}/linkfs)\n"
	"  cache_size=SIZE  at most so many bytes made are kept, such as 500M (default 16G)\n"
	"  threads=N        for serving, filling and linking, each (default: by the number of CPUs)\n"
	"  watches=N        at most so many inotify watches on what live links read (default: a quarter of\n"
	"                   fs.inotify.max_user_watches); what they don't reach is looked at each time, 0: everything\n"
	"  settle=TIME      quiet for so long, the mount makes plain files of what ld.linkfs put on it (default 5s);\n"
	"                   settle=never: not before umount\n"
	"  link_timeout=TIME, fill_timeout=TIME   a link, or a range of bytes, that takes longer is taken for a hang:\n"
	"                   it is tried once more, then fails (default 5m and 30s)\n"
	"  allow_other      other users may look inside, too\n";

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "mount", cmd_mount },		  { "umount", cmd_umount },
	{ "add", cmd_add },		  { "rm", cmd_rm },
	{ "run", cmd_run },		  { "run-command", cmd_run_command },
	{ "enable", cmd_enable },	  { "disable", cmd_disable },
	{ "status", cmd_status },	  { "why", cmd_why },
	{ "info", cmd_info },		  { "log", cmd_log },
	{ "check", cmd_check },		  { "doctor", cmd_doctor },
	{ "materialize", cmd_materialize }, { "gc", cmd_gc },
	{ "uninstall", cmd_uninstall },	  { "before-install", cmd_before_install },
};

int main(int argc, char **argv)
{
	if (argc > 0 && !strcmp(argv[0], WORKER_ARGV0))
		return worker_main(argc, argv);
	if (argc < 2) {
		fputs(help, stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "--version")) {
		fputs(strcmp(argv[1], "--version") ? help : "linkfs " LINKFS_VERSION "\n", stdout);
		return fflush(stdout) ? fail(1, "standard output: %s", strerror(errno)) : 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	}
	return fail(2, "%s: not a command: see linkfs --help", argv[1]);
}
