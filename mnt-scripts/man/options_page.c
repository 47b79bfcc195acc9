/* options_page.c - writes ld.linkfs(1): its template, argv[1], with the options in the place of the line that says so.
 *
 * The options come from linker/input/options.def, as what --help says does: the page can't tell of one that is not there,
 * nor forget one. Runs while linkfs is built.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "option_rows.h"

#define PLACE ".\\\" OPTIONS"

/* N bytes of S as they are, whatever they mean to roff. Not at the start of a line. */
static void put(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '-')
			fputs("\\-", stdout);
		else if (s[i] == '\\')
			fputs("\\e", stdout);
		else if (s[i] == '\'')
			fputs("\\(aq", stdout);
		else if (s[i] == '^')
			fputs("\\(ha", stdout);
		else if (s[i] == '~')
			fputs("\\(ti", stdout);
		else if (s[i] == '`')
			fputs("\\(ga", stdout);
		else
			putchar(s[i]);
	}
}

/* "-o FILE, --output=FILE" in a tag line. */
static void put_names(const struct option_row *r)
{
	printf(".TP\n");
	for (const char *name = r->names; *name;) {
		size_t n = strcspn(name, "|");
		fputs("\\fB", stdout);
		if (r->group == KEYWORDS)
			fputs("\\-z ", stdout);
		put(name, n);
		fputs("\\fR", stdout);
		if (r->meta) {
			bool is_joined = r->group == KEYWORDS || (n > 2 && name[1] == '-');
			fputs(r->form == FORM_OPTIONAL ? "[=\\fI" : is_joined ? "=\\fI" : " \\fI", stdout);
			put(r->meta, strlen(r->meta));
			fputs(r->form == FORM_OPTIONAL ? "\\fR]" : "\\fR", stdout);
		}
		name += n;
		if (*name++ != '|')
			break;
		fputs(", ", stdout);
	}
	printf("\n\\&");
	put(r->help, strlen(r->help));
	putchar('\n');
}

/* Names alone, in one paragraph, in which each may stand at the end of a line. */
static void put_bare(enum option_group group)
{
	const char *between = "\\%";

	printf(".ad l\n");
	for (size_t i = 0; i < OPTION_ROW_CNT; i++) {
		for (const char *name = option_rows[i].names; option_rows[i].group == group && *name;) {
			size_t n = strcspn(name, "|");
			printf("%s\\fB", between);
			for (size_t k = 0; k < n; k++)
				name[k] == ' ' ? (void)fputs("\\ ", stdout) : put(name + k, 1);
			fputs("\\fR", stdout);
			between = ",\n\\%";
			name += n + (name[n] == '|');
		}
	}
	printf(".\n.ad\n");
}

static void put_options(void)
{
	for (int g = 0; g < GROUP_CNT; g++) {
		printf(".SS ");
		put(option_titles[g], strlen(option_titles[g]));
		putchar('\n');
		if (g == IGNORED || g == REFUSED) {
			put_bare((enum option_group)g);
			continue;
		}
		for (size_t i = 0; i < OPTION_ROW_CNT; i++)
			if (option_rows[i].group == (enum option_group)g)
				put_names(&option_rows[i]);
	}
}

int main(int argc, char **argv)
{
	char line[4096];
	bool has_place = false;
	FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;

	if (!f) {
		fprintf(stderr, "options_page: expected a template that can be read: %s\n", strerror(errno));
		return 1;
	}
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, PLACE, sizeof(PLACE) - 1)) {
			fputs(line, stdout);
			continue;
		}
		put_options();
		has_place = true;
	}
	fclose(f);
	if (!has_place)
		fprintf(stderr, "options_page: %s has no line that begins with %s\n", argv[1], PLACE);
	return !has_place || fflush(stdout) ? 1 : 0;
}
