#!/bin/sh
# The torture of tests/mount/inputs-torture.sh for half an hour.
: "${LINKFS_TORTURE_SECONDS:=1800}"
export LINKFS_TORTURE_SECONDS
exec "$(dirname "$0")/../mount/inputs-torture.sh"
