"""The torture of inputs-torture.sh: MOUNT SECONDS SEED. Each round opens and starts the programs while their inputs are
whole, spoils the inputs in every way there is, kills the linker process, and compares every page with file mode's. Then the
inputs are made whole again; the links have to follow. Prints what was done; exit status 1 at the first wrong thing."""
import concurrent.futures
import errno
import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
import time

MOUNT, SECONDS, SEED = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
PROGRAMS = ["dynamic", "static"]
INPUTS = ["main.o", "a.o", "b.o", "c.o", "d.o", "lib.a"]
PAGE = 4096
rng = random.Random(SEED)
want = {p: open(p + ".file", "rb").read() for p in PROGRAMS}
done = {"rounds": 0, "pages": 0, "changes": 0, "kills": 0, "runs": 0, "writer_ms": 0}


def expect_output(program):
    p = subprocess.run([f"./{program}.file"], input=b"\n", stdout=subprocess.PIPE, check=True)
    return p.stdout


outputs = {p: expect_output(p) for p in PROGRAMS}


def wrong(text):
    print(f"round {done['rounds']}: {text}", file=sys.stderr)
    sys.stderr.flush()
    os._exit(1)


# --- what is done to an input; some tools refuse while a lease is held (EAGAIN), which is as good ---


def patch(path, size):
    fd = os.open(path, os.O_WRONLY)
    for _ in range(rng.randint(1, 20)):
        os.pwrite(fd, os.urandom(rng.randint(1, 9000)), rng.randrange(size))
    os.close(fd)


def zero(path, _):
    with open(path, "wb"):
        pass


def cut(path, size):
    os.truncate(path, rng.randrange(size))


def append(path, _):
    with open(path, "ab") as f:
        f.write(os.urandom(10000))


def replace(path, _):
    with open(path + ".new", "wb") as f:
        f.write(os.urandom(20000))
    os.rename(path + ".new", path)


def unlink(path, _):
    os.unlink(path)


def ar(path, _):
    if path.endswith(".a"):
        subprocess.run(["ar", "r", path, "pristine/a.o"], check=False, stderr=subprocess.DEVNULL)
    else:
        patch(path, 1000)


def strip(path, _):
    subprocess.run(["strip", "-g", path], check=False, stderr=subprocess.DEVNULL)


def touch(path, _):
    subprocess.run(["touch", path], check=False, stderr=subprocess.DEVNULL)


def utime(path, _):
    os.utime(path, (rng.randrange(10**9), rng.randrange(10**9)))


def chmod(path, _):
    os.chmod(path, rng.choice([0o600, 0o644, 0o755]))


def store(path, size):
    with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
        for _ in range(10):
            m[rng.randrange(size)] = rng.randrange(256)


CHANGES = [patch, zero, cut, append, replace, unlink, ar, strip, touch, utime, chmod, store]


def change():
    path = "inputs/" + rng.choice(INPUTS)
    try:
        size = os.stat(path).st_size
        if size == 0:
            return
        started = time.monotonic()
        rng.choice(CHANGES)(path, size)
        done["writer_ms"] = max(done["writer_ms"], int((time.monotonic() - started) * 1000))
    except FileNotFoundError:
        return
    except BlockingIOError:
        return
    done["changes"] += 1


def make_whole():
    for name in INPUTS:
        if rng.random() < 0.5:
            with open("pristine/" + name, "rb") as f, open("inputs/" + name, "wb") as t:
                t.write(f.read())
        else:
            shutil.copyfile("pristine/" + name, "inputs/n")
            os.rename("inputs/n", "inputs/" + name)


def kill_linker():
    with open(MOUNT + "/.linkfs/stats") as f:
        pid = int(next(line for line in f if line.startswith("worker_pid")).split()[1])
    if pid:
        try:
            os.kill(pid, signal.SIGKILL)
            done["kills"] += 1
        except ProcessLookupError:
            pass


# --- reading ---


def check_page(program, fd, page):
    off = page * PAGE
    try:
        got = os.pread(fd, PAGE, off)
    except OSError as e:
        wrong(f"{program}: {errno.errorcode[e.errno]} at {off:#x}")
    if got != want[program][off : off + PAGE]:
        wrong(f"{program}: wrong bytes at {off:#x}")
    done["pages"] += 1


def check_some(program, fd, share):
    pages = list(range((len(want[program]) + PAGE - 1) // PAGE))
    for page in random.sample(pages, max(1, int(len(pages) * share))):
        check_page(program, fd, page)


def open_program(program):
    fd = os.open(f"{MOUNT}/{program}", os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
    size = os.fstat(fd).st_size
    if size != len(want[program]):
        wrong(f"{program}: its size is {size}")
    return fd


def start_program(program):
    p = subprocess.Popen([f"{MOUNT}/{program}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if p.stdout.readline() != b"up\n":
        wrong(f"{program}: does not come up: status {p.wait()}")
    return p


def end_program(program, p):
    out, _ = p.communicate(b"\n")
    if p.returncode or b"up\n" + out != outputs[program]:
        wrong(f"{program}: status {p.returncode}, it said {out!r}")
    done["runs"] += 1


def one_round(pool):
    held = [(p, open_program(p)) for p in PROGRAMS]
    running = [(p, start_program(p)) for p in PROGRAMS if rng.random() < 0.5]
    for program, fd in held:
        check_some(program, fd, rng.random() * 0.1)
    jobs = [pool.submit(check_some, program, fd, 0.3) for program, fd in held]
    for _ in range(rng.randint(1, 8)):
        if rng.random() < 0.1:
            kill_linker()
        change()
    for job in jobs:
        job.result()
    if rng.random() < 0.5:
        kill_linker()
    for program, p in running:
        end_program(program, p)
    for program, fd in held:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        check_some(program, fd, 1)
        os.close(fd)
    make_whole()
    done["rounds"] += 1


def main():
    end = time.monotonic() + SECONDS
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        while time.monotonic() < end:
            one_round(pool)
    print(", ".join(f"{k}: {v}" for k, v in done.items()))


main()
