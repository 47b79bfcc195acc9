#!/bin/sh
# CPython 3.11 from Debian's static library runs, imports extension modules built elsewhere, and passes a part of its
# own test suite.
# NEEDS: cc /usr/lib/x86_64-linux-gnu/libpython3.11.a /usr/lib/python3.11/config-3.11-x86_64-linux-gnu/python.o
# NEEDS: /usr/lib/python3.11/test/test_json/__init__.py
. "$(dirname "$0")/../lib.sh"

cc -no-pie -Wl,-export-dynamic -o python3.11 /usr/lib/python3.11/config-3.11-x86_64-linux-gnu/python.o \
	/usr/lib/x86_64-linux-gnu/libpython3.11.a -lexpat -lz -lm -ldl -lutil
check_elf python3.11
run_is "[0, 1, 4] 3.11" ./python3.11 -S -c \
	'import sys; print([x * x for x in range(3)], "%d.%d" % sys.version_info[:2])'
run_is "4.0 b'x'" ./python3.11 -c \
	'import ctypes, math, zlib; print(math.sqrt(16), zlib.decompress(zlib.compress(b"x")))'
./python3.11 -m test test_json test_re test_struct test_dict test_list test_generators test_exceptions test_hashlib \
	test_ctypes >tests.out 2>&1 || { tail -n 40 tests.out >&2; fail "CPython's tests fail"; }
has '[Rr]esult: SUCCESS' tests.out
