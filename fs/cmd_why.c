/* cmd_why.c - linkfs why: why a file was linked the last time, why as a plain file, and what became of its inputs.
 *
 * The mount keeps it, by the path of -o, also of what is a plain file by now. Of a link in file mode that was not meant
 * for a mount nobody keeps anything: then the file itself tells who linked it, and the rules of auto mode why.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "commands.h"
#include "keys.h"
#include "show.h"
#include "subject.h"
#include "who.h"

/* A copy of what was there is older than that by no more. */
#define CLOCK_S 5

static void put_inputs(struct text *t, const struct keys *k)
{
	static const struct {
		const char *key, *what;
	} kinds[] = {
		{"copied_input", "copied, not leased: "},
		{"checked_input", "looked at around each fill, not leased: "},
		{"lost_input", "lost: "},
	};

	text_printf(t, "  its inputs: %s, %s leased, %s copied, %s only looked at\n", keys_text(k, "inputs"),
		    keys_text(k, "leased_inputs"), keys_text(k, "copied_inputs"), keys_text(k, "checked_inputs"));
	for (size_t i = 0; i < k->cnt; i++) {
		for (size_t n = 0; n < sizeof(kinds) / sizeof(*kinds); n++) {
			if (strcmp(k->key[i].key, kinds[n].key))
				continue;
			text_printf(t, "    %s", kinds[n].what);
			show_name(t, k->key[i].value);
			text_append(t, "\n", 1);
		}
	}
}

static void put_what(struct text *t, const struct subject *s, const struct keys *k)
{
	const char *state = keys_text(k, "state"), *mode = keys_text(k, "mode");

	show_name(t, s->path ? s->path : s->name);
	if (!strcmp(mode, "live"))
		text_printf(t, ": a live link");
	else if (!strcmp(mode, "file"))
		text_printf(t, ": a plain file, linked in file mode");
	else if (!strcmp(state, "settled"))
		text_printf(t, ": linked on the mount, a plain file by now");
	else
		text_printf(t, ": linked on the mount");
	text_printf(t, ", %s\n", state);
}

static void put_when(struct text *t, const struct keys *k)
{
	char age[AMOUNT_SZ], took[AMOUNT_SZ], bytes[AMOUNT_SZ];
	uint64_t at = keys_number(k, "linked_at");

	if (!at)
		return;
	text_printf(t, "  linked: %s ago", show_age(age, time(NULL) - (int64_t)at));
	if (keys_number(k, "generation"))
		text_printf(t, ", in %s, from %s of inputs", show_ms(took, keys_double(k, "link_ms")),
			    show_bytes(bytes, keys_number(k, "input_bytes")));
	text_append(t, "\n", 1);
}

/* What the mount does not know: that the file is another one by now. */
static void put_doubts(struct text *t, const struct subject *s, const struct keys *k)
{
	const char *id = keys_text(k, "id");
	char linker[WHO_SZ];
	enum who_kind kind;
	struct stat st;

	if (*s->id && *id && strcmp(s->id, id))
		text_printf(t, "  but this is an older output of that -o (%s); the newest one is told of here\n",
			    s->id);
	if (!s->path || s->is_link)
		return;
	CLEAN_FD int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		text_printf(t, "  but it can't be read now: %s\n", strerror(errno));
	else if (who_linked(fd, &kind, linker) == 0 && kind == WHO_LINKED && !who_is_linkfs(linker))
		text_printf(t, "  but what stands there now was linked by %s\n", *linker ? linker : "another linker");
	else if (!strcmp(keys_text(k, "shown_by"), "file") && fstat(fd, &st) == 0 &&
		 strcmp(keys_text(k, "mode"), "file") &&
		 st.st_mtim.tv_sec > (time_t)keys_number(k, "linked_at") + CLOCK_S)
		text_printf(t, "  but the file was changed after that\n");
}

static int show_known(const struct subject *s, const struct keys *k)
{
	CLEAN_TEXT struct text t = { 0 };
	bool is_file = !strcmp(keys_text(k, "mode"), "file");

	put_what(&t, s, k);
	text_printf(&t, is_file ? "  why a file: " : "  why it was linked: ");
	show_name(&t, keys_text(k, "relink_reason"));
	text_append(&t, "\n", 1);
	put_when(&t, k);
	if (keys_number(k, "generation"))
		put_inputs(&t, k);
	if (!strcmp(keys_text(k, "state"), "failed"))
		text_printf(&t, "  its link failed: linkfs log tells more\n");
	put_doubts(&t, s, k);
	if (t.failed)
		return fail(1, "why: out of memory");
	fwrite(t.s, 1, t.sz, stdout);
	return 0;
}

/* No mount knows it: what the file itself tells. */
static int show_unknown(const struct subject *s, const char *arg)
{
	char linker[WHO_SZ];
	enum who_kind kind;
	CLEAN_TEXT struct text t = { 0 };

	if (!s->path)
		return fail(1, "why: %s: there is no such link", arg);
	if (*s->id && !s->is_mounted)
		return fail(1,
			    "why: %s: it leads to %s, where no linkfs is mounted: start it with linkfs mount, or see "
			    "linkfs doctor",
			    arg, s->mountpoint);
	CLEAN_FD int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r = fd < 0 ? -errno : who_linked(fd, &kind, linker);
	if (r == -ENOENT && s->is_link)
		return fail(1, "why: %s: what it leads to does not exist: see linkfs doctor", arg);
	if (r)
		return fail(1, "why: %s: %s", arg, strerror(-r));
	if (kind != WHO_LINKED)
		return fail(1, "why: %s: neither an executable nor a shared object", arg);
	if (!who_is_linkfs(linker))
		return fail(1, "why: %s: linkfs did not link it: %s%s", arg,
			    *linker ? "its linker was " : "no linker names itself in it", linker);
	show_name(&t, s->path);
	text_printf(
		&t,
		": a plain file, linked by %s\n"
		"  no mount that is asked (%s%s) knows of it: it was linked in file mode, since $LINKFS_MOUNT was not\n"
		"  set, or --linkfs=file or LINKFS_MODE=file asked for that; or on a mount that has ended since, and "
		"settled\n"
		"  (LINKFS_VERBOSE=1 tells at each link which way it goes, and why)\n",
		linker, s->mountpoint, s->is_mounted ? "" : ", where none is mounted");
	if (t.failed)
		return fail(1, "why: out of memory");
	fwrite(t.s, 1, t.sz, stdout);
	return 0;
}

int cmd_why(int argc, char **argv)
{
	const char *dir = take_mount_option(&argc, argv);
	CLEAN_SUBJECT struct subject s = { 0 };
	CLEAN_KEYS struct keyfile info = { 0 };

	if (argc != 2)
		return fail(2, "why: expected [--mount=DIR] FILE, or the name of a live link");
	int r = must_subject("why", dir, argv[1], &s);
	if (r)
		return r;
	if (!s.is_mounted)
		return show_unknown(&s, argv[1]);
	CLEAN_MEM char *path = must_answer(&s) ? NULL : subject_file(&s, "info");
	if (!path)
		return 1;
	r = keyfile_read(path, &info);
	if (r == -ENOENT || r == -ENOTDIR || r == -EISDIR || (!r && !info.cnt))
		return show_unknown(&s, argv[1]);
	return r ? fail(1, "why: %s: %s", argv[1], strerror(-r)) : show_known(&s, &info.par[0]);
}
