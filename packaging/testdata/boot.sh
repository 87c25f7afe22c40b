#!/usr/bin/env bash
# Boots systemd in a copy of this machine's file system that exists in memory only: boot.sh FOLDER. It is meant to be
# the first process of new mount, PID, UTS and IPC namespaces, and everything is gone when it ends.
set -euo pipefail
mount --make-rprivate /
mount -t tmpfs none "$1"
mkdir "$1"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys # nothing of this kernel is changed
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs run
mkdir run/host
mount --rbind "${2:?folder that both sides see}" run/host
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm dev/mqueue dev/hugepages
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /run/systemd/journal/dev-log dev/log
for device in null zero full random urandom tty; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  mount -t tmpfs tmpfs sys/fs/cgroup
  mkdir sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
# Nothing of this machine is started but the journal.
rm -rf etc/systemd/system/*.wants
find lib/systemd/system/*.target.wants/ -type l -not -name 'systemd-journald*' -delete
rm -f etc/fstab var/lib/dpkg/lock*
mkdir -p mnt/before
pivot_root . mnt/before
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -c '
  umount -l /mnt/before
  exec /lib/systemd/systemd --unit=basic.target --log-target=console --show-status=no'
