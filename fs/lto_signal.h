/* lto_signal.h - what ends ld.linkfs while there are temporary files of link-time optimisation: they go first.
 *
 * A compiler that works for us is ended too. Whoever ignores a signal goes on ignoring it.
 */
#ifndef FS_LTO_SIGNAL_H
#define FS_LTO_SIGNAL_H

#include "plugin.h"

/* From now on SIGINT, SIGTERM and SIGHUP clean up after PS and end the process as they would without this. 0 or -errno. */
int lto_signals_take(struct plugins *ps);
/* As it was before; nothing where they were not taken. */
void lto_signals_give_back(void);
/* Ends the process as the signal that came does; returns where none did. */
void lto_signals_die(void);

#endif
