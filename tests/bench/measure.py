#!/usr/bin/env python3
"""measure.py [OPTIONS] NAME ARGSFILE OUTDIR: one link by several linkers, as a table.

Time: from start to exit, as a build would wait for it, the output removed before; one round warms the caches, then the
linkers take turns, so that a slow moment of the machine hits all. CPU: user and system time of the process and what it
waited for. anon: the peak of RssAnon, memory no file backs (VmHWM would count mapped inputs too), summed over the
process and its children, sampled in a run of its own; mold is told not to fork there. A linker's output is then run
(--try COMMAND, with the output's name) and must print what the others' prints.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time

PEERS = {"mold": ["mold"], "lld": ["ld.lld"], "gold": ["ld.gold"], "bfd": ["ld.bfd"]}


def read_args(path, kept_out):
    """The command line less its -o; KEPT_OUT gets it as a response file."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    while "-o" in lines:
        at = lines.index("-o")
        del lines[at:at + 2]
    with open(kept_out, "w", encoding="utf-8") as f:
        f.write("\n".join(lines))
    return [line for line in lines if line]


def input_bytes(args):
    return sum(os.stat(a).st_size for a in args if a.endswith((".o", ".a")) and os.path.exists(a))


def run_timed(command):
    before = os.times()
    start = time.perf_counter()
    status = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    wall = time.perf_counter() - start
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    if status:
        sys.exit(f"{command[0]}: exit status {status}")
    return wall, cpu


def rss_anon(pid):
    """Bytes of RssAnon of a process and all below it."""
    total = 0
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
            for line in f:
                if line.startswith("RssAnon:"):
                    total = int(line.split()[1]) * 1024
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                total += sum(rss_anon(int(child)) for child in f.read().split())
    except (OSError, ValueError):
        pass
    return total


def run_sampled(command):
    peak = 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    done = threading.Event()

    def sample():
        nonlocal peak
        while not done.is_set():
            peak = max(peak, rss_anon(process.pid))
            time.sleep(0.002)

    sampler = threading.Thread(target=sample)
    sampler.start()
    status = process.wait()
    done.set()
    sampler.join()
    if status:
        sys.exit(f"{command[0]}: exit status {status}")
    return peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linkfs", required=True)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--linkers", default="linkfs mold lld gold bfd")
    parser.add_argument("--try", dest="trial")
    parser.add_argument("--max-of-mold", type=float, help="fail if linkfs takes longer, as a multiple of mold's median")
    parser.add_argument("--max-anon", type=float, help="fail if linkfs has more anonymous memory, as a share of the input")
    parser.add_argument("name")
    parser.add_argument("args")
    parser.add_argument("outdir")
    o = parser.parse_args()

    response = f"{o.outdir}/{o.name}.rsp"
    in_bytes = input_bytes(read_args(o.args, response))
    commands = {}
    for linker in o.linkers.split():
        base = [o.linkfs, "--linkfs=file"] if linker == "linkfs" else PEERS[linker]
        if shutil.which(base[0]):
            commands[linker] = base + ["@" + response, "-o", f"{o.outdir}/{o.name}.{linker}"]
        else:
            print(f"{linker}: {base[0]} is not there, left out")

    times = {linker: [] for linker in commands}
    for turn in range(o.runs + 1):
        for linker, command in commands.items():
            if os.path.exists(command[-1]):
                os.unlink(command[-1])
            measured = run_timed(command)
            if turn:
                times[linker].append(measured)

    anon = {}
    for linker, command in commands.items():
        os.unlink(command[-1])
        # mold's CPU time is its child's, which it does not wait for: only a run that does not fork tells it.
        alone = command[:1] + ["--no-fork"] + command[1:] if linker == "mold" else command
        anon[linker] = run_sampled(alone)
        if linker == "mold":
            os.unlink(command[-1])
            cpu = run_timed(alone)[1]
            times[linker] = [(wall, cpu) for wall, _ in times[linker]]

    said = {}
    for linker, command in commands.items():
        if o.trial:
            result = subprocess.run([o.trial, command[-1]], capture_output=True, text=True, check=False)
            said[linker] = (result.returncode, result.stdout)

    medians = {linker: statistics.median(wall for wall, _ in t) for linker, t in times.items()}
    print(f"\n{o.name}: {in_bytes / 1e6:.0f} MB of objects and archives in, {o.runs} runs, {os.cpu_count()} CPUs")
    print(f"{'':8}{'median':>9}{'min':>9}{'of mold':>9}{'CPU':>9}{'anon':>11}{'of input':>9}{'output':>11}  runs")
    for linker, command in commands.items():
        median = medians[linker]
        ratio = f"{median / medians['mold']:.2f}" if "mold" in medians else "-"
        wall_min = min(wall for wall, _ in times[linker])
        cpu = statistics.median(c for _, c in times[linker])
        works = "-"
        if o.trial:
            status, text = said[linker]
            works = "NO" if status else "yes" if all(text == t for s, t in said.values() if not s) else "DIFFERS"
        print(f"{linker:8}{median:8.3f}s{wall_min:8.3f}s{ratio:>9}{cpu:8.3f}s{anon[linker] / 1e6:8.1f} MB"
              f"{anon[linker] / in_bytes:9.3f}{os.stat(command[-1]).st_size / 1e6:8.1f} MB  {works}")

    if "linkfs" in commands:
        result = subprocess.run(commands["linkfs"] + ["--linkfs-time"], capture_output=True, text=True, check=False)
        print("\nlinkfs, pass by pass:\n" + result.stdout + result.stderr, end="")
    for command in commands.values():
        os.unlink(command[-1])

    failures = [f"{linker}'s output does not run" for linker, (status, _) in said.items() if status]
    if o.max_of_mold and medians["linkfs"] > o.max_of_mold * medians["mold"]:
        failures.append(f"linkfs took {medians['linkfs'] / medians['mold']:.2f} of mold's time, not {o.max_of_mold} at most")
    if o.max_anon and anon["linkfs"] > o.max_anon * in_bytes:
        failures.append(f"linkfs had {anon['linkfs'] / in_bytes:.3f} of the input as anonymous memory, not {o.max_anon} at most")
    for failure in failures:
        print("FAIL: " + failure)
    sys.exit(bool(failures))


main()
