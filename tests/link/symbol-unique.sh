#!/bin/sh
# STB_GNU_UNIQUE stays in .symtab and .dynsym, and the header says that GNU extensions are used.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they make it a plain global"

cat >a.cc <<'END'
inline int *where() { static int here; return &here; }
int *a() { return where(); }
END
cxx -fPIC -shared a.cc -o liba.so
equal "$(symlines liba.so _ZZ5wherevE4here | cut -d' ' -f2)" UNIQUE "binding in .symtab"
equal "$(dynsymlines liba.so _ZZ5wherevE4here | cut -d' ' -f2)" UNIQUE "binding in .dynsym"
readelf -hW liba.so >h
has 'OS/ABI: +UNIX - GNU' h
check_elf liba.so
