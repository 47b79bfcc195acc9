#!/bin/sh
# Clients that send rubbish, half a request, too much, or nothing at all: they are cut off, and links go on being made.
# NEEDS: gcc python3 linker
. "$(dirname "$0")/lib-output.sh"
makes one
start_mount settle=never
link one.o -o first
cat >client.py <<'END2'
import array, os, random, socket, struct, sys, time

path = os.readlink(sys.argv[1] + "/.linkfs/socket")
out = sys.argv[2]
random.seed(int(sys.argv[3]))

def dial():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(path)
    s.settimeout(10)
    return s, s.recv(65536)

def sealed(data, seals=0xf):
    fd = os.memfd_create("rubbish", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    if seals:
        import fcntl
        fcntl.fcntl(fd, 1033, seals)
    return fd

def send(s, data, fds=()):
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    try:
        s.sendmsg([data], control)
    except (BrokenPipeError, ConnectionResetError, socket.timeout):
        pass
    for fd in fds:
        os.close(fd)

def answer(s):
    try:
        return s.recvmsg(65536, 4096)[0]
    except (ConnectionResetError, socket.timeout) as e:
        return b"" if isinstance(e, ConnectionResetError) else fail("not cut off")

def fail(why):
    sys.exit("FAIL: " + why)

s, hello = dial()
magic, version, kind = struct.unpack_from("<IHH", hello)
head = lambda kind, text=b"", words=(): (struct.pack("<IHHQQiI", magic, version, kind, 0, 0, 0, len(text)) +
                                         struct.pack("<20Q", *(tuple(words) + (0,) * (20 - len(words)))) + text)
kinds = range(kind, kind + 8)

# Packets of any kind without what belongs to them; sizes that promise more than there is.
for k in list(range(0, 64)) + list(kinds):
    for words in ((), (2**64 - 1,) * 16, (1, 1, 0o777), (1 << 40, 5, 0), (64 << 20, 0, 0), tuple(random.getrandbits(64) for _ in range(16))):
        s, _ = dial()
        send(s, head(k, random.randbytes(random.randrange(64)), words))
        s.close()
# Cut short, other magic, other version, random.
for data in (b"", b"x", hello[:-1], hello[:31], head(kind)[:40], b"\0" * 192, struct.pack("<IHH", magic, version + 1, kind) + b"\0" * 184,
             random.randbytes(160), random.randbytes(60000)):
    s, _ = dial()
    send(s, data)
    if data and answer(s):
        fail("an answer to %r" % data[:16])
# Links: paths and recipes that are none, blobs that are not sealed, too short, not memfds.
link = None
for k in kinds:
    s, _ = dial()
    recipe, name = b'"--chdir=/"\n"/nowhere/absent.o"\n', out.encode()
    send(s, head(k, b"", (len(recipe), len(name), 0o755)), (sealed(recipe + name),))
    s.settimeout(1)
    try:
        if s.recv(65536):
            link = k
            break
    except (socket.timeout, ConnectionResetError):
        pass
if link is None:
    fail("no kind of request makes links")
bad_paths = [b"", b"/", b"relative", b"//x", b"/a//b", b"/a/../b", b"/a/.", b"/a/..", b"/..", b"/.", b"/a/", b"/a\0b",
             b"/" + b"x" * 5000, b"/a/" + b"y" * 300]
for name in bad_paths:
    s, _ = dial()
    recipe = b'"--chdir=/"\n"/nowhere/absent.o"\n'
    send(s, head(link, b"", (len(recipe), len(name), 0o755)), (sealed(recipe + name),))
    a = answer(s)
    if a and name[-1:] in (b".", b"/", b"") :
        fail("the path %r was taken" % name)
for recipe in (b"", b"\0", b'"', b"'--chdir=", b"--chdir=relative", b"@/dev/zero", b"@/proc/self/mem", b"\xff" * 1000, b'"--chdir=/"\n' * 10000,
               b'"--chdir=/tmp"\n' + b"a" * 1000000, b'"--chdir=/"\n"-o"', b'"--linkfs=mount"', b"-T /dev/null", b"--version", b"--help",
               b"-T /dev/tty", b"@/dev/full"):
    s, _ = dial()
    send(s, head(link, b"", (len(recipe), len(out), 0o755)), (sealed(recipe + out.encode()),))
    s.settimeout(40)
    answer(s)
good = b'"--chdir=/"\n"/nowhere/absent.o"\n'
for fds in ((sealed(good + out.encode(), 0),), (sealed(b"short"),), (os.open("/dev/zero", os.O_RDONLY),), os.pipe(),
            (os.open("/", os.O_RDONLY),), tuple(os.dup(0) for _ in range(40))):
    s, _ = dial()
    send(s, head(link, b"", (len(good), len(out), 0o755)), fds)
    if answer(s):
        fail("descriptors that are no request were taken")
# Notes, about names that are none.
for k in kinds:
    for text in (b"", b"/", b"\n", b"/\nx", b"/..\nx", b"/a/../b\nx", b"x" * 4000, b"/a\0\nx", b"/" + b"z" * 3000 + b"\nwhy"):
        s, _ = dial()
        send(s, head(k, text))
        s.close()
# A second request before the first is answered: neither is believed, and what was asked for goes with its client.
for i in range(100):
    s, _ = dial()
    for _ in range(3):
        send(s, head(link, b"", (len(good), len(out), 0o755)), (sealed(good + out.encode()),))
    s.close()
# Two hundred that say nothing, and stay.
idle = [dial()[0] for _ in range(200)]
# One that asks and never takes what it is told, with its buffer full.
deaf, _ = dial()
for _ in range(300):
    send(deaf, head(link, b"", (len(good), len(out), 0o755)), (sealed(good + out.encode()),))
print("ready", flush=True)
sys.stdin.readline()
END2
pid=$(stat_of mount_pid)
descriptors() { ls "/proc/$pid/fd" | wc -l; }
before=$(descriptors) kept=$(stat_of outputs)
mkfifo stay ready
exec 9<>stay
timeout 90 python3 client.py "$mnt" "$PWD/rubbish" "${LINKFS_TEST_SEED:-$$}" <stay >ready 2>client.err &
client=$!
run grep -q ready ready || { cat client.err >&2; fail "the client (seed ${LINKFS_TEST_SEED:-$$})"; }
for i in 1 2 3 4 5; do
	link one.o -o "after$i"
	on_mount "after$i"
	says "./after$i" one
done
equal "$(stat_of mount_pid)" "$pid" "the mount process"
echo >&9
wait "$client" || { cat client.err >&2; fail "the client"; }
run ls -R "$mnt/.linkfs" >listed || fail "what is listed"
grep -E '/\.\.?(/|$|:)' listed && fail "a name that is none is listed"
rm -f after*
is_as_before() {
	run "$linkfs" gc >/dev/null
	[ "$(descriptors)" -le "$before" ] && [ "$(stat_of outputs)" -le "$kept" ]
}
wait_until is_as_before || fail "$(descriptors) descriptors, $(stat_of outputs) outputs are left; there were $before, $kept"
says ./first one
