/* subject.h - what a command is about: a live link's name, or a file, which may be one on the mount, a symbolic link to
 * one, or a plain file at an -o.
 */
#ifndef FS_SUBJECT_H
#define FS_SUBJECT_H

#include "util.h"

struct subject {
	char *mountpoint; /* of the link; as the kernel shows it */
	bool is_mounted;  /* a linkfs is mounted there */
	char *name;	  /* below .linkfs/info: NAME, or an absolute path without the slash it begins with */
	char *path;	  /* of the file: absolute; NULL: a live link by its name */
	char id[17];	  /* the file leads to this output; "": to none */
	bool is_link;	  /* the file is a symbolic link */
};

/* Finds what ARG means; DIR: of --mount, or NULL. Touches no mount but to look whether it has a live link of that name.
 * 0, or an exit status: COMMAND has said why. */
int must_subject(const char *command, const char *dir, const char *arg, struct subject *ret);
void subject_done(struct subject *s);
#define CLEAN_SUBJECT __attribute__((cleanup(subject_done)))

/* Says why there is nothing to ask, and returns 1, unless S's mount is there and answers. */
int must_answer(const struct subject *s);
/* The path of a file of the mount about S: FOLDER is info, log or map. NULL without memory. */
char *subject_file(const struct subject *s, const char *folder);

/* TARGET as "MOUNTPOINT/.o/ID/ABSOLUTE/PATH": where the parts begin. False: it is not of that form. */
struct target {
	size_t mountpoint_sz;
	const char *id;	  /* 16 bytes */
	const char *path; /* absolute */
};
bool target_parse(const char *target, struct target *ret);

#endif
