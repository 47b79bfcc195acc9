/* doctor.h - the set-up, looked at from outside: what a mount and a build in a directory need.
 *
 * doctor.c looks at the system and the mount, doctor_tools.c at linkers and compilers. Each check prints a line per thing
 * on standard output: "ok", "note" (it works, but), or "bad" with what to do, and returns how many are bad.
 */
#ifndef FS_DOCTOR_H
#define FS_DOCTOR_H

#include <limits.h>
#include <sys/stat.h>

/* MOUNTPOINT: as the kernel shows it. */
int doctor_system(const char *mountpoint);
/* Is linkfs complete, which linkers are in $PATH, and which does each compiler call? */
int doctor_linkers(void);
/* Does cc link with linkfs in DIR? By trying. */
int doctor_compiler(const char *dir);

/* --- shared by the checks --- */

enum doctor_level { OK, NOTE, BAD };
/* A line; 1 for BAD, else 0. */
int doctor_say(enum doctor_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The first program NAME in $PATH that is not the file NOT (which may be NULL); 0 or -ENOENT. */
int doctor_find(const char *name, const struct stat *not, char ret[PATH_MAX]);

#endif
