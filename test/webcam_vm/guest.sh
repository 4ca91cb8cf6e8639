#!/usr/bin/env bash
# In the guest: two emulated webcams, not plugged in, beside the command.
#     guest.sh MODULES PYTHON COMMAND...
set -eu
modules=$1 python=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
export PATH=$(dirname "$python"):$PATH
export HOME=/root TERM=dumb
export PYTHONPATH=$here:$here/..:$here/../..
export CAMERA_MP_TEST_PATIENCE=120
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST

modprobe -d "$modules" -a vhci-hcd uvcvideo
"$python" "$here/webcam_daemon.py" 2 &
trap 'kill %1' EXIT
"$@"
