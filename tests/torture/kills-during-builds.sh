#!/bin/sh
# kills-during-builds.sh with two hundred of them.
LINKFS_KILLS=200 LINKFS_TEST_PATIENCE=900 exec "$(dirname "$0")/../mount/kills-during-builds.sh"
