#!/usr/bin/env bash
# Prints how many instructions a 64-bit ARM core takes for a network's convolutions by XNNPACK in 8 bits, as qemu's
# emulator counts them: what cssrun's counts are compared with. Without reading and resizing pictures.
#
#     tools/arm64/count_xnnpack.sh mobilenet|resnet20 [CORE]
#
# Debian's XNNPACK for ARM is unpacked in build/arm64/xnnpack. Needs root when something is missing.
set -euo pipefail
network=$1
core=${2:-cortex-a72}
cd "$(dirname "$0")/../.."
root=$PWD/build/arm64/xnnpack
tools/install_packages.sh gcc-aarch64-linux-gnu qemu-user mmdebstrap
if [ ! -e "$root.unpacked" ]; then
  rm -rf "$root"
  mkdir -p "$(dirname "$root")"
  mmdebstrap --quiet --variant=extract --architectures=arm64 --include=libxnnpack-dev,libc6-dev bookworm "$root" \
    "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
  touch "$root.unpacked"
fi
# Debian packs no header of pthreadpool, of which XNNPACK's needs one name.
mkdir -p "$root/header"
echo 'typedef struct pthreadpool* pthreadpool_t;' >"$root/header/pthreadpool.h"
libraries=$root/usr/lib/aarch64-linux-gnu
aarch64-linux-gnu-gcc --sysroot="$root" -O2 -Wall -Wextra -I"$root/header" tools/arm64/xnnpack_layers.c \
  -o "$root/layers" "$libraries/libXNNPACK.so.0" -Wl,-rpath-link,"$libraries"
gcc -O2 -Wall -Wextra -fPIC -shared -fvisibility=hidden tools/arm64/count_instructions.c -o "$root/count.so"

count() { qemu-aarch64 -cpu "$core" -L "$root" -plugin "$root/count.so,out=$2" "$root/layers" "$network" "$1"; }
count 1 "$root/once" >/dev/null
macs=$(count 2 "$root/twice")
awk -v macs="$macs" -v core="$core" '
  FNR == NR { once += $1; next }
  { twice += $1 }
  END { printf "%s: %d instructions, %.2f a MAC\n", core, twice - once, (twice - once) / macs }' "$root/once" "$root/twice"
