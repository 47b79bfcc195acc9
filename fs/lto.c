/* lto.c - see lto.h. The steps: look at the options, resolve with the plugin as claimer, compile, make the plan. */
#include "lto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lto_signal.h"

#define PATIENCE_SEC 5 /* until a thread that cleans up already has done so */

/* A plugin can't go on. Nothing was written yet. */
static void end(void *ctx)
{
	struct lto *lto = ctx;

	lto_done(lto);
	fflush(stderr);
	_exit(1);
}

static void print_and_free(struct diag *d)
{
	char *text = diag_text(d);

	fputs(text ? text : "linkfs: error: out of memory\n", stderr);
	free(text);
	diag_free(d);
}

/* Everything but the plan's words is left to the end of the process: plugins may still know of it. */
static int compile(struct lto *lto, struct linkfs_linker *l, const struct linkfs_request *rq, struct diag *d)
{
	const struct linkfs_ir_claimer claimer = { .claim = plugins_claim, .ctx = lto->plugins };
	const struct linkfs_ir_yield *yields;
	struct linkfs_ir *ir;
	size_t cnt;

	int r = linkfs_ir_resolve(l, rq, &claimer, d, &ir);
	if (r)
		return r;
	r = plugins_compile(lto->plugins, &yields, &cnt);
	return r ? r : linkfs_ir_plan(ir, yields, cnt, &lto->word_cnt, &lto->words);
}

int lto_compile(struct lto *lto, int argc, const char *const *argv)
{
	struct linkfs_request rq = { .argc = argc, .argv = argv, .cwd_fd = AT_FDCWD };
	struct linkfs_config cfg = { .one_link = true };
	struct linkfs_linker *l;
	static struct linkfs_look look; /* the plugins keep its strings */
	char *text = NULL;

	if (lto->words)
		return 0;
	struct diag *d = diag_new(20);
	int r = d ? linkfs_look(&rq, d, &look, &text) : -ENOMEM;
	free(text);
	if (!r)
		lto->plugins = plugins_new(&look.plugin, look.verdict.output, end, lto);
	if (!r)
		r = lto->plugins ? lto_signals_take(lto->plugins) : -ENOMEM;
	if (!r)
		r = linkfs_linker_new(&cfg, &l);
	if (!r)
		r = compile(lto, l, &rq, d);
	if (!r) {
		diag_free(d); /* the link says it all again */
		return 0;
	}
	if (lto->wants_refusal && d && diag_is_refusal(d) && (lto->refusal = diag_text(d))) {
		diag_free(d);
		lto_done(lto);
		return -ENOTSUP;
	}
	if (r == -ENOMEM && !(d && diag_errors(d)))
		fputs("linkfs: error: out of memory\n", stderr);
	else
		print_and_free(d);
	lto_done(lto);
	return -EINVAL;
}

void lto_done(struct lto *lto)
{
	if (!lto->plugins)
		return;
	plugins_clean_up(lto->plugins, PATIENCE_SEC);
	lto_signals_give_back();
}
