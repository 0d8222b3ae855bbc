#!/usr/bin/env bash
# Makes the Debian packages of a build for 64-bit ARM, and installs them into a Debian 12 for ARM that runs in an
# emulator, where cssrun must give the answers to the demo's images that it gives here:
#
#     tools/arm64/package.sh BUILD TOOLS
#
# BUILD is what tools/arm64/test.sh --packages has built, TOOLS the folder of this machine's cssconvert and cssrun.
# Needs root, and this system's packages of the libraries: tools/install_packages.sh installs them.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "$1")
tools=$(realpath "$2")

# depends PROGRAM...: the packages of the libraries that these link, as a package's Depends. dpkg-shlibdeps knows
# installed packages only; this system has the same ones of its own architecture, and names and versions are equal.
depends() {
  local here
  here=$(gcc -print-multiarch)
  objdump -p "$@" | awk '$1 == "NEEDED" { print $2 }' | sort -u | grep -v -e '^ld-linux' -e '^libcssrun\.so' |
    while read -r soname; do
      package=$(dpkg-query -S "*/$here/$soname" 2>/dev/null | sed 's/: .*//' | head -n 1)
      awk -v name="${soname%.so*}" -v version="${soname##*.so.}" \
        '$1 == name && $2 == version { sub(/^[^ ]+ +[^ ]+ +/, ""); print; exit }' \
        "$(dpkg-query --control-path "$package" shlibs)" | grep . ||
        { echo "package.sh: $soname: no package of this system has it" >&2; exit 1; }
    done | sort -u | paste -sd , | sed 's/,/, /g'
}
library=$(depends "$build/runtime/libcssrun.so")
programs=$(depends "$build/tools/cssrun" "$build/tools/cssinspect")
rm -rf "$build/packages"
tools/package.sh "$build" -D CPACK_DEBIAN_PACKAGE_ARCHITECTURE=arm64 -D CPACK_DEBIAN_PACKAGE_SHLIBDEPS=OFF \
  -D CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS="$library" -D CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS="$programs"

# The kernel of this system must know the emulator, for the time being.
tools/install_packages.sh qemu-user-static mmdebstrap arch-test
formats=/proc/sys/fs/binfmt_misc
[ -e $formats/register ] || mount -t binfmt_misc none $formats
if [ ! -e $formats/qemu-aarch64 ]; then
  cat /usr/lib/binfmt.d/qemu-aarch64.conf >$formats/register
  trap 'echo -1 >$formats/qemu-aarch64' EXIT
fi

try=$build/try
rm -rf "$try"
mkdir "$try"
cp "$build"/packages/*.deb "$try"
cp -r tools/demo/test/three "$try"
"$tools/cssconvert" tools/demo/digits.onnx -o "$try/digits.fb" --calibration tools/demo/calibration \
  --labels tools/demo/labels.txt --mean 0.5 --std 0.25 >"$build/convert.log" 2>&1 || { cat "$build/convert.log"; exit 1; }
(cd "$try" && "$tools/cssrun" digits.fb three --format csv >here.csv)
cat >"$try/try.sh" <<'TRY'
set -eu
export DEBIAN_FRONTEND=noninteractive
cd /try
dpkg --print-architecture
apt-get install -y -qq --no-install-recommends ./libcssrun0_*.deb ./cssrun_*.deb >log 2>&1 || { cat log; exit 1; }
cssrun --version
cssinspect digits.fb | head -n 3
cssrun digits.fb three --format csv >there.csv
cmp here.csv there.csv
apt-get install -y -qq --no-install-recommends ./libcssrun-dev_*.deb >log 2>&1 || { cat log; exit 1; }
apt-get remove -y -qq libcssrun0 >log 2>&1 || { cat log; exit 1; }
TRY
mmdebstrap --quiet --variant=apt --architectures=arm64 --format=null \
  --customize-hook="copy-in $try /" --customize-hook='chroot "$1" sh /try/try.sh' bookworm - \
  "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
echo "the packages for arm64 install, give the same $(($(wc -l <"$try/here.csv") - 1)) answers as here, and go"
