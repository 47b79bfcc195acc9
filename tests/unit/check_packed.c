/* check_packed.c - linker/input/object_packed: streams of both kinds, whole and damaged, in objects of both classes and
 * byte orders, decompressed by one thread and by many. The headers' defects are rows of check_object.c.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "object.h"

#define ARRAY_CNT(a) (sizeof(a) / sizeof((a)[0]))

enum { TEXT_SZ = 40000, SEC = 1, OBJECT_MAX = 8192 };

/* ---- an object: null, one section, .shstrtab ---- */

struct writer {
	uint8_t data[OBJECT_MAX];
	size_t at;
	bool is_64, be, is_old;
	uint64_t flags, entsize;
	uint64_t promised; /* bytes */
	uint32_t codec;
	uint8_t stream[4096];
	size_t stream_sz;
};

static void put(struct writer *w, unsigned bytes, uint64_t v)
{
	for (unsigned i = 0; i < bytes; i++)
		w->data[w->at + i] = (uint8_t)(v >> 8 * (w->be ? bytes - 1 - i : i));
	w->at += bytes;
}

static void put_word(struct writer *w, uint64_t v)
{
	put(w, w->is_64 ? 8 : 4, v);
}

static void put_section(struct writer *w, uint32_t name, uint32_t type, uint64_t flags, size_t off, size_t sz,
			uint64_t entsize)
{
	put(w, 4, name);
	put(w, 4, type);
	put_word(w, flags);
	put_word(w, 0);
	put_word(w, off);
	put_word(w, sz);
	put(w, 4, 0);
	put(w, 4, 0);
	put_word(w, 1);
	put_word(w, entsize);
}

static void put_chdr(struct writer *w)
{
	if (w->is_old) {
		memcpy(w->data + w->at, "ZLIB", 4);
		w->at += 4;
		for (int i = 0; i < 8; i++)
			w->data[w->at++] = (uint8_t)(w->promised >> (56 - 8 * i));
		return;
	}
	put(w, 4, w->codec);
	if (w->is_64)
		put(w, 4, 0);
	put_word(w, w->promised);
	put_word(w, 32);
}

static size_t make_object(struct writer *w)
{
	static const char names[] = "\0.zdebug_t\0.debug_t";
	size_t sh_at = w->is_64 ? 64 : 52, names_at = sh_at + 3 * (w->is_64 ? 64 : 40);
	size_t sec_at = names_at + sizeof(names);
	memcpy(w->data, "\177ELF", 4);
	w->data[EI_CLASS] = w->is_64 ? ELFCLASS64 : ELFCLASS32;
	w->data[EI_DATA] = w->be ? ELFDATA2MSB : ELFDATA2LSB;
	w->data[EI_VERSION] = EV_CURRENT;
	w->at = EI_NIDENT;
	put(w, 2, ET_REL);
	put(w, 2, EM_PPC64);
	put(w, 4, EV_CURRENT);
	put_word(w, 0);
	put_word(w, 0);
	put_word(w, sh_at);
	put(w, 4, 0);
	put(w, 2, sh_at);
	put(w, 4, 0);
	put(w, 2, w->is_64 ? 64 : 40);
	put(w, 2, 3);
	put(w, 2, 2);
	memcpy(w->data + names_at, names, sizeof(names));
	w->at = sec_at;
	put_chdr(w);
	memcpy(w->data + w->at, w->stream, w->stream_sz);
	size_t sz = w->at + w->stream_sz;
	w->at = sh_at + (w->is_64 ? 64 : 40);
	put_section(w, w->is_old ? 1 : 11, SHT_PROGBITS, w->flags | (w->is_old ? 0 : SHF_COMPRESSED), sec_at, sz - sec_at,
		    w->entsize);
	put_section(w, 0, SHT_STRTAB, 0, names_at, sizeof(names), 0);
	return sz;
}

/* ---- streams ---- */

static void make_text(uint8_t *text)
{
	for (int i = 0; i < TEXT_SZ; i++)
		text[i] = (uint8_t)("linked programs simply exist"[i % 28] + i / 4000);
	memset(text + TEXT_SZ - 4, 0, 4);
}

static void add_zlib(struct writer *w, const uint8_t *text, size_t sz)
{
	uLongf n = sizeof(w->stream) - w->stream_sz;
	ck_assert_int_eq(compress2(w->stream + w->stream_sz, &n, text, sz, 9), Z_OK);
	w->stream_sz += n;
}

static void add_zstd(struct writer *w, const uint8_t *text, size_t sz)
{
	size_t n = ZSTD_compress(w->stream + w->stream_sz, sizeof(w->stream) - w->stream_sz, text, sz, 3);
	ck_assert(!ZSTD_isError(n));
	w->stream_sz += n;
}

struct outcome {
	struct infile f;
	struct names *names;
	struct diag *d;
	struct object *o;
};

static void parse(struct writer *w, struct outcome *ret)
{
	size_t sz = make_object(w);
	*ret = (struct outcome){ .f = { .data = w->data, .sz = sz }, .d = diag_new(0) };
	ck_assert_int_eq(names_new(&ret->names), 0);
	int rc = object_parse(&ret->f, 0, sz, "x.o", ret->names, ret->d, 0, &ret->o);
	char *text = diag_text(ret->d);
	ck_assert_msg(!rc && ret->o->packed_cnt == 1, "%d: %s", rc, text);
	free(text);
}

static void done(struct outcome *out)
{
	object_free(out->o);
	names_free(out->names);
	diag_free(out->d);
}

static void new_writer(struct writer *w, uint32_t codec)
{
	*w = (struct writer){ .is_64 = true, .codec = codec, .promised = TEXT_SZ };
}

/* ---- whole ones ---- */

static void check_text(struct writer *w, const uint8_t *text)
{
	struct outcome out;
	uint64_t made;
	parse(w, &out);
	const struct isec *s = &out.o->secs[SEC];
	ck_assert(s->sz == TEXT_SZ && s->p2align == (w->is_old ? 0 : 5) && !isec_bytes(out.o, s));
	ck_assert_str_eq(isec_plain_name(out.o, s), ".debug_t");
	ck_assert_int_eq(object_unpack(out.o, 0, out.d, 0, &made), 0);
	ck_assert_uint_eq(made, TEXT_SZ);
	const uint8_t *bytes = isec_bytes(out.o, s);
	ck_assert(bytes && !memcmp(bytes, text, TEXT_SZ));
	ck_assert_int_eq(object_unpack(out.o, 0, out.d, 0, &made), 0);
	ck_assert(!made && isec_bytes(out.o, s) == bytes);
	done(&out);
}

START_TEST(test_class_and_order)
{
	static uint8_t text[TEXT_SZ];
	struct writer w;
	make_text(text);
	for (int form = 0; form < 3; form++) {
		new_writer(&w, form == 2 ? 2 : ELFCOMPRESS_ZLIB);
		w.is_64 = _i & 1;
		w.be = _i & 2;
		w.is_old = form == 1;
		(form == 2 ? add_zstd : add_zlib)(&w, text, TEXT_SZ);
		check_text(&w, text);
	}
}
END_TEST

START_TEST(test_several_streams)
{
	static uint8_t text[TEXT_SZ];
	struct writer w;
	make_text(text);
	for (uint32_t codec = 1; codec <= 2; codec++) {
		void (*add)(struct writer *w, const uint8_t *text, size_t sz) = codec == 2 ? add_zstd : add_zlib;
		new_writer(&w, codec);
		add(&w, text, 1000);
		add(&w, text + 1000, 0);
		add(&w, text + 1000, TEXT_SZ - 1000);
		check_text(&w, text);
	}
}
END_TEST

START_TEST(test_bytes_behind)
{
	static uint8_t text[TEXT_SZ];
	struct writer w;
	make_text(text);
	new_writer(&w, ELFCOMPRESS_ZLIB);
	add_zlib(&w, text, TEXT_SZ);
	w.stream_sz += 7; /* zeros, as padding */
	check_text(&w, text);
}
END_TEST

START_TEST(test_empty)
{
	struct writer w;
	struct outcome out;
	uint64_t made;
	for (uint32_t codec = 1; codec <= 2; codec++) {
		new_writer(&w, codec);
		w.promised = 0;
		(codec == 2 ? add_zstd : add_zlib)(&w, w.data, 0);
		parse(&w, &out);
		ck_assert_int_eq(object_unpack(out.o, 0, out.d, 0, &made), 0);
		ck_assert(!made && isec_bytes(out.o, &out.o->secs[SEC]));
		done(&out);
	}
}
END_TEST

/* ---- damaged ones ---- */

static void short_stream(struct writer *w) { w->stream_sz -= 9; }
static void no_stream(struct writer *w) { w->stream_sz = TEXT_SZ / 1000; memset(w->stream, 0x78, w->stream_sz); }
static void promised_more(struct writer *w) { w->promised++; }
static void promised_less(struct writer *w) { w->promised--; }
static void other_codec(struct writer *w) { w->codec = 3 - w->codec; }
static void strings(struct writer *w)
{
	w->flags = SHF_MERGE | SHF_STRINGS;
	w->entsize = 8; /* only the last 4 bytes are zeros */
}

static const struct damage_row {
	const char *name;
	uint32_t codec;
	void (*damage)(struct writer *w);
	const char *message;
} damage_rows[] = {
	{ "zlib, cut", 1, short_stream, "x.o:(.debug_t+0x0): cannot decompress: the stream is too short: got 0x" },
	{ "zlib, no stream", 1, no_stream, "x.o:(.debug_t+0x0): cannot decompress: incorrect header check: got 0x0" },
	{ "zlib, too short", 1, promised_more, "the stream is too short: got 0x9c40 bytes, expected 0x9c41" },
	{ "zlib, too long", 1, promised_less, "the stream is longer than its header says: got 0x9c3f bytes" },
	{ "zlib, but zstd", 1, other_codec, "x.o:(.debug_t+0x0): cannot decompress: " },
	{ "zlib, strings", 1, strings, "x.o:(.debug_t+0x9c38): string is not null terminated" },
	{ "zstd, cut", 2, short_stream, "x.o:(.debug_t+0x0): cannot decompress: " },
	{ "zstd, no stream", 2, no_stream, "x.o:(.debug_t+0x0): cannot decompress: " },
	{ "zstd, too short", 2, promised_more, "the stream is too short: got 0x9c40 bytes, expected 0x9c41" },
	{ "zstd, too long", 2, promised_less, "x.o:(.debug_t+0x0): cannot decompress: " },
	{ "zstd, but zlib", 2, other_codec, "x.o:(.debug_t+0x0): cannot decompress: " },
	{ "zstd, strings", 2, strings, "x.o:(.debug_t+0x9c38): string is not null terminated" },
};

START_TEST(test_damaged)
{
	const struct damage_row *row = &damage_rows[_i];
	static uint8_t text[TEXT_SZ];
	struct writer w;
	struct outcome out;
	uint64_t made;
	make_text(text);
	new_writer(&w, row->codec);
	(row->codec == 2 ? add_zstd : add_zlib)(&w, text, TEXT_SZ);
	row->damage(&w);
	parse(&w, &out);
	ck_assert_msg(object_unpack(out.o, 0, out.d, 0, &made) == -EINVAL, "%s: is taken", row->name);
	ck_assert(!made && !isec_bytes(out.o, &out.o->secs[SEC]));
	char *messages = diag_text(out.d);
	ck_assert_msg(strstr(messages, row->message) != NULL, "%s: %s", row->name, messages);
	ck_assert_uint_eq(diag_errors(out.d), 1);
	free(messages);
	done(&out);
}
END_TEST

/* ---- many at once ---- */

struct racer {
	struct outcome *out;
	pthread_barrier_t *start;
	uint64_t made;
	const uint8_t *bytes;
};

static void *race(void *ctx)
{
	struct racer *r = ctx;
	pthread_barrier_wait(r->start);
	if (!object_unpack(r->out->o, 0, r->out->d, 0, &r->made))
		r->bytes = isec_bytes(r->out->o, &r->out->o->secs[SEC]);
	return NULL;
}

START_TEST(test_race)
{
	enum { THREADS = 4 };
	static uint8_t text[TEXT_SZ];
	struct writer w;
	struct outcome out;
	pthread_t threads[THREADS];
	struct racer racers[THREADS];
	pthread_barrier_t start;
	uint64_t made = 0;
	make_text(text);
	new_writer(&w, ELFCOMPRESS_ZLIB);
	add_zlib(&w, text, TEXT_SZ);
	parse(&w, &out);
	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){ &out, &start, 0, NULL };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		made += racers[i].made;
		ck_assert(racers[i].bytes && racers[i].bytes == racers[0].bytes);
	}
	ck_assert_uint_eq(made, TEXT_SZ); /* one of them made it */
	ck_assert(!memcmp(racers[0].bytes, text, TEXT_SZ));
	pthread_barrier_destroy(&start);
	done(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("packed");
	TCase *tc = tcase_create("packed");
	tcase_add_loop_test(tc, test_class_and_order, 0, 4);
	tcase_add_test(tc, test_several_streams);
	tcase_add_test(tc, test_bytes_behind);
	tcase_add_test(tc, test_empty);
	tcase_add_loop_test(tc, test_damaged, 0, (int)ARRAY_CNT(damage_rows));
	tcase_add_loop_test(tc, test_race, 0, 50);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
