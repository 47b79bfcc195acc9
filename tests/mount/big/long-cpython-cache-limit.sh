#!/bin/sh
# CPython passes a part of its own tests with room for 16 MiB of everything that is linked: beside it lies a program with its
# debug information whole, which is read over and over, so that CPython's pages go and come back.
# NEEDS: gcc linker /usr/lib/x86_64-linux-gnu/libpython3.11.a /usr/lib/python3.11/config-3.11-x86_64-linux-gnu/python.o
# NEEDS: /usr/lib/python3.11/test/test_json/__init__.py
. "$(dirname "$0")/lib-big.sh"
start_mount cache_size=16M
link_both python3.11 gcc -no-pie -Wl,-export-dynamic /usr/lib/python3.11/config-3.11-x86_64-linux-gnu/python.o \
	/usr/lib/x86_64-linux-gnu/libpython3.11.a -lexpat -lz -lm -ldl -lutil
head -c 40000000 /dev/urandom >noise.bin
printf '.globl main\n.text\nmain: ret\n.data\n.incbin "noise.bin"\n.section .note.GNU-stack,"",@progbits\n' >noise.s
gcc -c noise.s -o noise.o
link_both noise gcc noise.o

# forget NAME: the kernel keeps what it has read; now it does not.
forget() {
	dd if="$mnt/$1" iflag=nocache count=0 status=none
}
disturb() {
	while :; do
		forget noise
		forget python3.11
		timeout 300 "$randread" "$mnt/noise" noise.file 2 "$1" 2>>noise.err || echo wrong >>noise.err
		sleep 1
	done
}
disturb 7 &
disturber=$!
status=0
timeout 600 "$mnt/python3.11" -m test test_json test_re test_struct test_dict test_list test_generators test_exceptions \
	test_hashlib test_ctypes >tests.out 2>&1 || status=$?
kill "$disturber"
wait "$disturber" 2>/dev/null || :
[ "$status" = 0 ] || { tail -n 40 tests.out >&2; fail "CPython's tests fail"; }
has '[Rr]esult: SUCCESS' tests.out
[ ! -s noise.err ] || { cat noise.err >&2; fail "wrong bytes beside it"; }
forget python3.11
right_bytes python3.11
forget noise
right_bytes noise
evictions=$(stat_of evictions) again=$(info_of python3.11 filled_bytes)
echo "$evictions chunks were given back; $again bytes of CPython's $(info_of python3.11 size) were made in all"
[ "$evictions" -gt 3000 ] || fail "only $evictions chunks were given back"
[ "$(stat_of cache_bytes)" -le 16777216 ] || fail "the limit is exceeded: $(stat_of cache_bytes)"
