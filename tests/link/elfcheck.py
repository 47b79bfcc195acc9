#!/usr/bin/env python3
# elfcheck.py FILE: what holds for every linked ELF64 file, checked without trusting the section names.
# It stands beside readelf and eu-elflint because those believe most of what they print: here the lookup structures are
# walked as the dynamic loader and the unwinder walk them (.gnu.hash, .hash, .eh_frame_hdr, version needs), and the
# tables are held against each other (segments against sections, relocations against segments).
# Specs: gABI chapters 4 and 5, x86-64 psABI, LSB 10.6 (eh_frame_hdr) and 10.7 (symbol versions).
import struct
import sys

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_PHDR, PT_TLS = 1, 2, 3, 4, 6, 7
PT_EH, PT_STACK, PT_RELRO = 0x6474E550, 0x6474E551, 0x6474E552
SHF_WRITE, SHF_ALLOC, SHF_EXEC, SHF_TLS = 1, 2, 4, 0x400
SHT_NOBITS, SHT_SYMTAB, SHT_DYNSYM, SHT_NULL = 8, 2, 11, 0
complaints = []


def bad(text):
    complaints.append(text)


class Elf:
    def __init__(self, path):
        with open(path, "rb") as f:
            self.b = f.read()
        b = self.b
        assert b[:4] == b"\x7fELF" and b[4] == 2 and b[5] == 1, "not a little-endian ELF64 file"
        (self.type, self.machine, _, self.entry, self.phoff, self.shoff, _, _, phentsize, phnum, shentsize, shnum,
         self.shstrndx) = struct.unpack_from("<HHIQQQIHHHHHH", b, 16)
        if shnum == 0 and self.shoff:
            shnum = struct.unpack_from("<Q", b, self.shoff + 32)[0]
        if self.shstrndx == 0xFFFF:
            self.shstrndx = struct.unpack_from("<I", b, self.shoff + 40)[0]
        self.ph = [struct.unpack_from("<IIQQQQQQ", b, self.phoff + i * 56) for i in range(phnum)]
        self.sh = [struct.unpack_from("<IIQQQQIIQQ", b, self.shoff + i * 64) for i in range(shnum)]
        self.load = [p for p in self.ph if p[0] == PT_LOAD]

    def shname(self, s):
        return self.cstr(self.sh[self.shstrndx][4] + s[0])

    def cstr(self, off):
        return self.b[off:self.b.index(b"\0", off)].decode(errors="replace")

    def off(self, va, what="address"):
        for p in self.load:
            if p[3] <= va < p[3] + p[5]:
                return p[2] + va - p[3]
        bad("%s 0x%x has no bytes in the file" % (what, va))
        raise KeyError(va)

    def mapped(self, va, size=1):
        return any(p[3] <= va and va + size <= p[3] + p[6] for p in self.load)

    def writable(self, va, size):
        return any(p[3] <= va and va + size <= p[3] + p[6] and p[1] & 2 for p in self.load)


def check_segments(e):
    last = None
    for p in e.load:
        _, flags, off, va, _, filesz, memsz, align = p
        if align < 0x1000 or align & (align - 1):
            bad("PT_LOAD at 0x%x: alignment 0x%x" % (va, align))
        elif (va - off) % align:
            bad("PT_LOAD at 0x%x: offset 0x%x not congruent modulo 0x%x" % (va, off, align))
        if filesz > memsz or off + filesz > len(e.b):
            bad("PT_LOAD at 0x%x: file size 0x%x, memory size 0x%x, file length 0x%x" % (va, filesz, memsz, len(e.b)))
        if flags & 3 == 3:
            bad("PT_LOAD at 0x%x is writable and executable" % va)
        if last is not None:
            if va < last[3] + last[6]:
                bad("PT_LOAD at 0x%x overlaps or precedes the one at 0x%x" % (va, last[3]))
            if va // 0x1000 == (last[3] + last[6] - 1) // 0x1000 and last[1] != flags and last[6]:
                bad("PT_LOAD at 0x%x shares a page with another of other rights" % va)
        last = p
    for p in e.ph:
        if p[0] in (PT_PHDR, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_EH) and p[6] and not e.mapped(p[3], p[6]):
            bad("segment type 0x%x at 0x%x lies in no PT_LOAD" % (p[0], p[3]))
        if p[0] in (PT_PHDR, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_EH, PT_RELRO) and p[5] and e.off(p[3]) != p[2]:
            bad("segment type 0x%x: its offset is not that of its address" % p[0])
        if p[0] == PT_PHDR and (p[2] != e.phoff or p[5] != 56 * len(e.ph)):
            bad("PT_PHDR does not cover the program headers")
        if p[0] == PT_RELRO:
            home = [q for q in e.load if q[3] <= p[3] < q[3] + q[6]]
            if not home or not home[0][1] & 2:
                bad("PT_GNU_RELRO lies in no writable PT_LOAD")
            elif (p[3] + p[6]) % 0x1000 and p[3] + p[6] < home[0][3] + home[0][6]:
                bad("PT_GNU_RELRO ends inside a page: its last part stays writable")
    types = [p[0] for p in e.ph]
    for one in (PT_PHDR, PT_INTERP, PT_DYNAMIC, PT_TLS, PT_EH, PT_STACK, PT_RELRO):
        if types.count(one) > 1:
            bad("segment type 0x%x occurs %d times" % (one, types.count(one)))
    if PT_PHDR in types and PT_LOAD in types and types.index(PT_PHDR) > types.index(PT_LOAD):
        bad("PT_PHDR after PT_LOAD")
    if PT_STACK not in types:
        bad("no PT_GNU_STACK")
    if e.type in (2, 3) and e.entry:
        if not any(p[3] <= e.entry < p[3] + p[5] and p[1] & 1 for p in e.load):
            bad("entry 0x%x is not in an executable segment" % e.entry)


def check_sections(e):
    if not e.shoff:
        return
    spans = []
    for s in e.sh[1:]:
        _, typ, flags, va, off, size, _, _, align, _ = s
        name = e.shname(s)
        if typ == SHT_NULL:
            continue
        if align > 1 and flags & SHF_ALLOC and va % align:
            bad("%s: address 0x%x not aligned to %d" % (name, va, align))
        if typ != SHT_NOBITS and size:
            spans.append((off, off + size, name))
            if off + size > len(e.b):
                bad("%s ends beyond the file" % name)
        if flags & SHF_ALLOC and size and not (flags & SHF_TLS and typ == SHT_NOBITS):
            home = [p for p in e.load if p[3] <= va and va + size <= p[3] + p[6]]
            if not home:
                bad("%s lies in no PT_LOAD" % name)
                continue
            p = home[0]
            if typ != SHT_NOBITS and (off - p[2] != va - p[3] or va + size > p[3] + p[5]):
                bad("%s: its offset does not fit its segment" % name)
            if flags & SHF_WRITE and not p[1] & 2:
                bad("%s is writable, its segment is not" % name)
            if flags & SHF_EXEC and not p[1] & 1:
                bad("%s is executable, its segment is not" % name)
        if not flags & SHF_ALLOC and va and name != ".comment":
            bad("%s is not allocated but has an address" % name)
    spans.append((0, 64, "ELF header"))
    spans.append((e.phoff, e.phoff + 56 * len(e.ph), "program headers"))
    spans.append((e.shoff, e.shoff + 64 * len(e.sh), "section headers"))
    spans.sort()
    for x, y in zip(spans, spans[1:]):
        if y[0] < x[1]:
            bad("%s and %s overlap in the file" % (x[2], y[2]))
    secs = [(s[3], s[3] + s[5], e.shname(s)) for s in e.sh[1:]
            if s[2] & SHF_ALLOC and s[5] and not (s[2] & SHF_TLS and s[1] == SHT_NOBITS)]
    secs.sort()
    for x, y in zip(secs, secs[1:]):
        if y[0] < x[1]:
            bad("%s and %s overlap in memory" % (x[2], y[2]))


def check_symtab(e, s):
    _, typ, _, _, off, size, link, info, _, entsize = s
    what = e.shname(s)
    if entsize != 24 or size % 24:
        bad("%s: entry size %d, size %d" % (what, entsize, size))
        return
    strs = e.sh[link]
    if e.b[off:off + 24] != bytes(24):
        bad("%s: first entry is not null" % what)
    tls = [p for p in e.ph if p[0] == PT_TLS]
    for i in range(1, size // 24):
        name, inf, _, shndx, value, sz = struct.unpack_from("<IBBHQQ", e.b, off + i * 24)
        if name >= strs[5]:
            bad("%s[%d]: name beyond its string table" % (what, i))
            continue
        text = e.cstr(strs[4] + name)
        if (inf >> 4 == 0) != (i < info):
            bad("%s[%d] %s: local symbols must come first (sh_info %d)" % (what, i, text, info))
        if 0 < shndx < 0xFF00:
            if shndx >= len(e.sh):
                bad("%s[%d] %s: section %d of %d" % (what, i, text, shndx, len(e.sh)))
                continue
            home = e.sh[shndx]
            if inf & 15 == 6:
                if not tls or value > tls[0][6]:
                    bad("%s[%d] %s: TLS offset 0x%x outside PT_TLS" % (what, i, text, value))
            elif sz and inf & 15 in (1, 2) and home[2] & SHF_ALLOC and not home[3] <= value <= home[3] + home[5]:
                bad("%s[%d] %s: 0x%x is outside %s" % (what, i, text, value, e.shname(home)))
        elif shndx == 0 and inf >> 4 == 0 and inf & 15 not in (0, 4):
            bad("%s[%d] %s: local and undefined" % (what, i, text))


def gnu_hash(name):
    h = 5381
    for c in name.encode():
        h = (h * 33 + c) & 0xFFFFFFFF
    return h


def sysv_hash(name):
    h = 0
    for c in name.encode():
        h = (h << 4) + c
        h ^= (h >> 24) & 0xF0
        h &= 0x0FFFFFFF
    return h


def check_dynamic(e):
    dyn = [p for p in e.ph if p[0] == PT_DYNAMIC]
    if not dyn:
        return
    tags, needed, ended = {}, [], False
    for off in range(dyn[0][2], dyn[0][2] + dyn[0][5], 16):
        tag, val = struct.unpack_from("<QQ", e.b, off)
        if tag == 0:
            ended = True
            break
        if tag == 1:
            needed.append(val)
        elif tag in tags:
            bad("dynamic tag 0x%x occurs twice" % tag)
        tags[tag] = val
    if not ended:
        bad("the dynamic section does not end with DT_NULL")
    if 5 not in tags or 6 not in tags:
        bad("no DT_STRTAB or DT_SYMTAB")
        return
    strtab, symtab = e.off(tags[5], "DT_STRTAB"), e.off(tags[6], "DT_SYMTAB")
    strsz = tags.get(10, 0)
    for n in needed + [tags[t] for t in (14, 15, 29) if t in tags]:
        if n >= strsz:
            bad("a dynamic string lies beyond DT_STRSZ")
    needed = {e.cstr(strtab + n) for n in needed}
    dynsym = [s for s in e.sh if s[1] == SHT_DYNSYM]
    count = dynsym[0][5] // 24 if dynsym else None
    if dynsym and dynsym[0][3] != tags[6]:
        bad("DT_SYMTAB is not .dynsym")
    if count is None:
        return
    syms = []
    for i in range(count):
        name, inf, other, shndx, value, sz = struct.unpack_from("<IBBHQQ", e.b, symtab + 24 * i)
        syms.append((e.cstr(strtab + name), inf, other, shndx, value))
    check_hashes(e, tags, syms)
    check_versions(e, tags, strtab, syms, needed)
    check_relocs(e, tags, syms)
    for arr, sz in ((25, 27), (26, 28), (32, 33)):
        if (arr in tags) != (sz in tags):
            bad("one of the dynamic tags %d and %d without the other" % (arr, sz))
        elif arr in tags and (tags[sz] % 8 or not e.mapped(tags[arr], tags[sz])):
            bad("array of dynamic tag %d does not lie in memory" % arr)


def check_hashes(e, tags, syms):
    # A canonical PLT entry (undefined, with a value) is found like a definition.
    visible = [i for i, s in enumerate(syms) if i and s[1] >> 4 and s[3]]
    if 4 not in tags and 0x6FFFFEF5 not in tags:
        bad("neither DT_HASH nor DT_GNU_HASH")
    if 4 in tags:
        h = e.off(tags[4], "DT_HASH")
        nbucket, nchain = struct.unpack_from("<II", e.b, h)
        if nchain != len(syms):
            bad("DT_HASH: %d chains for %d symbols" % (nchain, len(syms)))
        for i in visible:
            j = struct.unpack_from("<I", e.b, h + 8 + 4 * (sysv_hash(syms[i][0]) % nbucket))[0]
            steps = 0
            while j and j != i and steps <= nchain:
                j = struct.unpack_from("<I", e.b, h + 8 + 4 * (nbucket + j))[0]
                steps += 1
            if j != i:
                bad("DT_HASH does not find %s" % syms[i][0])
    if 0x6FFFFEF5 in tags:
        h = e.off(tags[0x6FFFFEF5], "DT_GNU_HASH")
        nbucket, symoff, nbloom, shift = struct.unpack_from("<IIII", e.b, h)
        if nbloom & (nbloom - 1) or not nbloom or not nbucket:
            bad("DT_GNU_HASH: %d bloom words, %d buckets" % (nbloom, nbucket))
            return
        bloom, buckets = h + 16, h + 16 + 8 * nbloom
        chains = buckets + 4 * nbucket
        for i in range(1, min(symoff, len(syms))):
            if syms[i][3]:
                bad("DT_GNU_HASH: defined symbol %s is before the hashed ones" % syms[i][0])
        for i in visible:
            v = gnu_hash(syms[i][0])
            word = struct.unpack_from("<Q", e.b, bloom + 8 * (v // 64 % nbloom))[0]
            if not word >> (v % 64) & 1 or not word >> ((v >> shift) % 64) & 1:
                bad("the bloom filter hides %s" % syms[i][0])
            j = struct.unpack_from("<I", e.b, buckets + 4 * (v % nbucket))[0]
            if j and j < symoff:
                bad("DT_GNU_HASH: a bucket starts before the hashed symbols")
                continue
            found = False
            while j and j < len(syms):
                c = struct.unpack_from("<I", e.b, chains + 4 * (j - symoff))[0]
                if j == i:
                    found = c | 1 == v | 1
                    break
                if c & 1:
                    break
                j += 1
            if not found:
                bad("DT_GNU_HASH does not find %s" % syms[i][0])


def check_versions(e, tags, strtab, syms, needed):
    known = {0, 1}
    if 0x6FFFFFFE in tags:
        at, left = e.off(tags[0x6FFFFFFE], "DT_VERNEED"), tags.get(0x6FFFFFFF, 0)
        files = set()
        while left:
            ver, cnt, file, aux, nxt = struct.unpack_from("<HHIII", e.b, at)
            name = e.cstr(strtab + file)
            if ver != 1 or not cnt:
                bad("version need of %s: version %d, count %d" % (name, ver, cnt))
            if name not in needed:
                bad("versions are needed from %s, which is not in DT_NEEDED" % name)
            if name in files:
                bad("two version needs for %s" % name)
            files.add(name)
            a = at + aux
            for _ in range(cnt):
                hsh, _, other, vname, anext = struct.unpack_from("<IHHII", e.b, a)
                if hsh != sysv_hash(e.cstr(strtab + vname)):
                    bad("version %s: wrong hash" % e.cstr(strtab + vname))
                if other in known:
                    bad("version index %d is used twice" % other)
                known.add(other)
                a += anext
            left -= 1
            if bool(nxt) != bool(left):
                bad("DT_VERNEEDNUM does not match the chain")
                break
            at += nxt
    if 0x6FFFFFFC in tags:
        at, left = e.off(tags[0x6FFFFFFC], "DT_VERDEF"), tags.get(0x6FFFFFFD, 0)
        for _ in range(left):
            known.add(struct.unpack_from("<H", e.b, at + 4)[0] & 0x7FFF)
            at += struct.unpack_from("<I", e.b, at + 16)[0]
    if 0x6FFFFFF0 in tags:
        at = e.off(tags[0x6FFFFFF0], "DT_VERSYM")
        for i, s in enumerate(syms):
            v = struct.unpack_from("<H", e.b, at + 2 * i)[0] & 0x7FFF
            if v not in known:
                bad("%s has version index %d, which nothing declares" % (s[0], v))
    elif len(known) > 2:
        bad("version needs without DT_VERSYM")


def check_relocs(e, tags, syms):
    RELATIVE, IRELATIVE, COPY, TP = 8, 37, 5, (16, 17, 18, 36)
    seen, phase = set(), 0
    for table, size in ((7, 8), (23, 2)):
        if table not in tags:
            continue
        at, total = e.off(tags[table], "relocation table"), tags.get(size, 0)
        if total % 24:
            bad("a relocation table of %d bytes" % total)
        relative, leading = 0, True
        for i in range(total // 24):
            where, info, addend = struct.unpack_from("<QQq", e.b, at + 24 * i)
            typ, sidx = info & 0xFFFFFFFF, info >> 32
            width = 16 if typ in (36,) else 4 if typ in (10, 11, 2) else 8
            if typ == COPY:
                width = 1
            if typ == 0:
                bad("a dynamic relocation of type R_NONE")
                continue
            if sidx >= len(syms):
                bad("dynamic relocation at 0x%x: symbol %d of %d" % (where, sidx, len(syms)))
            if not e.mapped(where, width):
                bad("dynamic relocation at 0x%x: no memory there" % where)
            elif not e.writable(where, width) and 22 not in tags and not tags.get(30, 0) & 4:
                bad("dynamic relocation at 0x%x: read-only, without DT_TEXTREL" % where)
            if where in seen:
                bad("two dynamic relocations at 0x%x" % where)
            seen.add(where)
            if typ == RELATIVE:
                relative += leading
                if not e.mapped(addend) and not any(addend == p[3] + p[6] for p in e.load):
                    bad("RELATIVE at 0x%x points to 0x%x, outside the image" % (where, addend))
                if sidx:
                    bad("RELATIVE at 0x%x has a symbol" % where)
            else:
                leading = False
            if typ == IRELATIVE:
                if not any(p[3] <= addend < p[3] + p[5] and p[1] & 1 for p in e.load):
                    bad("IRELATIVE at 0x%x: its resolver 0x%x is not code" % (where, addend))
                phase = max(phase, 1)
            if typ == COPY and (not syms[sidx][3] or syms[sidx][4] != where):
                bad("COPY of %s at 0x%x: the symbol is not defined there" % (syms[sidx][0], where))
        if table == 7 and 0x6FFFFFF9 in tags and tags[0x6FFFFFF9] != relative:
            bad("DT_RELACOUNT is %d, leading RELATIVE entries %d" % (tags[0x6FFFFFF9], relative))


def uleb(b, p):
    r = s = 0
    while True:
        c = b[p]
        p += 1
        r |= (c & 127) << s
        s += 7
        if not c & 128:
            return r, p


def encoded(e, enc, p, va, base):
    fmt = {0: ("<Q", 8), 2: ("<H", 2), 3: ("<I", 4), 4: ("<Q", 8), 10: ("<h", 2), 11: ("<i", 4), 12: ("<q", 8)}
    f, n = fmt[enc & 15]
    v = struct.unpack_from(f, e.b, p)[0]
    if enc & 0x70 == 0x10:
        v += va
    elif enc & 0x70 == 0x30:
        v += base
    return v & 0xFFFFFFFFFFFFFFFF, n


def check_unwind(e):
    hdr = [p for p in e.ph if p[0] == PT_EH]
    if not hdr or not hdr[0][6]:
        return
    off, va, size = hdr[0][2], hdr[0][3], hdr[0][5]
    ver, ptr_enc, cnt_enc, tab_enc = e.b[off:off + 4]
    if ver != 1:
        bad(".eh_frame_hdr: version %d" % ver)
        return
    frame, n = encoded(e, ptr_enc, off + 4, va + 4, va)
    if cnt_enc == 0xFF:
        return
    if tab_enc != 0x3B:
        bad(".eh_frame_hdr: table encoding 0x%x is not the one unwinders search" % tab_enc)
        return
    count, m = encoded(e, cnt_enc, off + 4 + n, va + 4 + n, va)
    table = off + 4 + n + m
    if table + 8 * count > off + size:
        bad(".eh_frame_hdr: %d entries do not fit 0x%x bytes" % (count, size))
        return
    rows = [struct.unpack_from("<ii", e.b, table + 8 * i) for i in range(count)]
    rows = [(a + va, b + va) for a, b in rows]
    fdes, cies, at = {}, {}, frame
    text = [(p[3], p[3] + p[6]) for p in e.load if p[1] & 1]
    ends = [s[3] + s[5] for s in e.sh if s[2] & SHF_ALLOC and s[3] <= frame < s[3] + s[5]]
    while at not in ends:       # the terminator comes from crtend.o: a link without it ends where the section does
        o = e.off(at, ".eh_frame")
        length = struct.unpack_from("<I", e.b, o)[0]
        if length == 0:
            break
        body, va_id = o + 4, at + 4
        if length == 0xFFFFFFFF:
            bad("64-bit length in .eh_frame")
            return
        cid = struct.unpack_from("<I", e.b, body)[0]
        if cid == 0:
            p = body + 5
            aug = e.cstr(p)
            p += len(aug) + 1
            _, p = uleb(e.b, p)
            _, p = uleb(e.b, p)
            p += 1
            enc = 0
            if aug[:1] == "z":
                _, p = uleb(e.b, p)
                for c in aug[1:]:
                    if c == "R":
                        enc = e.b[p]
                        p += 1
                    elif c == "P":
                        _, k = encoded(e, e.b[p], p + 1, 0, 0)
                        p += 1 + k
                    elif c == "L":
                        p += 1
            cies[at] = enc
        else:
            cie = va_id - cid
            if cie not in cies:
                bad("FDE at 0x%x: its CIE pointer leads to no CIE" % at)
                return
            begin, k = encoded(e, cies[cie], body + 4, va_id + 4, 0)
            length_pc, _ = encoded(e, cies[cie] & 15, body + 4 + k, 0, 0)
            if not any(a <= begin and begin + length_pc <= b for a, b in text):
                bad("FDE at 0x%x covers 0x%x+0x%x, which is not code" % (at, begin, length_pc))
            fdes[at] = begin
        at += 4 + length
        if at not in ends and not e.mapped(at, 4):
            bad(".eh_frame does not end")
            return
    if count != len(fdes):
        bad(".eh_frame_hdr: %d entries for %d FDEs" % (count, len(fdes)))
    for x, y in zip(rows, rows[1:]):
        if y[0] < x[0]:
            bad(".eh_frame_hdr is not sorted at 0x%x" % y[0])
            break
        if y[0] == x[0]:
            bad(".eh_frame_hdr has two entries for 0x%x" % y[0])
            break
    for pc, fde in rows:
        if fdes.get(fde) != pc:
            bad(".eh_frame_hdr: 0x%x leads to 0x%x, which is no FDE of it" % (pc, fde))
            break


def main():
    e = Elf(sys.argv[1])
    for check in (check_segments, check_sections, check_dynamic, check_unwind):
        try:
            check(e)
        except KeyError:
            pass
    for s in e.sh:
        if s[1] in (SHT_SYMTAB, SHT_DYNSYM):
            check_symtab(e, s)
    for c in complaints[:20]:
        print("%s: %s" % (sys.argv[1], c))
    return 1 if complaints else 0


sys.exit(main())
