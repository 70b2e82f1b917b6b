#!/bin/sh
# Installs what the benchmark compares with, and the tools that it measures with. Needs root and apt.
set -eu
apt-get install -y -q daemon daemonize s6 runit supervisor conmon tini dumb-init daemontools \
    strace gcc make libc6-dev python3 util-linux
