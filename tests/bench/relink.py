#!/usr/bin/env python3
"""relink.py [OPTIONS] NAME ARGSFILE OBJECT EDITED TRIAL...: after an edit, how long until the program has run?

OBJECT, one of the objects that ARGSFILE names, and EDITED, what its compiler makes of another version of its source, get its
name in turns by rename, each time as a file of its own. Then TRIAL, in which {} is the program, is run. Of linkfs the
program is a live link on a mount of its own: the time from the rename to TRIAL's end is the relink, what is made of the
output, and the run. Of the peers it is that of a link to a file and the run. They take turns, so that a slow moment of the
machine hits all. In the first rounds caches get warm, and the mount learns what a start wants (fs/cache_start.c): they are
told apart. Beside it, of linkfs: the link itself (`link_ms`), the time of a stat when nothing changed, and the passes of a
relink (tests/link/relinker.c).
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

FIRST = 4  # rounds
PEERS = {"mold": ["mold"], "lld": ["ld.lld"]}


def read_args(path, old, new):
    """The command line less its -o, with the object NEW in the place of OLD."""
    with open(path, encoding="utf-8") as f:
        lines = [new if line == old else line for line in f.read().split("\n") if line]
    if new not in lines:
        sys.exit(f"{path} does not name {old}")
    while "-o" in lines:
        at = lines.index("-o")
        del lines[at:at + 2]
    return lines


def values(path):
    with open(path, encoding="utf-8") as f:
        return dict(line.rstrip("\n").split(": ", 1) for line in f if ": " in line)


class Edited:
    """The object that is edited: bytes behind an ELF file's end mean nothing, but no two edits are the same file."""

    def __init__(self, versions, path):
        self.versions = []
        for version in versions:
            with open(version, "rb") as f:
                self.versions.append(f.read())
        self.path = path
        self.turn = 0
        self.edit()

    def edit(self):
        self.turn += 1
        with open(self.path + ".new", "wb") as f:
            f.write(self.versions[self.turn % len(self.versions)] + b"%16d" % self.turn)
        os.rename(self.path + ".new", self.path)


def timed(*commands):
    start = time.perf_counter()
    for command in commands:
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            sys.exit(f"{command[0]} failed")
    return (time.perf_counter() - start) * 1e3


def measure(o, work, mount):
    edited = Edited([o.object, o.edited], work + "/edited.o")
    args = read_args(o.args, o.object, edited.path)
    with open(work + "/args", "w", encoding="utf-8") as f:
        f.write("\n".join(args))
    with open(f"{mount}/.linkfs/links/{o.name}", "w", encoding="utf-8") as f:
        f.write("\n".join(args))
    trial = lambda program: [word.replace("{}", program) for word in o.trial]
    peers = [p for p in PEERS if shutil.which(PEERS[p][0])]
    times, links, null, first = {p: [] for p in ["linkfs"] + peers}, [], [], []
    program = f"{mount}/{o.name}"
    timed(trial(program))
    before = values(f"{mount}/.linkfs/stats")
    for turn in range(FIRST + o.runs):
        edited.edit()
        took = {"linkfs": timed(trial(program))}
        link_ms = float(values(f"{mount}/.linkfs/info/{o.name}")["link_ms"])
        start = time.perf_counter()
        os.stat(program)
        unchanged = (time.perf_counter() - start) * 1e3
        for peer in peers:
            out = f"{work}/{o.name}.{peer}"
            took[peer] = timed(PEERS[peer] + ["@" + work + "/args", "-o", out], trial(out))
        if turn < FIRST:
            first.append(took["linkfs"])
            continue
        for who, ms in took.items():
            times[who].append(ms)
        links.append(link_ms)
        null.append(unchanged)
    after = values(f"{mount}/.linkfs/stats")
    parsed = (int(after["parsed_objects"]) - int(before["parsed_objects"])) / (FIRST + o.runs)
    return times, links, null, first, parsed, after, edited


def show(o, work, times, links, null, first, parsed, stats, edited):
    medians = {who: statistics.median(t) for who, t in times.items()}
    print(f"\n{o.name}: relink and run after an edit of one object, {o.runs} runs, {os.cpu_count()} CPUs")
    print(f"{'':8}{'median':>11}{'min':>11}{'of mold':>9}")
    for who, median in medians.items():
        ratio = f"{median / medians['mold']:.3f}" if "mold" in medians else "-"
        print(f"{who:8}{median:8.1f} ms{min(times[who]):8.1f} ms{ratio:>9}")
    print(f"linkfs: link {statistics.median(links):.1f} ms, stat without a change {statistics.median(null):.2f} ms, "
          f"{parsed:.1f} objects parsed a relink, anon {int(stats['anon_bytes']) / 1e6:.1f} MB")
    print("linkfs, the first edits: " + ", ".join(f"{ms:.0f}" for ms in first) + " ms")
    with subprocess.Popen([o.relinker, "--alone", "--timers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as child:
        for _ in range(3):
            edited.edit()
            child.stdin.write(work + "/args\n")
            child.stdin.flush()
            child.stdout.readline()
        passes = child.communicate()[1].splitlines()
    print("\na relink, pass by pass:")
    print("\n".join(passes[-(len(passes) // 3):]))
    return medians


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--max-of-mold", type=float, help="fail if linkfs takes longer, as a multiple of mold's median")
    parser.add_argument("name")
    parser.add_argument("args")
    parser.add_argument("object")
    parser.add_argument("edited")
    parser.add_argument("trial", nargs="+")
    o = parser.parse_args()
    o.relinker = o.build + "/tests/relinker"
    linkfs = o.build + "/bin/linkfs"
    with tempfile.TemporaryDirectory(prefix="linkfs-relink.") as work:
        mount = work + "/mnt"
        os.mkdir(mount)
        os.mkdir(work + "/cache")
        os.environ.update(LINKFS_MOUNT=mount, XDG_CACHE_HOME=work + "/cache")
        subprocess.check_call([linkfs, "mount", "-o", f"cache_dir={work}/cache/linkfs", mount])
        try:
            medians = show(o, work, *measure(o, work, mount))
        finally:
            subprocess.call([linkfs, "umount", mount])
    if o.max_of_mold and medians["linkfs"] > o.max_of_mold * medians["mold"]:
        sys.exit(f"FAIL: linkfs took {medians['linkfs'] / medians['mold']:.3f} of mold's time, not {o.max_of_mold} at most")


main()
