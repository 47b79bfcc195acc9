#!/bin/sh
# CPython 3.11, linked by the mount from Debian's static library, starts with about half of its bytes, and passes a part
# of its own test suite from there.
# NEEDS: gcc linker /usr/lib/x86_64-linux-gnu/libpython3.11.a /usr/lib/python3.11/config-3.11-x86_64-linux-gnu/python.o
# NEEDS: /usr/lib/python3.11/test/test_json/__init__.py
. "$(dirname "$0")/lib-big.sh"
start_mount
link_both python3.11 gcc -no-pie -Wl,-export-dynamic /usr/lib/python3.11/config-3.11-x86_64-linux-gnu/python.o \
	/usr/lib/x86_64-linux-gnu/libpython3.11.a -lexpat -lz -lm -ldl -lutil
from_mount python3.11 -S -c pass
lazily python3.11 60
equal "$(from_mount python3.11 -c 'import ctypes, math, zlib; print(math.sqrt(16), zlib.decompress(zlib.compress(b"x")))')" \
	"4.0 b'x'" "extension modules built elsewhere"
timeout 600 "$mnt/python3.11" -m test test_json test_re test_struct test_dict test_list test_generators test_exceptions \
	test_hashlib test_ctypes >tests.out 2>&1 || { tail -n 40 tests.out >&2; fail "CPython's tests fail"; }
has '[Rr]esult: SUCCESS' tests.out
right_bytes python3.11
