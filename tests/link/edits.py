#!/usr/bin/env python3
"""edits.py RELINKER LD DIR SEED COUNT: COUNT random edits of a program, each linked by a linker that stays and by a new one.

The program is a few dozen objects, two archives and a shared library, written here as ELF bytes, so that an edit costs no
compiler. An edit changes a body, its length alone, how many local symbols or sections there are, adds or drops a function,
renames a symbol, changes a size, moves a COMDAT group's first copy, replaces a member, adds or drops an object or a library,
puts a library earlier on the search path, touches a file, or changes an option. RELINKER (relinker.c) compares the outputs
byte for byte, and the messages where a link fails; enough links must have taken the symbols of one before.
"""
import os
import random
import struct
import subprocess
import sys

R_64, R_PC32, R_PLT32, R_32, R_GOTPCREL, R_REX_GOTPCRELX = 1, 2, 4, 10, 9, 42
GLOBAL, WEAK = 1, 2


class Elf:
    """One relocatable x86-64 object."""

    def __init__(self):
        self.sections = []  # name, type, flags, bytes, align, entsize, link, info, relocations
        self.symbols = [(b"", 0, 0, 0, 0, 0)]
        self.index = {}

    def section(self, name, data, flags=2, kind=1, align=1, entsize=0):
        self.sections.append([name, kind, flags, bytearray(data), align, entsize, 0, 0, []])
        return len(self.sections)

    def symbol(self, name, section=0, value=0, size=0, bind=GLOBAL, kind=2, other=0):
        self.index[name] = len(self.index)
        self.symbols.append((name.encode(), bind << 4 | kind, other, section, value, size))

    def relocate(self, section, offset, kind, name, addend=0):
        self.sections[section - 1][8].append((offset, kind, name, addend))

    def bytes(self, groups=()):
        """GROUPS: (signature, [sections])."""
        own = len(self.sections)
        locals_ = [(b"", 3, 0, i + 1, 0, 0) for i in range(own)]
        table = self.symbols[:1] + locals_ + [s for s in self.symbols[1:] if not s[1] >> 4]
        first_global = len(table)
        table += [s for s in self.symbols[1:] if s[1] >> 4]
        at = {s[0].decode(): i for i, s in enumerate(table) if s[0]}
        for name in {r[2] for s in self.sections for r in s[8]} | {g[0] for g in groups}:
            if isinstance(name, str) and name not in at:
                at[name] = len(table)
                table.append((name.encode(), GLOBAL << 4, 0, 0, 0, 0))
        out = [list(s) for s in self.sections]
        strtab, entries = bytearray(b"\0"), b""
        for name, info, other, section, value, size in table:
            entries += struct.pack("<IBBHQQ", len(strtab) if name else 0, info, other, section, value, size)
            if name:
                strtab += name + b"\0"
        relas = [(i + 1, s) for i, s in enumerate(self.sections) if s[8]]
        symtab = own + len(relas) + len(groups) + 1
        for i, s in relas:
            rows = b"".join(struct.pack("<QQq", o, (1 + n - 1 if isinstance(n, int) else at[n]) << 32 | k, a)
                            for o, k, n, a in s[8])
            out.append([".rela" + s[0], 4, 0x40, rows, 8, 24, symtab, i, []])
        for signature, members in groups:
            for m in members:
                out[m - 1][2] |= 0x200
            members = members + [own + 1 + k for k, (i, _) in enumerate(relas) if i in members]
            out.append([".group", 17, 0, struct.pack(f"<{1 + len(members)}I", 1, *members), 4, 4, symtab,
                        at[signature], []])
        out.append([".symtab", 2, 0, entries, 8, 24, symtab + 1, first_global, []])
        out.append([".strtab", 3, 0, bytes(strtab), 1, 0, 0, 0, []])
        names = bytearray(b"\0.shstrtab\0")
        out.append([".shstrtab", 3, 0, names, 1, 0, 0, 0, []])
        at_name = []
        for s in out[:-1]:
            at_name.append(len(names))
            names += s[0].encode() + b"\0"
        at_name.append(1)
        body, headers = bytearray(64), bytes(64)
        for s, name in zip(out, at_name):
            body += bytes(-len(body) % max(s[4], 1))
            headers += struct.pack("<IIQQQQIIQQ", name, s[1], s[2], 0, len(body), len(s[3]), s[6], s[7], s[4], s[5])
            body += b"" if s[1] == 8 else s[3]
        body += bytes(-len(body) % 8)
        body[:64] = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 1, 62, 1, 0, 0, len(body), 0, 64, 0, 0, 64,
                                len(out) + 1, len(out))
        return bytes(body) + headers


def frames(elf, code):
    """An .eh_frame for the code sections CODE: (section, size)."""
    cie = struct.pack("<IIB3sBBBBB", 20, 0, 1, b"zR\0", 1, 0x78, 16, 1, 0x1b) + b"\x0c\7\x08\x90\1\0\0"
    data, rows = bytearray(cie), []
    for section, size in code:
        rows.append((len(data) + 8, section))
        data += struct.pack("<IIiI", 20, len(data) + 4, 0, size) + bytes(8)
    at = elf.section(".eh_frame", data, align=8)
    for offset, section in rows:
        elf.relocate(at, offset, R_PC32, section)


class Unit:
    """One source file's worth: what an edit changes."""

    def __init__(self, r, number):
        self.number = number
        self.functions = {f"u{number}_f{i}": r.randrange(1, 9) for i in range(r.randrange(2, 7))}
        self.seed = r.random()
        self.inlines = {f"inline{r.randrange(30)}": r.randrange(1, 9) for _ in range(r.randrange(4))}
        self.strings = [f"string {r.randrange(60)}" for _ in range(r.randrange(6))]
        self.data = r.randrange(1, 9)
        self.common = r.choice([0, 0, 8, 64])
        self.weak = r.random() < .3
        self.pad = r.randrange(3)
        self.tail = self.statics = 0

    def write(self, callable_, libs):
        r = random.Random(self.seed)
        e, code, groups = Elf(), [], []
        for _ in range(self.pad):
            e.section(".comment", b"padding\0", 0x30, entsize=1)
        strings = e.section(".rodata.str1.1", b"".join(s.encode() + b"\0" for s in self.strings) + b"end\0", 0x32, entsize=1)
        constants = e.section(".rodata.cst8", struct.pack("<3Q", 1, self.data, r.randrange(5)), 0x12, align=8, entsize=8)
        data = e.section(".data.rel.ro", bytes(8 * self.data), 3, align=8)
        plain = e.section(".data", bytes(r.randrange(40)) + b"\1" * 8, 3, align=8)
        e.section(".bss", bytes(r.randrange(64)), 3, kind=8, align=16)
        e.symbol(f"u{self.number}_data", data, 0, 8 * self.data, kind=1)
        for i in range(self.data):
            e.relocate(data, 8 * i, R_64, r.choice(callable_ + [plain, strings]), 0)
        targets = callable_ + libs
        for i in range(self.statics):
            e.symbol(f"static{i}", plain, i, 1, bind=0, kind=1)
        for name, section in (".Lstring", strings), (".Lconstant", constants), (".Lplain", plain):
            e.symbol(name, section, r.choice([0, 8]) if section == constants else 0, bind=0, kind=1)
        for name, size in [*self.functions.items(), *self.inlines.items()]:
            comdat = name in self.inlines
            body = bytearray()
            section = e.section(".text." + name, b"", 6, align=16)
            for _ in range(size):
                kind = r.randrange(6)
                at = len(body) + 3
                if kind < 3:
                    body += b"\x0f\x1f\xe8" + bytes(4)
                    e.relocate(section, at, R_PLT32, r.choice(targets), -4)
                elif kind == 3:
                    body += b"\x48\x8b\5" + bytes(4)
                    e.relocate(section, at, R_REX_GOTPCRELX, r.choice(targets), -4)
                elif kind == 4:
                    body += b"\x48\x8d\5" + bytes(4)
                    e.relocate(section, at, R_PC32, r.choice([".Lstring", ".Lconstant", ".Lplain"]), -4)
                else:
                    body += b"\x48\x3b\5" + bytes(4)
                    e.relocate(section, at, R_GOTPCREL, r.choice(targets + ["nobody"] * self.weak), -4)
            body += b"\x90" * self.tail
            e.sections[section - 1][3] = body
            e.symbol(name, section, 0, len(body), WEAK if comdat else GLOBAL)
            code.append((section, len(body)))
            if comdat:
                groups.append((name, [section]))
        if self.common:
            e.symbol("shared_common", 0xfff2, 8, self.common, kind=1)
        if self.weak:
            e.symbol("nobody", 0, 0, 0, WEAK, 0)
            e.symbol("weakly", code[0][0], 0, 1, WEAK)
        if self.number == 0:
            e.symbol("_start", code[0][0], 0, 1)
        frames(e, code)
        return e.bytes(groups)


def archive(members):
    """A System V archive of (name, bytes, global names)."""
    names = [(n, i) for i, m in enumerate(members) for n in m[2]]
    symbols = b"".join(n.encode() + b"\0" for n, _ in names)
    size = 4 + 4 * len(names) + len(symbols)
    at, offsets = 8 + 60 + size + size % 2, []
    for _, data, _ in members:
        offsets.append(at)
        at += 60 + len(data) + len(data) % 2
    head = lambda name, n: f"{name:<16}{0:<12}{0:<6}{0:<6}{644:<8}{n:<10}`\n".encode()
    index = struct.pack(f">I{len(names)}I", len(names), *(offsets[i] for _, i in names)) + symbols
    out = b"!<arch>\n" + head("/", size) + index + b"\n" * (size % 2)
    for name, data, _ in members:
        out += head(name + "/", len(data)) + data + b"\n" * (len(data) % 2)
    return out


class Program:
    def __init__(self, where, ld, seed):
        self.r = random.Random(seed)
        self.dir = where
        self.number = 0
        self.units = [self.unit() for _ in range(12)]
        self.members = [[self.unit() for _ in range(8)], [self.unit() for _ in range(8)]]
        self.options = {"-pie", "--warn-unresolved-symbols"}
        self.early = self.extra = False
        for d in ("early", "late"):
            os.mkdir(f"{where}/{d}")
        self.libs = []
        for version in range(3):
            e = Elf()
            text = e.section(".text", b"\xc3" * 64, 6)
            names = ["lib_a", "lib_b", "lib_c"][:2 + version % 2] + ["u3_f0"] * (version == 2)
            for i, name in enumerate(names):
                e.symbol(name, text, i, 1)
            self.put(f"lib{version}.o", e.bytes())
            subprocess.check_call([ld, "--linkfs=file", "-shared", "-soname=libx.so", f"{where}/lib{version}.o", "-o",
                                   f"{where}/lib{version}.so"])
        self.lib = 0
        self.written = {}  # by file name
        self.objects = {}  # by all that makes one
        self.callable = {}  # whom one may call, by all that matters for that
        self.write()

    def unit(self):
        self.number += 1
        return Unit(self.r, self.number - 1)

    def put(self, name, data):
        """As compilers and archivers do: a new file, renamed."""
        with open(f"{self.dir}/{name}.new", "wb") as f:
            f.write(data)
        os.rename(f"{self.dir}/{name}.new", f"{self.dir}/{name}")

    def write(self):
        everyone = self.units + self.members[0] + self.members[1]
        names = sorted({n for u in everyone for n in u.functions if u.number % 7 != 3} or {"u0_f0"})
        files, want = {}, []
        for u in self.units:
            files[f"u{u.number}.o"] = self.object(u, names)
            want.append(f"{self.dir}/u{u.number}.o")
        for i, members in enumerate(self.members):
            rows = [(f"m{u.number}.o", self.object(u, names), [*u.functions, *u.inlines, f"u{u.number}_data"])
                    for u in members]
            files[f"a{i}.a"] = archive(rows)
        with open(f"{self.dir}/lib{self.lib}.so", "rb") as f:
            files["late/libx.so"] = f.read()
        if self.early:
            with open(f"{self.dir}/lib1.so", "rb") as f:
                files["early/libx.so"] = f.read()
        elif os.path.exists(f"{self.dir}/early/libx.so"):
            os.unlink(f"{self.dir}/early/libx.so")
            self.written.pop("early/libx.so", None)
        for name, data in files.items():
            if self.written.get(name) != data:
                self.put(name, data)
                self.written[name] = data
        lines = ["-o", "out", "--build-id", "--eh-frame-hdr", f"-L{self.dir}/early", f"-L{self.dir}/late", *sorted(self.options), *want,
                 f"{self.dir}/a0.a", f"{self.dir}/a1.a", "-lx"]
        self.put("args", "\n".join(lines).encode())

    def object(self, unit, names):
        """An object changes only by its own edits, as with a compiler: whom it may call is settled when it is made."""
        rows = sorted(vars(unit).items())
        state, calls = repr(rows), repr([r for r in rows if r[0] not in ("tail", "statics", "pad")])
        if state not in self.objects:
            self.objects[state] = unit.write(self.callable.setdefault(calls, names), ["lib_a", "lib_b"])
        return self.objects[state]

    def edit(self):
        r = self.r
        unit = r.choice(self.units + self.members[0] + self.members[1])
        some = r.choice(sorted(unit.functions))
        if r.random() < .5:
            self.options.add("--warn-unresolved-symbols")
        kind = r.choice(["tail"] * 12 + ["static"] * 4 + ["body"] * 6 + ["size"] * 3 + ["add", "remove", "rename", "strings", "comdat", "comdat", "member",
                        "object", "drop", "early", "lib", "touch", "option", "common", "data", "order"] + ["locals"] * 6)
        if kind == "tail":
            unit.tail = r.randrange(40)
        elif kind == "static":
            unit.statics = r.randrange(5)
        elif kind == "body":
            unit.seed = r.random()
        elif kind == "size":
            unit.functions[some] = r.randrange(1, 20)
        elif kind == "add":
            unit.functions[f"u{unit.number}_g{r.randrange(1000)}"] = r.randrange(1, 9)
        elif kind == "remove" and len(unit.functions) > 1:
            del unit.functions[some]
        elif kind == "rename" and unit.number:
            unit.functions[some + "x"] = unit.functions.pop(some)
        elif kind == "strings":
            unit.strings = [f"string {r.randrange(60)}" for _ in range(r.randrange(6))]
        elif kind == "comdat":
            unit.inlines = {f"inline{r.randrange(30)}": r.randrange(1, 9) for _ in range(r.randrange(5))}
        elif kind == "member":
            members = r.choice(self.members)
            members[r.randrange(len(members))] = self.unit()
        elif kind == "object":
            self.units.insert(r.randrange(1, len(self.units)), self.unit())
        elif kind == "drop" and len(self.units) > 6:
            del self.units[r.randrange(1, len(self.units))]
        elif kind == "early":
            self.early = not self.early
        elif kind == "lib":
            self.lib = r.randrange(3)
        elif kind == "touch":
            os.utime(f"{self.dir}/u{r.choice(self.units).number}.o")
            os.utime(f"{self.dir}/late/libx.so")
        elif kind == "option":
            self.options ^= {r.choice(["--gc-sections", "-O0", "-s", "--warn-unresolved-symbols", "-Bsymbolic", "--export-dynamic", "-shared",
                                       "--wrap=u1_f0", "--defsym=alias=u0_f0"])}
        elif kind == "common":
            unit.common = r.choice([0, 8, 16, 128])
        elif kind == "data":
            unit.data = r.randrange(1, 30)
        elif kind == "locals":
            unit.pad = r.randrange(4)
        elif kind == "order":
            r.shuffle(self.members[r.randrange(2)])
        self.write()
        return kind


def main():
    relinker, ld, where, seed, count = sys.argv[1:4] + [int(a) for a in sys.argv[4:6]]
    program = Program(where, ld, seed)
    child = subprocess.Popen([relinker], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    made = kept = resolutions = 0
    for step in range(count + 1):
        kind = program.edit() if step else "first"
        child.stdin.write(f"{where}/args\n")
        child.stdin.flush()
        answer = child.stdout.readline()
        if os.environ.get("EDITS_VERBOSE"):
            print(step, kind, answer, end="")
        if answer.split(" ")[0] not in ("same", "failed"):
            sys.exit(f"seed {seed}, edit {step} ({kind}): {answer or 'it died'}")
        made += answer.startswith("same")
        before, resolutions = resolutions, int(answer.split("resolutions=")[1].split()[0])
        kept += before == resolutions
    child.stdin.close()
    if child.wait():
        sys.exit(f"seed {seed}: status {child.returncode}")
    print(f"{made} of {count + 1} links were made, {count + 1 - made} failed as they should; {kept} resolved nothing")
    if made < count / 3 or kept < count / 5:
        sys.exit("too few links were made: this proves little")


main()
