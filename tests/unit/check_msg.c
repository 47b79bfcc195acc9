/* check_msg.c - fs/transport, fs/record: packets keep their borders and descriptors; records come back as they went, and
 * no damaged one is believed.
 */
#include <check.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "record.h"
#include "transport.h"

enum { TIMEOUT_SEC = 60 };

static void open_pair(int end[2])
{
	ck_assert_int_eq(transport_pair(end), 0);
}

static int open_fds(void)
{
	int cnt = 0;

	for (int fd = 0; fd < 2048; fd++)
		cnt += fcntl(fd, F_GETFD) >= 0;
	return cnt;
}

START_TEST(test_packets_keep_their_borders)
{
	int end[2];
	struct packet p;

	open_pair(end);
	for (uint64_t i = 0; i < 50; i++) {
		struct msg m = { .type = MSG_FILL, .id = i, .gen = i * 7, .u.range = { .off = i << 40, .sz = i } };
		ck_assert_int_eq(transport_send(end[0], &m, i % 2 ? "why not" : NULL, NULL, 0, false), 0);
	}
	for (uint64_t i = 0; i < 50; i++) {
		ck_assert_int_eq(transport_recv(end[1], &p, false), 1);
		ck_assert_uint_eq(p.msg.id, i);
		ck_assert_uint_eq(p.msg.gen, i * 7);
		ck_assert_uint_eq(p.msg.u.range.off, i << 40);
		ck_assert_str_eq(p.text, i % 2 ? "why not" : "");
		packet_done(&p);
	}
	ck_assert_int_eq(transport_recv(end[1], &p, false), -EAGAIN);
	close(end[0]);
	ck_assert_int_eq(transport_recv(end[1], &p, true), 0);
	close(end[1]);
}
END_TEST

START_TEST(test_descriptors_travel_and_are_closed)
{
	int before = open_fds(), end[2], fds[MSG_FD_MAX];
	struct msg m = { .type = MSG_FDS };
	struct packet p;

	open_pair(end);
	for (int i = 0; i < MSG_FD_MAX; i++)
		ck_assert_int_ge(fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	ck_assert_int_eq(transport_send(end[0], &m, NULL, fds, MSG_FD_MAX, false), 0);
	ck_assert_int_eq(transport_send(end[0], &m, NULL, fds, MSG_FD_MAX + 1, false), -EINVAL);
	for (int i = 0; i < MSG_FD_MAX; i++)
		close(fds[i]);
	ck_assert_int_eq(transport_recv(end[1], &p, false), 1);
	ck_assert_int_eq(p.fd_cnt, MSG_FD_MAX);
	int mine = packet_take_fd(&p, 3);
	ck_assert_int_eq(packet_take_fd(&p, 3), -1);
	ck_assert_int_eq(packet_take_fd(&p, MSG_FD_MAX), -1);
	packet_done(&p);
	ck_assert_int_ne(fcntl(mine, F_GETFD) & FD_CLOEXEC, 0);
	close(mine);
	close(end[0]);
	close(end[1]);
	ck_assert_int_eq(open_fds(), before);
}
END_TEST

START_TEST(test_rubbish_is_refused)
{
	static const char text[MSG_TEXT_MAX + 200] = { 1 };
	int before = open_fds(), end[2];
	struct msg m = { .type = MSG_FILL };
	struct packet p;

	open_pair(end);
	ck_assert_int_eq(send(end[0], "short", 5, 0), 5);
	ck_assert_int_eq(transport_recv(end[1], &p, false), -EPROTO);
	ck_assert_int_eq(transport_send(end[0], &m, NULL, NULL, 0, false), 0); /* fills in what is right */
	ck_assert_int_eq(transport_recv(end[1], &p, false), 1);
	m.version++;
	ck_assert_int_gt(send(end[0], &m, sizeof(m), 0), 0);
	ck_assert_int_eq(transport_recv(end[1], &p, false), -EPROTO);
	m.version--;
	m.magic ^= 1;
	ck_assert_int_gt(send(end[0], &m, sizeof(m), 0), 0);
	ck_assert_int_eq(transport_recv(end[1], &p, false), -EPROTO);
	m.magic ^= 1;
	m.text_sz = 3;
	ck_assert_int_gt(send(end[0], &m, sizeof(m), 0), 0);
	ck_assert_int_eq(transport_recv(end[1], &p, false), -EPROTO);
	ck_assert_int_gt(send(end[0], text, sizeof(m) + MSG_TEXT_MAX + 1, 0), 0);
	ck_assert_int_eq(transport_recv(end[1], &p, false), -EPROTO);
	close(end[0]);
	close(end[1]);
	ck_assert_int_eq(open_fds(), before);
}
END_TEST

START_TEST(test_full_socket_does_not_wait)
{
	int end[2], sent = 0, r;
	struct msg m = { .type = MSG_FILL };
	struct packet p;

	open_pair(end);
	while ((r = transport_send(end[0], &m, NULL, NULL, 0, false)) == 0)
		sent++;
	ck_assert_int_eq(r, -EAGAIN);
	ck_assert_int_gt(sent, 10);
	for (int i = 0; i < sent; i++)
		ck_assert_int_eq(transport_recv(end[1], &p, false), 1);
	ck_assert_int_eq(transport_send(end[0], &m, NULL, NULL, 0, false), 0);
	close(end[1]);
	r = transport_send(end[0], &m, NULL, NULL, 0, false);
	ck_assert(r == -EPIPE || r == -ECONNRESET);
	close(end[0]);
}
END_TEST

START_TEST(test_blobs_are_sealed)
{
	char *text = NULL;
	int fd = blob_new("test", "left", 4, "right", 5);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(blob_read(fd, 9, &text), 0);
	ck_assert_str_eq(text, "leftright");
	free(text);
	ck_assert_int_eq(blob_read(fd, 10, &text), -EPROTO); /* shorter than its sender said */
	ck_assert_int_eq(blob_read(fd, MSG_BLOB_MAX + 1, &text), -EPROTO);
	ck_assert_int_eq(ftruncate(fd, 3), -1);
	ck_assert_int_eq((int)pwrite(fd, "x", 1, 0), -1);
	close(fd);
}
END_TEST

/* --- records --- */

static const char *const names[] = { "a", "1234567", "12345678", "dir/libx.a", "", "/absolute/path/of/some/length.o" };
#define NAME_CNT (sizeof(names) / sizeof(names[0]))

static void build(struct text *t, const char *cwd)
{
	record_begin(t, cwd);
	for (uint32_t i = 0; i < NAME_CNT; i++) {
		struct record_probe p = {
			.open_error = i % 2 ? -ENOENT : 0,
			.stat_error = i % 2 ? -ENOENT : 0,
			.fd_idx = i % 2 ? -1 : (int32_t)(i / 2),
			.id = { .ino = i, .size = i * 1000, .mtime_ns = -5 },
		};
		record_add(t, names[i], &p);
	}
	ck_assert_int_eq(record_end(t, NAME_CNT, NAME_CNT / 2), 0);
}

START_TEST(test_record_comes_back)
{
	struct text t = { 0 };
	struct record *r = NULL;

	build(&t, "/some/where");
	ck_assert_int_eq(record_read(t.s, t.sz, &r), 0);
	ck_assert_str_eq(r->cwd, "/some/where");
	ck_assert_uint_eq(r->probe_cnt, NAME_CNT);
	ck_assert_uint_eq(r->fd_cnt, NAME_CNT / 2);
	for (uint32_t i = 0; i < NAME_CNT; i++) {
		ck_assert_str_eq(r->probes[i].path, names[i]);
		ck_assert_uint_eq(r->probes[i].at.id.size, i * 1000);
		ck_assert_int_eq(r->probes[i].at.stat_error, i % 2 ? -ENOENT : 0);
	}
	ck_assert_ptr_null(record_free(r));
	ck_assert_ptr_null(record_free(NULL));
}
END_TEST

START_TEST(test_cut_record_is_refused)
{
	struct text t = { 0 };
	struct record *r = NULL;

	build(&t, "/d");
	for (size_t sz = 0; sz < t.sz; sz++) {
		char *copy = malloc(sz ? sz : 1); /* exactly that long: a checker sees any byte read beyond */
		memcpy(copy, t.s, sz);
		ck_assert_msg(record_read(copy, sz, &r) == -EPROTO, "believed with %zu of %zu bytes", sz, t.sz);
		free(copy);
	}
	free(t.s);
}
END_TEST

START_TEST(test_damaged_record_does_no_harm)
{
	struct text t = { 0 };
	int believed = 0;

	build(&t, "/d");
	for (size_t at = 0; at < t.sz; at++) {
		for (int bit = 0; bit < 8; bit++) {
			struct record *r = NULL;
			char *copy = malloc(t.sz);
			memcpy(copy, t.s, t.sz);
			copy[at] = (char)(copy[at] ^ 1 << bit);
			int err = record_read(copy, t.sz, &r);
			if (err) {
				ck_assert_int_eq(err, -EPROTO);
				free(copy);
				continue;
			}
			believed++;
			ck_assert_uint_eq(r->probe_cnt, NAME_CNT);
			for (uint32_t i = 0; i < r->probe_cnt; i++) {
				ck_assert_uint_le(strlen(r->probes[i].path), RECORD_PATH_MAX);
				ck_assert_int_lt(r->probes[i].at.fd_idx, (int)r->fd_cnt);
			}
			record_free(r);
		}
	}
	ck_assert_int_gt(believed, 0); /* identities can't be checked here */
	free(t.s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("msg");
	TCase *tc = tcase_create("msg");

	tcase_set_timeout(tc, TIMEOUT_SEC);
	tcase_add_test(tc, test_packets_keep_their_borders);
	tcase_add_test(tc, test_descriptors_travel_and_are_closed);
	tcase_add_test(tc, test_rubbish_is_refused);
	tcase_add_test(tc, test_full_socket_does_not_wait);
	tcase_add_test(tc, test_blobs_are_sealed);
	tcase_add_test(tc, test_record_comes_back);
	tcase_add_test(tc, test_cut_record_is_refused);
	tcase_add_test(tc, test_damaged_record_does_no_harm);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
