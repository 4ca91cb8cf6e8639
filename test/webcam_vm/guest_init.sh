#!/bin/busybox sh
# First program of the guest, in its initial RAM disk: the host's own file system below a tmpfs,
# so that everything can be read and nothing of the host can be changed. The kernel hands on
# WEBCAM_VM_OUT, the one folder that the guest shares with the host for writing.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules.list); do insmod "/modules/$module"; done

mkdir -p /host /changes /new
options=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o $options,cache=loose,ro host /host
mount -t tmpfs tmpfs /changes
mkdir /changes/upper /changes/work
mount -t overlay -o lowerdir=/host,upperdir=/changes/upper,workdir=/changes/work overlay /new

for folder in proc sys dev; do mount --move /$folder /new/$folder; done
mkdir -p /new/dev/shm /new/dev/pts /new/run
mount -t tmpfs -o mode=1777 tmpfs /new/dev/shm
mount -t devpts devpts /new/dev/pts
mount -t tmpfs tmpfs /new/run
mkdir -p "/new$WEBCAM_VM_OUT"
mount -t 9p -o $options,cache=none out "/new$WEBCAM_VM_OUT"
ifconfig lo 127.0.0.1 up
stty -F /new/dev/ttyS0 -opost
exec switch_root /new /bin/bash "$WEBCAM_VM_OUT/start.sh"
