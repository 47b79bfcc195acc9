#!/bin/sh
# Calls that would change something fail, with the right errno, and change nothing.
# NEEDS: python3
. "$(dirname "$0")/lib.sh"
use_fake
cp /bin/true a
start_mount
add x a
run python3 - "$mnt" <<'END' || fail "see above"
import errno, os, sys
m = sys.argv[1]
x, links = m + "/x", m + "/.linkfs/links"
bad = 0

def expect(name, what, call):
    global bad
    try:
        call()
        got = "no error"
    except OSError as e:
        got = errno.errorcode[e.errno]
    if got not in what.split():
        print(f"{name}: got {got}, expected {what}")
        bad = 1

for path in (x, m + "/.linkfs/log/x", m + "/.linkfs/info/x", m + "/.linkfs/map/x", m + "/.linkfs/stats"):
    expect("open for writing " + path, "EROFS", lambda: os.open(path, os.O_WRONLY))
    expect("open to truncate " + path, "EROFS", lambda: os.open(path, os.O_RDWR | os.O_TRUNC))
    expect("truncate " + path, "EROFS", lambda: os.truncate(path, 0))
    expect("chmod " + path, "EROFS", lambda: os.chmod(path, 0o600))
    expect("utime " + path, "EROFS", lambda: os.utime(path))
    expect("unlink " + path, "EROFS", lambda: os.unlink(path))
    expect("rename " + path, "EROFS", lambda: os.rename(path, m + "/y"))
    expect("link " + path, "EROFS", lambda: os.link(path, m + "/y"))
    expect("setxattr " + path, "ENOTSUP EOPNOTSUPP", lambda: os.setxattr(path, "user.a", b"b"))
for d, e in ((m, "EROFS"), (m + "/.linkfs", "EROFS"), (m + "/.linkfs/log", "EROFS"), (links, "EPERM")):
    expect("mkdir in " + d, e, lambda: os.mkdir(d + "/new"))
    expect("symlink in " + d, e, lambda: os.symlink("a", d + "/new"))
    expect("mkfifo in " + d, e, lambda: os.mkfifo(d + "/new"))
    if d != links:
        expect("create in " + d, "EROFS", lambda: os.open(d + "/new", os.O_CREAT | os.O_WRONLY))
    expect("chmod of " + d, "EROFS", lambda: os.chmod(d, 0o777))
expect("rmdir", "EROFS ENOTEMPTY", lambda: os.rmdir(links))
expect("chmod of a recipe", "EPERM", lambda: os.chmod(links + "/x", 0o777))
expect("hard link of a recipe", "EPERM", lambda: os.link(links + "/x", links + "/y"))
expect("recipe out of links", "EROFS", lambda: os.rename(links + "/x", m + "/y"))
expect("recipe of a bad name", "EINVAL", lambda: os.open(links + "/.linkfs", os.O_CREAT | os.O_WRONLY))
expect("unlink of no recipe", "ENOENT", lambda: os.unlink(links + "/none"))
expect("open of nothing", "ENOENT", lambda: os.open(m + "/none", os.O_RDONLY))
fd = os.open(x, os.O_RDONLY)
size = os.fstat(fd).st_size
if os.lseek(fd, 0, os.SEEK_HOLE) != size or os.lseek(fd, 5, os.SEEK_DATA) != 5:
    print("a file shows holes")
    bad = 1
expect("fchmod", "EROFS", lambda: os.fchmod(fd, 0o600))
sys.exit(bad)
END
run "$mnt/x" || fail "x does not run any more"
equal "$(ls -A "$mnt" | tr '\n' ' ')" ".linkfs .o x " "names"
