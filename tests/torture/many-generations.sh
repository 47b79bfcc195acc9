#!/bin/sh
# many-generations.sh with ten thousand of them.
LINKFS_GENERATIONS=10000 LINKFS_TEST_PATIENCE=1500 exec "$(dirname "$0")/../mount/many-generations.sh"
