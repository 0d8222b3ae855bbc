#!/usr/bin/env bash
# Installs the Debian packages into a fresh Debian 12 made by debootstrap, and there converts and runs the
# demo network, in Python, too, where that was built, and builds an example: tools/try_packages.sh
# [BUILD], as root. Takes minutes, downloads some 200 MB, needs 1.5 GB below $TMPDIR (/var/tmp).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap" >&2; exit 2; }
tools/package.sh "$build"
root=$(mktemp -d "${TMPDIR:-/var/tmp}/cssrun-debian-XXXX")
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$root.log" 2>&1 || { tail "$root.log" >&2; exit 1; }
rm -f "$root.log"
mkdir "$root/try"
cp "$build"/packages/*.deb "$root/try"
cp -r tools/demo runtime/examples "$root/try"

chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C bash -euc '
  cd /try
  echo "== the shared library and the programs"
  apt-get install -y -qq --no-install-recommends ./libcssrun0_*.deb ./cssrun_*.deb >log 2>&1 || { cat log; exit 1; }
  cssrun --version
  cssconvert demo/digits.onnx -o digits.fb --calibration demo/calibration --labels demo/labels.txt --mean 0.5 --std 0.25
  cssinspect digits.fb | head -3
  cssrun digits.fb demo/test --format csv >answers.csv
  test "$(wc -l <answers.csv)" = 201
  test "$(cssrun digits.fb --stream demo/clip | wc -l)" = 60
  test -s /usr/share/man/man1/cssrun.1 || echo "(this image leaves man pages out)"
  echo "== development, with no more than a compiler"
  apt-get install -y -qq --no-install-recommends ./libcssrun-dev_*.deb gcc libc6-dev pkg-config >log 2>&1 || { cat log; exit 1; }
  gcc examples/classify.c $(pkg-config --cflags --libs cssrun) -o classify
  # A PPM image of the right size, grey.
  (printf "P6\n32 32\n255\n"; head -c 3072 /dev/zero | tr "\000" "\177") >grey.ppm
  ./classify digits.fb grey.ppm
  ldd classify | grep libcssrun.so.0
  if ls cssrun-video_*.deb >/dev/null 2>&1; then
    echo "== videos"
    apt-get install -y -qq --no-install-recommends ./cssrun-video_*.deb >log 2>&1 || { cat log; exit 1; }
    # Two grey frames.
    (printf "YUV4MPEG2 W32 H32 F25:1 C444\n"
     for i in 1 2; do printf "FRAME\n"; head -c 3072 /dev/zero | tr "\000" "\177"; done) >grey.y4m
    test "$(cssrun digits.fb --stream grey.y4m | wc -l)" = 2
  fi
  if ls python3-cssrun_*.deb >/dev/null 2>&1; then
    echo "== Python"
    apt-get install -y -qq --no-install-recommends ./python3-cssrun_*.deb >log 2>&1 || { cat log; exit 1; }
    python3 -c "
import cssrun
net = cssrun.load(\"digits.fb\")
images = net.read_images(\"demo/test\")
right = (net.run(images.pixels).best == images.truth).mean()
print(net, right)
assert right > 0.97 and cssrun.convert"
  fi
  echo "== and away with it"
  apt-get remove -y -qq libcssrun0 >log 2>&1 || { cat log; exit 1; }
  ! test -e /usr/lib/libcssrun.so.0
'
echo "the packages install, run and go"
