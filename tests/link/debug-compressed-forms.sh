#!/bin/sh
# Each form of compressed debug sections gives the same output, byte for byte, as the uncompressed object: zlib and zstd
# with SHF_COMPRESSED, and the older .zdebug_*; strings in them are merged across forms.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "their older versions refuse zstd or .zdebug strings"

cat >a.c <<'E'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct shared_structure { int first_of_its_members; FILE *file; pthread_mutex_t mutex; };
int reader(struct shared_structure *s);
int main(void)
{
	struct shared_structure s = { 0 };
	return reader(&s);
}
E
sed '/main/,$d' a.c >b.c
echo 'int reader(struct shared_structure *s) { return s->first_of_its_members; }' >>b.c
cc -g -c a.c b.c
cc -Wl,--build-id=none a.o b.o -o plain
readelf -p .debug_str plain | grep -c first_of_its_members >count
equal "$(cat count)" 1 "the strings of two objects are not merged"

tried=0
for form in zlib zlib-gnu zstd; do
	for o in a b; do
		objcopy --compress-debug-sections=$form $o.o $o-$form.o 2>objcopy.err || continue 2
	done
	tried=$((tried + 1))
	case $form in
	zlib-gnu) want='\.zdebug_str ' ;;
	*) want='\.debug_str .* MSC ' ;;
	esac
	readelf -SW a-$form.o >sections
	has "$want" sections
	cc -Wl,--build-id=none a-$form.o b-$form.o -o all-$form
	./all-$form
	check_elf all-$form
	readelf -SW all-$form >sections
	hasnt '\.zdebug|  *MSC |  C  ' sections
	same all-$form plain
	# one compressed object beside one that is not
	cc -Wl,--build-id=none a.o b-$form.o -o half-$form
	same half-$form plain
	# stripped, nobody looks at them
	cc -Wl,--build-id=none -s a-$form.o b-$form.o -o stripped
	readelf -SW stripped >sections
	hasnt 'debug' sections
done
[ "$tried" = 3 ] || skip "objcopy knows only $tried of zlib, zlib-gnu and zstd"
