#!/bin/sh
# Builds the guest image, as first process of mount and PID namespaces of its own (lab/host/privateMounts.ts): what is not finished
# lives on a tmpfs that goes with them. The lines "fwlab: STAGE" tell how far it is.
# usage: build.sh SCRATCH OUT RECIPE MMDEBSTRAP_ARGUMENT...
#   SCRATCH  empty folder to mount the tmpfs on; mmdebstrap's arguments make it write SCRATCH/root.tar
#   OUT      folder that is made for kernel, initrd and root.squashfs
#   RECIPE   folder of customize.sh
set -eu
scratch=$1
out=$2
export FWLAB_RECIPE="$3" FWLAB_PARTS="$1/parts"
shift 3

echo "fwlab: scratch"
# World-searchable: apt and the installed packages drop to users of their own.
mount -t tmpfs -o mode=0755,size=2g fwlab-build "$scratch"
export TMPDIR="$scratch/tmp"
mkdir "$TMPDIR" "$FWLAB_PARTS"

echo "fwlab: packages"
mmdebstrap --customize-hook='sh "$FWLAB_RECIPE/customize.sh" "$1" "$FWLAB_PARTS"' "$@"

echo "fwlab: squashfs"
# Level 3 packs in a tenth of the time of the default, 15, and makes an image a sixth larger.
tar2sqfs --quiet --compressor zstd --comp-extra level=3 "$FWLAB_PARTS/root.squashfs" <"$scratch/root.tar"

echo "fwlab: storing"
mkdir -m 0700 "$out"
cp "$FWLAB_PARTS/kernel" "$FWLAB_PARTS/initrd" "$FWLAB_PARTS/root.squashfs" "$out/"
echo "fwlab: stored"
