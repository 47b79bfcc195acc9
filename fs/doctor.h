/* doctor.h - the set-up, looked at from outside: what a mount and a build in a directory need.
 */
#ifndef FS_DOCTOR_H
#define FS_DOCTOR_H

/* Each prints a line per thing on standard output: "ok", "note" (it works, but), or "bad" with what to do. Returns how
 * many are bad. MOUNTPOINT: as the kernel shows it. */
int doctor_system(const char *mountpoint);
/* Do cc and ld link with linkfs in DIR? */
int doctor_compiler(const char *dir);

#endif
