/* diag.h - errors are values with a text; a sink collects them, only mains print.
 *
 * A sink is filled from many threads and read when they are done. Every message has a place (a sort key: file position
 * on the command line, then an offset or index of the pass's choosing), so that the text a user sees does not depend on
 * which thread was first (P1 holds for diagnostics too). Equal texts are shown once.
 *
 * Locks: a sink has one mutex, taken for each message; never call with another lock held that a sink's reader takes.
 * Errors: out of memory while recording is itself recorded as a fixed text; adding never fails.
 */
#ifndef LINKFS_DIAG_H
#define LINKFS_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A refusal is an error of ours, not of who asks: another linker may be able to. It reads as an error. */
enum diag_level { DIAG_NOTE, DIAG_WARNING, DIAG_ERROR, DIAG_REFUSAL };

struct diag;

/* A new empty sink, NULL without memory. ERROR_LIMIT: how many errors are kept before "too many errors" (0: no limit). */
struct diag *diag_new(unsigned error_limit);
/* Takes NULL, returns NULL. */
struct diag *diag_free(struct diag *d);

/* Records one message: lower case, no full stop, no newline at the end, "file(member):(section+0x12): what". */
void diag_add(struct diag *d, enum diag_level level, uint64_t place, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
#define diag_error(d, place, ...) diag_add((d), DIAG_ERROR, (place), __VA_ARGS__)
#define diag_refuse(d, place, ...) diag_add((d), DIAG_REFUSAL, (place), __VA_ARGS__)
#define diag_warn(d, place, ...) diag_add((d), DIAG_WARNING, (place), __VA_ARGS__)
#define diag_note(d, place, ...) diag_add((d), DIAG_NOTE, (place), __VA_ARGS__)

/* How many errors were recorded (kept or not); with fatal warnings the warnings count too. */
unsigned diag_errors(const struct diag *d);
/* How many messages were recorded, those that are dropped or equal to others included. */
unsigned diag_messages(const struct diag *d);
/* There are errors, and all of them are refusals. */
bool diag_is_refusal(const struct diag *d);
/* From now on warnings count as errors (--fatal-warnings), or are dropped (-w, --no-warnings). */
void diag_fatal_warnings(struct diag *d, bool on);
void diag_no_warnings(struct diag *d, bool on);

/* Changes how many errors are kept (0: no limit); for messages recorded from now on, and for the text. */
void diag_error_limit(struct diag *d, unsigned limit);

/* All messages, by pass and place, each line "linkfs: error: TEXT\n" ("linkfs: warning: ", "linkfs: "); continuation
 * lines of a text start with ">>> ". The caller frees the string; NULL without memory. */
char *diag_text(struct diag *d);
/* Ends a pass: messages added later sort behind those added before. */
void diag_pass(struct diag *d);

#endif
