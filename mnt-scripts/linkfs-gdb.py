# linkfs-gdb.py: has gdb run a program anew as it was linked last.
#
# What stands at a linker's -o is a symbolic link to a file that never shows anything else, and a relink puts another
# symbolic link there. gdb runs a program by the name it was given, but looks for changes of the file this name led to
# when it was read: after a relink it would run the new program with the breakpoints and symbols of the old one. So before
# `run`, `start` and `starti` the name is followed again, and read anew where it leads elsewhere. A live link needs none of
# this: its name is the file's, and gdb sees the time change.
#
# To have it: `source` this file in ~/.gdbinit, or put it into gdb's own folder (Debian: /etc/gdb/gdbinit.d).
import os

import gdb


def linkfs_follow():
    """Has gdb read its program anew where its name leads to another file by now; a process of the old one is ended."""
    read = gdb.current_progspace().filename
    names = [o.username for o in gdb.objfiles() if o.filename == read and o.username]
    if not names or not os.path.exists(names[0]) or os.path.realpath(names[0]) == os.path.realpath(read):
        return
    if gdb.selected_inferior().pid:
        gdb.execute("kill")
    quoted = names[0].replace("\\", "\\\\").replace('"', '\\"')
    gdb.execute('with confirm off -- file "%s"' % quoted)
    gdb.execute("maintenance flush source-cache")


for command in "run", "start", "starti":
    gdb.execute("define hook-%s\npython linkfs_follow()\nend" % command)
