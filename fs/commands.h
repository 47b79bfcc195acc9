/* commands.h - the subcommands of linkfs: each takes its own argv ([0] is its name) and returns the exit status.
 *
 * 0: done. 1: it could not be done, and standard error says why. 2: the command line is wrong.
 */
#ifndef FS_COMMANDS_H
#define FS_COMMANDS_H

#include <stddef.h>

int cmd_mount(int argc, char **argv);
int cmd_umount(int argc, char **argv);
int cmd_add(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_materialize(int argc, char **argv);
int cmd_gc(int argc, char **argv);
/* These return only where the command could not be started: 125, 126 or 127. ARGV[-1] is the program's name. */
int cmd_run(int argc, char **argv);
int cmd_run_command(int argc, char **argv);
int cmd_before_install(int argc, char **argv);
int cmd_uninstall(int argc, char **argv);
int cmd_enable(int argc, char **argv);
int cmd_disable(int argc, char **argv);

/* The default mount point and the directories above it are made when missing. */
void mount_make_default(void);

/* Are these words of mount's -o right? 0, or 2: it has said which is not. */
int mount_check_options(const char *words);

/* The mount a command is about: DIR (NULL: $LINKFS_MOUNT, or the default), as the kernel shows it. Says why not and
 * returns NULL on failure; the caller frees. */
char *must_mountpoint(const char *dir);
/* The same, when it is a linkfs mount that answers. */
char *must_mounted(const char *dir);

/* Takes --mount=DIR out of the arguments before "--"; NULL: it was not there. */
const char *take_mount_option(int *argc, char **argv);

/* "linkfs: TEXT" on standard error; returns STATUS. */
int fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
