/* worker.h - the linker process: the same binary, started by the mount process under another name.
 */
#ifndef FS_WORKER_H
#define FS_WORKER_H

#define WORKER_ARGV0 "linkfs-worker"
#define WORKER_CONTROL_FD 3
#define WORKER_FILL_FD 4
#define WORKER_RING_FD 5
#define WORKER_BINARY_FD 6 /* closed by the exec */

/* Its exit status where it can't start: an errno, but for this one, ld.so's where a library can't be loaded. */
#define WORKER_UNLOADED 127

/* argv: WORKER_ARGV0, how many fill threads (0: one per CPU), the device never to enter, in hexadecimal, and the mount
 * process's id. Returns the exit status, when the mount process has ended. */
int worker_main(int argc, char **argv);

#endif
